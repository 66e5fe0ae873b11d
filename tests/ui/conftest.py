"""What the desk's tests share: the map's address space is known before the first QApplication, as in the program."""

from gridman.ui.mapview.scheme import register_scheme

register_scheme()

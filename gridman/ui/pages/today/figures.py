"""A number with its word: what waits, at a glance, and a way to it."""

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton

from gridman.ui.theme import Theme
from gridman.ui.widgets import MARKS, retone

__all__ = ["Figure"]


class Figure(QPushButton):
    """A pill with a count; pressing it goes there."""

    def __init__(self, theme: Theme, number: int, text: str, tone: str, act: Callable[[], None]) -> None:
        super().__init__(f"{MARKS[tone] if number else ''}{number:,} {text}")
        self.setProperty("kind", "pill")
        self.setAutoDefault(False)
        self.setAccessibleName(f"{number} {text}")
        retone(self, tone=tone)
        self.clicked.connect(act)

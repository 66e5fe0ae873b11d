"""Icons of one free set (Lucide), coloured by the theme and sharp at every scale."""

import hashlib
from functools import cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from gridman.kernel.files import write_whole
from gridman.kernel.paths import default_data_dir, resource

__all__ = ["coloured_file", "icon", "pixmap"]

_SCALES = (1, 1.25, 1.5, 2)


@cache
def _drawing(name: str, colour: str) -> bytes:
    text = resource("icons", f"{name}.svg").read_text(encoding="utf-8")
    return text.replace("currentColor", colour).encode()


def pixmap(name: str, colour: str, size_px: int, scale: float = 1.0) -> QPixmap:
    """The icon `name` in `colour` ("#RRGGBB"), `size_px` logical pixels square."""
    picture = QPixmap(QSize(round(size_px * scale), round(size_px * scale)))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(_drawing(name, colour))).render(painter, QRectF(picture.rect()))
    painter.end()
    picture.setDevicePixelRatio(scale)
    return picture


def icon(name: str, colour: str, size_px: int = 18, *, checked_colour: str = "", disabled_colour: str = "") -> QIcon:
    """The icon for a button; `checked_colour`: its colour while the button is pressed in, `disabled_colour`: while it cannot be pressed."""
    found = QIcon()
    for scale in _SCALES:
        found.addPixmap(pixmap(name, colour, size_px, scale), QIcon.Mode.Normal, QIcon.State.Off)
        if checked_colour:
            found.addPixmap(pixmap(name, checked_colour, size_px, scale), QIcon.Mode.Normal, QIcon.State.On)
        if disabled_colour:
            found.addPixmap(pixmap(name, disabled_colour, size_px, scale), QIcon.Mode.Disabled, QIcon.State.Off)
    return found


def coloured_file(name: str, colour: str) -> str:
    """A file of the icon in `colour`, for style sheets, which can only name files. Made once per colour and user."""
    drawing = _drawing(name, colour)
    path = default_data_dir() / "icons" / f"{name}-{hashlib.sha256(drawing).hexdigest()[:12]}.svg"
    if not path.exists():
        write_whole(path, drawing)
    return path.as_posix()

"""The map's incident symbols as pictures for lists and chips: the same shape, colour and mark as on the map."""

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from gridman.geo.symbols import Symbol, incident_symbols
from gridman.kernel.words import language

__all__ = ["state_icon", "state_word", "symbol_pixmap"]

_SCALES = (1.0, 1.25, 1.5, 2.0)


def state_word(code: str) -> str:
    """The short name of a workflow state, in the language in use."""
    symbol = incident_symbols().get(code)
    return symbol.name(language()) if symbol is not None and code else code


def state_icon(code: str, *, is_dark: bool, size_px: int = 18) -> QIcon:
    """The state's symbol for a button."""
    found = QIcon()
    for scale in _SCALES:
        found.addPixmap(symbol_pixmap(code, is_dark=is_dark, size_px=size_px, scale=scale))
    return found


def symbol_pixmap(code: str, *, is_dark: bool, size_px: int = 18, scale: float = 1.0) -> QPixmap:
    """The state's symbol, `size_px` logical pixels square."""
    symbols = incident_symbols()
    symbol = symbols.get(code) or symbols[""]
    picture = QPixmap(round(size_px * scale), round(size_px * scale))
    picture.fill(Qt.GlobalColor.transparent)
    picture.setDevicePixelRatio(scale)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(size_px / 2, size_px / 2)
    radius = size_px * 0.36
    _draw(painter, symbol, radius, QColor(symbol.dark if is_dark else symbol.light), is_dark)
    painter.end()
    return picture


def _draw(painter: QPainter, symbol: Symbol, radius: float, colour: QColor, is_dark: bool) -> None:
    hollow = QColor("#1e2227" if is_dark else "#ffffff")
    pen = QPen(colour, 1.6 if symbol.is_hollow else 0.8)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(hollow if symbol.is_hollow else colour)
    painter.drawPath(_outline(symbol.shape, radius))
    ink = QPen(colour if symbol.is_hollow else hollow, max(1.3, radius * 0.24))
    ink.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(ink)
    for line in _MARKS.get(symbol.mark, ()):
        painter.drawPolyline(QPolygonF([QPointF(x * radius, y * radius) for x, y in line]))


def _corners(n: int, turn: float, reach: float, inner: float = 0.0) -> list[tuple[float, float]]:
    steps = n * 2 if inner else n
    found = []
    for i in range(steps):
        angle, far = turn + i * 2 * math.pi / steps, reach * (inner if inner and i % 2 else 1.0)
        found.append((math.sin(angle) * far, -math.cos(angle) * far))
    return found


_A = 0.35
_SHAPES: dict[str, list[tuple[float, float]]] = {
    "triangle": [(x, y + 0.15) for x, y in _corners(3, 0, 1.25)],
    "down": [(x, y - 0.15) for x, y in _corners(3, math.pi, 1.25)],
    "square": _corners(4, math.pi / 4, 1.2),
    "diamond": _corners(4, 0, 1.2),
    "pentagon": _corners(5, 0, 1.1),
    "hexagon": _corners(6, 0, 1.08),
    "octagon": _corners(8, math.pi / 8, 1.05),
    "star": _corners(5, 0, 1.35, 0.5),
    "cross": [(-_A, -1), (_A, -1), (_A, -_A), (1, -_A), (1, _A), (_A, _A), (_A, 1), (-_A, 1), (-_A, _A), (-1, _A), (-1, -_A), (-_A, -_A)],
}  # fmt: skip
_MARKS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "check": (((-0.45, 0.05), (-0.1, 0.4), (0.5, -0.35)),),
    "bar": (((-0.45, 0), (0.45, 0)),),
    "pause": (((-0.22, -0.4), (-0.22, 0.4)), ((0.22, -0.4), (0.22, 0.4))),
    "alert": (((0, -0.45), (0, 0.12)), ((0, 0.44), (0, 0.46))),
    "arrow": (((-0.5, 0), (0.45, 0)), ((0.1, -0.35), (0.48, 0), (0.1, 0.35))),
}


def _outline(shape: str, radius: float) -> QPainterPath:
    path = QPainterPath()
    if shape in _SHAPES:
        path.addPolygon(QPolygonF([QPointF(x * radius, y * radius) for x, y in _SHAPES[shape]]))
        path.closeSubpath()
    else:
        path.addEllipse(QRectF(-radius, -radius, 2 * radius, 2 * radius))
    return path

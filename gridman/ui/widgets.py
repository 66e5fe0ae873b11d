"""The few parts every page is built of, so that all pages are made by one hand."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gridman.ui.flow import FlowLayout
from gridman.ui.icons import icon, pixmap
from gridman.ui.theme import Theme

__all__ = [
    "MARKS", "Card", "EmptyState", "Foot", "Notice", "badge", "button", "clear", "column_in", "column_of", "facts_form", "flow_of",
    "icon_button", "label", "retone", "row_of", "rule", "scrolled",
]  # fmt: skip

_Thing = QWidget | QLayout | int | None
_B = TypeVar("_B", QHBoxLayout, QVBoxLayout)

MARKS = {"neutral": "", "good": "✓ ", "attention": "! ", "danger": "× ", "information": "i "}
"""The sign that goes with each tone: a state is never colour alone."""


def label(text: str, kind: str = "", *, wraps: bool = False, selectable: bool = False) -> QLabel:
    """A text. `kind`: title, heading, soft, small, caption, problem, figure, or empty for plain."""
    found = QLabel(text)
    found.setTextFormat(Qt.TextFormat.PlainText)
    if kind:
        found.setProperty("kind", kind)
    found.setWordWrap(wraps)
    if selectable:
        found.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return found


def badge(text: str, tone: str = "neutral", *, marked: bool = True) -> QLabel:
    """A state as a small label: word, colour and (unless not `marked`) a sign."""
    found = QLabel((MARKS[tone] if marked else "") + text)
    found.setTextFormat(Qt.TextFormat.PlainText)
    found.setProperty("kind", "badge")
    found.setProperty("tone", tone)
    found.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
    return found


def retone(widget: QWidget, **properties: object) -> None:
    """Set dynamic properties and let the style sheet see them."""
    if all(widget.property(name) == value for name, value in properties.items()):
        return
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def button(
    text: str, kind: str = "", *, theme: Theme | None = None, picture: str = "", clicked: Callable[[], object] | None = None,
    keys: str = "", tip: str = "",
) -> QPushButton:  # fmt: skip
    """A button with words. `kind`: primary, danger, quiet, link, chip, pill or empty; `keys`: its shortcut, shown in the tip."""
    found = QPushButton(text.replace("&", "&&"))
    if kind:
        found.setProperty("kind", kind)
    if picture and theme is not None:
        token = {"primary": "accent_ink", "danger": "danger", "link": "accent"}.get(kind, "soft")
        found.setIcon(icon(picture, theme.colours[token], theme.sizes["icon"], disabled_colour=theme.colours["faint"]))
        found.setIconSize(QSize(theme.sizes["icon"], theme.sizes["icon"]))
    if keys:
        found.setShortcut(keys)
    tips = " · ".join(part for part in (tip, keys) if part)
    if tips:
        found.setToolTip(tips)
    found.setAccessibleName(text)
    found.setAutoDefault(False)
    if clicked is not None:
        found.clicked.connect(clicked)
    return found


def icon_button(theme: Theme, picture: str, name: str, clicked: Callable[[], object] | None = None) -> QToolButton:
    """A button with a picture only; `name` is its tip and what a screen reader says."""
    found = QToolButton()
    found.setIcon(icon(picture, theme.colours["soft"], theme.sizes["icon"], checked_colour=theme.colours["accent"]))
    found.setIconSize(QSize(theme.sizes["icon"], theme.sizes["icon"]))
    found.setFixedSize(theme.sizes["control"], theme.sizes["control"])
    found.setToolTip(name)
    found.setAccessibleName(name)
    if clicked is not None:
        found.clicked.connect(clicked)
    return found


def rule() -> QFrame:
    """A thin line between things."""
    found = QFrame()
    found.setProperty("kind", "rule")
    found.setFixedHeight(1)
    return found


def row_of(*things: _Thing, spacing: int = 8, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QHBoxLayout:
    """Things side by side; None is a stretch, a number is a gap."""
    return _fill(QHBoxLayout(), things, spacing, margins)


def column_of(*things: _Thing, spacing: int = 8, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QVBoxLayout:
    """Things below each other; None is a stretch, a number is a gap."""
    return _fill(QVBoxLayout(), things, spacing, margins)


def flow_of(*things: QWidget, spacing: int = 8) -> FlowLayout:
    """Things side by side that go on in the next line where the width is used up: for buttons and badges in a narrow record."""
    flow = FlowLayout(spacing=spacing)
    for thing in things:
        flow.addWidget(thing)
    return flow


def facts_form(pairs: Iterable[tuple[str, str]]) -> QGridLayout:
    """Names and values below each other, long ones wrapped; those without a value are left out."""
    grid = (
        QGridLayout()
    )  # Qt's form layout keeps the heights of the rows before, and cuts a value that now has two lines
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    for number, (name, value) in enumerate(pair for pair in pairs if pair[1]):
        grid.addWidget(label(name, "soft", wraps=True), number, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(label(value, wraps=True, selectable=True), number, 1)
    return grid


def _fill(box: _B, things: tuple[_Thing, ...], spacing: int, margins: tuple[int, int, int, int]) -> _B:
    box.setSpacing(spacing)
    box.setContentsMargins(*margins)
    for thing in things:
        if thing is None:
            box.addStretch(1)
        elif isinstance(thing, int):
            box.addSpacing(thing)
        elif isinstance(thing, QLayout):
            box.addLayout(thing)
        else:
            box.addWidget(thing)
    return box


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and let it go."""
    while layout.count():
        item = layout.takeAt(0)
        if item is None:
            return
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif inner is not None:
            clear(inner)


def scrolled(inside: QWidget, name: str) -> QScrollArea:
    """`inside` in an area that scrolls up and down."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QFrame.Shape.NoFrame)
    inside.setProperty("kind", "scrolled")
    area.setWidget(inside)
    area.viewport().setAutoFillBackground(False)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setAccessibleName(name)
    return area


def column_in(pane: QFrame, name: str) -> QVBoxLayout:
    """Make `pane` one that shows a record: a column that scrolls; returns the column."""
    pane.setProperty("kind", "pane")
    column = QVBoxLayout()
    column.setContentsMargins(16, 12, 16, 12)
    column.setSpacing(12)
    body = QWidget()
    body.setLayout(column)
    outer = QVBoxLayout(pane)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(scrolled(body, name))
    return column


class Card(QFrame):
    """A group of things with a heading and, at its right, what can be done with them."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 12, 12)
        box.setSpacing(8)
        self.heading = label(title, "heading", wraps=True)
        self.heading_row = QHBoxLayout()
        self.heading_row.setSpacing(8)
        self.heading_row.addWidget(self.heading, 1)
        if title:
            box.addLayout(self.heading_row)
        self.body = QVBoxLayout()
        self.body.setSpacing(4)
        self.body.setContentsMargins(0, 0, 0, 0)
        box.addLayout(self.body)

    def add(self, thing: QWidget | QLayout) -> None:
        """Put a thing below the others."""
        if isinstance(thing, QLayout):
            self.body.addLayout(thing)
        else:
            self.body.addWidget(thing)

    def add_action(self, thing: QWidget) -> None:
        """Put a button at the right of the heading."""
        self.heading_row.addWidget(thing)

    def clear(self) -> None:
        """Empty the card; its heading stays."""
        clear(self.body)


class Foot(QFrame):
    """The buttons below a form, and at their right the keys that do the same where there is room to say so (the buttons' tips do always)."""

    def __init__(self, *buttons: QWidget, margins: tuple[int, int, int, int] = (16, 8, 16, 12)) -> None:
        super().__init__()
        self._buttons = buttons
        self._keys = label("Ctrl+Enter · Esc", "small")
        box = row_of(flow_of(*buttons), self._keys, margins=margins)
        box.setStretch(0, 1)
        self.setLayout(box)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        shown = [one for one in (*self._buttons, self._keys) if one is self._keys or not one.isHidden()]
        used = sum(one.sizeHint().width() + 8 for one in shown)
        self._keys.setVisible(used <= self.contentsRect().width() - 2 * self.layout().contentsMargins().left())  # type: ignore[union-attr]


class EmptyState(QWidget):
    """Nothing to show, why, and what to do next."""

    def __init__(self, theme: Theme, picture: str, title: str, text: str = "", action: QWidget | None = None) -> None:
        super().__init__()
        image = QLabel()
        image.setPixmap(pixmap(picture, theme.colours["edge"], 40, 2))
        image.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title = label(title, "heading", wraps=True)
        self.text = label(text, "soft", wraps=True)
        for one in (self.title, self.text):
            one.setAlignment(Qt.AlignmentFlag.AlignCenter)
        box = column_of(None, image, self.title, self.text, spacing=8, margins=(24, 24, 24, 24))
        if action is not None:
            box.addLayout(row_of(None, action, None))
        box.addStretch(2)
        self.setLayout(box)


class Notice(QFrame):
    """An inline message with its buttons: what a dialog would say, without standing in the way."""

    def __init__(self, text: str, tone: str = "information", *buttons: QWidget, is_tall: bool = False) -> None:
        super().__init__()
        self.setProperty("kind", "notice")
        self.setProperty("tone", tone)
        self.text = label(text, wraps=True)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        if is_tall:  # the buttons below the words: for narrow forms
            self.setLayout(column_of(self.text, row_of(*buttons, None), margins=(12, 8, 12, 8)))
        else:
            self.setLayout(row_of(self.text, *buttons, margins=(12, 8, 12, 8)))
        self.setAccessibleName(text)

    def tell(self, text: str, tone: str) -> None:
        """Say something else."""
        self.text.setText(text)
        self.setAccessibleName(text)
        retone(self, tone=tone)

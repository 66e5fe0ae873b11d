"""The people of a household: one block each, numbers masked until somebody asks, which is logged."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QWidget

from gridman.domain import codes
from gridman.domain.covering import masked
from gridman.domain.fields import fields_of
from gridman.domain.person import Person
from gridman.kernel.words import _
from gridman.services.households import PersonLine, reveal
from gridman.ui.flow import FlowLayout
from gridman.ui.pages.households.record_words import person_facts
from gridman.ui.shell import Shell
from gridman.ui.widgets import badge, button, column_of, icon_button, label, row_of

__all__ = ["PersonBlock"]


class _Hidden(QWidget):
    """A masked number with the button that shows it."""

    def __init__(self, shell: Shell, person: Person, name: str) -> None:
        super().__init__()
        self._shell, self._id, self._name = shell, person.id, name
        field = fields_of(Person)[name]
        value = getattr(person, name)
        self._text: QLabel = label(masked(field, value), "soft", selectable=True)
        self._show: QPushButton = button(_("Show"), "link", clicked=self._ask, tip=_("This look is logged"))
        self._show.setAccessibleName(_("Show {label}; this look is logged").format(label=_(field.label)))
        self.setLayout(row_of(label(_(field.label), "small"), self._text, self._show, spacing=6))

    def _ask(self) -> None:
        self._show.setEnabled(False)
        self._shell.background.do(reveal, "person", self._id, self._name, then=self._take)

    def _take(self, value: str) -> None:
        self._text.setText(value)
        self._show.hide()


class PersonBlock(QWidget):
    """One resident. Signals bring the resident's id."""

    editing = Signal(object)
    moving = Signal(object)
    retiring = Signal(object)

    def __init__(self, shell: Shell, line: PersonLine, today: str, *, is_editable: bool) -> None:
        super().__init__()
        self._shell = shell
        self.person = person = line.person
        self.setProperty("record", person.id)
        self.setAccessibleName(person.name)
        name = label(person.name, "heading", selectable=True)
        relation = badge(codes.word("family_relation", person.relation), "neutral", marked=False)
        facts = label(person_facts(person, today), "soft", wraps=True)
        top = row_of(name, relation, facts)
        top.setStretch(2, 1)
        if is_editable:
            top.addWidget(icon_button(shell.theme, "pencil", _("Edit {name}").format(name=person.name), self._edit))
            self._more = icon_button(
                shell.theme, "ellipsis-vertical", _("More for {name}").format(name=person.name), self._open_more
            )
            top.addWidget(self._more)
        numbers = QWidget()
        flow = FlowLayout(numbers, spacing=12, between_px=0)
        for field in ("id_number", "phones"):
            if getattr(person, field):
                flow.addWidget(_Hidden(shell, person, field))
        if not person.id_number:
            flow.addWidget(badge(_("No ID number"), "attention"))
        parts: list[Any] = [top, numbers]
        if line.care or person.died_on or person.moved_out_on:
            parts.append(_badges(line))
        if person.workplace or person.remark:
            parts.append(label(" · ".join(t for t in (person.workplace, person.remark) if t), "soft", wraps=True))
        self.setLayout(column_of(*parts, spacing=2, margins=(0, 4, 0, 4)))

    def _edit(self) -> None:
        self.editing.emit(self.person.id)

    def _open_more(self) -> None:
        menu = QMenu(self)
        menu.setAccessibleName(_("More"))
        for text, act in (
            (_("Move to another household…"), self._move),
            (_("Remove from the register…"), self._retire),
        ):
            _add(menu, text, act)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))

    def _move(self) -> None:
        self.moving.emit(self.person.id)

    def _retire(self) -> None:
        self.retiring.emit(self.person.id)


def _add(menu: QMenu, text: str, act: Callable[[], None]) -> None:
    action = QAction(text, menu)
    action.triggered.connect(act)
    menu.addAction(action)


def _badges(line: PersonLine) -> QWidget:
    holder = QWidget()
    flow = FlowLayout(holder, spacing=6)
    if line.person.died_on:
        flow.addWidget(badge(_("Died {day}").format(day=line.person.died_on), "neutral"))
    if line.person.moved_out_on:
        flow.addWidget(badge(_("Moved out {day}").format(day=line.person.moved_out_on), "neutral"))
    for tag in line.care:
        flow.addWidget(badge(codes.word("care_group", tag.care_group), "information", marked=False))
    return holder

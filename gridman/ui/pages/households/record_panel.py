"""One household as a record: head, people, home, visits, incidents, history with receipts."""

from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QGridLayout, QMenu, QTabBar, QVBoxLayout, QWidget

from gridman.domain import codes
from gridman.domain.covering import mask_for
from gridman.domain.fields import fields_of
from gridman.domain.household import Household
from gridman.kernel.clock import show_instant
from gridman.kernel.words import _, listed, ngettext
from gridman.services.households import reveal
from gridman.ui.flow import FlowLayout
from gridman.ui.pages.households.people_card import PersonBlock
from gridman.ui.pages.households.record_words import OpenedFile, change_words, decision_words, receipt, shown
from gridman.ui.shell import Shell
from gridman.ui.widgets import (
    Card,
    Notice,
    badge,
    button,
    clear,
    column_of,
    flow_of,
    icon_button,
    label,
    row_of,
    rule,
    scrolled,
)

__all__ = ["RecordPanel"]

_LAID_OUT_AFTER_MS = 30
_FACTS = (
    "phones", "plate_numbers", "protection", "needs_note", "remark", "informed_on",
)  # fmt: skip


class RecordPanel(QFrame):
    """See the module. What is to be done is asked of the page by `wanted`: a verb and an id."""

    wanted = Signal(str, object)

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self._may_write = shell.may("household.write")
        self.opened: OpenedFile | None = None
        self.setProperty("kind", "pane")
        self._title = label("", "title", wraps=True, selectable=True)
        self._badges = QWidget()
        self._flow = FlowLayout(self._badges, spacing=6)
        self._log = button(
            _("Log visit"), "primary", theme=shell.theme, picture="footprints", clicked=self._want_log, tip="Ctrl+L"
        )
        self._edit = button(_("Edit"), theme=shell.theme, picture="pencil", clicked=self._want_edit, tip="Ctrl+E")
        self._add = button(
            _("Add resident"), theme=shell.theme, picture="user-plus", clicked=self._want_add, tip="Ctrl+Shift+P"
        )
        self._more = icon_button(shell.theme, "ellipsis-vertical", _("More"), self._open_more)
        for one in (self._edit, self._add):
            if not self._may_write:
                one.hide()
        if not shell.may("visit.write"):
            self._log.hide()
        self._notices = QVBoxLayout()
        self._notices.setSpacing(8)
        self._tabs = QTabBar()
        self._tabs.setAccessibleName(_("Parts of the record"))
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        for _i in range(4):
            self._tabs.addTab("")
        self._tabs.currentChanged.connect(self._show_tab)
        self.deciding = QVBoxLayout()  # inside what scrolls: a question may be taller than what a low screen leaves
        self._body = QVBoxLayout()
        self._body.setSpacing(12)
        inside = QWidget()
        inside.setLayout(column_of(self.deciding, self._body, spacing=12, margins=(0, 0, 4, 0)))
        self._area = scrolled(inside, _("Record"))
        top = column_of(
            row_of(self._title, self._more), self._badges, flow_of(self._log, self._edit, self._add), self._notices, spacing=8,
            margins=(16, 12, 12, 0),
        )  # fmt: skip
        box = column_of(
            top, row_of(self._tabs, margins=(8, 4, 8, 0)), rule(), row_of(self._area, margins=(16, 12, 8, 0)), spacing=0
        )
        box.setStretch(3, 1)
        self.setLayout(box)

    # -- showing ------------------------------------------------------------------------------------------------------

    def show_file(self, opened: OpenedFile) -> None:
        """Show this household. Nothing is painted until Qt has laid it out: it shows new parts and finds their heights only later."""
        self.setUpdatesEnabled(False)
        QTimer.singleShot(_LAID_OUT_AFTER_MS, self, self._paint_again)
        is_other = self.opened is None or self.opened.file.household.id != opened.file.household.id
        self.opened = opened
        file = opened.file
        self._title.setText(file.household.address or file.household.number)
        self._title.setAccessibleName(file.household.address)
        self._show_badges(opened)
        is_retired = file.household.retired_at is not None
        for one, right in ((self._edit, "household.write"), (self._add, "household.write"), (self._log, "visit.write")):
            one.setVisible(not is_retired and self._shell.may(right))
        self._show_notices(opened)
        for number, text in enumerate(
            (
                _("Residents {n}").format(n=len(file.people)), _("Visits {n}").format(n=len(file.visits)),
                _("Incidents {n}").format(n=len(file.incidents)), _("History"),
            )
        ):  # fmt: skip
            self._tabs.setTabText(number, text)
        if is_other:
            self._tabs.setCurrentIndex(0)
        self._show_tab(self._tabs.currentIndex(), keep=not is_other)

    def _paint_again(self) -> None:
        self.setUpdatesEnabled(True)

    def show_top(self) -> None:
        """Bring the question above the record into view."""
        self._area.verticalScrollBar().setValue(0)

    def _show_badges(self, opened: OpenedFile) -> None:
        clear(self._flow)
        file = opened.file
        home = file.household
        self._flow.addWidget(label(_("No. {number}").format(number=home.number), "small"))
        if file.grid is not None:
            self._flow.addWidget(label(file.grid.name, "small"))
        line = file.line
        if line.is_overdue and line.due_on:
            self._flow.addWidget(badge(_("Visit overdue since {day}").format(day=line.due_on), "danger"))
        elif line.due_on:
            self._flow.addWidget(badge(_("Next visit by {day}").format(day=line.due_on), "neutral", marked=False))
        if home.is_vacant:
            self._flow.addWidget(badge(_("Vacant"), "neutral", marked=False))
        if home.is_rented:
            self._flow.addWidget(badge(_("Rented out"), "neutral", marked=False))
        if line.waiting:
            self._flow.addWidget(badge(_("Waiting to be sent"), "attention"))

    def _show_notices(self, opened: OpenedFile) -> None:
        clear(self._notices)
        file = opened.file
        if file.household.retired_at is not None:
            text = _("Closed on {day}: {reason}").format(
                day=show_instant(file.household.retired_at)[:10], reason=file.household.retired_reason or ""
            )
            parts = [button(_("Bring back"), clicked=self._want_restore)] if self._may_write else []
            self._notices.addWidget(Notice(text, "attention", *parts))
        n = len(file.conflicts)
        if n:
            text = ngettext("{n} entry waits for a decision.", "{n} entries wait for a decision.", n).format(n=n)
            self._notices.addWidget(Notice(text, "attention", button(_("Review"), clicked=self._see_conflicts)))

    def _show_tab(self, number: int, keep: bool = False) -> None:
        if self.opened is None:
            return
        top = self._area.verticalScrollBar().value() if keep else 0
        clear(self._body)
        (self._fill_people, self._fill_visits, self._fill_incidents, self._fill_history)[number](self.opened)
        self._body.addStretch(1)
        self._area.verticalScrollBar().setValue(top)

    def _fill_people(self, opened: OpenedFile) -> None:
        card = Card()
        is_editable = self._may_write and opened.file.household.retired_at is None
        for number, line in enumerate(opened.file.people):
            if number:
                card.add(rule())
            block = PersonBlock(self._shell, line, opened.today, is_editable=is_editable)
            block.editing.connect(self._want_edit_person)
            block.moving.connect(self._want_move_person)
            block.retiring.connect(self._want_retire_person)
            card.add(block)
        if not opened.file.people:
            text = _("Nobody is registered here. Add the head of the household first, or mark the home as vacant.")
            card.add(label(text, "soft", wraps=True))
        self._body.addWidget(card)
        self._body.addWidget(self._home_card(opened))

    def _home_card(self, opened: OpenedFile) -> Card:
        card = Card(_("Home"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        lines: list[tuple[str, QWidget]] = []
        dwelling = opened.file.dwelling
        if dwelling is not None:
            words = [
                codes.word("dwelling_type", dwelling.dwelling_type),
                codes.word("dwelling_use", dwelling.rental_use),
            ]
            if dwelling.area_m2:
                words.append(f"{dwelling.area_m2:g} m²")
            text = " · ".join(w for w in words if w)
            if text:
                lines.append((_("Dwelling"), label(text, wraps=True)))
        for name in _FACTS:
            field = fields_of(Household)[name]
            value = getattr(opened.file.household, name)
            if name == "informed_on" and not value:
                lines.append((_(field.label), label(_("not yet given"))))
            elif value:
                lines.append(
                    (_(field.label), self._fact(opened, name, shown(field, value), mask_for(field) is not None))
                )
        last = opened.file.line.last_visit_at
        lines.append((_("Last visit"), label(show_instant(last) if last else _("never"))))
        for number, (text, widget) in enumerate(lines):
            is_one_line = isinstance(widget, _Veiled)
            middle = Qt.AlignmentFlag.AlignVCenter if is_one_line else Qt.AlignmentFlag.AlignTop
            grid.addWidget(label(text, "caption"), number, 0, middle)
            grid.addWidget(widget, number, 1)
        card.add(grid)
        return card

    def _fact(self, opened: OpenedFile, name: str, text: str, is_masked: bool) -> QWidget:
        words = label(text, wraps=True, selectable=True)
        if not is_masked:
            return words
        return _Veiled(self._shell, opened.file.household.id, name, words)

    def _fill_visits(self, opened: OpenedFile) -> None:
        card = Card()
        for number, visit in enumerate(opened.file.visits):
            if number:
                card.add(rule())
            tone = "good" if visit.outcome == "1" else "attention" if visit.outcome in ("2", "6") else "neutral"
            by = opened.names.get(visit.user_id, "")
            kind = codes.word("visit_kind", visit.kind)
            head = row_of(
                label(show_instant(visit.visited_at)), badge(codes.word("visit_outcome", visit.outcome), tone), None,
                label(f"{kind} · {by}", "small"),
            )  # fmt: skip
            card.add(head)
            if visit.needs:
                words = listed(codes.word("visit_need", one) for one in visit.needs.split(";"))
                card.add(label(_("Needs: {words}").format(words=words), "soft", wraps=True))
            for text in (visit.note, visit.measure):
                if text:
                    card.add(label(text, "soft", wraps=True))
        if not opened.file.visits:
            card.add(label(_("No visit has been logged yet. Press Ctrl+L to log the first."), "soft", wraps=True))
        self._body.addWidget(card)

    def _fill_incidents(self, opened: OpenedFile) -> None:
        card = Card()
        for number, incident in enumerate(opened.file.incidents):
            if number:
                card.add(rule())
            name = button(codes.word("incident_category", incident.category), "link", clicked=self._open_incident)
            name.setProperty("record", incident.id)
            state = badge(codes.word("incident_state", incident.state), "information", marked=False)
            card.add(row_of(name, state, None, label(show_instant(incident.reported_at), "small")))
            card.add(label(incident.description or "", "soft", wraps=True))
        if not opened.file.incidents:
            card.add(label(_("No incident is linked to this household."), "soft", wraps=True))
        self._body.addWidget(card)

    def _fill_history(self, opened: OpenedFile) -> None:
        card = Card()
        for number, entry in enumerate(opened.file.history):
            if number:
                card.add(rule())
            text, tone = receipt(entry.state, entry.reason, entry.ack_seq)
            who = opened.names.get(entry.actor_id or 0, "")
            when = f"{show_instant(entry.at)} · {who}" if who else show_instant(entry.at)
            card.add(row_of(label(when, "small"), None, badge(text, tone)))
            dispute = opened.file.disputes.get(entry.record_id)
            said = (
                decision_words(dispute, entry.after)
                if dispute is not None
                else change_words(entry.entity, entry.kind, entry.after, entry.before)
            )
            card.add(label(said, wraps=True, selectable=True))
        if not opened.file.history:
            card.add(
                label(
                    _("Nothing was changed on this computer since the record came from the street."), "soft", wraps=True
                )
            )
        self._body.addWidget(card)

    # -- wanting ------------------------------------------------------------------------------------------------------

    @property
    def household_id(self) -> int:
        """The household shown, 0 when none is."""
        return self.opened.file.household.id if self.opened is not None else 0

    def _want_log(self) -> None:
        self._shell.go("visits", "household", self.household_id, "log")

    def _want_edit(self) -> None:
        self.wanted.emit("edit", self.household_id)

    def _want_add(self) -> None:
        self.wanted.emit("add_person", self.household_id)

    def _want_restore(self) -> None:
        self.wanted.emit("restore", self.household_id)

    def _want_retire(self) -> None:
        self.wanted.emit("retire", self.household_id)

    def _want_card(self) -> None:
        self._shell.go("reports", "household", self.household_id, "card")

    def _want_edit_person(self, person_id: int) -> None:
        self.wanted.emit("edit_person", person_id)

    def _want_move_person(self, person_id: int) -> None:
        self.wanted.emit("move_person", person_id)

    def _want_retire_person(self, person_id: int) -> None:
        self.wanted.emit("retire_person", person_id)

    def _see_conflicts(self) -> None:
        self._shell.go("sync", intent="conflicts")

    def _open_incident(self) -> None:
        sender = self.sender()
        if sender is not None:
            self._shell.go("incidents", "incident", sender.property("record"))

    def _open_more(self) -> None:
        if self.opened is None:
            return
        menu = QMenu(self)
        menu.setAccessibleName(_("More"))
        offers = [(_("Print the household card"), self._want_card)] if self._shell.may("report.incident") else []
        if self._may_write and self.opened.file.household.retired_at is None:
            offers.append((_("Close this household…"), self._want_retire))
        for text, act in offers:
            action = QAction(text, menu)
            action.triggered.connect(act)
            menu.addAction(action)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))


class _Veiled(QWidget):
    """A masked fact of the household with the act that shows it."""

    def __init__(self, shell: Shell, household_id: int, name: str, words: Any) -> None:
        super().__init__()
        self._shell, self._id, self._name, self._words = shell, household_id, name, words
        self._show = button(_("Show"), "link", clicked=self._ask, tip=_("This look is logged"))
        self._show.setAccessibleName(
            _("Show {label}; this look is logged").format(label=_(fields_of(Household)[name].label))
        )
        self.setLayout(row_of(words, self._show, None))

    def _ask(self) -> None:
        self._show.setEnabled(False)
        self._shell.background.do(reveal, "household", self._id, self._name, then=self._take)

    def _take(self, value: str) -> None:
        self._words.setText(value)
        self._show.hide()

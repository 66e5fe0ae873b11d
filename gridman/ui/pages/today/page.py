"""The Today page: due visits with one key to log each, unsent work, notices, incidents to act on, conflicts."""

from typing import Any, ClassVar

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QAbstractItemView, QScrollArea, QTableView, QVBoxLayout, QWidget

from gridman.domain import codes
from gridman.kernel.clock import day_of, show_day, show_instant
from gridman.kernel.words import N_, _, language, ngettext
from gridman.services.today import Today, today
from gridman.ui.actions import Verb
from gridman.ui.cells import Cell, EndKept
from gridman.ui.changes import Changed
from gridman.ui.column_fit import ColumnFit
from gridman.ui.mapview.symbols import state_word
from gridman.ui.page import Page
from gridman.ui.pages.today.due_list import DueModel
from gridman.ui.pages.today.figures import Figure
from gridman.ui.pages.today.long_link import LongLink
from gridman.ui.shell import Shell
from gridman.ui.widgets import Card, EmptyState, badge, button, clear, column_of, label, row_of, rule, scrolled

__all__ = ["TodayPage", "make_page"]

_WIDTHS = (160, 76, 118, 100)
"""Of the due list's columns, at a text of 14 px."""
_MOST_INCIDENTS = 8


class TodayPage(Page):
    """See the module. Due visits at the left, everything else that waits at the right."""

    concerns: ClassVar = ("household", "visit", "incident", "notice", "conflict", "person", "care_tag")
    verbs: ClassVar[tuple[Verb, ...]] = (
        Verb("log_chosen", N_("Log a visit to the chosen household"), "L", "footprints", "visit.write"),
        Verb("open_chosen", N_("Open the chosen household"), "O", "house", "household.read"),
    )

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._today: Today | None = None
        self._title = label(_("Today"), "title")
        self._subtitle = label(_("Loading…"), "soft")
        self._figures = row_of(spacing=12)
        self._side_box = QVBoxLayout()
        self._side_box.setContentsMargins(0, 0, 0, 0)
        self._side_box.setSpacing(12)
        inside = QWidget()
        inside.setLayout(self._side_box)
        self._side: QScrollArea = scrolled(inside, _("Notices, incidents and conflicts"))
        self._due = DueModel(shell.theme, self)
        self._list = self._make_list()
        self._due_card = self._make_due_card()
        lower = row_of(spacing=16)
        if shell.may("visit.write"):
            lower.addWidget(self._due_card, 3)
        lower.addWidget(self._side, 2)
        head = column_of(self._title, self._subtitle, spacing=0)
        box = column_of(row_of(head, None, self._figures), lower, spacing=12, margins=(16, 12, 16, 16))
        box.setStretch(1, 1)
        self.setLayout(box)

    def _make_list(self) -> QTableView:
        view = QTableView()
        view.setModel(self._due)
        view.setAccessibleName(_("Due visits"))
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setItemDelegate(Cell(view))
        view.setItemDelegateForColumn(0, EndKept(view))
        view.setTabKeyNavigation(False)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(self.shell.theme.sizes["row"])
        header = view.horizontalHeader()
        header.setHighlightSections(False)
        grown = self.shell.theme.sizes["base"] / 14
        ColumnFit(view, self.shell.theme, [round(width * grown) for width in _WIDTHS], 0, ())
        view.doubleClicked.connect(self._log_index)
        for keys, slot in (("L", self.do_log_chosen), ("Return", self.do_log_chosen), ("O", self.do_open_chosen)):
            shortcut = QShortcut(keys, view, context=Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(slot)
        return view

    def _make_due_card(self) -> Card:
        card = Card(_("Due visits"))
        self._due_count = label("", "small")
        card.add_action(self._due_count)
        self._log = button(
            _("Log visit"),
            "primary",
            theme=self.shell.theme,
            picture="footprints",
            clicked=self.do_log_chosen,
            tip="Enter",
        )
        self._open = button(_("Open"), theme=self.shell.theme, picture="house", clicked=self.do_open_chosen, tip="O")
        card.add(self._list)
        self._all_done = EmptyState(
            self.shell.theme, "circle-check", _("No visit is due"),
            _("Everyone on your round has been visited in time. New due visits appear here by themselves."),
        )  # fmt: skip
        card.add(self._all_done)
        self._keys = label(_("↑ ↓ choose · Enter log visit · O open"), "small")
        card.add(row_of(self._keys, None, self._open, self._log))
        for part in (self._all_done, self._keys, self._open, self._log):  # nothing is known before the first answer
            part.hide()
        return card

    # -- asking -------------------------------------------------------------------------------------------------------

    def refresh(self, changes: Changed | None) -> None:
        self.shell.background.ask(today, self.shell.actor, then=self._take, key="today")

    def first_focus(self) -> QWidget | None:
        return self._list

    def _take(self, found: Today) -> None:
        self._today = found
        self._title.setText(_("Today") + " · " + show_day(found.day, language()))
        self._subtitle.setText(self._greeting(found))
        chosen = self._chosen_id()
        self._due.show(found.due)
        self._choose(chosen)
        has_due = bool(found.due)
        for part in (self._list, self._keys, self._log, self._open):
            part.setVisible(has_due)
        self._all_done.setVisible(not has_due)
        shown, count = len(found.due), found.due_count
        self._due_count.setText(
            _("{shown} of {total}").format(shown=shown, total=count) if shown < count else f"{count}"
        )
        self._show_figures(found)
        self._show_side(found)

    def _greeting(self, found: Today) -> str:
        if not self.shell.may("visit.write"):
            n = found.open_incidents
            return ngettext("{n} open incident in your area", "{n} open incidents in your area", n).format(n=n)
        n = found.visits_done
        return ngettext("{n} visit logged today", "{n} visits logged today", n).format(n=n)

    def _show_figures(self, found: Today) -> None:
        clear(self._figures)
        tones = [
            (found.overdue_count, _("overdue"), "danger", self._see_due, self.shell.may("visit.write")),
            (
                found.due_count - found.overdue_count,
                _("due"),
                "attention",
                self._see_due,
                self.shell.may("visit.write"),
            ),
            (
                found.to_act_count,
                _("to act on"),
                "attention",
                self._see_incidents,
                bool(found.to_act_count),
            ),
            (
                found.overdue_incidents,
                _("late incidents"),
                "danger",
                self._see_late,
                bool(found.overdue_incidents),
            ),
            (found.conflict_count, _("to review"), "attention", self._see_conflicts, bool(found.conflict_count)),
            (found.waiting, _("waiting to send"), "information", self._see_sync, bool(found.waiting)),
            (found.refused, _("refused"), "danger", self._see_refused, bool(found.refused)),
        ]
        for number, text, tone, act, is_shown in tones:
            if is_shown:
                self._figures.addWidget(Figure(self.shell.theme, number, text, tone if number else "neutral", act))

    def _show_side(self, found: Today) -> None:
        clear(self._side_box)
        for card in (self._incident_card(found), self._notice_card(found), self._conflict_card(found)):
            if card is not None:
                self._side_box.addWidget(card)
        self._side_box.addStretch(1)

    def _incident_card(self, found: Today) -> Card:
        card = Card(_("Incidents your office must act on"))
        shown = found.incidents_to_act[:_MOST_INCIDENTS]
        for row in shown:
            card.add(self._incident_line(row))
        if len(shown) < found.to_act_count:
            card.add(label(_("{shown} of {total}").format(shown=len(shown), total=found.to_act_count), "small"))
        if not found.incidents_to_act:
            card.add(label(_("None. Incidents sent to your office appear here."), "soft", wraps=True))
        card.add_action(button(_("All incidents"), "link", clicked=self._see_incidents))
        return card

    def _incident_line(self, row: Any) -> QWidget:
        line = QWidget()
        late = badge(_("Late"), "danger") if row.is_overdue else badge(state_word(row.state), "information")
        text = f"{codes.word('incident_category', row.category)} · {row.place or row.grid_name}"
        name = LongLink(text, self._open_incident)
        name.setProperty("record", row.id)
        due = label(_("by {when}").format(when=show_instant(row.due_at)[5:]) if row.due_at else "", "small")
        if self.shell.may("visit.write"):  # beside the due visits there is no room for all of it in one line
            line.setLayout(column_of(name, row_of(late, None, due, margins=(8, 0, 0, 4)), spacing=0))
            return line
        layout = row_of(late, name, due)
        layout.setStretch(1, 1)
        line.setLayout(layout)
        return line

    def _notice_card(self, found: Today) -> Card | None:
        card = Card(_("Notices"))
        for number, notice in enumerate(found.notices[:6]):
            if number:
                card.add(rule())
            title = label(notice.title, "heading", wraps=True)
            parts: list[QWidget | None] = [title]
            if notice.is_urgent:
                parts.insert(0, badge(_("Urgent"), "danger"))
            line = row_of(*parts, label(day_of(notice.published_at)[5:], "small"))
            line.setStretch(len(parts) - 1, 1)
            card.add(line)
            if notice.body:
                card.add(label(notice.body, "soft", wraps=True))
        if not found.notices:
            card.add(label(_("No notices."), "soft"))
        return card

    def _conflict_card(self, found: Today) -> Card | None:
        if not found.conflict_count:
            return None
        card = Card(_("To review"))
        n = found.conflict_count
        text = ngettext(
            "{n} entry waits for a decision. Nothing of it is lost until then.",
            "{n} entries wait for a decision. Nothing of them is lost until then.", n,
        )  # fmt: skip
        card.add(label(text.format(n=n), "soft", wraps=True))
        card.add(row_of(button(_("Review"), clicked=self._see_conflicts), None))
        return card

    # -- choosing -----------------------------------------------------------------------------------------------------

    def _chosen_id(self) -> int:
        row = self._due.row_at(self._list.currentIndex().row())
        return row.household_id if row is not None else 0

    def _choose(self, household_id: int) -> None:
        number = self._due.row_number(household_id)
        if self._due.rowCount():
            self._list.selectRow(number if number is not None else 0)

    def _log_index(self, index: QModelIndex) -> None:
        self.do_log_chosen()

    def do_log_chosen(self) -> None:
        """Log a visit to the chosen household."""
        if self._chosen_id():
            self.shell.go("visits", "household", self._chosen_id(), "log")

    def do_open_chosen(self) -> None:
        """Open the chosen household."""
        if self._chosen_id():
            self.shell.go("households", "household", self._chosen_id())

    def _open_incident(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.shell.go("incidents", "incident", sender.property("record"))

    def _see_due(self) -> None:
        self.shell.go("households", intent="due")

    def _see_incidents(self) -> None:
        self.shell.go("incidents")

    def _see_late(self) -> None:
        self.shell.go("incidents", intent="overdue")

    def _see_conflicts(self) -> None:
        self.shell.go("sync", intent="conflicts")

    def _see_refused(self) -> None:
        self.shell.go("sync", intent="refused")

    def _see_sync(self) -> None:
        self.shell.go("sync")


def make_page(shell: Shell) -> Page:
    """The page, for `navigation.py`."""
    return TodayPage(shell)

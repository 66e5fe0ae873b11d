"""The Sync page: how things stand, a receipt for every operation, and the conflicts to review."""

from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QSplitter, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from gridman.kernel.clock import show_lately
from gridman.kernel.words import N_, _
from gridman.services import outbox
from gridman.services.conflicts import conflict_count, open_conflicts
from gridman.services.outbox import NOUN_WORDS, ReceiptLine, ReceiptQuery, receipt_ids, receipt_lines
from gridman.services.receipt_words import state_word, state_words
from gridman.ui.actions import Verb
from gridman.ui.changes import Changed
from gridman.ui.page import Page
from gridman.ui.pages.sync.receipt_view import ReceiptView, tone_of
from gridman.ui.pages.sync.review import Review
from gridman.ui.pages.sync.status_card import StatusCard
from gridman.ui.shell import Shell
from gridman.ui.table_pane import Nothing, TablePane
from gridman.ui.tables import Column
from gridman.ui.widgets import EmptyState

__all__ = ["SyncPage", "make_page"]

_RECEIPTS, _REVIEW = 0, 1
_FILTERS = (
    (N_("All work"), ()),
    (N_("Waiting"), ("waiting", "sent")),
    (N_("Refused"), ("refused",)),
    (N_("Sent"), ("acknowledged", "settled")),
)

COLUMNS = (
    Column("state", N_("State"), 150, lambda r: state_word(r.state, r.standing), tone=tone_of, words=state_words),
    Column("noun", N_("Record"), 92, lambda r: r.noun, words=lambda: [_(word) for word in NOUN_WORDS.values()]),
    Column("act", N_("Action"), 96, lambda r: r.act, cuts=True),
    Column("record", N_("About"), 160, lambda r: r.record, stretches=True),
    Column("fields", N_("What was written"), 140, lambda r: r.fields, is_shown=False, cuts=True),
    Column("at", N_("Written at"), 92, lambda r: show_lately(r.at)),
    Column("ack", N_("Confirmed by the street at"), 92, lambda r: show_lately(r.ack_at) if r.ack_at else "", is_shown=False),
    Column("n", N_("Number on this desk"), 60, lambda r: str(r.id), is_right=True, is_shown=False),
    Column("reason", N_("Reason"), 160, lambda r: r.reason, is_shown=False, cuts=True),
)  # fmt: skip


class SyncPage(Page):
    """See the module."""

    concerns = (
        "household", "person", "care_tag", "visit", "incident", "incident_step", "attachment", "dwelling", "conflict", "notice", "grid",
    )  # fmt: skip
    verbs: ClassVar[tuple[Verb, ...]] = (
        Verb("review", N_("Review conflicts"), "Ctrl+R", "git-merge", "conflict.resolve"),
    )

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self.status = StatusCard(shell)
        self.tabs = QTabBar()
        self.tabs.setAccessibleName(_("Receipts or review"))
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.addTab(_("Receipts"))
        self.tabs.addTab(_("To review"))
        self.list = TablePane(
            shell, "receipts", COLUMNS, receipt_ids, receipt_lines,
            Nothing(N_("Nothing here"), N_("Everything you write appears here with its receipt."), "cloud-upload"),
        )  # fmt: skip
        self.filter = QComboBox()
        self.filter.setAccessibleName(_("Which receipts"))
        for words, states in _FILTERS:
            self.filter.addItem(_(words), states)
        self.filter.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.list.add_filter(self.filter)
        self.receipt = ReceiptView(shell)
        self._empty = EmptyState(
            shell.theme, "cloud-upload", _("Choose a line"), _("Each version of each record has its own receipt.")
        )
        self.right = QStackedWidget()
        self.right.setMinimumWidth(340)
        self.right.addWidget(self._empty)
        self.right.addWidget(self.receipt)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self.list)
        split.addWidget(self.right)
        split.setStretchFactor(0, 1)
        split.setSizes([640, 370])
        self.review = Review(shell)
        self._stack = QStackedWidget()
        self._stack.addWidget(split)
        self._stack.addWidget(self.review)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.status)
        layout.addWidget(self.tabs)
        layout.addWidget(self._stack, 1)
        self.tabs.currentChanged.connect(self._stack.setCurrentIndex)
        self.filter.currentIndexChanged.connect(self._ask)
        self.list.chosen.connect(self._choose)
        self.list.opened.connect(self._open)
        shell.background.work_changed.connect(self._work_changed)

    def refresh(self, changes: Changed | None) -> None:
        """Status, receipts and conflicts are asked again."""
        self._ask()
        self.shell.background.ask(_status, self.shell.desk, then=self._show_status, key="status")
        self.shell.background.ask(open_conflicts, then=self.review.show_lines, key="conflicts")
        self.shell.background.ask(conflict_count, then=self._count_review, key="conflict_count")

    def _work_changed(self, job: Any) -> None:
        if job.is_over and self.isVisible():
            self.refresh(None)

    def _ask(self, *_said: Any) -> None:
        self.list.show_query(ReceiptQuery(self.filter.currentData()))

    def _show_status(self, answer: tuple[Any, int, list[outbox.Round], dict[str, int]]) -> None:
        status, now, rounds, counts = answer
        self.status.show_status(status, now, rounds)
        numbers = (
            sum(counts.values()),
            counts.get("waiting", 0) + counts.get("sent", 0),
            counts.get("refused", 0),
            counts.get("acknowledged", 0) + counts.get("settled", 0),
        )
        for row, ((words, _states), n) in enumerate(zip(_FILTERS, numbers, strict=True)):
            self.filter.setItemText(row, f"{_(words)} ({n})")

    def _count_review(self, n: int) -> None:
        self.tabs.setTabText(_REVIEW, _("To review ({n})").format(n=n))

    def _choose(self, number: int | None) -> None:
        if number is None:
            self.right.setCurrentWidget(self._empty)
        else:
            self.shell.background.ask(receipt_lines, [number], then=self._show_line, key="receipt")

    def _show_line(self, lines: list[ReceiptLine]) -> None:
        if lines:
            self.receipt.show_line(lines[0])
            self.right.setCurrentWidget(self.receipt)

    def _open(self, _number: int) -> None:
        if self.right.currentWidget() is self.receipt:
            self.receipt.open()

    def open_record(self, kind: str, record_id: int) -> None:
        """A conflict is shown for review."""
        if kind == "conflict":
            self.do_review()
            self.review.select(record_id)

    def begin(self, intent: str) -> None:
        """ "conflicts": the review; "refused": what was refused."""
        if intent == "conflicts":
            self.do_review()
        elif intent == "refused":
            self.tabs.setCurrentIndex(_RECEIPTS)
            self.filter.setCurrentIndex(2)

    def do_review(self) -> None:
        """Show the conflicts."""
        self.tabs.setCurrentIndex(_REVIEW)
        self.review.list.setFocus()

    def first_focus(self) -> QWidget | None:
        return self.review.list if self.tabs.currentIndex() == _REVIEW else self.list.view

    def state(self) -> dict[str, Any]:
        return {"tab": self.tabs.currentIndex(), "filter": self.filter.currentIndex()}

    def restore_state(self, state: dict[str, Any]) -> None:
        self.tabs.setCurrentIndex(state.get("tab", 0))
        self.filter.setCurrentIndex(state.get("filter", 0))


def _status(reader: Any, desk: Any) -> tuple[Any, int, list[outbox.Round], dict[str, int]]:
    return desk.status(), reader.now, outbox.rounds(desk.store), outbox.counts(reader)


def make_page(shell: Shell) -> SyncPage:
    """The page, for the window."""
    return SyncPage(shell)

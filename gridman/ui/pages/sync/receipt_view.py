"""One operation: what was written about which record, how far it came, why it was refused and how to put it right."""

from PySide6.QtWidgets import QFrame, QWidget

from gridman.kernel.clock import show_instant
from gridman.kernel.words import _
from gridman.services.outbox import ReceiptLine
from gridman.services.receipt_words import is_to_review, result_words, state_word
from gridman.ui.shell import Shell
from gridman.ui.widgets import Card, Notice, badge, button, clear, column_in, column_of, facts_form, flow_of, label

__all__ = ["ReceiptView", "tone_of"]

_STATE_TONES = {
    "waiting": "attention",
    "sent": "attention",
    "acknowledged": "good",
    "settled": "good",
    "refused": "danger",
}


def tone_of(line: ReceiptLine) -> str:
    """The tone of a receipt's state."""
    return "attention" if is_to_review(line.state, line.standing) else _STATE_TONES.get(line.state, "neutral")


class ReceiptView(QFrame):
    """Shows a ReceiptLine."""

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._line: ReceiptLine | None = None
        self._box = column_in(self, _("Receipt"))

    def show_line(self, line: ReceiptLine) -> None:
        """Show this operation."""
        self._line = line
        clear(self._box)
        word = state_word(line.state, line.standing)
        self._box.addLayout(
            column_of(
                label(line.record or line.noun, "title", wraps=True),
                flow_of(
                    badge(word, tone_of(line)),
                    label(f"{line.noun} · {line.act}", "soft"),
                ),
            )
        )
        if line.state == "refused":
            self._box.addWidget(Notice(line.reason or _("The street gave no reason."), "danger"))
        for said in result_words(line.state, line.verdict, line.standing):
            self._box.addWidget(label(said, wraps=True))
        self._box.addWidget(self._facts(line))
        if line.opens is not None:
            words = _("Open the record and put it right") if line.state == "refused" else _("Open the record")
            kind = "primary" if line.state == "refused" else ""
            self._box.addLayout(flow_of(button(words, kind, clicked=self.open, tip="Enter")))
        self._box.addStretch(1)

    def _facts(self, line: ReceiptLine) -> Card:
        card = Card(_("Receipt"))
        card.add(
            facts_form(
                (
                    (_("Number on this desk"), str(line.id)),
                    (_("Written at"), show_instant(line.at)),
                    (_("What was written"), line.fields),
                    (_("Confirmed by the street at"), show_instant(line.ack_at) if line.ack_at else ""),
                )
            )
        )
        return card

    def open(self) -> None:
        """Go to the record."""
        if self._line is None or self._line.opens is None:
            return
        kind, record_id = self._line.opens
        page = {"visit": "visits", "incident": "incidents"}.get(kind, "households")
        self._shell.go(page, kind, record_id)

"""One visit: what was seen, said and done, its photos, and whether it has reached the street."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from gridman.domain import codes
from gridman.kernel.clock import show_instant
from gridman.kernel.words import _, listed
from gridman.services.visits import VisitFile
from gridman.ui.entry.thumbs import PhotoStrip
from gridman.ui.shell import Shell
from gridman.ui.widgets import Card, badge, button, clear, column_in, column_of, facts_form, flow_of, label

__all__ = ["VisitRecord", "outcome_tone"]

_TONES = {"1": "good", "2": "attention", "3": "neutral", "4": "information", "5": "neutral", "6": "danger"}


def outcome_tone(code: str) -> str:
    """The tone of an outcome: a need asks for attention, something abnormal is danger."""
    return _TONES.get(code, "neutral")


class VisitRecord(QFrame):
    """Shows a VisitFile. `amending` asks for a corrected visit in its place."""

    amending = Signal(object)

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._file: VisitFile | None = None
        self._box = column_in(self, _("Visit"))

    def show_file(self, file: VisitFile) -> None:
        """Show this visit."""
        self._file = file
        clear(self._box)
        visit, line = file.visit, file.household
        self._box.addLayout(
            column_of(
                label(line.address if line else _("Household not on this computer"), "title", wraps=True),
                flow_of(
                    badge(codes.word("visit_outcome", visit.outcome), outcome_tone(visit.outcome)),
                    label(
                        _("{when}, {who}").format(
                            when=show_instant(visit.visited_at), who=file.user.name if file.user else "?"
                        ),
                        "soft",
                    ),
                ),
            )
        )
        if visit.retired_at:
            self._box.addWidget(label(_("A corrected visit has taken the place of this one."), "problem", wraps=True))
        if visit.claimed_at:
            self._box.addWidget(
                label(
                    _("The computer's clock was wrong and said {when}; the street put the time right.").format(
                        when=show_instant(visit.claimed_at)
                    ),
                    "problem",
                    wraps=True,
                )
            )
        self._box.addWidget(self._facts(visit, line))
        if file.attachments:
            card = Card(_("Photos"))
            card.add(PhotoStrip(self._shell, file.attachments))
            self._box.addWidget(card)
        self._box.addLayout(self._buttons(visit))
        self._box.addStretch(1)

    def _facts(self, visit: Any, line: Any) -> Card:
        card = Card(_("What was found"))
        needs = listed(codes.word("visit_need", code) for code in (visit.needs or "").split(";") if code)
        card.add(
            facts_form(
                (
                    (_("Head of household"), line.head_name if line else ""),
                    (_("Visit type"), codes.word("visit_kind", visit.kind)),
                    (_("Needs"), needs),
                    (_("Note"), visit.note or ""),
                    (_("What was done"), visit.measure or ""),
                )
            )
        )
        return card

    def _buttons(self, visit: Any) -> Any:
        theme = self._shell.theme
        home = button(_("Open the household"), theme=theme, picture="house", clicked=self._open_household)
        amend = button(_("Correct this visit"), theme=theme, picture="pencil", clicked=self._amend)
        amend.setEnabled(not visit.retired_at and self._shell.may("visit.write"))
        return flow_of(home, amend)

    def _open_household(self) -> None:
        if self._file is not None:
            self._shell.go("households", "household", self._file.visit.household_id)

    def _amend(self) -> None:
        if self._file is not None:
            self.amending.emit(self._file.visit)

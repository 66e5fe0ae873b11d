"""One incident: facts, photos, its log, and what this person may do with it now."""

from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from gridman.domain import codes
from gridman.domain.access import Actor
from gridman.domain.incident import Incident, Transition, transition
from gridman.kernel.errors import Refusal
from gridman.kernel.words import _, shortened
from gridman.services.incident_actions import actions_for, targets_for
from gridman.services.incident_tasks import merge_candidates
from gridman.services.incidents import IncidentFile, open_incident, perform
from gridman.ui.entry.thumbs import PhotoStrip
from gridman.ui.flow import FlowLayout
from gridman.ui.mapview.symbols import state_word, symbol_pixmap
from gridman.ui.pages.incidents.action_panel import ActionPanel, Order, Target, needs_nothing
from gridman.ui.pages.incidents.record_cards import fact_lines, log_card, tasks_card
from gridman.ui.shell import Shell
from gridman.ui.widgets import Card, badge, button, clear, column_of, facts_form, label, row_of, scrolled

__all__ = ["IncidentRecord", "read_incident"]

_FORWARD = (
    "accept",
    "sign",
    "assign",
    "finish",
    "verify_pass",
    "resume",
    "verify_fail",
    "return",
    "recall",
    "grant_extension",
    "escalate",
    "whistle",
    "refuse",
    "back",
    "object",
    "suspend",
    "reopen",
)
"""Steps that move the incident on, the likeliest first; the others follow in the workflow's order."""

_INVITED = frozenset({"accept", "sign", "assign", "finish", "verify_pass", "resume", "grant_extension", "escalate"})
"""Steps to which the window invites; to take up again, to refuse or to hand back is for a person to decide, not for a colour."""

_Read = tuple[IncidentFile, list[Transition], dict[str, list[Target]]]


def read_incident(reader: Any, actor: Actor, incident_id: int) -> _Read:
    """The file, the actions this person may do, and to whom each may go."""
    file = open_incident(reader, incident_id)
    order = {action: number for number, action in enumerate(_FORWARD)}
    actions = sorted(actions_for(reader, actor, file.incident), key=lambda row: order.get(row.action, len(order)))
    targets = {
        a.action: [Target(o.id, o.name) for o in targets_for(reader, actor, file.incident, a.action)]
        for a in actions
        if "target" in a.needs
    }
    targets |= {
        a.action: [Target(i.id, _words_of(i)) for i in merge_candidates(reader, file.incident)]
        for a in actions
        if "other" in a.needs
    }
    return file, actions, targets


def _words_of(incident: Incident) -> str:
    """An incident in one line of a list."""
    category = codes.word("incident_category", incident.category)
    return f"{incident.number} · {category} · {incident.place or ''} · {shortened(incident.description or '', 40)}"


class IncidentRecord(QFrame):
    """Shows what `read_incident` gave. `placed`: the person wants to see it on the map; `acted`: a command was done or
    left, and the keyboard may go back to the list."""

    placed = Signal()
    acted = Signal()

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "pane")
        self._shell = shell
        self._file: IncidentFile | None = None
        self._actions: list[Transition] = []
        self._targets: dict[str, list[Target]] = {}
        self._panel: ActionPanel | None = None
        self._left_texts: dict[
            tuple[int, str], str
        ] = {}  # typed for a command (incident, action) that was left for another
        self.buttons: dict[str, QPushButton] = {}
        self._head, self._acts, self._form, self._body = (QVBoxLayout() for _n in range(4))
        for part in (self._head, self._acts, self._form, self._body):
            part.setSpacing(8)
        whole = QWidget()
        whole.setLayout(
            column_of(self._head, self._acts, self._form, self._body, None, spacing=12, margins=(16, 12, 16, 12))
        )
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._scroll = scrolled(whole, _("Incident"))
        outer.addWidget(self._scroll)

    @property
    def incident_id(self) -> int | None:
        """The incident shown."""
        return self._file.incident.id if self._file is not None else None

    def show_read(self, read: _Read) -> None:
        """Show this; a form that is being filled in stays when it is still the same incident and still possible."""
        if self.incident_id != read[0].incident.id:
            self._keep_text()
            self._close_panel()
        self._file, self._actions, self._targets = read
        self._show_head(read[0])
        self._show_actions()
        clear(self._body)
        self._body.addWidget(self._facts(read[0]))
        if read[0].attachments:
            card = Card(_("Photos"))
            card.add(PhotoStrip(self._shell, read[0].attachments))
            self._body.addWidget(card)
        if read[0].tasks:
            self._body.addWidget(tasks_card(read[0], self._open_task))
        self._body.addWidget(log_card(read[0]))

    def _show_head(self, file: IncidentFile) -> None:
        clear(self._head)
        incident, row = file.incident, file.row
        picture = QLabel()
        picture.setPixmap(
            symbol_pixmap(incident.state, is_dark=self._shell.theme.is_dark, size_px=24, scale=self.devicePixelRatioF())
        )
        self._head.addLayout(
            row_of(picture, label(codes.word("incident_category", incident.category), "title", wraps=True), None)
        )
        badges = QWidget()
        flow = FlowLayout(badges, 6)
        flow.addWidget(badge(state_word(incident.state), "neutral"))
        if row.is_overdue:
            flow.addWidget(badge(_("overdue"), "danger"))
        if incident.urgency == "1":
            flow.addWidget(badge(codes.word("incident_urgency", "1"), "attention"))
        if (incident.supervision or "0") != "0":
            flow.addWidget(badge(codes.word("supervision", incident.supervision), "danger"))
        if incident.is_legacy:
            flow.addWidget(badge(_("left from the past"), "neutral"))
        if incident.extension == "1":
            flow.addWidget(badge(codes.word("extension", "1"), "attention"))
        if row.waiting:
            flow.addWidget(badge(_("waiting to be sent"), "attention"))
        self._head.addWidget(badges)
        self._head.addWidget(label(incident.description or "", wraps=True, selectable=True))

    # -- actions

    def _show_actions(self) -> None:
        clear(self._acts)
        self.buttons = {}
        holder = QWidget()
        flow = FlowLayout(holder, 8)
        for number, row in enumerate(self._actions):
            keys = f"Alt+{row.key}"
            is_likely = number == 0 and row.action in _INVITED
            made = button(_(row.label), "primary" if is_likely else "", clicked=self._press, tip=keys)
            made.setText(f"{_(row.label)}  {row.key}")
            made.setShortcut(QKeySequence(keys))
            made.setObjectName(row.action)
            flow.addWidget(made)
            self.buttons[row.action] = made
        if self._actions:
            self._acts.addWidget(holder)
            self._acts.addWidget(
                label(
                    _("Alt with the letter or digit on a button does the same; each step keeps its own key"),
                    "small",
                    wraps=True,
                )
            )
        else:
            self._acts.addWidget(label(self._why_nothing(), "soft", wraps=True))
        self._set_enabled(self._panel is None)

    def _why_nothing(self) -> str:
        if self._file is None or self._file.holder is None:
            return _("Nothing to do for you here.")
        return _("It is with {organisation} now; nothing to do for you here.").format(
            organisation=self._file.holder.name
        )

    def _press(self) -> None:
        sender = self.sender()
        if isinstance(sender, QPushButton):
            self.start(sender.objectName())

    def start(self, action: str) -> None:
        """Begin a command: done at once when nothing is to be filled in."""
        row = transition(action)
        if row is None or self._file is None or self._panel is not None:
            return
        if needs_nothing(row):
            self._give(Order(action))
            return
        self._panel = ActionPanel(self._shell, row, self._targets.get(action, ()))
        self._panel.ordered.connect(self._give)
        self._panel.left.connect(self._leave_panel)
        self._panel.note.setPlainText(self._left_texts.pop((self._file.incident.id, action), ""))
        self._form.addWidget(self._panel)
        self._panel.show()  # now, so that it can take the keyboard
        self._set_enabled(False)
        self._panel.begin()
        QTimer.singleShot(0, self._show_panel)

    def _show_panel(self) -> None:
        if self._panel is not None:
            self._scroll.ensureWidgetVisible(self._panel, 0, 12)

    @property
    def panel(self) -> ActionPanel | None:
        """The form being filled in."""
        return self._panel

    def _set_enabled(self, is_on: bool) -> None:
        """One command at a time: while a form is open, the buttons make room for it."""
        for number in range(self._acts.count()):
            item = self._acts.itemAt(number)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.setVisible(is_on)
        for one in self.buttons.values():
            one.setEnabled(is_on)

    def _give(self, order: Order) -> None:
        if self._file is None:
            return
        self._shell.background.do(
            perform, self._file.incident.id, order.action, target_id=order.target_id, other_id=order.other_id, case=order.case,
            note=order.note, result=order.result, is_solved=order.is_solved, satisfaction=order.satisfaction,
            then=self._done, refused=self._refused,
        )  # fmt: skip

    def _done(self, incident: Incident) -> None:
        self.acted.emit()  # first: what had the keyboard goes now
        self._close_panel()
        self._shell.say(_("{number}: now “{state}”").format(number=incident.number, state=state_word(incident.state)))

    def _refused(self, refusal: Refusal) -> None:
        if self._panel is not None:
            self._panel.refuse(refusal)
        else:
            self._shell.refuse(refusal)

    def _keep_text(self) -> None:
        """Another incident is shown: what was typed here waits for this one."""
        if self._panel is not None and self._file is not None:
            self._left_texts[self._file.incident.id, self._panel.action] = self._panel.note.toPlainText()

    def _leave_panel(self) -> None:
        self.acted.emit()  # not onto a button: the next space would give the command
        self._close_panel()

    def _close_panel(self) -> None:
        panel, self._panel = self._panel, None
        if panel is not None:
            clear(self._form)
        self._set_enabled(True)

    # -- facts and log

    def _facts(self, file: IncidentFile) -> Card:
        incident = file.incident
        card = Card(_("Facts"))
        card.add(facts_form(fact_lines(file)))
        theme = self._shell.theme
        tools: list[QWidget] = []
        if incident.lng is not None:
            tools.append(button(_("Show on the map"), "link", theme=theme, picture="map-pin", clicked=self.placed.emit))
        if incident.household_id and self._shell.may("household.read"):
            tools.append(
                button(_("Open the household"), "link", theme=theme, picture="house", clicked=self._open_household)
            )
        if self._shell.may("report.incident"):
            tools.append(button(_("Print the slip"), "link", theme=theme, picture="printer", clicked=self._print))
        holder = QWidget()
        flow = FlowLayout(holder, 4)
        for tool in tools:
            flow.addWidget(tool)
        card.add(holder)
        return card

    def _open_task(self) -> None:
        sender = self.sender()
        if isinstance(sender, QPushButton):
            self._shell.go("incidents", "incident", sender.property("record"))

    def _open_household(self) -> None:
        if self._file is not None and self._file.incident.household_id:
            self._shell.go("households", "household", self._file.incident.household_id)

    def _print(self) -> None:
        if self._file is not None:
            self._shell.go("reports", "incident", self._file.incident.id)

"""Before the window: sign in with the passphrase of this computer, or set the computer up once with the street server."""

import platform
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from gridman.kernel import words
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _
from gridman.ui.background import Background, Failure, Job
from gridman.ui.theme import Theme
from gridman.ui.widgets import Card, button, column_of, label, row_of, rule, scrolled

__all__ = ["Door", "SignInWindow"]

_FRAME = QSize(16, 40)
"""What the system draws around a window: without it the foot of the window would lie below a low screen."""

_SHORT = Refusal(
    "signin.two_passphrases",
    N_("The two passphrases differ."),
    N_("Type the same one twice; nobody can look it up later."),
)


class Door(Protocol):
    """What the program lends the sign-in window; all may raise Refusal and are called off the GUI thread, except `users`, language and look."""

    def users(self) -> Sequence[Any]:
        """Who can sign in here (objects with `login`, `name`, `server_url`), the latest first."""

    @property
    def language(self) -> str:
        """The language chosen last on this computer; empty before the first time."""

    @property
    def server_url(self) -> str:
        """The street server this computer worked with last; empty where none is known."""

    def keep_language(self, code: str) -> None:
        """Remember it for the next sign-in."""

    @property
    def look(self) -> tuple[str, bool]:
        """The look last in use on this computer (empty before the first time), and whether its text was large."""

    def keep_look(self, name: str, is_large: bool) -> None:
        """Remember it for the next sign-in."""

    def open(self, login: str, passphrase: str) -> Any:
        """The opened desk."""

    def set_up(
        self, server_url: str, login: str, secret: str, is_code: bool, passphrase: str, device_name: str, progress: Any, ticket: Any,
        fingerprint: str = "", leaves: bool = False,
    ) -> Any:  # fmt: skip
        """Enrol this computer at the street server with a password or a one-time code, and open the new desk. `fingerprint`: the
        street's, once the person has compared it; refuses with ``enrol.confirm_street`` until then where the code does not carry it.
        `leaves`: the person means to leave the desk behind that they have here; refuses with ``desk.already_set_up`` until then.
        """

    def left(self) -> Sequence[Any]:
        """The desks left behind here in which work may wait (objects with `user`: its `login`, `name`, `replica`)."""

    def send_left(self, number: int, passphrase: str, progress: Any, ticket: Any) -> Any:
        """Have one of them send what waits: `number` names it, `waiting` says how much still does, `result.refused` what the street did not take."""

    def unlock(self, desk: Any, passphrase: str) -> None:
        """Refuse unless this is the passphrase of the desk's user."""


class SignInWindow(QWidget):
    """See the module."""

    opened = Signal(object)
    closing = Signal()

    def __init__(self, door: Door, theme: Theme) -> None:
        super().__init__()
        self._door, self._theme = door, theme
        self._background = Background(None, self)
        self._background.failed.connect(self._failed)
        self._background.work_changed.connect(self._progressed)
        self.setProperty("kind", "canvas")
        self.setWindowTitle("gridman")
        grown = theme.sizes["base"] / 14
        self.resize(QSize(int(760 * grown), int(620 * grown)).boundedTo(self.screen().availableSize() - _FRAME))
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._build()
        (self._passphrase if self._users else self._server).setFocus()

    def _build(self) -> None:
        self._problem = label("", "problem", wraps=True)
        try:
            self._users = list(self._door.users())
        except (
            Refusal
        ) as refusal:  # a damaged profile must not keep the window, and with it setting up again, from the person
            self._users = []
            self._problem.setText(refusal.words())
        self._left = list(self._door.left())
        self._busy = QProgressBar()
        self._busy.setAccessibleName(_("Progress"))
        self._busy.setTextVisible(False)
        self._busy.hide()
        self._step = label("", "small", wraps=True)
        self._forms = QStackedWidget()
        self._enter = self._make_enter()
        self._setup = self._make_setup()
        self._bring(self._enter if self._users else self._setup)
        card = Card()
        card.setFixedWidth(round(440 * self._theme.sizes["base"] / 14))
        card.add(column_of(label("gridman", "title"), label(_("Neighbourhood grid service"), "soft"), spacing=0))
        card.add(rule())
        card.add(self._forms)
        card.add(self._busy)
        card.add(self._step)
        other = next(code for code in words.LANGUAGES if code != words.language())
        switch = button(
            words.LANGUAGES[other], "link", theme=self._theme, picture="languages", clicked=self._switch_language
        )
        inside = QWidget()
        inside.setLayout(
            column_of(None, row_of(None, card, None), row_of(None, switch, None), None, margins=(24, 24, 24, 24))
        )
        # What is told may be long, and the screen of an old computer low: the window never cuts it, it scrolls.
        self._middle = scrolled(inside, "gridman")
        self._box.addWidget(self._middle)

    def _make_enter(self) -> QWidget:
        self._who = QComboBox()
        self._who.setAccessibleName(_("User"))
        for user in self._users:
            self._who.addItem(f"{user.name} ({user.login})", user.login)
        for desk in self._left:
            self._who.addItem(
                _("Left behind: desk {number} of {login}").format(
                    number=desk.user.replica, login=desk.user.login or "?"
                ),
                desk.user.replica,
            )
        self._who.currentIndexChanged.connect(self._show_whose)
        self._needs = label("", "small", wraps=True)
        self._passphrase = _secret_line(_("Passphrase of this computer"))
        self._passphrase.returnPressed.connect(self._sign_in)
        self._go = button(_("Sign in"), "primary", clicked=self._sign_in)
        new = button(_("Set up for another user"), "link", clicked=self._show_setup)
        self._others = new
        self._show_whose()
        form = QWidget()
        form.setLayout(
            column_of(
                label(_("User"), "caption"), self._who, label(_("Passphrase of this computer"), "caption"), self._passphrase,
                self._needs, row_of(new, None, self._go), None, spacing=4,
            )
        )  # fmt: skip
        QWidget.setTabOrder(self._passphrase, self._go)
        QWidget.setTabOrder(self._go, new)
        return form

    def _make_setup(self) -> QWidget:
        self._server = _line(_("Address of the street server"), self._door.server_url or "https://")
        self._login = _line(_("Sign-in name"))
        self._way = QComboBox()
        self._way.setAccessibleName(_("Password or code"))
        self._way.addItem(_("One-time code"), True)
        self._way.addItem(_("Password"), False)
        self._way.currentIndexChanged.connect(self._show_way)
        self._secret = _line(_("Code or password"))
        self._new = _secret_line(_("New passphrase for this computer"))
        self._again = _secret_line(_("The same passphrase again"))
        lines = (self._server, self._login, self._secret, self._new, self._again)
        for line, following in pairwise(lines):
            line.returnPressed.connect(following.setFocus)
        self._again.returnPressed.connect(self._set_up)
        self._make = button(_("Set up this computer"), "primary", clicked=self._set_up)
        self._same = button(_("It is the same: go on"), clicked=self._confirm)
        self._same.hide()
        self._shown_fingerprint = ""
        self._leave = button(_("Leave it and set up anew"), clicked=self._leave_behind)
        self._leave.hide()
        self._left_login = ""
        self._login.textChanged.connect(self._leave.hide)  # it was asked about another name
        back = button(_("Back to sign-in"), "link", clicked=self._show_enter)
        if not self._users and not self._left:
            back.hide()
        way = row_of(self._way, self._secret)
        way.setStretch(1, 1)
        form = QWidget()
        form.setLayout(
            column_of(
                label(_("Address of the street server"), "caption"), self._server,
                label(_("Sign-in name"), "caption"), self._login,
                label(_("Code or password from your administrator"), "caption"), way, 4, rule(), 4,
                label(_("New passphrase for this computer"), "caption"), self._new,
                label(_("The same passphrase again"), "caption"), self._again,
                label(_("It encrypts everything kept here. Nobody can look it up: a forgotten one means setting up again."), "small",
                      wraps=True),
                4, row_of(None, self._leave), row_of(back, None, self._same, self._make), None, spacing=4,
            )
        )  # fmt: skip
        return form

    def _show_whose(self) -> None:
        """A desk that was left behind is only sent: nobody works in it any more."""
        is_left = isinstance(self._who.currentData(), int)
        self._needs.setText(
            _("The passphrase that this desk had. What waits in it is sent to the street; that needs the network.")
            if is_left
            else _("No network is needed.")
        )
        self._go.setText(_("Send what waits") if is_left else _("Sign in"))

    def _show_way(self) -> None:
        """A code works once and is to be compared letter by letter; a password is nobody else's business."""
        is_code = bool(self._way.currentData())
        self._secret.setEchoMode(QLineEdit.EchoMode.Normal if is_code else QLineEdit.EchoMode.Password)

    def _bring(self, form: QWidget) -> None:
        """Show one of the two forms; the card is as tall as that one, not as the taller."""
        self._forms.removeWidget(self._setup if form is self._enter else self._enter)
        self._forms.addWidget(form)
        self._put_problem(self._passphrase if form is self._enter else self._again)
        self._forms.setCurrentWidget(form)
        self._forms.updateGeometry()

    def _put_problem(self, under: QLineEdit) -> None:
        """What is wrong is told under the field it is about."""
        form = self._enter if under is self._passphrase else self._setup
        box = form.layout()
        if not isinstance(box, QVBoxLayout):
            return
        place = next(
            n for n in range(box.count())
            if (item := box.itemAt(n)) is not None
            and (item.widget() is under or ((inner := item.layout()) is not None and inner.indexOf(under) >= 0))
        )  # fmt: skip
        box.removeWidget(self._problem)
        box.insertWidget(place + 1, self._problem)

    def _say_problem(self, text: str) -> None:
        """Say it where it stands, and have it in view."""
        self._problem.setText(text)
        QTimer.singleShot(0, self, lambda: self._middle.ensureWidgetVisible(self._problem, 0, 32))

    def _show_setup(self) -> None:
        self._bring(self._setup)
        self._problem.clear()
        self._leave.hide()
        self._left_login = ""
        self._server.setFocus()

    def offer_set_up(self, server_url: str, login: str) -> None:
        """Somebody's computer is to be set up again: the form with what is known already; the old desk stays until the new one stands."""
        self._show_setup()
        self._server.setText(server_url)
        self._login.setText(login)
        self._left_login = login  # it was handed over, and what stays is told here
        self._problem.setText(
            _("Ask the administrator for a code and choose a passphrase. The old records stay aside on this computer.")
        )
        self._secret.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_enter(self) -> None:
        self._bring(self._enter)
        self._problem.clear()
        self._passphrase.setFocus()

    def _switch_language(self) -> None:
        words.use(next(code for code in words.LANGUAGES if code != words.language()))
        self._door.keep_language(words.language())
        typed = (self._server.text(), self._login.text())
        is_setup = self._forms.currentWidget() is self._setup
        self._box.removeWidget(self._middle)
        self._middle.hide()
        self._middle.deleteLater()
        self._build()
        self._server.setText(typed[0])
        self._login.setText(typed[1])
        self._bring(self._setup if is_setup else self._enter)

    def _sign_in(self) -> None:
        whose = self._who.currentData()
        self._lock(True)
        if isinstance(whose, int):
            self._background.run(
                self._door.send_left, whose, self._passphrase.text(), title=_("Sending"), then=self._sent,
                refused=self._refused_there,
            )  # fmt: skip
            return
        self._background.run(
            _opening, self._door, self._who.currentData(), self._passphrase.text(), title=_("Opening"), then=self._done,
            refused=self._refused_there,
        )  # fmt: skip

    def _confirm(self) -> None:
        """The person has compared the fingerprint that the server shows with the administrator's."""
        self._set_up_with(self._shown_fingerprint)

    def _leave_behind(self) -> None:
        """The person has read what becomes of the desk that this sign-in name has here; said once, it holds for that name."""
        self._left_login = self._login.text().strip()
        self._set_up_with("")

    def _set_up(self) -> None:
        self._set_up_with("")

    def _set_up_with(self, fingerprint: str) -> None:
        lines = (self._server, self._login, self._secret, self._new, self._again)
        empty = next((line for line in lines if line.text().strip() in ("", "https://")), None)
        if empty is not None:
            self._refused(Refusal("signin.empty", N_("{label} is missing."), label=empty.accessibleName()), empty)
            return
        if self._new.text() != self._again.text():
            self._refused(_SHORT, self._again)
            return
        self._server.setText(_whole_address(self._server.text()))
        self._same.hide()
        self._leave.hide()
        meant: dict[str, Any] = {"fingerprint": fingerprint} if fingerprint else {}
        if self._left_login == self._login.text().strip():
            meant["leaves"] = True
        self._lock(True)
        self._background.run(
            self._door.set_up, self._server.text().strip(), self._login.text().strip(), self._secret.text().strip(),
            bool(self._way.currentData()), self._new.text(), platform.node(), title=_("Setting up"), then=self._done,
            refused=self._refused_there, **meant,
        )  # fmt: skip

    def _lock(self, is_busy: bool) -> None:
        self._forms.setEnabled(not is_busy)
        self._busy.setRange(0, 100)
        self._busy.setVisible(is_busy)
        self._step.setText("")
        if is_busy:
            self._problem.clear()

    def _progressed(self, job: Job) -> None:
        self._busy.setRange(0, job.total or 100)
        self._busy.setValue(job.done)
        self._step.setText(_(job.step))

    def _done(self, desk: Any) -> None:
        self._lock(False)
        self.opened.emit(desk)

    def _sent(self, sent: Any) -> None:
        """Say what became of it; a desk in which nothing waits is offered no more."""
        self._lock(False)
        self._passphrase.clear()
        if sent.waiting:
            told = _("Still waiting in desk {number}: {count}. Send it once more.").format(
                number=sent.number, count=sent.waiting
            )
            self._say_problem(told)
            return
        self._who.removeItem(self._who.currentIndex())
        refused = [r.reason or "-" for r in getattr(sent.result, "refused", ())]
        if refused:
            self._say_problem(
                _("The street did not take {count} of its changes: {why}").format(
                    count=len(refused), why="; ".join(refused)
                )
            )
        self._step.setText(_("Nothing waits any more in desk {number}.").format(number=sent.number))

    def tell(self, refusal: Refusal) -> None:
        """Say why somebody who worked here is asked to sign in again, or why the desk that was opened cannot be worked on."""
        self._refused(refusal)

    def _refused(self, refusal: Refusal, line: QLineEdit | None = None) -> None:
        """Say why under the field it is about, and go there; what was typed stays."""
        self._lock(False)
        here = line or self._line_of(refusal)
        self._put_problem(here)
        self._say_problem(refusal.words())
        self._shown_fingerprint = str(refusal.params.get("fingerprint", ""))
        self._same.setVisible(refusal.code == "enrol.confirm_street")
        self._leave.setVisible(refusal.code == "desk.already_set_up")
        asked = next((one for one in (self._same, self._leave) if not one.isHidden()), None)
        if asked is not None:
            asked.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        here.setFocus(Qt.FocusReason.OtherFocusReason)
        if here is self._passphrase:
            here.selectAll()  # hidden: nobody mends it in the middle
        else:
            here.end(False)
            here.deselect()

    def _refused_there(self, refusal: Refusal) -> None:
        if refusal.code == "desk.destroyed" and isinstance(self._who.currentData(), int):
            self._who.removeItem(self._who.currentIndex())  # one that was left behind; its work was handed over
        self._refused(refusal)

    def _line_of(self, refusal: Refusal) -> QLineEdit:
        if self._forms.currentWidget() is self._enter:
            return self._passphrase
        if refusal.code == "passphrase.weak":
            return self._new
        if refusal.code == "sync.untrusted" and self._way.currentData():
            return self._secret  # the code carries the street's fingerprint: a letter of it is the likelier mistake
        if refusal.code.startswith(("sync.", "http.", "server.")):
            return self._server
        if refusal.code in ("auth.suspended", "auth.locked", "desk.already_set_up"):
            return self._login
        return self._secret

    def _failed(self, failure: Failure) -> None:
        self._lock(False)
        self._say_problem(
            _("Something went wrong in the program itself ({what}). It is in the log.").format(
                what=type(failure.error).__name__
            )
        )

    def closeEvent(self, event: QCloseEvent) -> None:
        self._background.close()
        self.closing.emit()
        super().closeEvent(event)


def _whole_address(text: str) -> str:
    """An address as people type it, "127.0.0.1:8750", with what belongs before it."""
    plain = text.strip().removeprefix("https://https://")
    return plain if "://" in plain else f"https://{plain}"


def _line(name: str, text: str = "") -> QLineEdit:
    found = QLineEdit(text)
    found.setAccessibleName(name)
    return found


def _secret_line(name: str) -> QLineEdit:
    found = _line(name)
    found.setEchoMode(QLineEdit.EchoMode.Password)
    return found


def _opening(door: Door, login: str, passphrase: str, progress: Any, ticket: Any) -> Any:
    return door.open(login, passphrase)

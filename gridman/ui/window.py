"""The one window: rail, bar, page, messages. It knows pages only by their lines in `navigation.py`."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QAction, QCloseEvent, QDesktopServices, QKeySequence, QShowEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from gridman.kernel import words
from gridman.kernel.errors import Refusal
from gridman.kernel.paths import resource
from gridman.kernel.words import _
from gridman.sync.retry import AWAY
from gridman.ui.actions import FRAME_VERBS, Verb
from gridman.ui.background import Failure
from gridman.ui.key_help import KeyHelp
from gridman.ui.navigation import PAGES, make_page, places_for
from gridman.ui.page import Page
from gridman.ui.rail import Rail
from gridman.ui.shell import Going, Shell, Toast
from gridman.ui.toasts import ToastArea
from gridman.ui.top_bar import TopBar
from gridman.ui.widgets import column_of, row_of
from gridman.ui.work_strip import WorkStrip

__all__ = ["Window"]


class Window(QMainWindow):
    """See the module. Made anew when the language or the look changes; `state` and `restore_state` carry over where one was."""

    locking = Signal()
    signing_out = Signal()
    setting_up = Signal()
    closing = Signal()
    shown = Signal(object)  # self

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.shell = shell
        self.setWindowTitle("gridman")
        self._places = places_for(shell.actor)
        self._pages: dict[str, Page] = {}
        self._current = ""
        self._held: Going | None = None
        self._stack = QStackedWidget()
        self._rail = Rail(shell.theme, self._places)
        self._bar = TopBar(shell, self.verbs, self)
        self._strip = WorkStrip(shell)
        right = QWidget()
        right.setLayout(column_of(self._bar, self._strip, self._stack, spacing=0))
        middle = QWidget()
        middle.setProperty("kind", "canvas")
        middle.setMinimumSize(480, 360)  # whatever a page would like, the window never outgrows the screen
        middle.setLayout(row_of(self._rail, right, spacing=0))
        self.setCentralWidget(middle)
        self._toasts = ToastArea(shell.theme, right)
        self._keys = KeyHelp(shell.theme, self)
        self._connect()
        self._make_actions()

    def _connect(self) -> None:
        self._rail.picked.connect(self.open_page)
        self._bar.asked.connect(self.perform)
        self.shell.going.connect(self._go)
        self.shell.toasted.connect(self._tell)
        self.shell.window_asked.connect(self._asked)
        self.shell.background.refused.connect(self._refused)
        self.shell.background.failed.connect(self._failed)

    def _make_actions(self) -> None:
        for place in self._places:
            self._add_action(place.keys, place.name, self._place_key)
        for verb in FRAME_VERBS:
            if verb.keys and self._may(verb):
                self._add_action(verb.keys, verb, self._verb_key)

    def _add_action(self, keys: str, data: object, slot: Callable[[], None]) -> None:
        action = QAction(self)
        action.setShortcut(QKeySequence(keys))
        action.setData(data)
        action.triggered.connect(slot)
        self.addAction(action)

    def _may(self, verb: Verb) -> bool:
        return not verb.right or self.shell.may(verb.right)

    def _place_key(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.open_page(action.data())

    def _verb_key(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.perform(action.data())

    # -- pages --------------------------------------------------------------------------------------------------------

    @property
    def current_page(self) -> Page | None:
        """The page that is shown."""
        return self._pages.get(self._current)

    def pages(self) -> list[Page]:
        """The pages made so far."""
        return list(self._pages.values())

    @property
    def place_names(self) -> list[str]:
        """The pages this user has, in order."""
        return [place.name for place in self._places]

    @property
    def toasts(self) -> list[str]:
        """The messages shown now."""
        return self._toasts.texts()

    @property
    def search(self) -> QWidget:
        """The search box."""
        return self._bar.search

    def open_page(self, name: str) -> Page | None:
        """Show the page `name`; made at its first opening. None when the user has no such page, or must first decide about
        something typed on the page that is shown.
        """
        if name not in self.place_names:
            self.shell.say(_("Your role has no page for this."), "attention")
            return None
        here = self.current_page
        if here is not None and name != self._current and not here.may_leave():
            self._rail.show_current(self._current)
            return None
        page = self._pages.get(name)
        if page is None:
            page = make_page(name, self.shell)
            place = next(p for p in PAGES if p.name == name)
            page.setAccessibleName(_(place.word))
            self._pages[name] = page
            page.freed.connect(self._freed)
            self._stack.addWidget(page)
        if name != self._current:
            self._toasts.turn_page()
        self._current = name
        self._rail.show_current(name)
        self._stack.setCurrentWidget(page)
        place = next(p for p in PAGES if p.name == name)
        self.setWindowTitle(f"{_(place.word)} · {self.shell.actor.name} · gridman")
        focus = page.first_focus()
        if focus is not None:
            focus.setFocus()
        return page

    def _go(self, going: Going) -> None:
        page = self.open_page(going.page)
        if page is None:
            self._held = going if going.page in self.place_names else None
            return
        self._held = None
        if going.record_id:
            page.open_record(going.kind, going.record_id)
        if going.intent:
            page.begin(going.intent)

    def _freed(self, is_free: bool) -> None:
        """The person decided about what was typed: go where the way was held up, or stay."""
        going, self._held = self._held, None
        if is_free and going is not None:
            self._go(going)

    # -- verbs --------------------------------------------------------------------------------------------------------

    def verbs(self) -> list[Verb]:
        """What can be done now: the page's own verbs, then the window's."""
        here = self.current_page
        own = [v for v in (here.verbs if here is not None else ()) if self._may(v)]
        pages = [Verb(f"go_{p.name}", p.word, p.keys, p.icon, group="pages", aliases=p.aliases) for p in self._places]
        return own + [v for v in FRAME_VERBS if self._may(v) and v.name != "search"] + pages

    def perform(self, verb: Verb) -> None:
        """Do a verb of the window or of the page that is shown."""
        if verb.group == "pages":
            self.open_page(verb.name.removeprefix("go_"))
            return
        mine = getattr(self, f"_do_{verb.name}", None)
        if mine is not None:
            mine()
        elif self.current_page is not None:
            self.current_page.perform(verb.name)

    def _asked(self, name: str) -> None:
        getattr(self, f"_do_{name}")()

    def _do_search(self) -> None:
        self._bar.search.begin()

    def _do_log_visit(self) -> None:
        here = self.current_page
        record = here.state().get("household_id", 0) if here is not None and self._current == "households" else 0
        self.shell.go("visits", "household", record, "log")

    def _do_report_incident(self) -> None:
        self.shell.go("incidents", intent="report")

    def _do_new_household(self) -> None:
        self.shell.go("households", intent="new")

    def _do_sync_now(self) -> None:
        self.shell.background.run(
            self.shell.desk.synchronise, title=_("Synchronising"), then=self._synced, refused=self._not_synced
        )

    def _not_synced(self, refusal: Refusal) -> None:
        """Without a network nothing is wrong: the pill says how things stand."""
        if refusal.code in AWAY:
            self.shell.say(
                _("The street cannot be reached now. Your work waits and goes out by itself."), "information"
            )
        else:
            self.shell.refuse(refusal)

    def _do_switch_theme(self) -> None:
        self.shell.restyled.emit("theme", "light" if self.shell.theme.is_dark else "dark")

    def _do_switch_language(self) -> None:
        self.shell.restyled.emit("language", next(code for code in words.LANGUAGES if code != words.language()))

    def _do_lock(self) -> None:
        self.locking.emit()

    def _do_sign_out(self) -> None:
        here = self.current_page
        if here is None or here.may_leave():
            self.signing_out.emit()

    def _do_set_up_again(self) -> None:
        here = self.current_page
        if here is None or here.may_leave():
            self.setting_up.emit()

    def _do_show_manual(self) -> None:
        file = resource("manual", f"index.{words.language()}.html")
        if not file.exists():
            self.shell.say(
                _("The manual is missing from this installation: {path}").format(path=file.name), "attention"
            )
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(file))):
            self.shell.say(_("No browser opened here. The manual is the file {path}").format(path=file), "attention")

    def _do_show_keys(self) -> None:
        self._keys.show_verbs(self._places, self.verbs(), self._current)

    def _synced(self, result: Any) -> None:
        if result.refused:
            n = len(result.refused)
            self.shell.say(_("{n} of your changes were not accepted; the Sync page says why.").format(n=n), "attention")
            return
        self.shell.say(
            _("Synchronised: {sent} sent, {received} received.").format(sent=result.sent, received=result.received)
        )

    # -- messages -----------------------------------------------------------------------------------------------------

    def _tell(self, toast: Toast) -> None:
        self._toasts.tell(toast)

    def _refused(self, refusal: Refusal) -> None:
        self.shell.refuse(refusal)

    def _failed(self, failure: Failure) -> None:
        text = _(
            "Something went wrong in the program itself ({what}). It is in the log; what you saved before is safe."
        )
        self.shell.say(text.format(what=type(failure.error).__name__), "danger")

    # -- carrying over ------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Which page is shown, and what each page shows."""
        return {"current": self._current, "pages": {name: page.state() for name, page in self._pages.items()}}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Show what another window showed."""
        page = self.open_page(state.get("current") or "today")
        if page is not None:
            page.restore_state(state.get("pages", {}).get(self._current, {}))

    def set_shut(self, is_shut: bool) -> None:
        """Let nothing in the window be used while it is locked: neither its parts nor its keys."""
        middle = self.centralWidget()
        if middle is not None:
            middle.setEnabled(not is_shut)
        for action in self.actions():
            action.setEnabled(not is_shut)
        for page in self._pages.values() if is_shut else ():
            page.cover()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit(self)

    def closeEvent(self, event: QCloseEvent) -> None:
        here = self.current_page
        if here is not None and not here.may_leave():
            event.ignore()
            return
        self.closing.emit()
        super().closeEvent(event)

"""A page: one screenful of the window, made when it is first opened."""

from collections.abc import Iterable
from typing import Any, ClassVar

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShortcut, QShowEvent
from PySide6.QtWidgets import QWidget

from gridman.kernel.clock import day_of
from gridman.ui.actions import Verb
from gridman.ui.changes import Changed
from gridman.ui.shell import Shell

__all__ = ["Page"]

_MINUTE_MS = 60_000


class Page(QWidget):
    """Base of all pages. A page asks its questions in `refresh`, never after its own writes: the write's `Changes` bring it back here.

    A hidden page is not refreshed; it notes that it is stale and asks when it is shown again. So it is when a new day begins.
    """

    concerns: ClassVar[Iterable[str]] = ()
    """Kinds of records whose change makes this page ask again ("household", "visit", ...)."""

    verbs: ClassVar[tuple[Verb, ...]] = ()
    """What can be done here: shortcuts, help and the search box read these rows. The keys work while the page has the keyboard; a verb
    with a bare letter is bound by the page to its list.
    """

    freed = Signal(bool)  # after `may_leave` refused: True, what was typed was thrown away; False, the person stays

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shell = shell
        self._stale: Any = None
        self._is_stale = True
        self.setProperty("kind", "canvas")
        shell.background.changed.connect(self._take_changes)
        self._day = self._this_day()
        self._minute = QTimer(self, interval=_MINUTE_MS)
        self._minute.timeout.connect(self._look_at_day)
        self._minute.start()
        for verb in self.verbs:
            if "+" in verb.keys and (
                not verb.right or shell.may(verb.right)
            ):  # bare letters belong to the list that has the keyboard
                shortcut = QShortcut(verb.keys, self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
                shortcut.setProperty("verb", verb.name)
                shortcut.activated.connect(self._verb_key)

    def refresh(self, changes: Changed | None) -> None:
        """Ask again. `changes`: what was written (None: everything may be different, or the page is shown for the first time)."""

    def open_record(self, kind: str, record_id: int) -> None:
        """Show this record."""

    def begin(self, intent: str) -> None:
        """Start what the person came for ("log", "new", ...)."""

    def perform(self, verb: str) -> None:
        """Do one of `verbs`: calls the method `do_<verb>`."""
        getattr(self, f"do_{verb}")()

    def _verb_key(self) -> None:
        sender = self.sender()
        if sender is not None:
            self.perform(sender.property("verb"))

    def first_focus(self) -> QWidget | None:
        """The widget that takes the keyboard when the page is shown."""
        return None

    def may_leave(self) -> bool:
        """False keeps the person here because something typed would be lost; the page then says so itself."""
        return True

    def cover(self) -> None:
        """The desk is being locked: what must not stay typed goes."""

    def state(self) -> dict[str, Any]:
        """What must survive a change of language or look (the chosen record...)."""
        return {}

    def restore_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave."""

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_stale:
            self._is_stale = False
            self.refresh(None)

    def _this_day(self) -> str:
        return day_of(int(self.shell.desk.store.clock()))

    def _look_at_day(self) -> None:
        """What is due, late or of today is another thing after midnight, though nothing was written."""
        day = self._this_day()
        if day == self._day:
            return
        self._day = day
        self._is_stale = not self.isVisible()
        if self.isVisible():
            self.refresh(None)

    def _take_changes(self, changes: Any) -> None:
        if not changes.concerns(self.concerns):
            return
        if self.isVisible():
            self.refresh(changes)
        else:
            self._is_stale = True

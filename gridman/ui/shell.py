"""What every page is given: the desk it shows, the door to the background, the look, and how to speak to the window."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from gridman.domain import access
from gridman.kernel.errors import Refusal
from gridman.ui.background import Background
from gridman.ui.theme import Theme

__all__ = ["Going", "Shell", "Toast"]


@dataclass(frozen=True)
class Going:
    """Where the person wants to go: a page, and there a record or an intent ("log", "new", "conflicts")."""

    page: str
    kind: str = ""
    record_id: int = 0
    intent: str = ""


@dataclass(frozen=True)
class Toast:
    """A result told in passing. `tone`: good, information, attention or danger; `undo` is offered as a button."""

    text: str
    tone: str = "good"
    undo: Callable[[], None] | None = None
    undo_label: str = ""


class Shell(QObject):
    """See the module. One per window; pages talk to the window only through it."""

    going = Signal(object)  # Going
    toasted = Signal(object)  # Toast
    restyled = Signal(str, object)  # a setting that needs the window anew: name, value
    window_asked = Signal(str)  # a verb of the window, by name

    def __init__(
        self, desk: Any, background: Background, theme: Theme, settings: dict[str, Any] | None = None,
        parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.desk = desk
        self.background = background
        self.theme = theme
        self.settings: dict[str, Any] = settings if settings is not None else {}

    @property
    def actor(self) -> access.Actor:
        """Who is signed in."""
        found: access.Actor = self.desk.actor
        return found

    def may(self, right: str) -> bool:
        """Whether the signed-in user has this right (a name of `domain/access.py`)."""
        return access.may(self.actor, right)

    def go(self, page: str, kind: str = "", record_id: int = 0, intent: str = "") -> None:
        """Show a page, and there a record."""
        self.going.emit(Going(page, kind, record_id, intent))

    def ask_window(self, verb: str) -> None:
        """Have the window do one of its own verbs ("lock", "sync_now", "show_manual", ...)."""
        self.window_asked.emit(verb)

    def say(self, text: str, tone: str = "good", undo: Callable[[], None] | None = None, undo_label: str = "") -> None:
        """Tell a result in passing, with Undo where there is one."""
        self.toasted.emit(Toast(text, tone, undo, undo_label))

    def refuse(self, refusal: Refusal) -> None:
        """Show an expected problem in words."""
        self.say(refusal.words(), "danger")

    def remember(self, name: str, value: Any) -> None:
        """Keep a setting of this computer (columns, sizes, language)."""
        from gridman.services import settings

        self.settings[name] = value
        self.background.keep(settings.put, name, value)

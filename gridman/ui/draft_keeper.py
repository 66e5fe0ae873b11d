"""Keeps what is typed into a form every few seconds, in the encrypted store, and finds it again after a crash."""

from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from gridman.services.drafts import drop_draft, load_draft, save_draft
from gridman.ui.shell import Shell

__all__ = ["DraftKeeper"]

_EVERY_MS = 3_000


class DraftKeeper(QObject):
    """See the module. `found` brings the payload of a draft that was there when the form was opened."""

    found = Signal(object)

    def __init__(self, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)
        self._shell = shell
        self._form = ""
        self._payload: dict[str, Any] | None = None
        self._is_kept = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.keep)

    def open(self, form: str) -> None:
        """Begin with this form (for example "person:123"); looks for its draft."""
        self._timer.stop()
        self._form, self._payload, self._is_kept = form, None, False
        self._shell.background.keep(_load, form, self._shell.actor.user_id, then=self._take)

    def note(self, payload: dict[str, Any]) -> None:
        """This is typed now; kept within three seconds."""
        self._payload = payload
        if self._form and not self._timer.isActive():
            self._timer.start()

    def keep(self) -> None:
        """Keep it now."""
        if self._payload is not None and self._form:
            self._is_kept = True
            self._shell.background.keep(save_draft, self._form, self._shell.actor.user_id, dict(self._payload))

    def drop(self) -> None:
        """Saved or discarded: forget it."""
        self._timer.stop()
        self._payload = None
        if self._is_kept and self._form:
            self._shell.background.keep(drop_draft, self._form, self._shell.actor.user_id)
        self._is_kept = False

    def _take(self, answer: tuple[str, dict[str, Any] | None]) -> None:
        form, payload = answer
        if payload and self._payload is None and form == self._form:
            self._is_kept = True
            self.found.emit(payload)


def _load(store: Any, form: str, user_id: int) -> tuple[str, dict[str, Any] | None]:
    return form, load_draft(store, form, user_id)

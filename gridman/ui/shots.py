"""Pictures of the window's pages, for the demonstration, the README and for looking at."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from gridman.kernel import words
from gridman.ui.session import DeskSession

__all__ = ["save_pages", "settle"]

_LONGEST_MS = 8_000


def settle(session: DeskSession, quiet_ms: int = 150, ready: Callable[[], bool] | None = None) -> None:
    """Let the window work until nothing has been asked for `quiet_ms`, and `ready`."""
    loop = QEventLoop()
    ends = time.monotonic() + _LONGEST_MS / 1000
    state = {"quiet_since": time.monotonic()}

    def look() -> None:
        now = time.monotonic()
        if not session.background.is_idle() or (ready is not None and not ready()):
            state["quiet_since"] = now
        if now - state["quiet_since"] >= quiet_ms / 1000 or now > ends:
            loop.quit()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    loop.exec()
    timer.stop()


def save_pages(
    desk: Any,
    folder: Path,
    languages: Sequence[str] = ("en", "zh_CN"),
    themes: Sequence[str] = ("light",),
    pages: Sequence[str] = (),
    size: tuple[int, int] = (1366, 768),
    *,
    is_large: bool = False,
    record_ids: dict[str, tuple[str, int]] | None = None,
    look: Callable[[Any], None] | None = None,
) -> list[Path]:
    """Save `folder`/PAGE-LANGUAGE-THEME.png for each page of the desk's user (or those named in `pages`); returns the files.

    ``look``: called with each page once it is saved.
    ``size``: of the window in logical pixels. ``record_ids``: page -> (kind, id) of a record to open there. Needs the QApplication of
    `app.make_application`. The language in use is put back afterwards.
    """
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        raise RuntimeError("make the application first: gridman.ui.app.make_application")
    folder.mkdir(parents=True, exist_ok=True)
    before, made = words.language(), []
    for language in languages:
        for theme in themes:
            session = DeskSession(app, desk, language, theme, is_remembered=False, is_large=is_large)
            session.window.resize(*size)
            session.window.show()
            for name in pages or session.window.place_names:
                path = folder / f"{name}-{language}-{theme}.png"
                page = _save_page(session, name, (record_ids or {}).get(name), path)
                made.append(path)
                if look is not None and page is not None:
                    look(page)
            session.close()
    words.use(before)
    return made


def _save_page(session: DeskSession, name: str, record: tuple[str, int] | None, path: Path) -> Any:
    page = session.window.open_page(name)
    if page is not None and record is not None:
        page.open_record(*record)
    settle(session, ready=getattr(page, "is_settled", None))
    session.window.grab().save(str(path))
    return page

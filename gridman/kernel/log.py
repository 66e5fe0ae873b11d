"""The program's own log: what happened, never whose data. Personal values must not be passed to it."""

import logging
import logging.handlers
import sys
import traceback
from pathlib import Path
from typing import Any

__all__ = ["bare_trace", "get_log", "start_log"]

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def get_log(name: str) -> logging.Logger:
    """The log of one room, named after its module."""
    return logging.getLogger(name)


def bare_trace(error: BaseException) -> str:
    """Where an error came from, with the kinds of error and without their messages: those hold whatever value was being worked on."""
    parts, seen = [], set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        parts.append(
            "".join(traceback.format_tb(found.__traceback__)) + f"{type(found).__module__}.{type(found).__qualname__}\n"
        )
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return "caused:\n".join(reversed(parts))


class _Formatter(logging.Formatter):
    """Says where an error came from, and not what it said."""

    def formatException(self, ei: Any) -> str:
        return bare_trace(ei[1]) if ei and ei[1] is not None else ""


class _Kept(logging.handlers.RotatingFileHandler):
    """Goes on in the full file while another program has it open, where the system then does not let it be renamed (Windows)."""

    def doRollover(self) -> None:
        if self.stream is not None:
            self.stream.close()
        full, aside = Path(self.baseFilename), Path(f"{self.baseFilename}.full")
        try:
            full.rename(aside)
            aside.rename(full)
        except OSError:
            self.stream = self._open()
        else:
            super().doRollover()


def start_log(folder: Path | None, *, verbose: bool = False) -> None:
    """Send the log to `folder`/gridman.log (1 MB, three kept) and warnings to standard error."""
    root = logging.getLogger("gridman")
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    root.propagate = False
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.DEBUG if verbose else logging.WARNING)
    screen.setFormatter(_Formatter(_FORMAT))
    root.addHandler(screen)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        file = _Kept(folder / "gridman.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8")
        file.setFormatter(_Formatter(_FORMAT))
        file.handleError = lambda record: None  # type: ignore[method-assign]  # a full disk must not fill the screen with traces
        root.addHandler(file)

"""The program's own log: what happened, never whose data. Personal values must not be passed to it."""

import logging
import logging.handlers
import sys
from pathlib import Path

__all__ = ["get_log", "start_log"]

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def get_log(name: str) -> logging.Logger:
    """The log of one room, named after its module."""
    return logging.getLogger(name)


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
    screen.setFormatter(logging.Formatter(_FORMAT))
    root.addHandler(screen)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(
            folder / "gridman.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8"
        )
        file.setFormatter(logging.Formatter(_FORMAT))
        file.handleError = lambda record: None  # type: ignore[method-assign]  # a full disk must not fill the screen with traces
        root.addHandler(file)

"""What a command says, and where: answers on standard output, progress and errors on standard error."""

import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any, TextIO

from gridman.kernel.errors import Refusal
from gridman.kernel.words import _

__all__ = ["Console"]

_BAR = 24
_DRAW_EVERY_S = 0.1
_LINE_EVERY_S = 5.0


@dataclass
class Console:
    """The streams of one run. With `is_json` standard output holds exactly one JSON value and nothing else."""

    is_json: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    _started_at: float = field(default_factory=time.monotonic)
    _drawn_at: float = 0.0
    _bar_width: int = 0

    def say(self, text: str = "") -> None:
        """A line for people; silent when a script listens."""
        if not self.is_json:
            self.end_line()
            print(text, file=self.out, flush=True)

    def give(self, value: Any) -> None:
        """The answer for a script."""
        if self.is_json:
            print(json.dumps(value, ensure_ascii=False, indent=1, default=str), file=self.out, flush=True)

    def warn(self, text: str) -> None:
        """A line on standard error."""
        self.end_line()
        print(text, file=self.err, flush=True)

    def refuse(self, refusal: Refusal) -> None:
        """An expected problem: what, and what to do; its code in JSON."""
        self.warn(f"gridman: {refusal.words()}")
        self.give({"refused": refusal.code, "words": refusal.words()})

    def progress(self, done: int, total: int, step: str = "") -> None:
        """A bar on a terminal; elsewhere a line every few seconds, so that a log shows that long work goes on."""
        now, is_terminal = time.monotonic(), self.err.isatty()
        is_end = bool(total) and done >= total
        pause_s = _DRAW_EVERY_S if is_terminal else _LINE_EVERY_S
        if now - (self._drawn_at or self._started_at) < pause_s and not (is_terminal and is_end):
            return
        self._drawn_at = now
        count = f"{done:,}/{total:,}" if total else f"{done:,}"
        if is_terminal:
            self._draw(done, total, f"{count} {_(step)}")
        else:
            print(f"{_(step) or '…'}: {count}", file=self.err, flush=True)

    def _draw(self, done: int, total: int, text: str) -> None:
        filled = int(min(1.0, done / total) * _BAR) if total else 0
        line = f"{'█' * filled:<{_BAR}} {text[:48]}"
        self.err.write("\r" + line.ljust(self._bar_width))
        self.err.flush()
        self._bar_width = len(line)

    def end_line(self) -> None:
        """Take the bar off the screen before something else is written."""
        if self._bar_width:
            self.err.write("\r" + " " * (self._bar_width + 8) + "\r")
            self.err.flush()
            self._bar_width = 0

    def flush(self) -> None:
        """Everything said is out."""
        self.end_line()
        self.out.flush()

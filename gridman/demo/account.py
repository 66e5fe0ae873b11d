"""The readable account of the day, and the checks that decide its exit code."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from gridman.kernel.words import _

__all__ = ["Account", "Failure"]


class Failure(Exception):
    """A step's outcome is not what it must be: the demonstration fails and says where."""


@dataclass
class Account:
    """Prints headings, facts and checked outcomes; draws a progress bar on a terminal."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    checks: int = 0
    _bar_shown: bool = False

    @contextmanager
    def step(self, number: int, title: str) -> Iterator[None]:
        """One step of the day with the time it took."""
        self._line(f"\n{number}. {title}")
        started = time.monotonic()
        yield
        self._line(f"   {_('done in {seconds} s').format(seconds=f'{time.monotonic() - started:.1f}')}")

    def say(self, text: str) -> None:
        """A fact."""
        self._line(f"   · {text}")

    def check(self, is_so: bool, text: str) -> None:
        """A checked outcome: printed when it holds, the end of the demonstration when not."""
        if not is_so:
            raise Failure(text)
        self.checks += 1
        self._line(f"   ✓ {text}")

    def equal(self, found: object, wanted: object, text: str) -> None:
        """A checked equality; the failure names both values."""
        if found != wanted:
            raise Failure(f"{text}: {found!r} ≠ {wanted!r}")
        self.check(True, text)

    def progress(self, done: int, total: int, step: str = "") -> None:
        """A bar that overwrites itself on a terminal; nothing elsewhere."""
        if not self.out.isatty():
            return
        share = min(1.0, done / total) if total else 0.0
        bar = "█" * int(share * 24)
        count = f"{done:,}/{total:,}" if total else f"{done:,}"
        self.out.write(f"\r   {bar:<24} {count} {step[:28]:<28}")
        self.out.flush()
        self._bar_shown = True

    def _line(self, text: str) -> None:
        if self._bar_shown:
            self.out.write("\r" + " " * 72 + "\r")
            self._bar_shown = False
        print(text, file=self.out, flush=True)

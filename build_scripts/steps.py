"""Say what a set-up is doing, step by step, and stop with a named problem and its remedy."""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXIT_SETUP = 3


class SetupProblem(Exception):
    """Something outside the program is missing: `what` could not be had, and the `remedy` to type or do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def tell(self) -> None:
        """Print the problem and its remedy on stderr."""
        print(f"\ngridman set-up stopped: {self.what}\nWhat to do: {self.remedy}", file=sys.stderr, flush=True)


def say(text: str) -> None:
    """One line of progress, on stderr so that a command's own output stays clean."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Name a step when it begins and print how long it took when it ends well."""
    say(f"[set-up] {title} ...")
    began = time.monotonic()
    yield
    say(f"[set-up] {title}: done in {time.monotonic() - began:.1f} s")


def run_logged(
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], None] = lambda line: None,
    keeps_lock: bool = False,
) -> tuple[int, str]:
    """Run `command`, its output line by line to `on_line` and into `log`; return exit code and last 40 lines.

    With `keeps_lock` the child holds the set-up's lock too: should the set-up be killed, the next one waits for the child
    to end instead of working against it in the same folder.
    """
    tail: deque[str] = deque(maxlen=40)
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("a", encoding="utf-8") as kept,
        subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            close_fds=not keeps_lock,
            env=None if env is None else dict(env),
            cwd=cwd,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        kept.write(f"$ {' '.join(command)}\n")
        assert process.stdout is not None
        for line in process.stdout:
            kept.write(line)
            tail.append(line)
            on_line(line.rstrip())
    return process.returncode, "".join(tail)

"""How far the day has come: written after each step, so that a demonstration that was killed goes on where it stood."""

from pathlib import Path
from typing import Any

import msgspec

from gridman.kernel.errors import Refusal
from gridman.kernel.files import write_whole
from gridman.kernel.words import N_

__all__ = ["DayState"]


class _Kept(msgspec.Struct):
    day: str
    size: str
    seed: int
    at: int = 0
    port: int = 0
    done: list[str] = msgspec.field(default_factory=list)
    facts: dict[str, Any] = msgspec.field(default_factory=dict)


class DayState:
    """`facts` are small values later steps need (ids, counts); `done` the finished steps."""

    def __init__(self, path: Path, kept: _Kept) -> None:
        self._path, self._kept = path, kept

    @classmethod
    def open(cls, path: Path, day: str, size: str, seed: int) -> "DayState":
        """The state in `path`, or a new day. Refuses when the folder holds a day of another size or seed."""
        if not path.exists():
            return cls(path, _Kept(day, size, seed))
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        except msgspec.DecodeError as error:
            raise Refusal(
                "demo.state", N_("{path} is damaged."), N_("Choose another --out folder."), path=path
            ) from error
        if (kept.size, kept.seed) != (size, seed):
            raise Refusal(
                "demo.other_day",
                N_("{folder} holds a demonstration of size {size} with seed {seed}."),
                N_("Choose another --out folder, or the same size and seed to go on."),
                folder=path.parent,
                size=kept.size,
                seed=kept.seed,
            )
        return cls(path, kept)

    day = property(lambda self: self._kept.day)
    at = property(lambda self: self._kept.at)

    @property
    def port(self) -> int:
        """The street server's port, the same after a restart: desks know it."""
        return self._kept.port

    @port.setter
    def port(self, port: int) -> None:
        self._kept.port = port

    @property
    def facts(self) -> dict[str, Any]:
        """Small values later steps need."""
        return self._kept.facts

    def is_done(self, step: str) -> bool:
        """Whether `step` was finished by an earlier run."""
        return step in self._kept.done

    def finish(self, step: str, at: int) -> None:
        """Note that `step` is finished, at story time `at`."""
        self._kept.done.append(step)
        self.save(at)

    def save(self, at: int) -> None:
        """Write the state."""
        self._kept.at = max(self._kept.at, at)
        write_whole(self._path, msgspec.json.encode(self._kept))

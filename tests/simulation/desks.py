"""The computers of a history: a desk with its file, who sits at it, and what is special about it."""

from dataclasses import dataclass, field
from typing import Any

from gridman.domain.access import Actor
from gridman.domain.catalog import Noun, noun
from gridman.services.access import actor_of_user
from gridman.store import checks, replay
from gridman.store.blobs import BlobStore
from gridman.store.store import Store
from gridman.sync.bundle import DeskBundles
from gridman.sync.protocol import Answer, Request
from tests.simulation.prepared import Slot
from tests.sync.world import KEY, Desk

__all__ = ["Computer", "Copied", "Message", "Moment", "Stick", "older_version"]

Moment = dict[str, dict[int, dict[str, Any]]]
"""What a user may see on the street at one instant: kind -> id -> row."""

HIDDEN = (("household", "remark"), ("person", "workplace"), ("care_tag", ""), ("visit", ""))
"""What an older version of the program may not know: a field, or a kind of record altogether."""


@dataclass
class Copied:
    """A copy of a desk's file, and the operations that were in it."""

    path: Any
    last_n: int


@dataclass
class Computer(Desk):
    """A desk on the stage. `noted_n`: the last operation that the oracle has seen; `hidden`: (kind, field) this older version does not know."""

    slot: Slot
    street_id: str
    noted_n: int = 0
    hidden: tuple[str, str] | None = None
    is_forked: bool = False
    is_removed: bool = False
    copy: Copied | None = None
    quiet_seq: int = -1

    @property
    def name(self) -> str:
        return f"{self.slot.path.stem}/{self.store.replica}"

    @property
    def is_parting(self) -> bool:
        """Whether it may not write any more."""
        return self.is_forked or self.is_removed

    @property
    def actor(self) -> Actor:
        """As this computer knows its user."""
        with self.store.read() as reader:
            return actor_of_user(reader, self.user_id, self.store.replica)

    def knows(self, kind: str, name: str) -> bool:
        """Whether this version of the program has the field."""
        return self.hidden is None or self.hidden not in ((kind, name), (kind, ""))

    def use(self, store: Store) -> None:
        """Another file, the same computer."""
        self.store = store

    @property
    def side(self) -> DeskBundles:
        """Its side of the bundles."""
        return DeskBundles(self.store, BlobStore(self.slot.path.with_suffix(""), KEY), self.actor, self.street_id)


@dataclass
class Message:
    """A request on its way to the street, or an answer on its way back with the street as it was then."""

    desk: Computer
    request: Request
    answer: Answer | None = None
    moment: Moment | None = None
    life: int = 0


@dataclass
class Stick:
    """A bundle on a USB stick, on its way there or back."""

    desk: Computer
    path: Any
    is_back: bool = False
    moment: Moment | None = None
    life: int = 0
    taken: list[int] = field(default_factory=list)


class _Columns(dict[str, Any]):
    """The columns of a table, one of them not invented yet."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class _OldTable:
    def __init__(self, table: Any, without: str) -> None:
        self._table = table
        self.c = _Columns({c.key: c for c in table.c if c.key != without})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)


class _OldNoun:
    def __init__(self, of: Noun, without: str) -> None:
        self.kind, self.cls = of.kind, of.cls
        self.columns = tuple(name for name in of.columns if name != without)


class older_version:
    """Have the desk's side of the sync run as a version of the program that lacks a field or a kind of record."""

    def __init__(self, hidden: tuple[str, str] | None) -> None:
        self._hidden = hidden
        self._kept = replay.noun, replay.table_of, checks.noun

    def __enter__(self) -> None:
        if self._hidden is None:
            return
        kind, field_ = self._hidden

        def known(name: str) -> Noun | None:
            return None if name == kind and not field_ else noun(name)

        def table_of(of: Noun) -> Any:
            table = self._kept[1](of)
            return _OldTable(table, field_) if field_ and of.kind == kind else table

        def compared(name: str) -> Any:
            found = noun(name)
            if name != kind or found is None:
                return found
            return _OldNoun(found, field_) if field_ else None

        replay.noun, replay.table_of, checks.noun = known, table_of, compared  # type: ignore[assignment]

    def __exit__(self, *_error: object) -> None:
        replay.noun, replay.table_of, checks.noun = self._kept

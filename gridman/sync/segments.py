"""A desk's side of snapshots: what a segment says, believed only after its digest, its place and its shape were checked."""

import hashlib
from typing import Any

import msgspec
import zstandard

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.store.first_rows import Begun, SnapshotColumns, begun_snapshots, note_segment, take_columns
from gridman.store.replay import CellState, Replay
from gridman.sync.codec import unpacked
from gridman.sync.columns import unpack_column
from gridman.sync.protocol import Segment
from gridman.sync.snapshots import ident_of

__all__ = ["read_segment", "take_segment"]

_Part = tuple[str, list[str], int, list[Any], list[Any]]
_parts = msgspec.msgpack.Decoder(list[_Part])


def take_segment(replay: Replay, segment: Segment) -> int | None:
    """Write a segment's rows and how far its snapshot is here; returns how many rows arrived, None for one whose turn it is not."""
    begun = begun_snapshots(replay.connection).get(segment.scope)
    if segment.number == 0:
        begun = Begun(segment.snapshot, segment.seq, 0, tuple(segment.hashes))
    elif begun is None or (begun.ident, begun.seq, begun.next) != (segment.snapshot, segment.seq, segment.number):
        return None
    if len(begun.hashes) != segment.of or ident_of(segment.scope, segment.seq, begun.hashes) != segment.snapshot:
        raise _misshapen()
    if hashlib.sha256(segment.data).digest() != begun.hashes[segment.number]:
        raise _misshapen()
    parts = read_segment(segment.data)
    note_segment(replay, segment.scope, Begun(begun.ident, begun.seq, segment.number + 1, begun.hashes))
    return take_columns(replay, segment.scope, segment.seq, parts)


def read_segment(data: bytes) -> list[SnapshotColumns]:
    """The rows of a segment by kind; refuses with ``sync.malformed``."""
    try:
        return [_columns(*part) for part in _parts.decode(unpacked(data))]
    except (
        zstandard.ZstdError,
        msgspec.MsgspecError,
        UnicodeDecodeError,
        RecursionError,
        ValueError,
        TypeError,
    ) as error:
        raise _misshapen() from error


def _columns(kind: str, names: list[str], count: int, packed: list[Any], told: list[Any]) -> SnapshotColumns:
    if len(names) != len(packed) or len(set(names)) != len(names) or "id" not in names or count < 1:
        raise _misshapen()
    columns = {name: unpack_column(column, count) for name, column in zip(names, packed, strict=True)}
    ids = columns["id"]
    if len(set(ids)) != count or not all(type(i) is int and 0 < i < 1 << 63 for i in ids):
        raise _misshapen()
    return SnapshotColumns(kind, columns, _cells(told, count))


def _cells(told: list[Any], rows: int) -> dict[int, list[CellState]]:
    if not told:
        return {}
    count, *packed = told
    if type(count) is not int or len(packed) != 5:
        raise _misshapen()
    found: dict[int, list[CellState]] = {}
    for row, *cell in zip(*(unpack_column(column, count) for column in packed), strict=True):
        if type(row) is not int or not 0 <= row < rows or not isinstance(cell[1], str):
            raise _misshapen()
        found.setdefault(row, []).append((cell[0], cell[1], cell[2], cell[3]))
    return found


def _misshapen() -> Refusal:
    return Refusal(
        "sync.malformed",
        N_("The message cannot be read ({why})."),
        N_("Both sides should run the same version of gridman; try again."),
        why="snapshot",
    )

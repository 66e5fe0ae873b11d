"""Messages as bytes: msgpack, compressed with Zstandard, rows column by column. Whatever arrives is believed only after it was checked.

Columns of whole numbers travel as differences and columns that hold one value travel once: about 0.3 MB for a grid of 6,400 rows
instead of 0.63 MB as compressed JSON (sync study, C3).
"""

import hashlib
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeVar

import msgspec
import zstandard

from gridman.kernel.clock import INSTANTS
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.sync.protocol import Answer, Greeting, Hello, LastWords, Op, Request, Rows

__all__ = [
    "check_numbers",
    "check_op",
    "decode_answer",
    "decode_greeting",
    "decode_last_words",
    "decode_request",
    "digest_of",
    "encode",
    "pack_rows",
    "unpack_rows",
    "unpacked",
]

LARGEST_MESSAGE = 8 << 20
LARGEST_UNPACKED = 64 << 20
_PIECE = 1 << 18
_LEVEL = 3
_PLAIN, _SAME, _STEPS = 0, 1, 2
_STAMP = re.compile(r"[0-9a-f]{21}\Z")
_INT64 = range(-(1 << 63), 1 << 63)

T = TypeVar("T")
_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request | Hello] = msgspec.msgpack.Decoder(Request | Hello)
_last_words: msgspec.msgpack.Decoder[LastWords | Request] = msgspec.msgpack.Decoder(LastWords | Request)
_answers = msgspec.msgpack.Decoder(Answer)
_greetings = msgspec.msgpack.Decoder(Greeting)


def encode(message: msgspec.Struct) -> bytes:
    """A message as bytes."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(_encoder.encode(message))


def decode_request(body: bytes) -> Request | Hello:
    """What a desk sent. Refuses with ``sync.malformed`` or ``sync.too_large``; nothing a stranger sends ends in anything else."""
    return _decode(body, _requests)


def decode_last_words(body: bytes) -> LastWords:
    """What a desk hands over at its end. Desks of version 0.1 sent an ordinary request."""
    message = _decode(body, _last_words)
    if isinstance(message, LastWords):
        return message
    return LastWords(message.protocol, message.replica, message.at, message.ops, lowest=message.lowest)


def decode_answer(body: bytes) -> Answer:
    """What the street answered."""
    return _decode(body, _answers)


def decode_greeting(body: bytes) -> Greeting:
    """What the street answered to a hello."""
    return _decode(body, _greetings)


def _decode(body: bytes, decoder: "msgspec.msgpack.Decoder[T]") -> T:
    if len(body) > LARGEST_MESSAGE:
        raise _too_large()
    try:
        return decoder.decode(unpacked(body))
    except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Refusal(
            "sync.malformed",
            N_("The message cannot be read ({why})."),
            N_("Both sides should run the same version of gridman; try again."),
            why=type(error).__name__,
        ) from error


def unpacked(body: bytes) -> bytes:
    """Decompressed, never past the limit: the size a frame claims is not believed, nor is one without a claim trusted."""
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body)
    pieces, size = [], 0
    while piece := reader.read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_UNPACKED:
            raise _too_large()
    return b"".join(pieces)


def _too_large() -> Refusal:
    return Refusal(
        "sync.too_large", N_("The message is larger than the street accepts."), N_("Send fewer changes at a time.")
    )


def digest_of(op: Op) -> str:
    """Names the content of an operation: the same number with another content means a copied or restored desk. Parts that a later version
    adds must stay out of it: an operation may come again to a street that was updated meanwhile.
    """
    parts = (op.n, op.kind, op.entity, op.record_id, op.after, op.base, op.stamp, op.at)
    return hashlib.sha256(_encoder.encode(parts)).hexdigest()[:32]


def check_op(op: Op) -> None:
    """Refuse an operation that no desk could have written (``sync.malformed``)."""
    is_right = (
        0 < op.n < 1 << 63
        and 0 < op.record_id < 1 << 63
        and _STAMP.match(op.stamp)
        and op.at in INSTANTS
        and all(base is None or _STAMP.match(base) for base in op.base.values())
        and all(type(v) is not int or v in _INT64 for v in op.after.values())
        and len(op.after) <= 200
        and not any(
            "\x00" in name for name in (op.kind, op.entity, *op.after, *op.base)
        )  # PostgreSQL keeps no such text
    )
    if not is_right:
        raise _misshapen("operation")


def check_numbers(message: Request | LastWords) -> None:
    """Refuse a message with a time or a position that no desk could have written, and no database could look for (``sync.malformed``)."""
    cursors = message.cursors if isinstance(message, Request) else []
    if message.at not in INSTANTS or any(c.seq not in _INT64 or c.after_id not in _INT64 for c in cursors):
        raise _misshapen("number")


def pack_rows(
    kind: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    cells: Sequence[tuple[int, list[tuple[str, str, int | None, int | None]]]],
) -> Rows:
    """Rows of one kind as a message part."""
    data = [_pack_column(column) for column in zip(*rows, strict=True)] if rows else []
    return Rows(kind, list(columns), len(rows), data, list(cells))


def _pack_column(values: Sequence[Any]) -> list[Any]:
    first = values[0]
    if all(v is first or v == first for v in values) and all(type(v) is type(first) for v in values):
        return [_SAME, first]
    if all(type(v) is int for v in values):
        steps = [b - a for a, b in pairwise(values)]
        if all(step in _INT64 for step in steps):
            return [_STEPS, [first, *steps]]
    return [_PLAIN, list(values)]


def unpack_rows(part: Rows) -> list[tuple[Any, ...]]:
    """The rows of a message part; refuses with ``sync.malformed`` when columns and counts do not fit."""
    if not 0 <= part.count <= 1 << 20 or (part.count and len(part.columns) != len(part.data)):
        raise _misshapen()
    if not part.count:
        return []
    return list(zip(*(_unpack_column(column, part.count) for column in part.data), strict=True))


def _unpack_column(packed: Any, count: int) -> Sequence[Any]:
    if not isinstance(packed, list) or len(packed) != 2:
        raise _misshapen()
    form, payload = packed
    if form == _SAME:
        return [payload] * count
    if not isinstance(payload, list) or len(payload) != count:
        raise _misshapen()
    if form == _PLAIN:
        return payload
    if form == _STEPS and all(type(v) is int for v in payload):
        found, value = [], 0
        for step in payload:
            value += step
            found.append(value)
        if any(v not in _INT64 for v in found):
            raise _misshapen()
        return found
    raise _misshapen()


def _misshapen(what: str = "columns") -> Refusal:
    return Refusal(
        "sync.malformed",
        N_("The message cannot be read ({why})."),
        N_("Both sides should run the same version of gridman; try again."),
        why=what,
    )

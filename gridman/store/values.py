"""Field values as bytes: msgpack maps from field name to int, float, str, bytes, bool or None."""

from typing import Any

import msgspec

__all__ = ["pack", "unpack"]

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()


def pack(value: Any) -> bytes:
    """`value` as msgpack."""
    return _encoder.encode(value)


def unpack(data: bytes | None) -> Any:
    """The value in `data`; an empty map for None."""
    return {} if data is None else _decoder.decode(data)

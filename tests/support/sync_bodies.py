"""What schemathesis sends where the document says "a message of the sync": real messages of all sorts, and bytes that are none. Loaded by
`tests/server/test_schema.py` through SCHEMATHESIS_HOOKS.
"""

import msgspec
import schemathesis
import zstandard
from hypothesis import strategies as st

MEDIA_TYPE = "application/vnd.gridman.sync"

numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3)
words = st.text(max_size=12) | st.sampled_from(["household", "visit", "create", "amend", "command", "ref", "g:1"])
operations = st.tuples(
    numbers, words, words, numbers, st.dictionaries(words, numbers | words | st.none(), max_size=3),
    st.dictionaries(words, st.none() | words, max_size=2), st.just("0" * 21) | words, numbers,
)  # fmt: skip
requests = st.tuples(
    st.just("exchange"), st.just(1) | numbers, st.just(2) | numbers, words, numbers, numbers,
    st.lists(operations, max_size=3), st.lists(st.tuples(words, numbers, numbers), max_size=3), words, st.integers(0, 3),
)  # fmt: skip
makers = st.tuples(numbers, numbers, words | st.just("ab" * 16), st.integers(0, 3))
farewells = st.tuples(
    st.just("farewell"), st.just(1), st.just(2) | numbers, numbers, st.lists(operations, max_size=3), st.lists(makers, max_size=3),
    st.booleans(), st.booleans(), st.integers(0, 2),
)  # fmt: skip
hellos = st.tuples(st.just("hello"), st.just(1), st.just(2) | numbers, words, st.binary(max_size=100))
messages = (requests | farewells | hellos).map(lambda parts: zstandard.compress(msgspec.msgpack.encode(parts)))

schemathesis.openapi.media_type(MEDIA_TYPE, messages | st.binary(max_size=60))


@schemathesis.serializer(MEDIA_TYPE)
def as_bytes(ctx: schemathesis.SerializationContext, value: object) -> bytes:
    """What the strategy made, as it is; a coverage case may be any JSON value."""
    return value if isinstance(value, bytes) else msgspec.json.encode(value)


for media_type in (MEDIA_TYPE, "application/octet-stream", "application/x-pem-file"):

    @schemathesis.deserializer(media_type)
    def as_they_came(ctx: schemathesis.DeserializationContext, response: schemathesis.Response) -> str:
        """Bytes have no schema to be checked against, only a type."""
        return bytes(response.content).hex()

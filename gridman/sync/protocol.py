"""The messages between a desk and the street, and the street as a desk sees it.

Everything is a msgspec Struct in array form, so a later version may add fields at the end and an older one still reads the message.
"""

from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from gridman.services.audit_anchor import Anchor, AuditPush

__all__ = [
    "ALL", "PROTOCOL", "SPOKEN", "Answer", "Cursor", "Entry", "Greeting", "Hello", "KindCheck", "LastWords", "Maker", "Op", "Partly",
    "Request", "Rows", "ScopeCheck", "Segment", "Street", "Verdict", "Versions",
]  # fmt: skip


class Versions(NamedTuple):
    """The versions of the protocol that one side speaks, both ends included."""

    lowest: int
    highest: int


PROTOCOL = 1
SPOKEN = Versions(1, PROTOCOL)
"""Within one version messages only grow at the end. A street gives nothing to a desk below its lowest, but goes on taking its work in."""

ALL = 1 << 62
"""A cursor's `after_id` when everything of its number has been received."""

LARGEST_PAGE = 5_000
DIGEST_TOLD = 16
"""Of an operation's digest, so many hexadecimal digits come back with its verdict: a desk's own copies are told apart, not attackers."""


class Op(Struct, array_like=True, frozen=True):
    """One operation of a desk. `base`: field -> version it was made on. `after`: values written, or a command's payload."""

    n: int
    kind: str  # create, amend, command
    entity: str
    record_id: int
    after: dict[str, Any]
    base: dict[str, str | None]
    stamp: str
    at: int


class Cursor(Struct, array_like=True, frozen=True):
    """How far a desk has received a scope: every change before number `seq`, and those of `seq` up to record `after_id`."""

    scope: str
    seq: int
    after_id: int = ALL


class Partly(Struct, array_like=True, frozen=True):
    """How far a desk has received the snapshot of a scope: its segments before number `next`."""

    scope: str
    snapshot: bytes
    next: int


class Segment(Struct, array_like=True, frozen=True):
    """One piece of a scope's snapshot, number `number` of `of`; `seq`: the number of the feed it was made at. `snapshot` names its content:
    a digest over the scope, `seq` and `hashes`, the SHA-256 of every segment's `data`, which come with the first one.
    """

    scope: str
    snapshot: bytes
    seq: int
    number: int
    of: int
    data: bytes
    hashes: list[bytes] = []


class Hello(Struct, array_like=True, frozen=True, tag="hello"):
    """A desk introduces itself. `keys`: its public keys for bundles (`sync.seal`). `lowest`: see `Request`."""

    protocol: int
    replica: int
    app: str = ""
    keys: bytes = b""
    lowest: int = 0


class Greeting(Struct, array_like=True, frozen=True):
    """The street's reply: what it speaks, which life of its data this is, its time, how far it knows the desk's operations, and its own public
    keys for bundles.
    """

    lowest: int
    highest: int
    epoch: str
    seq: int
    at: int
    last_n: int
    keys: bytes = b""


class Request(Struct, array_like=True, frozen=True, tag="exchange"):
    """Operations to push and positions to pull from. The desk speaks the versions `lowest` to `protocol`; `lowest` 0: that one only.
    `audit`: new lines of its audit log, so that they need no request of their own. `reads`: the latest format of snapshots the desk
    understands, 0 for none; `partly`: snapshots of which it has the beginning; their scopes have no cursor. `check`: a scope that the
    desk wants to hold against the street's, "" for none.
    """

    protocol: int
    replica: int
    epoch: str
    at: int
    page: int
    ops: list[Op] = []
    cursors: list[Cursor] = []
    app: str = ""
    lowest: int = 0
    audit: AuditPush | None = None
    reads: int = 0
    partly: list[Partly] = []
    check: str = ""

    @property
    def spoken(self) -> Versions:
        """The versions the desk speaks."""
        return Versions(self.lowest or self.protocol, self.protocol)


class Maker(Struct, array_like=True, frozen=True):
    """Which unanswered operation made the record `record_id` on this desk: its number and digest; `part`: which of the records it made.
    Copies of one desk give the same number to different records; what made them tells them apart.
    """

    record_id: int
    n: int
    digest: str
    part: int = 0


class LastWords(Struct, array_like=True, frozen=True, tag="farewell"):
    """What a desk hands over that may not write any more: it was taken out of service or reported lost, or it is a copy (``is_rescue``).
    `makers`: of the records that `ops` are about or name. ``is_end``: that was all, photos too.
    """

    protocol: int
    replica: int
    at: int
    ops: list[Op] = []
    makers: list[Maker] = []
    is_rescue: bool = False
    is_end: bool = False
    lowest: int = 0

    @property
    def spoken(self) -> Versions:
        """The versions the desk speaks."""
        return Versions(self.lowest or self.protocol, self.protocol)


class Verdict(Struct, array_like=True, frozen=True):
    """What became of operation `n`: "applied", "merged" (a value lost and was kept for review), "set_aside" (out of scope or retired:
    kept for review) or "refused". `refusal`: a Refusal's code, text, remedy and places, put into words where it is shown.
    `seq`: number at which what came of it shows in the feed. `digest`: which content was answered, its first 16 hexadecimal digits.
    """

    n: int
    outcome: str
    refusal: tuple[str, str, str, dict[str, str]] | None = None
    seq: int = 0
    digest: str = ""


class Rows(Struct, array_like=True, frozen=True):
    """Rows of one kind, column by column (encoded by `codec`). `cells`: row index -> edited fields [field, version, who, when]."""

    kind: str
    columns: list[str]
    count: int
    data: list[Any]
    cells: list[tuple[int, list[tuple[str, str, int | None, int | None]]]] = []


class Entry(Struct, array_like=True, frozen=True):
    """A record is in, or has left, a scope since number `seq`. `scope` is an index into the answer's cursors."""

    record_id: int
    scope: int
    kind: str
    seq: int
    is_exit: bool = False


class KindCheck(Struct, array_like=True, frozen=True):
    """Of one kind the street holds `count` rows in a scope, with this `mark` over these columns (`store.checks`)."""

    kind: str
    columns: list[str]
    count: int
    mark: int


class ScopeCheck(Struct, array_like=True, frozen=True):
    """What the street holds of a scope as of the answer's number."""

    scope: str
    kinds: list[KindCheck]


class Answer(Struct, array_like=True, frozen=True):
    """The street's answer, in version `protocol`. `seq`: the last number when it was made; `complete`: nothing up to it is missing any more;
    `cursors`: the positions after it, empty where they are those of the request.

    ``is_reset``: the desk's positions belong to another life of the street's data; receive everything anew. ``anchor``: up to where the
    street has the desk's audit log; None from a street that was not asked, or knows only the way of its own for it.
    ``segments`` come before everything else of the answer and are kept one by one. ``check``: of the scope that the desk asked about, in
    an answer that is complete.
    """

    protocol: int
    epoch: str
    seq: int
    at: int
    last_n: int
    verdicts: list[Verdict] = []
    rows: list[Rows] = []
    entries: list[Entry] = []
    drops: list[str] = []
    cursors: list[Cursor] = []
    complete: bool = False
    is_reset: bool = False
    anchor: Anchor | None = None
    segments: list[Segment] = []
    check: ScopeCheck | None = None


class Street(Protocol):
    """The street server as a desk sees it: over HTTP, in the same process, or through a file."""

    def greet(self, hello: Hello) -> Greeting:
        """Say hello: versions, time, and whether this is the street the desk knows."""
        ...

    def exchange(self, request: Request) -> Answer:
        """Push and pull in one call. Raises Refusal when the street cannot be reached or does not accept the desk."""
        ...

    def blob_size(self, sha256: str) -> int | None:
        """How many bytes of a content the street has, None when it knows nothing of it; a whole content says its full size."""
        ...

    def put_blob(self, sha256: str, offset: int, total: int, chunk: bytes) -> int:
        """Send a piece of a content from `offset` on; returns how many bytes the street has now."""
        ...

    def get_blob(self, sha256: str, offset: int, limit: int) -> tuple[bytes, int]:
        """A piece of a content, and its whole size. Refuses with ``blob.missing``."""
        ...

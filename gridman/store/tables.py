"""The machine's own tables: what the store, the journal and the sync keep beside the records of the trade."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, String, Table, Text

from gridman.domain.catalog import NOUNS
from gridman.domain.fields import BIG, Record

__all__ = [
    "account", "audit", "base_cell", "blob_state", "cell", "cursor", "deferred", "desk_audit", "device", "draft", "enrolment",
    "handed_over", "hand_over", "household_line", "job", "journal", "meta", "renewed_id", "replica_counter", "search_entry", "setting",
    "snapshot_part",
    "sync_clock", "sync_exit", "sync_op", "sync_row", "throttle", "web_session",
]  # fmt: skip

assert NOUNS  # importing the catalogue maps every noun onto the same metadata

metadata = Record.metadata

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text))

replica_counter = Table(
    "replica_counter",
    metadata,
    Column("replica", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger),
)

setting = Table("setting", metadata, Column("key", Text, primary_key=True), Column("value", Text))

draft = Table(
    "draft",
    metadata,
    Column("form", Text, primary_key=True),
    Column("user_id", BIG, primary_key=True),
    Column("payload", Text),
    Column("updated_at", BigInteger),
)

journal = Table(
    "journal",
    metadata,
    Column("id", BIG, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("stamp", String(21), nullable=False),
    Column("actor_id", BIG),
    Column("replica", Integer),
    Column("kind", Text, nullable=False),  # create, amend, retire, command
    Column("entity", Text, nullable=False),
    Column("record_id", BIG, nullable=False),
    Column("after", LargeBinary),  # msgpack map: field -> value written
    Column("before", LargeBinary),  # msgpack map: field -> value it replaced
    Column("base", LargeBinary),  # msgpack map: field -> version it was made on
    Column(
        "effects", LargeBinary
    ),  # what a desk's command did here already: {"fields": {name: value}, "made": [[kind, id]]}
    Column("origin", String(6), nullable=False),  # here, street
    # A desk's unsent work is the rows with an op number and a state; the street keeps rows without.
    Column("op_n", BigInteger),
    Column("state", Text),  # waiting, sent, acknowledged, settled, refused
    Column("ack_seq", BigInteger),
    Column("ack_at", BigInteger),
    Column("verdict", Text),
    Column("reason", Text),
)
Index("journal_record", journal.c.record_id)
Index("journal_op", journal.c.op_n, unique=True)
Index("journal_state", journal.c.state)

cell = Table(
    "cell",
    metadata,
    Column("record_id", BIG, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("version", String(21), nullable=False),
    Column("claimed", String(21)),  # the writer's own stamp, where the street had to raise or clamp it
    Column("actor_id", BIG),
    Column("at", BigInteger),
    sqlite_with_rowid=False,
)

base_cell = Table(
    "base_cell",
    metadata,
    Column("record_id", BIG, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("value", LargeBinary),
    Column("version", String(21)),
    sqlite_with_rowid=False,
)

cursor = Table(
    "cursor",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("after_id", BIG, nullable=False),  # last record received of those with this very seq
)

snapshot_part = Table(  # on a desk: snapshots of which the first segments are here
    "snapshot_part",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("ident", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("next", Integer, nullable=False),  # number of the segment that comes next
    Column("hashes", LargeBinary, nullable=False),  # msgpack list: SHA-256 of every segment
)

deferred = Table(
    "deferred",
    metadata,
    Column("id", BIG, primary_key=True, autoincrement=True),
    Column("scope", Text),
    Column("entity", Text, nullable=False),
    Column("record_id", BIG, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)

blob_state = Table(
    "blob_state",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size_bytes", BigInteger),
    Column("sent_bytes", BigInteger),
    Column("state", Text, nullable=False),  # here, sending, sent, wanted
)

sync_clock = Table(
    "sync_clock",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    Column("epoch", Text, nullable=False),
)

sync_row = Table(
    "sync_row",
    metadata,
    Column("record_id", BIG, primary_key=True, autoincrement=False),
    Column("scope", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("sync_row_feed", sync_row.c.scope, sync_row.c.seq, sync_row.c.record_id)

sync_exit = Table(
    "sync_exit",
    metadata,
    Column("record_id", BIG, primary_key=True, autoincrement=False),
    Column("scope", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("sync_exit_feed", sync_exit.c.scope, sync_exit.c.seq, sync_exit.c.record_id)

sync_op = Table(
    "sync_op",
    metadata,
    Column("replica", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("verdict", LargeBinary),
    Column("seq", BigInteger),
    Column("at", BigInteger),
    sqlite_with_rowid=False,
)

hand_over = Table(  # at the street: how much a computer that may not write any more has handed over
    "hand_over",
    metadata,
    Column("replica", Integer, primary_key=True, autoincrement=False),
    Column("ops", BigInteger, nullable=False),  # each field of an edit for one
    Column("bytes", BigInteger, nullable=False),
    Column("photo_bytes", BigInteger, nullable=False),
    Column("ended_at", BigInteger),  # nothing is taken from it any more
)

handed_over = Table(  # the operations it handed over, by their content: copies of one desk give the same numbers to different work
    "handed_over",
    metadata,
    Column("replica", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, primary_key=True),
    Column("verdict", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

renewed_id = Table(  # the numbers given to records of handed-over work, by the content of the operation that made each
    "renewed_id",
    metadata,
    Column("replica", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),  # which of the records that one operation made
    Column("new_id", BIG, nullable=False),
    sqlite_with_rowid=False,
)

device = Table(
    "device",
    metadata,
    Column("replica", Integer, primary_key=True, autoincrement=False),
    Column("user_id", BIG, nullable=False),
    Column("name", Text),
    Column("token_digest", Text),
    Column("next_digest", Text),  # a rotated token, until the desk uses it
    Column("enrolled_at", BigInteger),
    Column("last_seen_at", BigInteger),
    Column("last_n", BigInteger),
    Column("skew_ms", BigInteger),
    Column("revoked_at", BigInteger),
    Column("revoked_as", Text),  # lost: shut out at once; retired: may deliver its unsent work first
    Column("audit_n", BigInteger),  # how far the desk's own audit log was received, and its last digest
    Column("audit_digest", Text),
    Column("audit_broken_at", BigInteger),
    Column("app", Text),  # the program's version and the versions of the sync that it spoke last
    Column("lowest", Integer),
    Column("highest", Integer),
)

account = Table(
    "account",
    metadata,
    Column("user_id", BIG, primary_key=True, autoincrement=False),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("must_change", Boolean),
    Column("failed_count", Integer),
    Column("locked_until", BigInteger),
)

web_session = (
    Table(  # at the street: who is signed in to its pages in a browser; any of its server processes may be asked next
        "web_session",
        metadata,
        Column("digest", Text, primary_key=True),  # of the secret in the browser's cookie
        Column("user_id", BIG, nullable=False),
        Column("started_at", BigInteger, nullable=False),
        Column("seen_at", BigInteger, nullable=False),
    )
)

job = Table(  # at the street: long work that somebody began on its pages; any of its server processes may be asked how far it is
    "job",
    metadata,
    Column("id", BIG, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # check, import, undo, backup, verify, restore
    Column("state", Text, nullable=False),  # running, done, refused, cancelled, lost, failed
    Column("user_id", BIG),
    Column("about", Text),  # JSON: names of files and folders
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("cancel_at", BigInteger),
    Column("step", Text),
    Column("done", BigInteger),
    Column("total", BigInteger),
    Column("result", LargeBinary),  # sealed with the street's key: it may quote cells of a register
)

enrolment = Table(
    "enrolment",
    metadata,
    Column("code_digest", Text, primary_key=True),
    Column("user_id", BIG, nullable=False),
    Column("expires_at", BigInteger),
    Column("used_at", BigInteger),
)

throttle = Table(  # how often strangers may try, counted for all programs that serve this street; `caller` is a digest
    "throttle",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("left", Float, nullable=False),
    Column("at", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BIG, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor_id", BIG),
    Column("replica", Integer),
    Column("act", Text, nullable=False),  # sign_in, reveal, print, export, import, enrol, ...
    Column("record_kind", Text),
    Column("record_id", BIG),
    Column("details", Text),  # JSON without personal values
    Column("previous", Text),
    Column("digest", Text, nullable=False),
)
Index("audit_at", audit.c.at)

desk_audit = Table(  # at the street: the audit logs of its desks, as they were received
    "desk_audit",
    metadata,
    Column("replica", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor_id", BIG),
    Column("desk", Integer),
    Column("act", Text, nullable=False),
    Column("record_kind", Text),
    Column("record_id", BIG),
    Column("details", Text),
    Column("previous", Text),
    Column("digest", Text, nullable=False),
    sqlite_with_rowid=False,
)
Index("desk_audit_at", desk_audit.c.at)

household_line = Table(  # derived: the household as lists show it
    "household_line",
    metadata,
    Column("household_id", BIG, primary_key=True, autoincrement=False),
    Column("grid_id", BIG, index=True),
    Column("head_name", Text),
    Column("people_count", Integer),
    Column("care_groups", Text),  # codes joined by ";"
    Column("last_visit_at", BigInteger),
    Column("due_on", String(10), index=True),
    Column("due_reason", Text),  # the care group that sets the interval, or ""
)

search_entry = Table(
    "search_entry",
    metadata,
    Column("record_id", BIG, primary_key=True, autoincrement=False),
    Column("entity", Text, nullable=False),
    Column("grid_id", BIG),
    Column("household_id", BIG),
    Column("title", Text),
    Column("detail", Text),
)

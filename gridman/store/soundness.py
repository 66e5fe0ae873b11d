"""Is a store sound? Pages, schema, journal, derived lists: questions that `gridman doctor` asks. Nothing here changes data but `repair`.

Each flaw is a Refusal that nobody raises: a stable code, what is wrong, what to do.
"""

from collections.abc import Iterator

from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from gridman.domain.attachment import Attachment
from gridman.domain.building import Building, MapFeature
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.domain.person import Person
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import COUNTER_BITS, counter_of
from gridman.kernel.words import N_
from gridman.store import indexes, lines, places, tables
from gridman.store.database import Database
from gridman.store.feed_repair import count_apart
from gridman.store.migrations import head, version_of
from gridman.store.store import Store, get_meta, put_meta
from gridman.store.unit import Reader

__all__ = [
    "all_photos", "bring_lists_up_to_date", "feed_flaws", "file_flaws", "follower_flaws", "list_flaws", "numbering_flaws", "oldest_waiting",
    "page_flaws", "photos_filed_here", "repair_lists", "schema_flaws",
]  # fmt: skip

_PAGE = 4_096
_PLAIN = b"SQLite format 3\0"
_LISTS_UPTO = "lists_upto"
_RESTORE = N_(
    "Put the copy from your last backup in its place. On a desk that was synchronised: set it up again from the street server."
)


def file_flaws(database_file: str, size: int, start: bytes) -> Iterator[Refusal]:
    """What can be told of an encrypted data file without its key: `size` in bytes, `start` its first 16."""
    if start == _PLAIN:
        yield Refusal(
            "doctor.not_encrypted",
            N_("The data file {path} is not encrypted."),
            N_("It is not gridman's own file. Keep it apart and set this computer up again."),
            path=database_file,
        )
    if size == 0 or size % _PAGE:
        yield Refusal(
            "doctor.file_cut",
            N_("The data file {path} is cut short ({size} bytes)."),
            _RESTORE,
            path=database_file,
            size=size,
        )


def page_flaws(database: Database) -> Iterator[Refusal]:
    """Every page of an SQLite file: its seal (SQLCipher's HMAC), then the structure. PostgreSQL looks after its own pages."""
    if not database.is_sqlite:
        return
    with database.reader.connect() as connection:
        for pragma in ("cipher_integrity_check", "integrity_check(20)"):
            try:
                said = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA {pragma}")]
            except Refusal as refusal:  # the store says in words that the file is damaged
                said = [str(refusal.params.get("why", refusal.code))]
            except DatabaseError as error:
                said = [str(error.orig)]
            wrong = [line for line in said if line != "ok"]
            if wrong:
                yield Refusal(
                    "doctor.pages_damaged",
                    N_("The data file {path} is damaged: {why} ({count} findings)."),
                    _RESTORE,
                    path=database.path,
                    why=wrong[0],
                    count=len(wrong),
                )
                return


def schema_flaws(database: Database) -> Iterator[Refusal]:
    """Whether the data has the shape that this program writes."""
    found, wanted = version_of(database), head()
    if found != wanted:
        yield Refusal(
            "doctor.schema",
            N_("The data has schema {found}; this gridman writes {wanted}."),
            N_("Open it once with this gridman (a copy is kept), or install the newer gridman that wrote it."),
            found=found or "-",
            wanted=wanted,
        )


def numbering_flaws(reader: Reader, replica: int) -> Iterator[Refusal]:
    """Operations without a gap, and no record that carries a number this copy has not given out yet."""
    j = tables.journal.c
    query = select(func.count(j.op_n), func.min(j.op_n), func.max(j.op_n)).where(j.op_n.is_not(None))
    count, first, last = reader.connection.execute(query).one()
    if count and count != last - first + 1:
        yield Refusal(
            "doctor.journal_gap",
            N_("The journal of this desk lacks {count} of its operations between {first} and {last}."),
            N_(
                "Unsent work may be lost. Synchronise what is left, then set this computer up again from the street server."
            ),
            count=last - first + 1 - count,
            first=first,
            last=last,
        )
    mine = select(func.max(j.record_id)).where(
        j.record_id.between(replica << COUNTER_BITS, (replica + 1 << COUNTER_BITS) - 1)
    )
    newest = reader.connection.execute(mine).scalar()
    c = tables.replica_counter.c
    given = reader.connection.execute(select(c.last).where(c.replica == replica)).scalar() or 0
    if newest is not None and counter_of(newest) > given:
        yield Refusal(
            "doctor.counter_back",
            N_("The counter of record numbers stands at {given}, but number {newest} is in use."),
            N_("The folder was put together from two copies. Set this computer up again from the street server."),
            given=given,
            newest=counter_of(newest),
        )


_LISTS: tuple[tuple[str, str], ...] = (
    (
        "household_line",
        "SELECT count(*) FROM household h LEFT JOIN household_line l ON l.household_id = h.id "
        "WHERE h.retired_at IS NULL AND (l.household_id IS NULL OR l.grid_id IS NOT h.grid_id)",
    ),
    (
        "household_line",
        "SELECT count(*) FROM household_line l LEFT JOIN household h ON h.id = l.household_id "
        "WHERE h.id IS NULL OR h.retired_at IS NOT NULL",
    ),
    (
        "household_line",
        "SELECT count(*) FROM household_line l WHERE l.people_count IS NOT (SELECT count(*) FROM person p WHERE "
        "p.household_id = l.household_id AND p.retired_at IS NULL AND p.moved_out_on IS NULL AND p.died_on IS NULL)",
    ),
    (
        "search",
        "SELECT count(*) FROM person p LEFT JOIN search_entry e ON e.record_id = p.id WHERE p.retired_at IS NULL AND "
        "(e.record_id IS NULL OR e.title IS NOT p.name OR e.household_id IS NOT p.household_id)",
    ),
    (
        "search",
        "SELECT count(*) FROM household h LEFT JOIN search_entry e ON e.record_id = h.id WHERE h.retired_at IS NULL AND "
        "(e.record_id IS NULL OR e.title IS NOT coalesce(h.address, ''))",
    ),
    ("search", "SELECT count(*) FROM search_entry WHERE record_id NOT IN (SELECT id FROM search_terms_docsize)"),
    ("search", "SELECT count(*) FROM search_terms_docsize WHERE id NOT IN (SELECT record_id FROM search_entry)"),
)  # fmt: skip
_LIVING = "SELECT count(*) FROM {0} r LEFT JOIN search_entry e ON e.record_id = r.id WHERE r.retired_at IS NULL AND e.record_id IS NULL"
_GONE = (
    "SELECT count(*) FROM search_entry e LEFT JOIN {0} r ON r.id = e.record_id "
    "WHERE e.entity = '{0}' AND (r.id IS NULL OR r.retired_at IS NOT NULL)"
)
_ON_MAP = (
    "SELECT count(*) FROM {0} r WHERE r.retired_at IS NULL AND {1} IS NOT NULL AND r.id NOT IN (SELECT id FROM place)"
)
_OFF_MAP = (
    "SELECT count(*) FROM place WHERE id NOT IN (SELECT id FROM building WHERE retired_at IS NULL UNION ALL "
    "SELECT id FROM map_feature WHERE retired_at IS NULL UNION ALL SELECT id FROM incident WHERE retired_at IS NULL)"
)


def _list_questions() -> Iterator[tuple[str, str]]:
    yield from _LISTS
    for cls in (Person, Household, Building, Incident):
        yield "search", _LIVING.format(cls.__tablename__)
        yield "search", _GONE.format(cls.__tablename__)
    for shown, column in ((Building, "shape"), (MapFeature, "shape"), (Incident, "lng")):
        yield "map", _ON_MAP.format(shown.__tablename__, column)
    yield "map", _OFF_MAP


_LIST_TEXTS = {
    "household_line": N_("The household list differs from the records in {count} places."),
    "search": N_("The search index differs from the records in {count} places."),
    "map": N_("The map index differs from the records in {count} places."),
}


def list_flaws(reader: Reader) -> Iterator[Refusal]:
    """Where a desk's derived lists do not say what its records say."""
    wrong: dict[str, int] = {}
    for name, question in _list_questions():
        try:
            found = int(reader.connection.execute(text(question)).scalar_one())
        except (DatabaseError, Refusal):  # the index's own tables are gone or broken
            found = 1
        if found:
            wrong[name] = wrong.get(name, 0) + found
    for name, count in wrong.items():
        yield Refusal(
            "doctor.index_" + name,
            _LIST_TEXTS[name],
            N_(
                "The records themselves are whole. Close the window and run gridman doctor --repair: it makes the lists anew."
            ),
            count=count,
        )


def repair_lists(store: Store) -> None:
    """Make every derived list anew from the records."""
    with store.database.writing, store.database.writer.begin() as connection:
        indexes.rebuild(connection, store.clock())


def bring_lists_up_to_date(store: Store) -> None:
    """A street keeps no lists while it serves; make those that reports and maps read, if anything changed since they were made."""
    with store.read() as reader:
        newest = str(reader.connection.execute(select(func.max(tables.journal.c.id))).scalar() or 0)
        mark = f"{newest} {day_of(reader.now)}"
        if get_meta(reader, _LISTS_UPTO) == mark:
            return
    with store.database.writing, store.database.writer.begin() as connection:
        lines.rebuild(connection, day_of(store.clock()))
        if store.database.is_sqlite:
            places.rebuild(connection)
        put_meta(connection, _LISTS_UPTO, mark)


def oldest_waiting(reader: Reader) -> tuple[int, int | None]:
    """How many operations wait for the street, and since when the oldest does."""
    j = tables.journal.c
    query = select(func.count(), func.min(j.at)).where(j.state.in_(("waiting", "sent")))
    count, at = reader.connection.execute(query).one()
    return int(count), at


def all_photos(reader: Reader) -> list[str]:
    """The sha256 of every photo in use."""
    a = Attachment.__table__.c
    query = select(a.sha256).where(a.retired_at.is_(None)).distinct().order_by(a.sha256)
    return [str(sha) for sha in reader.connection.scalars(query)]


def feed_flaws(reader: Reader) -> Iterator[Refusal]:
    """The street's feed: no number beyond its counter, and every living record of people, places and incidents in some scope."""
    counter = reader.connection.execute(select(tables.sync_clock.c.n)).scalar() or 0
    newest = reader.connection.execute(select(func.max(tables.sync_row.c.seq))).scalar() or 0
    if newest > counter:
        yield Refusal(
            "doctor.feed_ahead",
            N_("The feed holds number {newest}, beyond its counter {counter}."),
            N_(
                "The data was put together from two copies. Restore one whole backup; the desks then offer their work again."
            ),
            newest=newest,
            counter=counter,
        )
    placed = select(tables.sync_row.c.record_id)
    lost = 0
    for cls in (Household, Person, Building, Incident):
        t = cls.__table__.c
        query = select(func.count()).where(t.retired_at.is_(None), t.grid_id.is_not(None), t.id.not_in(placed))
        lost += reader.connection.execute(query).scalar_one()
    if lost:
        yield Refusal(
            "doctor.feed_lost",
            N_("{count} records are in no desk's feed: no desk receives them."),
            N_("Something wrote to the database besides gridman. Restore the last backup, or report it."),
            count=lost,
        )


def follower_flaws(reader: Reader) -> Iterator[Refusal]:
    """Whether desks receive an incident's log and photos wherever they receive the incident."""
    if apart := count_apart(reader):
        yield Refusal(
            "doctor.feed_apart",
            N_("{count} log lines or photos of incidents do not reach every desk that has the incident."),
            N_(
                "Run gridman doctor --repair: they are placed anew, and desks receive them with their next synchronisation."
            ),
            count=apart,
        )


def photos_filed_here(reader: Reader, replica: int) -> list[str]:
    """The sha256 of every photo that was attached on this copy: its bytes must lie in the folder, others may still be on their way."""
    a = Attachment.__table__.c
    mine = a.id.between(replica << COUNTER_BITS, (replica + 1 << COUNTER_BITS) - 1)
    query = select(a.sha256).where(mine, a.retired_at.is_(None)).distinct().order_by(a.sha256)
    return [str(sha) for sha in reader.connection.scalars(query)]

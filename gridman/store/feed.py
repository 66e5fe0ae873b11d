"""The street's feed: in which order records changed, and in which scopes they are (sync design D4, D5).

One counter row gives every writing transaction the next number. It is raised as the last thing a transaction does, so numbers follow
the order of commits without a gap on SQLite and PostgreSQL alike; a sequence would let a slow transaction commit behind a reader's
back (measured: 58 % of rows missed). One entry per record and scope says when the record last changed there: the feed holds the
latest state and never grows past the number of records.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, LargeBinary, Select, Table, bindparam, delete, insert, select, tuple_, update

from gridman.domain.catalog import NOUNS, Noun, noun_of
from gridman.domain.fields import Record
from gridman.kernel.ids import random_token
from gridman.store import tables
from gridman.store.batches import batches
from gridman.store.journal import upsert_cells
from gridman.store.turns import take_turn
from gridman.store.unit import Captured, Unit

__all__ = ["StreetFeed", "hold_clock", "next_number", "place_followers"]

_PAIRS = 300
_clock = tables.sync_clock
_RAISE = update(_clock).where(_clock.c.one == 1).values(n=_clock.c.n + 1).returning(_clock.c.n)
_PLACES = select(tables.sync_row.c.record_id, tables.sync_row.c.scope).where(
    tables.sync_row.c.record_id.in_(bindparam("ids", expanding=True))
)


@dataclass
class _Gathered:
    """What one unit touched: new records with their scopes (or the record whose scopes they share), and changed ones by kind."""

    made: dict[int, tuple[str, tuple[str, ...], int | None]] = field(default_factory=dict)
    amended: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))


class StreetFeed:
    """Recorder of a street's store: versions of edited fields, and the feed that desks pull from."""

    def record(self, unit: Unit, captured: list[Captured]) -> None:
        gathered: _Gathered = unit.ledger.setdefault("feed", _Gathered())
        versions: dict[tuple[int, str], tuple[str, str | None]] = unit.ledger.get("versions", {})
        cells = []
        for change in captured:
            record, known = change.record, noun_of(change.record)
            if change.kind == "create":
                followed = getattr(record, known.follows) if known.follows else None
                gathered.made[record.id] = (known.kind, known.scopes(record), followed)
            elif change.kind == "amend":
                gathered.amended[known.kind].add(record.id)
                for name in change.after:
                    version, claimed = versions.pop((record.id, name), (change.origin.stamp, None))
                    cells.append(
                        {
                            "record_id": record.id, "field": name, "version": version, "claimed": claimed,
                            "actor_id": unit.actor.user_id, "at": change.origin.at,
                        }
                    )  # fmt: skip
        upsert_cells(unit.connection, cells)

    def finish(self, unit: Unit) -> None:
        gathered: _Gathered | None = unit.ledger.pop("feed", None)
        if gathered is None or not (gathered.made or gathered.amended):
            return
        if unit.ledger.pop("undone", False):  # some of it was taken back: believe the tables only
            for record_id, (kind, _scopes, _followed) in gathered.made.items():
                gathered.amended[kind].add(record_id)
            gathered.made = {}
        # What a later flush of the same unit changed is placed once, as its row is now.
        for ids in gathered.amended.values():
            for record_id in ids & gathered.made.keys():
                del gathered.made[record_id]
        # From here to the commit the counter row is locked: what is read now, other transactions no longer change.
        number = next_number(unit.connection)
        _enter(unit.connection, gathered, number)


def next_number(connection: Connection) -> int:
    """Raise the counter and return it."""
    number = connection.execute(_RAISE).scalar()
    if number is None:
        take_turn(connection)  # of several programs at a new street one makes the counter
        if connection.execute(select(tables.sync_clock.c.n)).first() is None:
            connection.execute(insert(tables.sync_clock).values(one=1, n=0, epoch=random_token(9)))
        number = connection.execute(_RAISE).scalar_one()
    return int(number)


def hold_clock(connection: Connection) -> None:
    """Make other writers wait until this transaction ends. SQLite's writers are alone anyway."""
    if connection.dialect.name == "postgresql":
        clock = tables.sync_clock
        connection.execute(select(clock.c.n).where(clock.c.one == 1).with_for_update())


def _enter(connection: Connection, gathered: _Gathered, number: int) -> None:
    """Give every touched record its place in the feed under `number`."""
    fresh = {i: (kind, frozenset(scopes)) for i, (kind, scopes, followed) in gathered.made.items() if followed is None}
    wanted: dict[int, tuple[str, frozenset[str]]] = {}
    # In the catalogue's order: incidents come before what follows them, their log and photos.
    for known in NOUNS:
        ids = gathered.amended.get(known.kind)
        if ids:
            wanted.update(_scopes_of_rows(connection, known, ids, fresh, wanted))
    current = _entries_of(connection, wanted)
    moved = [i for i, (_kind, scopes) in wanted.items() if scopes != current.get(i, frozenset())]
    # A log line may be there before its incident, where somebody took it over first: then it hangs in scopes of its own.
    drawn = _followers_of(connection, [*moved, *fresh], {**wanted, **fresh})
    drawn = {i: v for i, v in drawn.items() if i not in gathered.made}
    current.update(_entries_of(connection, drawn))
    wanted.update(drawn)
    fresh.update(_scopes_of_followers(connection, gathered.made, fresh, wanted))
    _write_new(connection, fresh, number)
    _write_changed(connection, wanted, current, number)


def _scopes_of_followers(
    connection: Connection,
    made: Mapping[int, tuple[str, tuple[str, ...], int | None]],
    fresh: Mapping[int, tuple[str, frozenset[str]]],
    decided: Mapping[int, tuple[str, frozenset[str]]],
) -> dict[int, tuple[str, frozenset[str]]]:
    """Scopes of new records that share an incident's; what hangs on anything else has scopes of its own."""
    following = {i: v for i, v in made.items() if v[2] is not None}
    shared = _shared_scopes(connection, {v[2] for v in following.values() if v[2] is not None}, fresh, decided)
    return {i: (kind, shared.get(followed or 0) or frozenset(own)) for i, (kind, own, followed) in following.items()}


def _shared_scopes(
    connection: Connection,
    ids: Iterable[int],
    fresh: Mapping[int, tuple[str, frozenset[str]]],
    decided: Mapping[int, tuple[str, frozenset[str]]],
) -> dict[int, frozenset[str]]:
    """The scopes of those of `ids` that are incidents: as this unit leaves them, else as the feed has them."""
    wanted = set(ids)
    shared: dict[int, frozenset[str]] = {}
    for source in (fresh, decided):
        shared.update({i: source[i][1] for i in wanted if i in source and source[i][0] == "incident"})
    shared.update(_incident_scopes(connection, wanted - shared.keys()))
    return shared


def _incident_scopes(connection: Connection, ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """The scopes these incidents have in the feed; ids that are no incident's are left out."""
    e = tables.sync_row.c
    found: dict[int, set[str]] = defaultdict(set)
    for part in batches(ids):
        for record_id, scope in connection.execute(
            select(e.record_id, e.scope).where(e.record_id.in_(part), e.entity == "incident")
        ):
            found[record_id].add(scope)
    return {i: frozenset(scopes) for i, scopes in found.items()}


@cache
def _placing(kind: str) -> Select[Any]:
    """A noun's rows by id, without pictures and outlines: scopes never depend on those."""
    table = Record.metadata.tables[kind]
    columns = [c for c in table.columns if not isinstance(c.type, LargeBinary)]
    return select(*columns).where(table.c.id.in_(bindparam("ids", expanding=True)))


def _scopes_of_rows(
    connection: Connection,
    known: Noun,
    ids: Iterable[int],
    fresh: Mapping[int, tuple[str, frozenset[str]]],
    decided: Mapping[int, tuple[str, frozenset[str]]],
) -> dict[int, tuple[str, frozenset[str]]]:
    """Scopes of changed records as their rows are now. A record that was never stored (its creation was undone) is left out."""
    query = _placing(known.kind)
    rows = [row for part in batches(ids) for row in connection.execute(query, {"ids": list(part)})]
    if not known.follows:
        return {row.id: (known.kind, frozenset(known.scopes(row))) for row in rows}
    followed = {getattr(row, known.follows) for row in rows} - {None}
    shared = _shared_scopes(connection, followed, fresh, decided)
    return {
        row.id: (known.kind, shared.get(getattr(row, known.follows)) or frozenset(known.scopes(row))) for row in rows
    }


def _followers_of(
    connection: Connection, moved: Sequence[int], wanted: Mapping[int, tuple[str, frozenset[str]]]
) -> dict[int, tuple[str, frozenset[str]]]:
    """The log lines and photos of incidents whose scopes changed, or that are new, with the new scopes."""
    incidents = [i for i in moved if wanted[i][0] == "incident"]
    found: dict[int, tuple[str, frozenset[str]]] = {}
    for known in NOUNS:
        if not known.follows:
            continue
        table = known.cls.__table__
        owner = table.c[known.follows]
        for part in batches(incidents):
            for record_id, incident_id in connection.execute(select(table.c.id, owner).where(owner.in_(part))):
                found[record_id] = (known.kind, wanted[incident_id][1])
    return found


def place_followers(connection: Connection, incidents: Sequence[int], number: int) -> None:
    """Put the log lines and photos of these incidents where the incidents are, under `number`."""
    wanted = {i: ("incident", scopes) for i, scopes in _incident_scopes(connection, incidents).items()}
    drawn = _followers_of(connection, list(wanted), wanted)
    current = _entries_of(connection, drawn)
    apart = {i: v for i, v in drawn.items() if v[1] != current.get(i, frozenset())}
    _write_changed(connection, apart, current, number)


def _entries_of(connection: Connection, ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """The scopes records have in the feed now."""
    found: dict[int, set[str]] = defaultdict(set)
    for part in batches(ids):
        for record_id, scope in connection.execute(_PLACES, {"ids": list(part)}):
            found[record_id].add(scope)
    return {i: frozenset(scopes) for i, scopes in found.items()}


def _write_new(connection: Connection, fresh: Mapping[int, tuple[str, frozenset[str]]], number: int) -> None:
    rows = [
        {"record_id": i, "scope": scope, "entity": kind, "seq": number}
        for i, (kind, scopes) in fresh.items()
        for scope in sorted(scopes)
    ]
    if rows:
        connection.execute(insert(tables.sync_row), rows)


def _write_changed(
    connection: Connection,
    wanted: Mapping[int, tuple[str, frozenset[str]]],
    current: Mapping[int, frozenset[str]],
    number: int,
) -> None:
    """Renew the entries of changed records; scopes they left get an exit, scopes they came back to lose it."""
    nowhere: frozenset[str] = frozenset()
    stay, enter, leave = [], [], []
    for record_id, (kind, scopes) in wanted.items():
        before = current.get(record_id, nowhere)
        stay += [record_id] if before & scopes else []
        enter += [(record_id, scope, kind) for scope in sorted(scopes - before)]
        leave += [(record_id, scope, kind) for scope in sorted(before - scopes)]
    _forget_pairs(connection, tables.sync_row, [(i, s) for i, s, _ in leave])
    _forget_pairs(connection, tables.sync_exit, [(i, s) for i, s, _ in enter])
    e = tables.sync_row
    for part in batches(stay):
        connection.execute(update(e).where(e.c.record_id.in_(part)).values(seq=number))
    for table, pairs in ((tables.sync_row, enter), (tables.sync_exit, leave)):
        if pairs:
            rows = [{"record_id": i, "scope": s, "entity": k, "seq": number} for i, s, k in pairs]
            connection.execute(insert(table), rows)


def _forget_pairs(connection: Connection, table: Table, pairs: Sequence[tuple[int, str]]) -> None:
    for start in range(0, len(pairs), _PAIRS):
        part = pairs[start : start + _PAIRS]
        connection.execute(delete(table).where(tuple_(table.c.record_id, table.c.scope).in_(part)))


def scopes_in_feed(connection: Connection, record_id: int) -> frozenset[str]:
    """The scopes one record is in."""
    return _entries_of(connection, [record_id]).get(record_id, frozenset())

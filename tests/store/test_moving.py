"""A street moves between SQLite and PostgreSQL through its backup, and keeps a copy before its schema is brought up to date."""

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from gridman.domain.access import SYSTEM
from gridman.domain.building import Building
from gridman.domain.household import Household
from gridman.kernel.errors import Refusal
from gridman.services.audit import note
from gridman.services.backup import back_up_street, restore_street, verify_street_backup
from gridman.services.street import Street, migrate_street, open_street
from gridman.store import tables
from gridman.store.audit import first_broken
from gridman.store.database import open_postgresql, open_sqlite
from gridman.store.keys import Cost
from gridman.store.migrations import head, upgrade, version_of
from gridman.store.search import matching_ids
from tests.support.fleet import Fleet, desk_digest, found_fleet, street_digest
from tests.support.postgres import PostgresServer
from tests.support.streets import CHEAP_HASHER
from tests.support.world import box

pytestmark = pytest.mark.postgres

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PASSPHRASE = "the safe in the office"
OWN = {"meta", "audit", "sync_clock", "replica_counter", "search_entry", "household_line", "setting"}
"""What a restored street writes anew, or makes from the records."""


def contents(street: Street) -> dict[str, list[Any]]:
    """Every row of every table that a restore leaves as it was."""
    with street.store.read() as reader:
        return {
            name: sorted(map(repr, reader.connection.execute(select(table))))
            for name, table in tables.metadata.tables.items()
            if name not in OWN
        }


def peopled(folder: Path, url: str | None) -> tuple[Street, Fleet]:
    """A street with some history: desks that worked, and photos."""
    street = open_street(folder / "street", url, hasher=CHEAP_HASHER)
    fleet = found_fleet(street, folder / "desks", 2, homes_a_grid=5)
    street.photos.put(*photo())
    with street.store.unit(SYSTEM) as unit:
        house = unit.page(Household, limit=1)[0]
        unit.amend(house, remark="a dog “Löwe” 䶮")
        unit.create(Building(compound="幸福里", number="1", lng=114.123456789012, lat=30.1, shape=box(0)))
        unit.retire(unit.page(Household, limit=2)[1], "gone")
        note(unit, "export", "household", house.id, what="test")
    return street, fleet


def photo() -> tuple[str, bytes]:
    import hashlib

    data = b"\xff\xd8 a photo" * 100
    return hashlib.sha256(data).hexdigest(), data


@pytest.mark.parametrize(
    ("source", "target"), [("postgresql", "sqlite"), ("postgresql", "postgresql"), ("sqlite", "postgresql")]
)
def test_a_street_comes_out_of_its_backup_on_either_database(
    source: str, target: str, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database() if source == "postgresql" else None
    new = postgres_server.create_database() if target == "postgresql" else None
    street, fleet = peopled(tmp_path, url)
    try:
        before = contents(street)
        made = back_up_street(street, tmp_path / "backup", PASSPHRASE, cost=CHEAP)
    finally:
        street.close()
    verify_street_backup(tmp_path / "backup", PASSPHRASE)
    restored = restore_street(tmp_path / "backup", tmp_path / "new", PASSPHRASE, database_url=new)
    assert restored.manifest == made and not (new and (tmp_path / "new" / "street.db").exists())
    again = open_street(tmp_path / "new", new, must_exist=True)
    try:
        assert contents(again) == before
        assert again.photos.get(photo()[0]) == photo()[1]
        with again.store.read() as reader:
            assert first_broken(reader) is None
            if target == "sqlite":
                assert matching_ids(reader, "Long Lane", ["household"])
        known = {i for rows in before.values() for i in rows}
        with again.store.unit(SYSTEM) as unit:  # numbers go on behind those that were handed out
            made_id = unit.create(Household(number="new", grid_id=7, address="New Lane")).id
            note(unit, "export", "household", made_id, what="after")
        assert not any(str(made_id) in row for row in known)
    finally:
        again.close()
        fleet.close()


def test_a_backup_of_postgresql_is_of_one_moment(tmp_path: Path, postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    street, fleet = peopled(tmp_path, url)
    end = threading.Event()

    def write_on() -> None:
        while not end.is_set():
            with street.store.unit(SYSTEM) as unit:
                for n in range(3):
                    unit.create(Household(number=str(n), grid_id=7, address="Busy Lane"))

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        made = back_up_street(street, tmp_path / "backup", PASSPHRASE, cost=CHEAP)
    finally:
        end.set()
        writer.join()
        street.close()
        fleet.close()
    restore_street(tmp_path / "backup", tmp_path / "new", PASSPHRASE)
    again = open_street(tmp_path / "new", must_exist=True)
    try:
        with again.store.read() as reader:
            s = tables.sync_row.c
            busy = reader.count(Household, address="Busy Lane")
            assert busy % 3 == 0, "half a transaction is in the backup"
            assert reader.connection.execute(select(func.max(s.seq))).scalar() == made.seq
            listed = select(func.count()).where(s.entity == "household", s.scope == "g:7")
            assert reader.connection.execute(listed).scalar() == busy
    finally:
        again.close()


def test_a_database_that_is_not_empty_is_refused_and_left_alone(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    street, fleet = peopled(tmp_path, url)
    back_up_street(street, tmp_path / "backup", PASSPHRASE, cost=CHEAP)
    before = contents(street)
    with pytest.raises(Refusal) as caught:
        restore_street(tmp_path / "backup", tmp_path / "new", PASSPHRASE, database_url=url)
    assert caught.value.code == "backup.database_in_use" and not (tmp_path / "new").exists()
    assert contents(street) == before
    street.close()
    fleet.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_migration_keeps_the_data_as_it_was(kind: str, tmp_path: Path, postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database() if kind == "postgresql" else None
    open_street(tmp_path / "first", None).close()
    folder = tmp_path / "street"
    folder.mkdir()
    (tmp_path / "first" / "street.key").rename(folder / "street.key")
    key = bytes.fromhex((folder / "street.key").read_text().strip())
    database = open_postgresql(url) if url else open_sqlite(folder / "street.db", key)
    upgrade(database, to="0001")
    with database.writer.begin() as connection:
        connection.execute(text("INSERT INTO visit (id, household_id, note) VALUES (9, 8, 'an old visit')"))
    database.close()
    done = migrate_street(folder, url)
    assert (done.before, done.after) == ("0001", head()) and done.copy is not None
    kept = open_sqlite(done.copy, key, must_exist=True)
    assert version_of(kept) == "0001"
    with kept.reader.connect() as connection:
        assert connection.execute(text("SELECT note FROM visit WHERE id = 9")).scalar() == "an old visit"
    kept.close()
    again = migrate_street(folder, url)
    assert (again.before, again.copy) == (head(), None)
    street = open_street(folder, url, must_exist=True)
    with street.store.read() as reader:
        assert reader.connection.execute(text("SELECT note FROM visit WHERE id = 9")).scalar() == "an old visit"
    street.close()


def test_desks_go_on_with_a_street_that_moved(tmp_path: Path, postgres_server: PostgresServer) -> None:
    from gridman.server.certificates import street_tls
    from gridman.server.run import ServerThread

    street, fleet = peopled(tmp_path, None)
    tls = street_tls(street)
    fleet.authority = tls.authority
    with ServerThread(street, tls=tls) as fleet.url:
        fleet.desk(0).synchronise()
    back_up_street(street, tmp_path / "backup", PASSPHRASE, cost=CHEAP)
    street.close()
    url = postgres_server.create_database()
    restore_street(tmp_path / "backup", tmp_path / "new", PASSPHRASE, database_url=url)
    moved = open_street(tmp_path / "new", url, must_exist=True)
    port = int(fleet.url.rsplit(":", 1)[1])
    fleet.work(0, 2, 1, 1, "while it moved")
    with ServerThread(moved, port=port, tls=street_tls(moved)):
        while not fleet.desk(0).synchronise().complete:
            pass
        assert desk_digest(fleet.desk(0)) == street_digest(moved, fleet.enrolled[0].user_id)
    moved.close()
    fleet.close()

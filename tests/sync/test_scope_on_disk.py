"""No row outside a user's scope is ever on the desk's disk: random histories of grants, withdrawals, moves and hand-overs; after each
synchronisation every table, the search terms, the photo files and every decrypted page of the database are compared with the scope query.

A desk may still hold what it has not been able to send.
"""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.catalog import NOUNS
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.kernel.errors import Refusal
from gridman.services.access import scopes_of_user
from gridman.services.drafts import save_draft
from gridman.services.households import add_person, amend_household
from gridman.services.incident_actions import actions_for, targets_for
from gridman.services.incidents import IncidentDraft, perform, report_incident
from gridman.services.moves import move_household
from gridman.services.visits import VisitDraft, log_visit
from gridman.store.blobs import BlobStore
from gridman.sync.session import DeskSync
from tests.simulation.copies import in_scopes, rows_of_copy
from tests.support.disk import whole_image
from tests.sync.test_photos import Shelf, files
from tests.sync.test_spoilt_photos import session
from tests.sync.world import KEY, NOON, Desk, World, make_world

MARK = re.compile(rb"mk[0-9]{5}q", re.IGNORECASE)
STEPS = 45


@dataclass
class History:
    """A street with three grids, two workers, an office and a department; every value a person typed carries a mark of its own."""

    world: World
    folder: Path
    seed: int
    count: int = 0
    syncs: list[tuple[Desk, DeskSync, BlobStore]] = field(default_factory=list)
    drafted: dict[bytes, int] = field(default_factory=dict)
    """Of half-written forms, later ones over earlier ones: the household that each mark is about."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        world = self.world
        for role, organisation, grids in (
            ("grid_worker", "community", (0, 1)), ("grid_worker", "community", (2,)), ("community_staff", "community", ()),
            ("department_user", "water", ()),
        ):  # fmt: skip
            desk = world.desk(role, organisation, grids)
            blobs = BlobStore(self.folder / f"blobs{len(self.syncs)}", KEY)
            shelf = Shelf(world, desk, self.folder / "street")
            self.syncs.append((desk, session(desk, blobs, shelf), blobs))  # type: ignore[arg-type]
        with world.store.unit(SYSTEM) as unit:
            for grid in (0, 0, 1, 1, 2, 2):
                home = unit.create(Household(number=self.mark(), grid_id=world.grids[grid], address=self.mark()))
                unit.flush()
                add_person(
                    unit, home.id, {"name": f"王{self.mark()}", "relation": "02", "population_type": "01"}, ["V13"]
                )

    def mark(self) -> str:
        self.count += 1
        return f"mk{self.count:05d}q"

    def step(self) -> None:
        desk, sync, blobs = self.chance.choice(self.syncs)
        acts = (self.visit, self.edit, self.incident, self.move, self.regrant, self.go, self.go, self.go)
        self.chance.choice(acts)(desk, sync, blobs)

    def homes(self, desk: Desk) -> list[Household]:
        with desk.store.read() as reader:
            return reader.page(Household)

    def visit(self, desk: Desk, _sync: DeskSync, blobs: BlobStore) -> None:
        if not self.homes(desk):
            return
        home = self.chance.choice(self.homes(desk))
        one, two = self.mark(), self.mark()
        self.drafted |= {one.encode(): home.id, two.encode(): home.id}
        save_draft(desk.store, f"household:{home.id}", desk.user_id, {"remark": one})
        save_draft(desk.store, "visit", desk.user_id, {"household_id": home.id, "note": two})
        with desk.store.unit(desk.actor) as unit:
            try:
                visit = log_visit(unit, VisitDraft(home.id, "1", note=self.mark()))
            except Refusal:
                return
            self.photo(unit, blobs, "visit", visit.id, home.grid_id)

    def photo(self, unit: Any, blobs: BlobStore, kind: str, owner: int, grid: int | None) -> None:
        import hashlib

        from gridman.domain.attachment import Attachment

        content = self.mark().encode() * 50
        name = hashlib.sha256(content).hexdigest()
        blobs.put(name, content)
        unit.create(
            Attachment(
                owner_kind=kind, owner_id=owner, grid_id=grid, sha256=name, media_type="image/jpeg", size_bytes=len(content),
                thumbnail=self.mark().encode(), caption=self.mark(),
            )
        )  # fmt: skip

    def edit(self, desk: Desk, _sync: DeskSync, _blobs: BlobStore) -> None:
        if self.homes(desk):
            with desk.store.unit(desk.actor) as unit:
                home = unit.get(Household, self.chance.choice(self.homes(desk)).id)
                unit.amend(home, **{self.chance.choice(("remark", "needs_note", "address")): self.mark()})

    def incident(self, desk: Desk, _sync: DeskSync, blobs: BlobStore) -> None:
        """Report one, or hand one over."""
        with desk.store.unit(desk.actor) as unit:
            known = unit.page(Incident)
            try:
                if not known or self.chance.random() < 0.3:
                    grid = self.chance.choice(sorted(desk.actor.grid_ids) or self.world.grids)
                    made = report_incident(unit, IncidentDraft("A101", self.mark(), self.mark(), grid_id=grid))
                    self.photo(unit, blobs, "incident", made.id, grid)
                    return
                one = self.chance.choice(known)
                row = self.chance.choice(actions_for(unit, unit.actor, one))
                targets = targets_for(unit, unit.actor, one, row.action)
                perform(
                    unit, one.id, row.action, note=self.mark(), result=self.mark(), is_solved=True, satisfaction=3,
                    target_id=self.chance.choice(targets).id if targets else None,
                )  # fmt: skip
            except (Refusal, IndexError):
                return

    def move(self, _desk: Desk, _sync: DeskSync, _blobs: BlobStore) -> None:
        with self.world.store.unit(SYSTEM) as unit:
            home = self.chance.choice(unit.page(Household))
            if self.chance.random() < 0.3:
                amend_household(unit, home.id, {"remark": self.mark()})
            move_household(unit, home, self.chance.choice(self.world.grids))

    def regrant(self, desk: Desk, _sync: DeskSync, _blobs: BlobStore) -> None:
        if desk.actor.role != "grid_worker":
            return
        grid = self.chance.randrange(3)
        if (desk.user_id, grid) in self.world.assigned:
            self.world.withdraw(desk.user_id, grid)
        else:
            self.world.assign(desk.user_id, grid)

    def go(self, desk: Desk, sync: DeskSync, blobs: BlobStore) -> None:
        self.world.clock.pass_(60_000)
        desk.clock.now = self.world.clock.now
        sync.run()
        self.compare(desk, blobs)

    # -- what is on the disk against what the user may see

    def compare(self, desk: Desk, blobs: BlobStore) -> None:
        with self.world.store.read() as reader:
            scopes = scopes_of_user(reader, desk.user_id)
        wanted = in_scopes(rows_of_copy(self.world.store.database), scopes)
        may = {i for records in wanted.values() for i in records}
        with desk.store.read() as reader:
            run = reader.connection.exec_driver_sql
            for known in NOUNS:
                here = {int(i) for (i,) in run(f'SELECT id FROM "{known.kind}"').all()}
                assert here <= may, f"{known.kind}: {sorted(here - may)}"
            for table, column, where in (
                ("journal", "record_id", "(after IS NOT NULL OR before IS NOT NULL OR effects IS NOT NULL)"),
                ("cell", "record_id", "1"), ("base_cell", "record_id", "1"), ("deferred", "record_id", "1"), ("sync_row", "record_id", "1"),
                ("sync_exit", "record_id", "1"), ("household_line", "household_id", "1"), ("search_entry", "record_id", "1"), ("place", "id", "1"),
            ):  # fmt: skip
                here = {int(i) for (i,) in run(f"SELECT {column} FROM {table} WHERE {where}").all()}
                assert here <= may, f"{table}: {sorted(here - may)[:3]}"
            named = {str(s) for (s,) in run("SELECT sha256 FROM attachment").all()}
            reader.session.rollback()
        assert {p.name for p in files(blobs)} <= {blobs.path_of(s).name for s in named}, "a photo without its record"
        seen = {
            bytes(found)
            for records in wanted.values()
            for row in records.values()
            for value in row.values()
            for found in MARK.findall(value if isinstance(value, bytes) else str(value).encode())
        }
        drafts = self.drafts_of(desk, may)
        on_disk = {
            bytes(found) for found in MARK.findall(whole_image(self.world.folder / f"desk{desk.store.replica}.db", KEY))
        }
        known = seen | drafts | self.history_of(desk)
        assert {m.lower() for m in on_disk} <= known, sorted(on_disk - known)[:5]
        assert self.terms(desk) <= seen

    def drafts_of(self, desk: Desk, may: set[int]) -> set[bytes]:
        """Marks of half-written forms about records that are still here."""
        with desk.store.read() as reader:
            rows = reader.connection.exec_driver_sql("SELECT form, payload FROM draft").all()
        for form, payload in rows:
            told = re.search(r'"household_id": (\d+)', payload)
            about = int(told[1]) if told else int(form.partition(":")[2])
            assert about in may, f"a draft about {about} stayed"
        return {mark for mark, about in self.drafted.items() if about in may}

    def history_of(self, desk: Desk) -> set[bytes]:
        """Earlier values of records that are here."""
        with desk.store.read() as reader:
            rows = reader.connection.exec_driver_sql("SELECT after, before, effects FROM journal").all()
        return {bytes(m) for row in rows for part in row if part for m in MARK.findall(bytes(part))}

    def terms(self, desk: Desk) -> set[bytes]:
        """Marks in the full-text index, those of deleted entries too."""
        with desk.store.database.writing, desk.store.database.writer.begin() as connection:
            run = connection.exec_driver_sql
            run("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'search_terms', 'row')")
            found = {str(term) for (term,) in run("SELECT term FROM temp.vocabulary").all()}
            run("DROP TABLE temp.vocabulary")
        return {bytes(m) for term in found for m in MARK.findall(term.encode())}


@pytest.mark.parametrize("seed", (0, 1, 2, 16))
def test_a_desk_holds_its_scope_and_nothing_else(seed: int, tmp_path: Path) -> None:
    with make_world() as world:
        history = History(world, tmp_path, seed)
        for desk, sync, blobs in history.syncs:
            history.go(desk, sync, blobs)
        for _step in range(STEPS):
            history.step()
        for desk, sync, blobs in history.syncs:
            history.go(desk, sync, blobs)
        assert world.clock.now > NOON


def test_the_scan_sees_what_is_there_and_what_was_deleted_without_care(world: World) -> None:
    desk = world.desk()
    desk.sync()
    path = world.folder / f"desk{desk.store.replica}.db"
    with desk.store.database.writing, desk.store.database.writer.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE loose (v TEXT)")
        connection.exec_driver_sql("INSERT INTO loose VALUES ('mk99999q')")
    assert b"mk99999q" in whole_image(path, KEY), "in the log"
    with desk.store.database.writing, desk.store.database.writer.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA secure_delete=OFF").fetchall()
        raw.execute("DELETE FROM loose").fetchall()
        connection.rollback()
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert b"mk99999q" in whole_image(path, KEY), "on a page that the row has left"

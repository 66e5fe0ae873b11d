"""Maps, conflicts, sheets, Today, notices, drafts, settings: the remaining verbs on a real store."""

import io
import json
import math
from pathlib import Path

import pytest
import shapely
from PIL import Image

from gridman.domain.building import Building
from gridman.domain.conflict import Conflict
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.person import Person
from gridman.kernel.errors import Refusal
from gridman.services import settings
from gridman.services.conflicts import open_conflicts, resolve
from gridman.services.drafts import drop_draft, load_draft, save_draft
from gridman.services.ground import grid_at
from gridman.services.households import add_person, set_care_groups
from gridman.services.incidents import IncidentDraft, IncidentQuery, report_incident
from gridman.services.maps import beside, overview, redraw_grids, tile
from gridman.services.notices import current_notices, publish
from gridman.services.photos import PhotoDraft, prepare_photo
from gridman.services.rosters import (
    household_sheet,
    incident_sheet,
    make_stamp,
    roster_sheet,
    stamp_preview,
    visit_sheet,
)
from gridman.services.today import today
from gridman.services.visits import VisitDraft, VisitQuery, log_visit, open_visit, visit_ids, visit_rows
from gridman.store.audit import page_audit
from tests.support.world import SIDE, SOUTH, WEST, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def wkb(west: float, east: float) -> bytes:
    return bytes(shapely.to_wkb(shapely.box(west, SOUTH, east, SOUTH + SIDE)))


def test_a_point_lies_in_its_grid_or_in_none(world: World) -> None:
    with world.store.read() as reader:
        assert grid_at(reader, WEST + 0.0001, SOUTH + 0.0001) == world.grids[0]
        assert grid_at(reader, WEST - 1, SOUTH) is None
        border, step = WEST + SIDE, 8 / 111_320 / math.cos(math.radians(SOUTH))  # 8 m
        assert grid_at(reader, border + step, SOUTH + 0.0001) == world.grids[1]
        assert grid_at(reader, border + step, SOUTH + 0.0001, frozenset(world.grids[:1])) == world.grids[0]
        assert grid_at(reader, border + 2 * step, SOUTH + 0.0001, frozenset(world.grids[:1])) == world.grids[1]
        assert grid_at(reader, border + step, SOUTH + 0.0001, frozenset(world.grids)) == world.grids[1]


@pytest.mark.parametrize(("metres", "is_taken"), [(-50, True), (8, True), (15, False)])
def test_a_place_agrees_with_the_grid_of_the_report(world: World, metres: float, is_taken: bool) -> None:
    """A place in another grid was saved under a grid of the reporter's own."""
    lng = WEST + SIDE + metres / 111_320 / math.cos(math.radians(SOUTH))
    draft = IncidentDraft("A801", "x", lng=lng, lat=SOUTH + 0.0005, grid_id=world.grids[0])
    if is_taken:
        with world.store.unit(world.actors["worker"]) as unit:
            assert report_incident(unit, draft).grid_id == world.grids[0]
        return
    with pytest.raises(Refusal) as caught, world.store.unit(world.actors["worker"]) as unit:
        report_incident(unit, draft)
    assert caught.value.code == "incident.other_grid"
    with world.store.read() as reader:
        names = [reader.get(Grid, grid_id).name for grid_id in world.grids]
    assert all(name in caught.value.words() for name in names)


def test_a_place_outside_the_street_goes_with_the_grid_that_is_named(world: World) -> None:
    with world.store.unit(world.actors["worker"]) as unit:
        draft = IncidentDraft("A801", "x", lng=WEST - 0.01, lat=SOUTH, grid_id=world.grids[0])
        assert report_incident(unit, draft).grid_id == world.grids[0]


def test_a_place_is_told_by_the_building_beside_it(world: World) -> None:
    with world.store.read() as reader:
        building = next(b for b in reader.page(Building) if b.number == "2号楼")
        middle = shapely.from_wkb(building.shape).centroid
        name = f"{building.compound}2号楼"
        assert beside(reader, middle.x, middle.y) == name
        _west, south, east, north = shapely.from_wkb(building.shape).bounds
        assert beside(reader, east + 0.0001, (south + north) / 2).startswith(building.compound or "?")
        assert beside(reader, WEST - 1, SOUTH) == ""


def test_a_tile_holds_what_touches_it(world: World) -> None:
    with world.store.unit(world.actors["worker"]) as unit:
        report_incident(unit, IncidentDraft("A801", "x", lng=WEST + 0.0005, lat=SOUTH + 0.0005, grid_id=world.grids[0]))
    with world.store.read() as reader:
        found = tile(reader, (WEST, SOUTH, WEST + SIDE / 2, SOUTH + SIDE), ("grids", "buildings", "incidents"))
        assert overview(reader).west == pytest.approx(WEST)
    assert [g.id for g in found.grids] == world.grids[:1]
    assert len(found.incidents) == 1 and 1 <= len(found.buildings) < 4


def test_moving_a_boundary_takes_buildings_and_households_along(world: World) -> None:
    with world.store.read() as reader:
        second = next(b for b in reader.page(Building) if b.number == "2号楼")
    household = world.household(building_id=second.id)
    cut = WEST + SIDE / 2
    with world.store.unit(world.actors["supervisor"]) as unit:
        redraw_grids(unit, {world.grids[0]: wkb(WEST, cut), world.grids[1]: wkb(cut, WEST + 2 * SIDE)})
    with world.store.read() as reader:
        assert reader.get(Building, second.id).grid_id == world.grids[1]
        assert reader.get(Household, household.id).grid_id == world.grids[1]
        assert {p.grid_id for p in reader.page(Person)} == {world.grids[1]}


@pytest.mark.parametrize(
    ("first_east", "second_west"), [(SIDE * 1.1, SIDE), (SIDE * 0.9, SIDE)], ids=["overlap", "gap"]
)
def test_boundaries_that_overlap_or_leave_gaps_are_refused_with_the_size(
    world: World, first_east: float, second_west: float
) -> None:
    shapes = {world.grids[0]: wkb(WEST, WEST + first_east), world.grids[1]: wkb(WEST + second_west, WEST + 2 * SIDE)}
    with pytest.raises(Refusal) as caught, world.store.unit(world.actors["supervisor"]) as unit:
        redraw_grids(unit, shapes)
    assert caught.value.code == "grid.coverage" and int(str(caught.value.params["m2"])) > 3_000
    with world.store.read() as reader:
        assert shapely.from_wkb(reader.get(Grid, world.grids[0]).shape).bounds[2] == pytest.approx(WEST + SIDE)


def test_a_worker_does_not_draw_boundaries(world: World) -> None:
    with pytest.raises(Refusal) as caught, world.store.unit(world.actors["worker"]) as unit:
        redraw_grids(unit, {world.grids[0]: wkb(WEST, WEST + SIDE)})
    assert caught.value.code == "access.role"


def test_restoring_a_kept_loser_writes_it_and_closes_the_conflict(world: World) -> None:
    household = world.household(phones="13900990101")
    with world.store.unit(world.actors["clerk"]) as unit:
        unit.create(
            Conflict(
                record_kind="household", record_id=household.id, grid_id=household.grid_id, field="phones", reason="concurrent",
                kept=json.dumps("13900990101"), lost=json.dumps("13900990202"), lost_by_id=world.actors["worker"].user_id,
            )
        )  # fmt: skip
    with world.store.read() as reader:
        line = open_conflicts(reader)[0]
    assert (line.kept_words, line.lost_words, line.lost_by) == ("139****0101", "139****0202", "用户worker")
    with world.store.unit(world.actors["clerk"]) as unit:
        resolve(unit, line.conflict.id, "restored")
    with world.store.read() as reader:
        assert reader.get(Household, household.id).phones == "13900990202"
        assert open_conflicts(reader) == []
    with pytest.raises(Refusal) as caught, world.store.unit(world.actors["worker"]) as unit:
        resolve(unit, line.conflict.id, "kept")
    assert caught.value.code == "conflict.decided"


def test_a_tile_has_of_incidents_those_of_the_list_that_have_a_place_in_it(world: World) -> None:
    inside, outside = {"lng": WEST + 0.0005, "lat": SOUTH + 0.0005}, {"lng": WEST + SIDE, "lat": SOUTH + 0.0005}
    with world.store.unit(world.actors["worker"]) as unit:
        wanted = report_incident(unit, IncidentDraft("A801", "x", grid_id=world.grids[0], **inside))
        report_incident(unit, IncidentDraft("A101", "another category", grid_id=world.grids[0], **inside))
        report_incident(unit, IncidentDraft("A801", "elsewhere", grid_id=world.grids[0], **outside))
        report_incident(unit, IncidentDraft("A801", "in words only", place="路口", grid_id=world.grids[0]))
    box = (WEST, SOUTH, WEST + SIDE / 2, SOUTH + SIDE)
    with world.store.read() as reader:
        found = tile(reader, box, ("incidents",), IncidentQuery(category="A8"))
        assert found.incidents == [(wanted.id, wanted.state, wanted.lng, wanted.lat, wanted.number)]
        assert len(tile(reader, box, ("incidents",)).incidents) == 2
        assert tile(reader, box, ("incidents",), IncidentQuery(states=("nothing",))).incidents == []
        assert tile(reader, box, ("grids",)).incidents == []


def test_the_roster_holds_each_household_once_head_first(world: World) -> None:
    first = world.household(walk_order=2)
    second = world.household(address="幸福里1号楼1单元102室", walk_order=1)
    with world.store.unit(world.actors["worker"]) as unit:
        wife = add_person(unit, first.id, {"name": "李梅", "relation": "12", "population_type": "01"})
        gone = add_person(
            unit, first.id, {"name": "张远", "relation": "20", "population_type": "01", "moved_out_on": "2025-01-01"}
        )
        set_care_groups(unit, wife.id, ["V12"])
    with world.store.read() as reader:
        sheet = roster_sheet(reader, world.actors["clerk"], world.grids[0])
        card = household_sheet(reader, world.actors["worker"], first.id)
        preview = stamp_preview(reader, world.actors["clerk"], "核对")
    assert [h.number for h in sheet.households] == [second.number, first.number]
    assert [p.name for p in sheet.households[1].people] == ["张三丰", "李梅"] and gone.name not in str(sheet)
    assert sheet.households[1].people[1].care == ("Disabled",)
    assert card.head_name == "张三丰" and preview.batch == ""
    with pytest.raises(Refusal) as caught, world.store.read() as reader:
        roster_sheet(reader, world.actors["neighbour"], world.grids[0])
    assert caught.value.code == "access.other_grid"


def test_a_print_has_its_own_batch_and_a_line_in_the_audit(world: World) -> None:
    batches = []
    for _n in range(2):
        with world.store.unit(world.actors["clerk"]) as unit:
            batches.append(make_stamp(unit, "F01", "核对 13900990101", 7).batch)
    assert len(set(batches)) == 2
    with world.store.read() as reader:
        rows = [r for r in page_audit(reader) if r.act == "print"]
    assert len(rows) == 2 and "13900990101" not in str(rows)


class MemoryBlobs(dict[str, bytes]):
    """Photos in memory, through the same two calls as the files."""

    def put(self, sha256: str, data: bytes) -> None:
        self[sha256] = data


def picture(size: tuple[int, int] = (2400, 1800)) -> bytes:
    made, exif = io.BytesIO(), Image.Exif()
    exif[306] = "2026:11:22 09:30:15"
    exif.get_ifd(0x8825)[2] = (30.0, 0.0, 0.0)
    Image.new("RGB", size, (90, 120, 150)).save(made, "JPEG", exif=exif)
    return made.getvalue()


def test_photos_are_made_small_and_lose_their_place(world: World) -> None:
    photo = prepare_photo(PhotoDraft(picture(), "a.jpg"))
    with Image.open(io.BytesIO(photo.data)) as read:
        assert max(read.size) == 1600 and not read.getexif()
    assert photo.taken_at == 1_795_311_015_000 and len(photo.thumbnail) < 8_000
    with pytest.raises(Refusal) as caught:
        prepare_photo(PhotoDraft(b"not a picture", "b.jpg"))
    assert caught.value.code == "photo.unreadable"


def test_a_visit_keeps_photos_and_is_amended_by_another(world: World) -> None:
    household, blobs = world.household(), MemoryBlobs()
    actor = world.actors["worker"]
    with world.store.unit(actor) as unit:
        visit = log_visit(
            unit, VisitDraft(household.id, "2", needs="c;i", note="x", photos=[PhotoDraft(picture())]), blobs
        )
    with world.store.unit(actor) as unit:
        better = log_visit(unit, VisitDraft(household.id, "1", amends_id=visit.id))
    with world.store.read() as reader:
        assert list(visit_ids(reader, VisitQuery())) == [better.id]
        assert visit_rows(reader, [visit.id])[0].photo_count == 1
        file = open_visit(reader, visit.id)
        assert file.amended_by is not None and file.amended_by.id == better.id
        assert visit_sheet(reader, actor, visit.id, blobs).photos[0].image == blobs[file.attachments[0].sha256]
    with pytest.raises(Refusal) as caught, world.store.unit(actor) as unit:
        log_visit(unit, VisitDraft(household.id, "1", visited_at=unit.at + 86_400_000))
    assert caught.value.code == "visit.future"


def test_today_counts_what_waits_for_this_person(world: World) -> None:
    world.household(informed_on="2026-01-01")
    with world.store.unit(world.actors["worker"]) as unit:
        report_incident(unit, IncidentDraft("A801", "x", place="y", grid_id=world.grids[0]))
    with world.store.unit(world.actors["supervisor"]) as unit:
        publish(unit, "旧通知", until_on="2026-11-01")
        publish(unit, "通知")
        publish(unit, "急", is_urgent=True)
    with world.store.read() as reader:
        worker, clerk = today(reader, world.actors["worker"]), today(reader, world.actors["clerk"])
        supervisor = today(reader, world.actors["supervisor"])
        assert [n.title for n in current_notices(reader, "2026-11-23")] == ["急", "通知"]
    assert (worker.due_count, worker.overdue_count, len(worker.incidents_to_act)) == (1, 1, 0)
    assert len(clerk.incidents_to_act) == 1 and supervisor.due_count == 0


def test_an_incident_slip_tells_its_way(world: World) -> None:
    with world.store.unit(world.actors["worker"]) as unit:
        incident = report_incident(unit, IncidentDraft("A801", "垃圾", place="y", grid_id=world.grids[0]))
    with world.store.read() as reader:
        slip = incident_sheet(reader, world.actors["supervisor"], incident.id)
    assert (slip.number, slip.description, slip.accepted.at) == (incident.number, "垃圾", None)


def test_drafts_and_settings_survive_a_new_start(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    save_draft(world.store, "visit", 7, {"note": "写到一半"})
    save_draft(world.store, "visit", 7, {"note": "写到一半…"})
    settings.put(world.store, "theme", "dark")
    world.store.close()
    from gridman.store.database import open_sqlite
    from gridman.store.store import open_store

    again = open_store(open_sqlite(tmp_path / "street.db", bytes(range(32))), 1, [])
    assert load_draft(again, "visit", 7) == {"note": "写到一半…"}
    assert settings.get(again, "theme") == "dark" and settings.get(again, "none", 3) == 3
    drop_draft(again, "visit", 7)
    assert load_draft(again, "visit", 7) is None

"""The register's import: what it foretells it does, once, in pieces that may be interrupted, and it can be taken back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.building import Building, Dwelling
from gridman.domain.care import BY_RULE
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.person import CareTag, Person
from gridman.domain.register_row import RegisterRow
from gridman.domain.visit import Visit
from gridman.exchange.register_export import export_register
from gridman.exchange.register_sheet import read_register
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Cancelled, Ticket
from gridman.services import audit
from gridman.services.register import ImportResult, all_batches, check_register, import_register
from gridman.services.register_lines import register_lines
from gridman.services.register_undo import undo_import
from gridman.store.database import open_postgresql
from gridman.store.journal import StreetJournal
from gridman.store.search import look_up
from gridman.store.store import Store, open_store
from tests.support.registers import id_number, lay_out, make_store, person_row

CLERK = Actor(5, "林", "community_staff", 3)


@pytest.fixture
def store(tmp_path: Path, noon: Callable[[], int]) -> Iterator[Store]:
    opened = make_store(tmp_path, noon)
    yield opened
    opened.close()


def family(row: int = 4, room: str = "101", sequence: int = 1) -> list[RegisterRow]:
    """A couple with a child."""
    return [
        person_row(row, "张三", id_number("1980-01-03", sequence), room),
        person_row(row + 1, "李四", id_number("1981-05-06", sequence + 1), room, "10"),
        person_row(row + 2, "张小", id_number("2012-02-01", sequence), room, "20"),
    ]


def street(count: int) -> list[RegisterRow]:
    """`count` families in one building."""
    return [row for n in range(count) for row in family(4 + n * 3, f"{n // 4 + 1}0{n % 4 + 1}", n * 2 + 1)]


def counts(store: Store) -> tuple[int, int, int, int]:
    """Dwellings, households, people, care tags on file."""
    with store.read() as reader:
        return reader.count(Dwelling), reader.count(Household), reader.count(Person), reader.count(CareTag)


def everything(store: Store) -> dict[int, dict[str, object]]:
    """Every record as it is."""
    with store.read() as reader:
        records = [
            r for c in (Dwelling, Household, Person, CareTag) for r in reader.page(c, limit=9_999, with_retired=True)
        ]
    return {r.id: {c.key: getattr(r, c.key) for c in r.__table__.columns} for r in records}


def codes_of(result: ImportResult) -> list[str]:
    return [problem.code for problem in result.problems]


def test_a_family_becomes_dwelling_household_and_people(store: Store) -> None:
    result = import_register(store, family(), CLERK, source="a.xlsx")
    assert (result.new_count, result.refused_count, result.new_households) == (3, 0, 1)
    with store.read() as reader:
        (household,) = reader.page(Household)
        (dwelling,) = reader.page(Dwelling)
        people = reader.page(Person, order_by=("id",))
        grid = reader.get(Grid, household.grid_id)
    assert (dwelling.unit, dwelling.floor, dwelling.room) == ("1", 1, "101")
    assert household.dwelling_id == dwelling.id and household.building_id == dwelling.building_id
    assert household.address == "幸福里1号楼1单元101室" and household.walk_order
    assert household.head_person_id == people[0].id and grid.code.endswith("001")
    assert household.number.startswith("001001-1-") and household.informed_on is None, "nobody was told anything"
    assert [(p.name, p.relation, p.sex, p.household_id, p.grid_id) for p in people] == [
        ("张三", "02", "1", household.id, grid.id), ("李四", "10", "2", household.id, grid.id),
        ("张小", "20", "1", household.id, grid.id),
    ]  # fmt: skip


def test_the_dry_run_foretells_the_import_and_writes_nothing(store: Store) -> None:
    import_register(store, family(), CLERK)
    rows = [*street(5), person_row(99, "外地", id_number("1990-01-01", 9), compound="没有的小区")]
    rows[1].person["phones"] = "13812345678"
    before = everything(store)
    with store.read() as reader:
        told = check_register(reader, rows, CLERK)
    assert everything(store) == before
    done = import_register(store, rows, CLERK)
    assert (told.new_count, told.changed_count, told.same_count, told.refused_count) == (12, 1, 2, 1)
    assert (done.new_count, done.changed_count, done.same_count, done.refused_count) == (12, 1, 2, 1)
    assert told.new_households == done.new_households == 4


def test_repeating_an_import_changes_nothing(store: Store) -> None:
    rows = [*street(6), person_row(80, "新生", None, "601", birth_on="2026-11-01", id_unverified_reason="新生儿")]
    import_register(store, rows, CLERK)
    before = everything(store)
    again = import_register(store, rows, CLERK)
    assert everything(store) == before
    assert (again.same_count, again.new_count, again.changed_count, again.batch) == (19, 0, 0, "")
    with store.read() as reader:
        assert len(all_batches(reader)) == 1


def test_what_differs_is_amended_and_blank_cells_change_nothing(store: Store) -> None:
    rows = family()
    rows[0].person["phones"] = "13812345678"
    import_register(store, rows, CLERK)
    later = family()
    later[0].person.update(name="张三丰", education="31")
    result = import_register(store, later, CLERK)
    with store.read() as reader:
        person = reader.first(Person, id_number=later[0].person["id_number"])
    assert person and (person.name, person.phones, person.education) == ("张三丰", "13812345678", "31")
    assert (result.changed_count, result.same_count, result.counts) == (1, 2, {"amended": 1})


def test_an_interrupted_import_goes_on_when_it_is_repeated(store: Store) -> None:
    rows, ticket = street(9), Ticket()

    def stop_early(done: int, total: int, step: str = "") -> None:
        if done >= 4:
            ticket.cancel()

    with pytest.raises(Cancelled):
        import_register(store, rows, CLERK, progress=stop_early, ticket=ticket, households_per_unit=2)
    assert counts(store)[1:3] == (4, 12)
    with store.read() as reader:
        (batch,) = all_batches(reader)
    assert batch.state == "open"
    result = import_register(store, rows, CLERK, households_per_unit=2)
    assert counts(store)[1:3] == (9, 27)
    assert (result.new_count, result.same_count, result.batch) == (15, 12, batch.number)
    with store.read() as reader:
        (batch,) = all_batches(reader)
    assert batch.state == "done" and batch.counts["person"] == 27 and len(batch.stamps) == 5


def test_a_failure_inside_a_unit_leaves_whole_units_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from gridman.services import register_write

    write, calls = register_write.RegisterWriter.write, []

    def failing(self: register_write.RegisterWriter, match: object) -> None:
        calls.append(1)
        if len(calls) == 4:
            raise OSError("the disk went away")
        write(self, match)  # type: ignore[arg-type]

    monkeypatch.setattr(register_write.RegisterWriter, "write", failing)
    with pytest.raises(OSError, match="disk"):
        import_register(store, street(6), CLERK, households_per_unit=2)
    assert counts(store)[1:3] == (2, 6)
    monkeypatch.undo()
    import_register(store, street(6), CLERK, households_per_unit=2)
    assert counts(store)[1:3] == (6, 18)


def test_the_same_number_twice_in_a_file_is_refused_the_second_time(store: Store) -> None:
    rows = [*family(), person_row(9, "别人", id_number("1980-01-03", 1), "202")]
    result = import_register(store, rows, CLERK)
    assert codes_of(result) == ["register.twice"] and result.problems[0].row == 9
    assert "row 4" in result.problems[0].words() and counts(store)[2] == 3


def test_the_same_newborn_twice_in_a_file_is_refused_the_second_time(store: Store) -> None:
    def newborn(row: int, room: str = "101") -> RegisterRow:
        return person_row(row, "张新", None, room, "30", birth_on="2026-10-01", id_unverified_reason="未落户")

    result = import_register(store, [*family(), newborn(8), newborn(9), newborn(10, "102")], CLERK)
    assert codes_of(result) == ["register.twice", "register.no_head"]
    assert (result.problems[0].row, result.problems[0].column) == (9, "姓名") and counts(store)[2] == 5


def test_a_remark_tells_that_a_home_is_rented(store: Store) -> None:
    rows = [
        person_row(4, "甲", id_number(sequence=1), remark="租住"),
        person_row(5, "乙", id_number(sequence=3), "102"),
    ]
    import_register(store, rows, CLERK)
    with store.unit(CLERK) as unit:
        homes = unit.page(Household, order_by=("id",))
        assert [h.is_rented for h in homes] == [True, None]
        unit.amend(homes[0], is_rented=False)
    import_register(store, rows, CLERK)
    with store.read() as reader:
        assert reader.get(Household, homes[0].id).is_rented is False


def test_someone_registered_elsewhere_is_not_registered_again(store: Store) -> None:
    import_register(store, family(), CLERK)
    moved = person_row(7, "张三", id_number("1980-01-03", 1), "301", building="2")
    result = import_register(store, [moved], CLERK)
    assert codes_of(result) == ["register.elsewhere"]
    assert "幸福里1号楼1单元101室" in result.problems[0].words()
    assert counts(store)[1:3] == (1, 3)


def test_someone_who_moved_out_may_be_registered_at_the_new_address(store: Store) -> None:
    left = family()
    left[0].person["moved_out_on"] = "2026-10-01"
    import_register(store, left, CLERK)
    result = import_register(store, [person_row(7, "张三", id_number("1980-01-03", 1), "301", building="2")], CLERK)
    assert (codes_of(result), result.new_count) == ([], 1)


def test_unknown_places_wait_and_the_likely_name_is_offered(store: Store) -> None:
    rows = [
        person_row(4, "甲", id_number(sequence=1), compound="幸福理"),
        person_row(5, "乙", id_number(sequence=3), compound="幸福理"),
        person_row(6, "丙", id_number(sequence=5), building="9"),
        person_row(7, "丁", id_number(sequence=7), compound="平安苑"),
    ]
    result = import_register(store, rows, CLERK)
    assert codes_of(result) == ["register.no_building"] * 3 + ["register.building_without_grid"]
    assert "幸福里?" in result.problems[0].words()
    assert [(p.compound, p.building, p.row_count, p.likely) for p in result.unknown_places] == [
        ("幸福理", "1", 2, "幸福里"), ("幸福里", "9", 1, ""),
    ]  # fmt: skip
    assert counts(store) == (0, 0, 0, 0)
    with store.unit(SYSTEM) as unit:
        grid = unit.page(Grid)[0]
        unit.create(Building(community_id=grid.community_id, grid_id=grid.id, compound="幸福里", number="9号楼"))
    assert import_register(store, rows, CLERK).new_count == 1


def test_a_building_of_the_same_name_in_two_communities_asks_for_the_grid(store: Store) -> None:
    with store.unit(SYSTEM) as unit:
        second = unit.page(Grid, order_by=("code",))[1]
        unit.create(Building(community_id=99, grid_id=second.id, compound="幸福里", number="1"))
    rows = [person_row(4, "甲", id_number(sequence=1)), person_row(5, "乙", id_number(sequence=3), grid="第2网格")]
    result = import_register(store, rows, CLERK)
    assert codes_of(result) == ["register.two_buildings"]
    with store.read() as reader:
        assert reader.page(Household)[0].grid_id == second.id


def test_a_grid_that_the_map_contradicts_is_a_warning(store: Store) -> None:
    result = import_register(store, [person_row(4, "甲", id_number(), grid="990101001001002")], CLERK)
    assert codes_of(result) == ["register.other_grid"] and result.new_count == 1 and not result.errors


def test_grids_of_others_are_not_written(store: Store) -> None:
    with store.read() as reader:
        first = reader.page(Grid, order_by=("code",))[0]
    mine = Actor(5, "林", "community_staff", 3, frozenset({first.id}))
    rows = [person_row(4, "甲", id_number(sequence=1)), person_row(5, "乙", id_number(sequence=3), building="2")]
    result = import_register(store, rows, mine)
    assert codes_of(result) == ["register.not_yours"] and result.new_count == 1
    with pytest.raises(Refusal) as refused:
        import_register(store, rows, Actor(6, "王", "grid_worker", 3))
    assert refused.value.code == "access.role"


def test_household_numbers_group_rows_and_are_kept(store: Store) -> None:
    rows = [
        person_row(4, "甲", id_number(sequence=1), household_no="A1"),
        person_row(5, "乙", id_number(sequence=3), household_no="A2"),
        person_row(6, "丙", id_number(sequence=5), household_no="A1", relation="10"),
        person_row(7, "丁", id_number(sequence=7), relation="20"),
        person_row(8, "戊", id_number(sequence=9), "102", household_no="A1"),
    ]
    result = import_register(store, rows, CLERK)
    assert codes_of(result) == ["register.which_household", "register.two_addresses"]
    with store.read() as reader:
        homes = {h.id: h.number for h in reader.page(Household)}
        members = sorted((homes[p.household_id], p.name) for p in reader.page(Person))
    assert members == [("A1", "丙"), ("A1", "甲"), ("A2", "乙")] and counts(store)[0] == 1
    before = everything(store)
    import_register(store, rows, CLERK)
    assert everything(store) == before


def test_the_offices_number_replaces_the_one_given_here(store: Store) -> None:
    import_register(store, family(), CLERK)
    numbered = family()
    for row in numbered:
        row.household_no = "HP-0001"
    import_register(store, numbered, CLERK)
    with store.read() as reader:
        assert [h.number for h in reader.page(Household)] == ["HP-0001"]


def test_care_groups_come_from_the_rules_and_from_the_file(store: Store) -> None:
    rows = [
        person_row(4, "老甲", id_number("1940-01-01", 1), "101", care=("V12",), political="01"),
        person_row(5, "老乙", id_number("1955-01-01", 1), "102"),
        person_row(6, "老丙", id_number("1956-01-01", 2), "102", "10"),
        person_row(7, "老丁", id_number("1940-01-01", 3), "103"),
        person_row(8, "小丁", id_number("1980-01-01", 5), "103", "20"),
    ]
    import_register(store, rows, CLERK)
    with store.read() as reader:
        names = {p.id: p.name for p in reader.page(Person)}
        tags = sorted((names[t.person_id], t.care_group, t.evidence) for t in reader.page(CareTag))
    assert tags == sorted(
        [
            ("老甲", "V01", BY_RULE), ("老甲", "V03", BY_RULE), ("老甲", "V12", None), ("老甲", "V23", BY_RULE),
            ("老乙", "V02", BY_RULE), ("老丙", "V02", BY_RULE), ("老丁", "V03", BY_RULE),
        ],
        key=lambda t: (t[0], t[1]),
    )  # fmt: skip


def test_a_rule_that_no_longer_holds_ends_its_tag_but_not_one_given_by_hand(store: Store) -> None:
    alone = [
        person_row(4, "老甲", id_number("1950-01-01", 1), care=("V13",)),
        person_row(5, "老乙", id_number("1950-01-01", 3), "102", care=("V01",)),
    ]
    import_register(store, alone[:1], CLERK)
    import_register(store, [*alone[:1], person_row(6, "孙", id_number("2010-01-01", 1), "101", "41")], CLERK)
    with store.read() as reader:
        tags = {(t.care_group): t.until_on for t in reader.page(CareTag)}
    assert tags == {"V01": "2026-11-23", "V13": None}


def test_newborns_are_known_again_and_get_their_number_later(store: Store) -> None:
    without = [
        *family(),
        person_row(9, "张新", None, "101", "30", birth_on="2026-10-01", id_unverified_reason="未落户"),
    ]
    import_register(store, without, CLERK)
    number = id_number("2026-10-01", 2)
    result = import_register(store, [*family(), person_row(9, "张新", number, "101", "30")], CLERK)
    with store.read() as reader:
        child = reader.first(Person, name="张新")
    assert counts(store)[2] == 4 and result.changed_count == 1
    assert child and (child.id_number, child.id_unverified_reason) == (number, None)
    import_register(store, without, CLERK)
    with store.read() as reader:
        child = reader.first(Person, name="张新")
    assert child and (child.id_number, child.id_unverified_reason) == (number, None)


def test_people_of_the_future_and_households_without_head_are_named(store: Store) -> None:
    rows = [
        person_row(4, "甲", id_number("2027-01-01", 1)),
        person_row(5, "乙", id_number("1990-01-01", 3), "102", "20"),
    ]
    result = import_register(store, rows, CLERK)
    assert codes_of(result) == ["birth_on.future", "register.no_head"]
    assert (result.new_count, len(result.errors), len(result.warnings)) == (1, 1, 1)


@pytest.mark.parametrize("number", ["", "H7"])
def test_a_head_whose_own_row_is_refused_is_still_the_households_head(store: Store, number: str) -> None:
    rows = [
        person_row(4, "甲", id_number("2027-01-01", 1)),
        person_row(5, "乙", id_number("1990-01-01", 3), relation="10"),
        person_row(6, "丙", id_number("1991-01-01", 5), "102", "10"),
    ]
    for row in rows[:2]:
        row.household_no = number
    result = import_register(store, rows, CLERK)
    assert [(p.row, p.code) for p in result.problems] == [(4, "birth_on.future"), (6, "register.no_head")]


def test_the_import_is_noted_without_personal_values(store: Store) -> None:
    import_register(store, family(), CLERK, source="13812345678的表.xlsx")
    with store.read() as reader:
        lines = audit.page_audit(reader, Actor(1, "a", "auditor", 1), act="import")
        assert audit.verify_chain(reader) is None
    line, begun = lines
    assert line.details["batch"].startswith("R20261123-") and line.details["new"] == 3
    assert begun.details["batch"] == line.details["batch"] and begun.details["what"] == "register begun"
    assert "13812345678" not in str([line.details, begun.details])


def test_people_are_found_by_search_after_the_import(store: Store) -> None:
    import_register(store, family(), CLERK)
    with store.read() as reader:
        assert [hit.title for hit in look_up(reader, "zhangs", kinds=("person",))] == ["张三"]
        assert [hit.title for hit in look_up(reader, "1-1-101", kinds=("household",))] == ["幸福里1号楼1单元101室"]


def test_undoing_takes_back_everything_the_batch_made_and_restores_what_it_changed(store: Store) -> None:
    first = import_register(store, family(), CLERK)
    before = everything(store)
    later = street(4)
    later[0].person["phones"] = "13812345678"
    second = import_register(store, later, CLERK, households_per_unit=2)
    result = undo_import(store, second.batch, CLERK)
    now = everything(store)
    assert {i: r for i, r in now.items() if r["retired_at"] is None} == before
    assert (result.kept, result.restored) == ([], 1)
    with pytest.raises(Refusal) as refused:
        undo_import(store, second.batch, CLERK)
    assert refused.value.code == "register.undone"
    undo_import(store, first.batch, CLERK)
    assert counts(store) == (0, 0, 0, 0)
    again = import_register(store, family(), CLERK)
    assert again.new_count == 3 and again.batch not in (first.batch, second.batch)


def test_undoing_keeps_what_somebody_has_worked_on(store: Store) -> None:
    batch = import_register(store, street(3), CLERK).batch
    with store.unit(CLERK) as unit:
        homes = unit.page(Household, order_by=("id",))
        unit.create(Visit(household_id=homes[0].id, grid_id=homes[0].grid_id, visited_at=unit.at, outcome="1"))
        person = unit.page(Person, household_id=homes[1].id)[0]
        unit.amend(person, phones="13812345678")
    result = undo_import(store, batch, CLERK)
    with store.read() as reader:
        assert {h.id for h in reader.page(Household)} == {homes[0].id, homes[1].id}
        assert reader.count(Person) == 6
    assert {i for kind, i in result.kept if kind == "household"} == {homes[0].id, homes[1].id}


def test_an_unknown_batch_is_refused(store: Store) -> None:
    with pytest.raises(Refusal) as refused:
        undo_import(store, "R1", CLERK)
    assert refused.value.code == "register.no_batch" and "R1" in refused.value.words()


def test_an_unmasked_export_imports_as_the_same_register(store: Store, tmp_path: Path) -> None:
    rows = [
        *street(3),
        person_row(50, "Anna O'Sample", None, "301", "99", birth_on="1990-01-01", id_unverified_reason="无证"),
    ]
    rows[0].person.update(remark="二楼", workplace="第三小学", ethnic="05", moved_out_on="2026-01-02")
    import_register(store, rows, CLERK)
    with store.read() as reader:
        grids = [g.id for g in reader.page(Grid)]
    path = tmp_path / "out.xlsx"
    assert export_register(store, CLERK, grids, path, "年度核对", masked=False) == 10
    sheet = read_register(path)
    assert sheet.problems == []
    with store.read() as reader:
        report = check_register(reader, sheet.rows, CLERK)
    assert (report.same_count, report.new_count, report.changed_count, report.errors) == (10, 0, 0, [])


def test_a_masked_export_hides_numbers_phones_days_and_care(store: Store, tmp_path: Path) -> None:
    rows = [person_row(4, "老甲", id_number("1940-01-01", 1), phones="13812345678", care=("V12",))]
    import_register(store, rows, CLERK)
    with store.read() as reader:
        grids = [g.id for g in reader.page(Grid)]
    path = tmp_path / "out.xlsx"
    export_register(store, CLERK, grids, path, "张贴")
    import openpyxl

    page = openpyxl.load_workbook(path).worksheets[0]
    line = [cell.value for cell in page[4]]
    assert line[:6] == [
        "老甲",
        "居民身份证",
        "990101********0010"[:14] + id_number("1940-01-01", 1)[-4:],
        "男性",
        "1940-**-**",
        "138****5678",
    ]
    assert line[21] is None and "E20261123-" in str(page["A1"].value)
    with store.read() as reader:
        (noted,) = audit.page_audit(reader, Actor(1, "a", "auditor", 1), act="export")
    assert noted.details["rows"] == 1 and noted.details["masked"] is True


def test_an_export_needs_a_right_and_a_purpose(store: Store, tmp_path: Path) -> None:
    with store.read() as reader:
        grids = [g.id for g in reader.page(Grid)]
    for actor, purpose, code in (
        (Actor(6, "王", "grid_worker", 3), "x", "access.role"),
        (CLERK, " ", "export.no_purpose"),
    ):
        with pytest.raises(Refusal) as refused:
            export_register(store, actor, grids, tmp_path / "out.xlsx", purpose)
        assert refused.value.code == code
    assert not (tmp_path / "out.xlsx").exists()


@pytest.mark.postgres
def test_the_import_and_its_undoing_run_on_postgresql_too(postgres_url: str, noon: Callable[[], int]) -> None:
    store = open_store(open_postgresql(postgres_url), 1, [StreetJournal()], noon)
    with store.unit(SYSTEM) as unit:
        lay_out(unit)
    result = import_register(store, street(5), CLERK, households_per_unit=2)
    assert counts(store)[1:3] == (5, 15)
    assert import_register(store, street(5), CLERK).same_count == 15
    undo_import(store, result.batch, CLERK)
    assert counts(store) == (0, 0, 0, 0)
    store.close()


def test_a_masked_export_hides_numbers_in_remarks_too(store: Store, tmp_path: Path) -> None:
    number = id_number("1940-01-01", 1)
    rows = [person_row(4, "老甲", number, remark=f"女儿13812345678，{number}", workplace="门卫 13912345678")]
    import_register(store, rows, CLERK)
    with store.read() as reader:
        grids = [g.id for g in reader.page(Grid)]
        text = "".join("".join(line) for line in register_lines(reader, grids, masked=True))
        whole = "".join("".join(line) for line in register_lines(reader, grids, masked=False))
    for secret in (number, "13812345678", "13912345678"):
        assert secret not in text and secret in whole


def test_people_are_found_where_two_desks_added_the_same_dwelling(store: Store) -> None:
    import_register(store, family(), CLERK)
    with store.unit(CLERK) as unit:
        home = unit.page(Household)[0]
        again = unit.create(Dwelling(building_id=home.building_id, grid_id=home.grid_id, unit="1单元", room="101室"))
        unit.flush()
        tenants = Household(
            grid_id=home.grid_id, building_id=home.building_id, dwelling_id=again.id, address=home.address
        )
        unit.create(tenants)
    with store.read() as reader:
        report = check_register(reader, family(), CLERK)
    assert (report.same_count, report.new_households, report.errors) == (3, 0, [])


def test_undoing_takes_back_who_was_added_to_a_household_that_was_visited_before(store: Store) -> None:
    import_register(store, street(2), CLERK)
    with store.unit(CLERK) as unit:
        homes = unit.page(Household, order_by=("id",))
        for home in homes:
            at = unit.at - 30 * 86_400_000
            unit.create(Visit(household_id=home.id, grid_id=home.grid_id, visited_at=at, outcome="1"))
    rows = street(2)
    more = [person_row(90 + n, f"张{n}", id_number("2015-02-01", 31 + n * 2), f"10{n + 1}", "20") for n in range(2)]
    batch = import_register(store, [*rows, *more], CLERK).batch
    with store.unit(CLERK) as unit:  # written down since, of a day before
        at = unit.at - 86_400_000
        unit.create(Visit(household_id=homes[1].id, grid_id=homes[1].grid_id, visited_at=at, outcome="1"))
    result = undo_import(store, batch, CLERK)
    with store.read() as reader:
        assert [p.name for p in reader.page(Person) if p.name in ("张0", "张1")] == ["张1"]
    assert (result.retired, len(result.kept)) == (1, 1)


def test_grids_of_the_same_name_in_two_communities_are_not_taken_for_one_another(store: Store) -> None:
    with store.unit(SYSTEM) as unit:
        first = unit.page(Grid, order_by=("code",))[0]
        other = unit.create(Grid(code="990101001002001", name=first.name, community_id=99))
        unit.flush()
        unit.create(Building(community_id=99, grid_id=other.id, compound="幸福里", number="1"))
        unit.create(Building(community_id=99, grid_id=other.id, compound="春风里", number="1"))
    rows = [
        person_row(4, "甲", id_number(sequence=1), grid=first.name),
        person_row(5, "乙", id_number(sequence=3), grid=first.name, building="3"),
        person_row(6, "丙", id_number(sequence=5), grid=first.name, compound="春风里"),
    ]
    result = import_register(store, rows, CLERK)
    assert codes_of(result) == ["register.two_buildings"], "which of the two is meant, the name does not tell"
    assert result.new_count == 2

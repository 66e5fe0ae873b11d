"""The audit log is leafed through without losing or repeating a line, by act, computer, name and day, with the names that an auditor may see."""

import json
import random
import re
from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy import insert

import gridman
from gridman.__main__ import main
from gridman.domain.access import SYSTEM, Actor
from gridman.domain.catalog import NOUNS
from gridman.domain.household import Household
from gridman.kernel.clock import INSTANTS, day_of
from gridman.services.audit import note
from gridman.services.audit_log import page_log
from gridman.services.audit_words import DETAIL_WORDS, KIND_WORDS
from gridman.services.enrolment import enrol, revoke_device
from gridman.store import tables
from gridman.store.audit import FIRST, digest_of_row
from gridman.store.desk_audit import ChainRow
from gridman.store.store import Store
from tests.server.office import AUDITOR, Office, office, small
from tests.support.streets import CHEAP_HASHER, PASSWORD, WORKER

__all__ = ["office", "small"]

DAY = 86_400_000
AUDIT = Actor(9, "Auditor", "auditor", 1)


def from_desk(store: Store, replica: int, n: int, at: int, act: str, actor_id: int, record_id: int = 0) -> None:
    """A line as a desk sends it."""
    row = {
        "replica": replica, "n": n, "at": at, "actor_id": actor_id, "desk": replica, "act": act, "record_kind": "household",
        "record_id": record_id, "details": "{}", "previous": "x", "digest": "y",
    }  # fmt: skip
    with store.unit(SYSTEM) as unit:
        unit.connection.execute(insert(tables.desk_audit), row)


def all_places(store: Store, forward: bool, limit: int, **wanted: object) -> list[str]:
    """Every line's place, leafing from the newest to the oldest, or back."""
    places: list[str] = []
    go: dict[str, str] = {}
    with store.read() as reader:
        if not forward:
            oldest = page_log(reader, AUDIT, limit=10_000, **wanted).lines[-1]  # type: ignore[arg-type]
            go, places = {"newer": oldest.place}, [oldest.place]
        while True:
            page = page_log(reader, AUDIT, limit=limit, **go, **wanted)  # type: ignore[arg-type]
            found = [line.place for line in page.lines]
            places = places + found if forward else found + places
            then = page.older if forward else page.newer
            if not then:
                return places
            go = {"older": then} if forward else {"newer": then}


@pytest.mark.parametrize("limit", [1, 7, 50])
def test_leafing_either_way_shows_each_line_once(office: Office, limit: int) -> None:
    """Many lines of both logs at the same instants, and instants that run backwards."""
    street, chance = office.town.street, random.Random(limit)
    worker = office.town.users[WORKER]
    for n in range(40):
        from_desk(street.store, 2 + n % 3, n, office.town.clock() + chance.randrange(4), "open", worker)
    for _n in range(30):
        office.town.clock.now += chance.choice((-1, 0, 1))
        with street.store.unit(SYSTEM) as unit:
            note(unit, "print", report="F01", rows=1)
    with street.store.read() as reader:
        whole = [line.place for line in page_log(reader, AUDIT, limit=10_000).lines]
    assert len(whole) > 70 and len(set(whole)) == len(whole)
    assert all_places(street.store, True, limit) == whole == all_places(street.store, False, limit)
    prints = all_places(street.store, True, limit, acts=("print",))
    assert len(prints) == 30 and set(prints) < set(whole)


def test_lines_that_come_meanwhile_move_no_page(small: Office) -> None:
    store = small.town.street.store
    for n in range(10):
        from_desk(store, 2, n + 1, small.town.clock() + n, "open", 1)
    with store.read() as reader:
        first = page_log(reader, AUDIT, acts=("open",), limit=4)
    from_desk(store, 3, 1, small.town.clock() + 99, "open", 1)
    with store.read() as reader:
        second = page_log(reader, AUDIT, acts=("open",), limit=4, older=first.older)
        back = page_log(reader, AUDIT, acts=("open",), limit=4, newer=second.newer)
    assert [line.row.id for line in (*first.lines, *second.lines)] == [10, 9, 8, 7, 6, 5, 4, 3]
    assert [line.row.id for line in back.lines] == [10, 9, 8, 7] and back.newer


def test_a_line_with_the_oddest_values_that_are_taken_is_shown(office: Office) -> None:
    details = json.dumps(
        {"grid": -(1 << 63) + 1, "device": 1 << 62, "field": "name", "what": "", "": "x", "role": "<b>", "line": True}
    )
    row = ChainRow(1, INSTANTS.stop - 1, 1 << 62, 1, "\u202e", "grid", -(1 << 62), details, FIRST, "")
    row = structs.replace(row, digest=digest_of_row(structs.asdict(row)))
    assert row.is_sound()
    with office.town.street.store.unit(SYSTEM) as unit:
        values = {**structs.asdict(row), "n": row.id, "desk": row.replica}
        del values["id"]
        unit.connection.execute(insert(tables.desk_audit), values)
    with office.signed_in(AUDITOR) as browser:
        for query in ("", "?act=purposes", "?day=3084-12-12"):
            assert browser.open(f"/admin/log{query}").answer.status_code == 200
        assert "3084" in browser.open("/admin/log").text


def test_the_auditor_leafs_and_filters_and_reads_names(office: Office) -> None:
    town, street = office.town, office.town.street
    enrolled = enrol(street.store, WORKER, "Counter two", password=PASSWORD, hasher=CHEAP_HASHER)
    with street.store.unit(SYSTEM) as unit:
        household = unit.create(Household(number="1", grid_id=town.grids[0], address="Garden Street 5"))
        unit.flush()
        note(unit, "assign", "user", town.users[WORKER], grid=town.grids[0])
    for n in range(150):
        from_desk(
            street.store, enrolled.replica, n + 1, town.clock() - DAY + n, "open", town.users[WORKER], household.id
        )
    yesterday = day_of(town.clock() - DAY)
    with office.signed_in(AUDITOR) as browser:
        first = browser.open("/admin/log?act=open")
        older = next(link for link in first.links() if "older=" in link)
        assert "act=open" in older and not [link for link in first.links() if "newer=" in link]
        assert "Counter two" in first.text and WORKER in first.text and str(household.id) in first.text
        assert "Garden Street" not in first.text, "residents stay numbers"
        second = browser.open(older)
        rows = [len(re.findall(r"<tr>", page.answer.text)) - 1 for page in (first, second)]
        assert rows == [100, 50] and not [link for link in second.links() if "older=" in link]
        newer = next(link for link in second.links() if "newer=" in link)
        assert len(re.findall(r"<tr>", browser.open(newer).answer.text)) - 1 == 100
        today = browser.open(f"/admin/log?day={day_of(town.clock())}&act=open")
        assert "No line fits" in today.text
        assert (
            "No line fits" not in browser.open(f"/admin/log?day={yesterday}&computer={enrolled.replica}&who=WORK").text
        )
        assert "No line fits" in browser.open("/admin/log?computer=99").text
        assigned = browser.open("/admin/log?act=assign").text
        assert f"Account {WORKER}{town.users[WORKER]}" in assigned and f"{town.grids[0]} (Grid 1)" in assigned
        for odd in (
            "day=2026-13-40",
            "day=x",
            "older=1-2",
            "older=a-b-c-d",
            "newer=9-9-9-9",
            "older=99999999999999999999-1-1-1",
        ):
            assert browser.open(f"/admin/log?{odd}").status == 200


def test_the_command_filters_alike(small: Office, capsys: pytest.CaptureFixture[str]) -> None:
    data: Path = small.town.street.data_dir
    today = day_of(small.town.clock())
    assert main(["--language", "en", "street", "audit", "--data", str(data), "--day", today, "--act", "account"]) == 0
    assert "worker" in capsys.readouterr().out
    assert main(["--language", "en", "street", "audit", "--data", str(data), "--day", "2020-01-01"]) == 0
    assert not capsys.readouterr().out.strip()


def test_kinds_and_details_are_told_in_words(small: Office) -> None:
    """ "user 8796093047130", "where=web", "revoked_as=lost" stood there in both languages."""
    store = small.town.street.store
    enrolled = enrol(store, WORKER, "Counter two", password=PASSWORD, hasher=CHEAP_HASHER)
    with store.unit(SYSTEM) as unit:
        revoke_device(unit, enrolled.replica, reason="left on the bus")
        note(unit, "reveal", "person", 5, field="id_number")
        note(unit, "department", "organisation", 7, what="retired")
        note(unit, "account", "user", small.town.users[WORKER], role="grid_worker")
        note(unit, "suspend", "user", small.town.users[WORKER], suspended=True)
    for language, wanted in (
        ("en", ("where: in the browser", "as: lost", "reason: left on the bus", "what: retired", "Resident 5", "suspended: yes", "Account worker")),
        ("zh-CN", ("位置：浏览器", "按：丢失", "原因：left on the bus", "内容：已停用", "居民 5", "已停用：是", "账号 worker",
                   "角色：专(兼)职网格员")),
    ):  # fmt: skip
        with small.signed_in(AUDITOR, language=language) as browser:
            text = browser.open("/admin/log").text
        assert not [words for words in wanted if words not in text], text
        assert not [raw for raw in ("user 8", "=web", "revoked_as", "id_number", "grid_worker") if raw in text]


def test_every_kind_and_every_noted_detail_has_a_word() -> None:
    noted = re.compile(r"note(?:_alone)?\((?:[^()]|\([^()]*\))*\)")
    names = {
        name
        for path in Path(gridman.__file__).parent.rglob("*.py")
        if path.parts[-2] in ("services", "sync", "cli")
        for call in noted.findall(path.read_text(encoding="utf-8"))
        if re.match(r"note(_alone)?\(\s*(unit|street|store|desk)", call)
        for name in re.findall(r"[(,\s](\w+)=[^=]", call)
    } - {"record_kind", "record_id"}
    assert {"revoked_as", "purpose", "batch"} <= names and not names - set(DETAIL_WORDS)
    assert set(KIND_WORDS) == {n.kind for n in NOUNS}

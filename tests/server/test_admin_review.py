"""The review on the server's pages: both values, who and when, in the reader's language; decided by who may, for the own grids only."""

import json
from dataclasses import replace

import httpx
import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.domain.visit import Visit
from gridman.services.accounts import set_password
from gridman.store.audit import page_audit
from tests.server.office import AUDITOR, Office, office
from tests.support.streets import ADMIN, CHEAP_HASHER, PASSWORD, STAFF, WORKER

__all__ = ["office"]

LOST, STANDS = "13900002222", "13900001111"


@pytest.fixture
def conflicts(office: Office) -> dict[int, int]:
    """One in each grid: grid -> conflict."""
    made = {}
    with office.town.street.store.unit(SYSTEM) as unit:
        for grid in office.town.grids:
            home = unit.create(Household(grid_id=grid, number=f"{grid % 1000:03d}", phones=STANDS))
            unit.flush()
            conflict = Conflict(
                record_kind="household", record_id=home.id, grid_id=grid, field="phones", reason="concurrent",
                kept=json.dumps(STANDS), lost=json.dumps(LOST), lost_at=unit.at, kept_at=unit.at,
                lost_by_id=office.town.users[WORKER],
            )  # fmt: skip
            made[grid] = unit.create(conflict).id
    return made


def staffed(office: Office) -> None:
    with office.town.street.store.unit(SYSTEM) as unit:
        set_password(unit, office.town.users[STAFF], PASSWORD, must_change=False, hasher=CHEAP_HASHER)


def test_the_page_says_which_computer_handed_a_value_over(office: Office, conflicts: dict[int, int]) -> None:
    staffed(office)
    with office.town.street.store.unit(SYSTEM) as unit:
        for conflict in unit.page(Conflict):
            unit.amend(conflict, reason="lost_desk", computer="Counter 2")
    with office.signed_in(STAFF) as browser:
        page = browser.open("/admin/review")
        assert "reported lost: whoever holds that computer could have written it" in page.text
        assert "Computer: Counter 2; its user: Worker" in page.text
    with office.signed_in(STAFF, language="zh-CN") as browser:
        assert "电脑：Counter 2；使用人：Worker" in browser.open("/admin/review").text


def test_both_values_are_shown_and_one_press_decides(office: Office, conflicts: dict[int, int]) -> None:
    staffed(office)
    with office.signed_in(STAFF) as browser:
        page = browser.open("/admin/review")
        mine = [c for c in conflicts.values() if f"/admin/review/{c}/keep" in {f.action for f in page.forms}]
        assert 0 < len(mine) < len(conflicts), "the own grids, and not all"
        assert "139****1111" in page.text and "139****2222" in page.text and "Worker" in page.text
        assert STANDS not in page.text and LOST not in page.text
        first = mine[0]
        shown = browser.send(page.form(f"/admin/review/{first}/reveal"))
        assert STANDS in shown.text and LOST in shown.text
        done = browser.send(shown.form(f"/admin/review/{first}/restore"))
        assert done.path.startswith("/admin/review") and "Decided and done" in done.text
        again = browser.send(page.form(f"/admin/review/{first}/keep"))
        assert again.status >= 400 and "decided this already" in again.text
        for other in mine[1:]:
            assert "what stood stays" in browser.send(page.form(f"/admin/review/{other}/keep")).text
        assert "Nothing to review" in browser.open("/admin/review").text
    with office.town.street.store.read() as reader:
        decided = reader.get(Conflict, first)
        assert (decided.resolution, decided.resolved_by_id) == ("restored", office.town.users[STAFF])
        assert reader.get(Household, decided.record_id).phones == LOST
        assert [line.record_id for line in page_audit(reader) if line.act == "reveal"] == [decided.record_id]


def test_another_communitys_conflict_is_neither_shown_nor_decided(office: Office, conflicts: dict[int, int]) -> None:
    staffed(office)
    with office.signed_in(STAFF) as browser:
        page = browser.open("/admin/review")
        actions = {f.action for f in page.forms}
        (foreign,) = [c for c in conflicts.values() if f"/admin/review/{c}/keep" not in actions]
        own = page.form(f"/admin/review/{next(iter(set(conflicts.values()) - {foreign}))}/keep")
        for deed in ("keep", "restore", "reveal"):
            answer = browser.send(replace(own, action=f"/admin/review/{foreign}/{deed}"))
            assert answer.status == 403 and "not yours" in answer.text and LOST not in answer.text
    with office.town.street.store.read() as reader:
        assert reader.get(Conflict, foreign).resolved_at is None


def test_the_page_speaks_the_readers_language_in_its_services_words_too(
    office: Office, conflicts: dict[int, int]
) -> None:
    staffed(office)
    with office.signed_in(STAFF, language="zh-CN") as chinese, office.signed_in(STAFF) as english:
        assert "现值" in chinese.open("/admin/review").text and "家庭电话" in chinese.open("/admin/review").text
        assert (
            "Stands now" in english.open("/admin/review").text and "家庭电话" not in english.open("/admin/review").text
        )


@pytest.mark.parametrize("login", [ADMIN, AUDITOR])
def test_who_may_not_read_the_records_has_no_review(office: Office, conflicts: dict[int, int], login: str) -> None:
    with office.signed_in(login) as browser:
        assert "/admin/review" not in browser.open("/admin/log" if login == AUDITOR else "/admin").links()
        assert browser.open("/admin/review").status == httpx.codes.FORBIDDEN


def test_a_whole_visit_is_taken_over_or_left_out_and_never_thrown_away_by_keeping_nothing(office: Office) -> None:
    staffed(office)
    grid, number = office.town.grids[0], []
    with office.town.street.store.unit(SYSTEM) as unit:
        home = unit.create(Household(grid_id=grid, number="001"))
        unit.flush()
        values = {
            "household_id": home.id, "grid_id": grid, "visited_at": unit.at, "user_id": office.town.users[WORKER], "outcome": "1",
        }  # fmt: skip
        for record_id in (77, 78):
            card = Conflict(
                record_kind="visit", record_id=record_id, grid_id=grid, reason="retired_desk", computer="Counter 2",
                lost=json.dumps(values), lost_at=unit.at, lost_by_id=office.town.users[WORKER],
            )  # fmt: skip
            number.append(unit.create(card).id)
    with office.signed_in(STAFF) as browser:
        page = browser.open("/admin/review")
        assert "Keep what stands" not in page.text and "Take it over" in page.text
        html = page.answer.text
        assert 'class="main">Leave it out' not in html and "<button>Leave it out<" in html
        assert "it is left out" in browser.send(page.form(f"/admin/review/{number[0]}/keep")).text
        assert "Decided and done" in browser.send(page.form(f"/admin/review/{number[1]}/restore")).text
    with office.town.street.store.read() as reader:
        assert reader.find(Visit, 77) is None and reader.get(Visit, 78).household_id == home.id

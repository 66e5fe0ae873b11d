"""`gridman street review`: the administrator sees that edits wait; what they say is for those who may read the records, who decide there too."""

import json
from typing import Any

import pytest

from gridman.__main__ import main
from gridman.domain.access import SYSTEM
from gridman.domain.conflict import Conflict
from gridman.domain.grid import Grid
from gridman.domain.household import Household
from gridman.domain.person import Person
from gridman.domain.user import User
from gridman.services.accounts import set_password
from gridman.services.street import open_street
from gridman.store.audit import page_audit
from tests.cli.town import LOGIN, PASSWORD, Town
from tests.support.streets import CHEAP_HASHER

LOST, STANDS = "13900002222", "13900001111"


def told(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Any:
    capsys.readouterr()
    found = main(["--json", "--language", "en", "street", *argv])
    out, err = capsys.readouterr()
    assert found == code, out + err
    return json.loads(out)


def own_password(town: Town) -> None:
    """The password is one that the user chose."""
    street = open_street(town.street)
    try:
        with street.store.unit(SYSTEM) as unit:
            user = unit.page(User, login=LOGIN)[0]
            set_password(unit, user.id, PASSWORD, must_change=False, hasher=CHEAP_HASHER)
    finally:
        street.close()


def make_conflicts(town: Town) -> int:
    """One in each grid; returns the household of the first."""
    street = open_street(town.street)
    try:
        with street.store.unit(SYSTEM) as unit:
            for grid in unit.page(Grid, order_by=("code",)):
                (home, *_rest) = unit.page(Household, grid_id=grid.id)
                unit.amend(home, phones=STANDS)
                unit.create(
                    Conflict(
                        record_kind="household", record_id=home.id, grid_id=grid.id, field="phones", reason="concurrent",
                        kept=json.dumps(STANDS), lost=json.dumps(LOST), lost_at=unit.at, kept_at=unit.at,
                    )
                )  # fmt: skip
        with street.store.read() as reader:
            (mine,) = reader.page(Grid, order_by=("code",), limit=1)
            return reader.page(Conflict, grid_id=mine.id)[0].record_id
    finally:
        street.close()


def test_the_list_and_the_decision(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_conflicts(town)
    own_password(town)
    data = ("review", "--data", str(town.street))
    bare = told(capsys, *data)
    assert len(bare) == 2 and LOST not in json.dumps(bare) and {line["field"] for line in bare} == {"phones"}
    assert main(["street", *data, "--restore", str(bare[0]["number"])]) == 2
    monkeypatch.setenv("GRIDMAN_PASSWORD", "not the password at all")
    assert told(capsys, *data, "--login", LOGIN, code=1)["refused"] == "auth.wrong_password"
    monkeypatch.setenv("GRIDMAN_PASSWORD", PASSWORD)
    (mine,) = told(capsys, *data, "--login", LOGIN)
    assert (mine["id"], mine["kept"], mine["lost"]) == (home, "139****1111", "139****2222")
    (theirs,) = [line for line in bare if line["number"] != mine["number"]]
    assert (
        told(capsys, *data, "--login", LOGIN, "--restore", str(theirs["number"]), code=1)["refused"]
        == "access.other_grid"
    )
    assert told(capsys, *data, "--login", LOGIN, "--restore", str(mine["number"]))["decision"] == "restored"
    street = open_street(town.street)
    try:
        with street.store.read() as reader:
            assert reader.get(Household, home).phones == LOST
            assert reader.get(Conflict, mine["number"]).resolution == "restored"
            user = reader.page(User, login=LOGIN)[0].id
            noted = [(line.act, line.details) for line in page_audit(reader) if line.actor_id == user]
    finally:
        street.close()
    assert ("sign_in", {"where": "command"}) in noted
    assert noted[0] == ("decide", {"conflict": mine["number"], "choice": "restored"})
    assert told(capsys, *data, "--login", LOGIN) == []


def test_the_list_names_households_by_number_and_leaves_out_empty_brackets(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_conflicts(town)
    own_password(town)
    street = open_street(town.street)
    try:
        with street.store.unit(SYSTEM) as unit:
            found = unit.get(Household, home)
            number, address = found.number, found.address
            resident = unit.page(Person, household_id=home)[0]
            name = resident.name
            unit.create(
                Conflict(
                    record_kind="person",
                    record_id=resident.id,
                    grid_id=found.grid_id,
                    field="remark",
                    reason="held",
                    kept=None,
                    lost='"x"',
                )
            )
    finally:
        street.close()
    data = ["street", "review", "--data", str(town.street)]
    capsys.readouterr()
    assert main(["--language", "zh_CN", *data]) == 0
    said = capsys.readouterr().out
    assert f"户 {number}" in said and f"居民 · 户 {number}" in said and str(home) not in said
    assert name not in said and address not in said
    monkeypatch.setenv("GRIDMAN_PASSWORD", PASSWORD)
    assert main(["--language", "zh_CN", *data, "--login", LOGIN]) == 0
    said = capsys.readouterr().out
    assert "现值：（无）\n" in said and "（）" not in said and "：-" not in said


def test_all_that_one_computer_handed_over_is_decided_at_once(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_conflicts(town)
    own_password(town)
    street = open_street(town.street)
    try:
        with street.store.unit(SYSTEM) as unit:
            user, grid = unit.page(User, login=LOGIN)[0].id, unit.get(Household, home).grid_id
            unit.amend(unit.page(Conflict, grid_id=grid)[0], reason="lost_desk", computer="Counter 2", lost_by_id=user)
            for computer, reason in (
                ("Counter 2", "lost_desk"),
                ("Counter 3", "lost_desk"),
                ("Counter 2", "copied_desk"),
            ):
                unit.create(
                    Conflict(
                        record_kind="household", record_id=home, grid_id=grid, field="remark", reason=reason, computer=computer,
                        lost=json.dumps("x"), lost_by_id=user, lost_at=unit.at,
                    )
                )  # fmt: skip
    finally:
        street.close()
    monkeypatch.setenv("GRIDMAN_PASSWORD", PASSWORD)
    data = ("review", "--data", str(town.street), "--login", LOGIN)
    lines = told(capsys, *data)
    one = next(n["number"] for n in lines if (n["computer"], n["reason"]) == ("Counter 2", "lost_desk"))
    assert main(["street", *data, "--restore", str(one), "--alike"]) == 2
    assert told(capsys, *data, "--keep", str(one), "--alike")["count"] == 2
    left = told(capsys, *data)
    assert sorted((n["computer"], n["reason"]) for n in left) == [
        ("Counter 2", "copied_desk"),
        ("Counter 3", "lost_desk"),
    ]
    street = open_street(town.street)
    try:
        with street.store.unit(SYSTEM) as unit:
            plain = unit.create(
                Conflict(record_kind="household", record_id=home, grid_id=grid, field="remark", reason="held")
            )
            unit.flush()
            number = plain.id
    finally:
        street.close()
    assert told(capsys, *data, "--keep", str(number), "--alike", code=1)["refused"] == "conflict.not_handed_over"


def test_the_list_says_that_it_came_from_a_lost_computer(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    make_conflicts(town)
    street = open_street(town.street)
    try:
        with street.store.unit(SYSTEM) as unit:
            for conflict, reason in zip(unit.page(Conflict), ("lost_desk", "concurrent"), strict=True):
                unit.amend(conflict, reason=reason, computer="Counter 2", lost_by_id=unit.page(User, login=LOGIN)[0].id)
    finally:
        street.close()
    capsys.readouterr()
    assert main(["--language", "en", "street", "review", "--data", str(town.street)]) == 0
    said = capsys.readouterr().out
    assert said.count("reported lost: whoever holds that computer could have written it") == 1
    assert said.count("Computer: Counter 2; its user: ") == 1 and "unknown" not in said
    assert {line["computer"] for line in told(capsys, "review", "--data", str(town.street))} == {"Counter 2"}


def test_a_password_that_somebody_else_gave_decides_nothing(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_conflicts(town)
    monkeypatch.setenv("GRIDMAN_PASSWORD", PASSWORD)
    refused = told(capsys, "review", "--data", str(town.street), "--login", LOGIN, code=1)
    assert refused["refused"] == "auth.initial_password" and "/admin" in refused["words"]


def test_an_account_that_enrols_by_code_is_told_to_have_no_password(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--data", str(town.street))
    told(capsys, "user", "add", *where, "--login", "lin", "--name", "Lin", "--role", "community_staff", "--code")
    monkeypatch.delenv("GRIDMAN_PASSWORD", raising=False)
    refused = told(capsys, "review", *where, "--login", "Lin", code=1)
    assert refused["refused"] == "auth.no_password" and "user password --login lin" in refused["words"]


def test_the_log_is_told_in_the_words_of_the_page(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["--language", "zh_CN", "street", "audit", "--data", str(town.street), "--act", "account"]) == 0
    said = capsys.readouterr().out
    assert "添加或修改账号" in said and "account" not in said and "role=" not in said

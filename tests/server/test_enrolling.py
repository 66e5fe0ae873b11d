"""Enrolling and signing in over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from gridman import joining
from gridman.domain.access import SYSTEM
from gridman.joining import enrol_desk
from gridman.kernel.errors import Refusal
from gridman.kernel.files import full_disk
from gridman.services import accounts, enrolment
from gridman.services.signin import desk_token, desk_users
from gridman.store.accounts import devices
from tests.server.conftest import Served
from tests.support.streets import CLERK, PASSWORD, STAFF, WORKER


def post_code(served: Served, code: str, login: str = WORKER) -> httpx.Response:
    return served.client.post("/enrol/v1", json={"login": login, "code": code, "device_name": "Counter"})


def ask_me(served: Served, token: str) -> httpx.Response:
    return served.client.get("/me/v1", headers={"Authorization": f"Bearer {token}"})


def test_a_desk_enrols_and_its_token_works(served: Served) -> None:
    enrolled = served.enrol()
    assert enrolled["replica"] == 2 and enrolled["login"] == WORKER and enrolled["street_id"]
    me = ask_me(served, enrolled["token"]).json()
    assert (me["user_id"], me["replica"], me["scopes"]) == (enrolled["user_id"], 2, enrolled["scopes"])


def test_a_wrong_password_gets_401_and_a_remedy_in_the_callers_language(served: Served) -> None:
    form = {"login": WORKER, "password": "not the password"}
    answer = served.client.post("/enrol/v1", json=form, headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert answer.status_code == 401
    problem = answer.json()
    assert problem["code"] == "auth.wrong_password"
    assert problem["words"] == "登录名、密码或登记码不正确。"
    assert problem["remedy"] and problem["text"].startswith("The sign-in name")


def test_the_lock_says_when_to_come_back(served: Served) -> None:
    form = {"login": WORKER, "password": "not the password"}
    codes = [served.client.post("/enrol/v1", json=form).status_code for _ in range(5)]
    locked = served.client.post("/enrol/v1", json={"login": WORKER, "password": PASSWORD})
    assert codes == [401] * 5
    assert (locked.status_code, locked.json()["code"], locked.headers["Retry-After"]) == (429, "auth.locked", "900")


def test_a_code_enrols_once(served: Served) -> None:
    with served.town.street.store.unit(SYSTEM) as unit:
        code = enrolment.new_code(unit, served.town.users[WORKER])
    assert post_code(served, code).status_code == 201
    assert post_code(served, code).status_code == 401


def test_desks_that_enrol_at_the_same_moment_get_different_numbers(served: Served) -> None:
    with ThreadPoolExecutor(6) as pool:
        replicas = list(pool.map(lambda n: served.enrol([WORKER, STAFF, CLERK][n % 3])["replica"], range(9)))
    assert sorted(replicas) == list(range(2, 11))


def test_a_revoked_device_and_a_suspended_user_are_shut_out_at_once(served: Served) -> None:
    lost, kept, staff = served.enrol(), served.enrol(), served.enrol(STAFF)
    with served.town.street.store.unit(SYSTEM) as unit:
        enrolment.revoke_device(unit, lost["replica"])
        accounts.suspend(unit, served.town.users[STAFF])
    shut = ask_me(served, lost["token"])
    assert (shut.status_code, shut.json()["code"]) == (403, "auth.device_revoked")
    assert ask_me(served, staff["token"]).json()["code"] == "auth.suspended"
    assert ask_me(served, kept["token"]).status_code == 200


def test_no_token_a_forged_one_and_another_devices_number_get_401(served: Served) -> None:
    mine, theirs = served.enrol(), served.enrol(STAFF)
    secret = mine["token"].split(".")[2]
    for header in (
        {}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer gm1.{theirs['replica']}.{secret}"},
        {"Authorization": "Bearer " + "x" * 5_000}, {"Authorization": "Bearer gm1.2.\xff".encode("latin-1").decode("latin-1")},
    ):  # fmt: skip
        raw = {name: value.encode("latin-1") for name, value in header.items()}
        answer = served.client.get("/me/v1", headers=raw)  # type: ignore[arg-type]
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer", header


def test_a_token_is_rotated_without_a_gap(served: Served) -> None:
    old = served.enrol()["token"]
    new = served.client.post("/token/v1", headers={"Authorization": f"Bearer {old}"}).json()["token"]
    assert ask_me(served, old).status_code == 200
    assert ask_me(served, new).status_code == 200
    assert ask_me(served, old).status_code == 401


def test_a_user_changes_the_password_over_the_wire(served: Served) -> None:
    bearer = served.bearer()
    wrong = served.client.post("/password/v1", json={"old": "not it at all", "new": "rain on the roof"}, headers=bearer)
    right = served.client.post("/password/v1", json={"old": PASSWORD, "new": "rain on the roof"}, headers=bearer)
    assert (wrong.status_code, right.status_code) == (401, 204)
    assert served.enrol(WORKER, "rain on the roof")["replica"] == 3


@pytest.mark.parametrize("login", ["nobody", "\x00", "a\x00b", "汉字", "x" * 1_000, "'; DROP TABLE account; --"])
def test_odd_logins_are_only_unknown(served: Served, login: str) -> None:
    answer = served.client.post("/enrol/v1", json={"login": login, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.wrong_password")


PASS = "a quiet morning"


def code_of(served: Served) -> str:
    with served.town.street.store.unit(SYSTEM) as unit:
        return enrolment.new_code(unit, served.town.users[WORKER])


def numbers(served: Served) -> list[int]:
    with served.town.street.store.read() as reader:
        return [d.replica for d in devices(reader)]


def test_what_is_wrong_on_this_computer_is_told_before_the_code_is_used(served: Served, tmp_path: Path) -> None:
    """A passphrase of eight letters used the one-time code up and left a computer that nobody ever saw."""
    code, blocked, folder = code_of(served), tmp_path / "blocked", tmp_path / "desk"
    blocked.write_text("a file stands where the folder should be")
    for place, passphrase, why in ((folder, "too few", "passphrase.weak"), (blocked, PASS, "file.cannot_write")):
        with pytest.raises(Refusal) as told:
            enrol_desk(place, served.url, WORKER, passphrase, code=code, clock=served.town.clock)
        assert told.value.code == why
    assert numbers(served) == [] and not folder.exists()
    enrol_desk(folder, served.url, WORKER, PASS, code=code, clock=served.town.clock).close()
    with pytest.raises(Refusal) as told:
        enrol_desk(folder, served.url, WORKER, PASS, code=code_of(served), clock=served.town.clock)
    assert told.value.code == "desk.already_set_up" and numbers(served) == [2]


def test_a_set_up_that_fails_takes_the_enrolment_back(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, folder = code_of(served), tmp_path / "desk"

    def try_it() -> str:
        with monkeypatch.context() as broken, pytest.raises(Refusal) as told:
            broken.setattr("gridman.services.signin.keep_signer", disk_ends)
            enrol_desk(folder, served.url, WORKER, PASS, code=code, clock=served.town.clock)
        assert not list(folder.glob("desk-*")) and desk_users(folder) == ()
        return told.value.code

    def disk_ends(*_parts: object) -> None:
        raise full_disk(folder)

    assert try_it() == "disk.full" and numbers(served) == []
    with monkeypatch.context() as cut:
        cut.setattr(joining, "take_back_over_http", unheard)
        assert try_it() == "enrol.half_done" and numbers(served) == [3], "no number is given out twice"
    code = code_of(served)
    desk = enrol_desk(folder, served.url, WORKER, PASS, code=code, clock=served.town.clock)
    desk.synchronise()
    token = {"Authorization": f"Bearer {desk_token(desk.store)}"}
    desk.close()
    assert served.client.delete("/enrol/v1", headers=token).json()["code"] == "enrol.in_use"
    assert post_code(served, code).status_code == 401


def unheard(*_parts: object, **_more: object) -> None:
    raise Refusal("sync.cut_off", "cut off", "")

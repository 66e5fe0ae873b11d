"""Sign-in at a desk, without any network."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gridman.domain.access import SYSTEM, Actor
from gridman.kernel.errors import Refusal
from gridman.services import profile, signin
from gridman.services.audit import page_audit
from gridman.services.enrolment import Enrolled
from gridman.store.keys import Cost
from gridman.store.store import open_store
from tests.support.streets import Hands

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PASS, OTHER = "a quiet morning", "an even quieter one"
TOKEN = "gm1.5.SECRETSECRETSECRET"
URL = "http://127.0.0.1:8080"


def enrolled(login: str = "wang", replica: int = 5) -> Enrolled:
    return Enrolled(
        replica,
        TOKEN.replace("5", str(replica), 1),
        77 + replica,
        login,
        "Wang",
        "grid_worker",
        3,
        "s1",
        "e1",
        ("ref",),
        False,
    )


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def data(tmp_path: Path, clock: Hands) -> Path:
    signin.set_up_desk(tmp_path, enrolled(), URL + "/", PASS, clock, cost=CHEAP).database.close()
    return tmp_path


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.words() and "{" not in caught.value.words()
    return caught.value.code


def test_a_desk_that_was_set_up_opens_with_its_passphrase(data: Path, clock: Hands) -> None:
    parts = signin.sign_in(data, "WANG", PASS, clock)
    assert (parts.replica, parts.user_id, parts.user.server_url) == (5, 82, URL)
    store = open_store(parts.database, parts.replica, [], clock)
    assert signin.desk_token(store) == TOKEN
    with store.unit(SYSTEM) as unit:
        signin.keep_token(unit, "gm1.5.NEXT")
    assert signin.desk_token(store) == "gm1.5.NEXT"
    store.close()


def test_no_secret_lies_in_the_open(data: Path) -> None:
    for path in data.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert b"SECRETSECRET" not in raw and PASS.encode() not in raw, path
            assert not raw.startswith(b"SQLite format 3"), path
    if sys.platform != "win32":
        assert (data / "desk-5").stat().st_mode & 0o077 == 0


def test_the_parts_do_not_print_the_key(data: Path, clock: Hands) -> None:
    parts = signin.sign_in(data, "wang", PASS, clock)
    assert parts.key.hex() not in repr(parts) and repr(parts.key) not in repr(parts)
    parts.database.close()


def test_a_wrong_passphrase_is_refused_and_noted_at_the_next_sign_in(data: Path, clock: Hands) -> None:
    assert refused(lambda: signin.sign_in(data, "wang", OTHER, clock)) == "signin.wrong_passphrase"
    assert refused(lambda: signin.sign_in(data, "wang", PASS, clock)) == "signin.wait"
    clock.pass_minutes(1)
    parts = signin.sign_in(data, "wang", PASS, clock)
    store = open_store(parts.database, parts.replica, [], clock)
    with store.read() as reader:
        lines = page_audit(reader, Actor(1, "A", "auditor", 1))
    assert [line.act for line in lines] == ["sign_in", "sign_in_failed", "enrol"]
    assert lines[1].details == {"times": 1}
    store.close()


def test_someone_never_set_up_here_is_told_so(data: Path, tmp_path: Path, clock: Hands) -> None:
    assert refused(lambda: signin.sign_in(data, "li", PASS, clock)) == "signin.unknown_here"
    assert refused(lambda: signin.sign_in(tmp_path / "empty", "wang", PASS, clock)) == "signin.unknown_here"
    assert signin.desk_users(tmp_path / "empty") == ()


def test_two_users_of_one_computer_have_keys_of_their_own(data: Path, clock: Hands) -> None:
    signin.set_up_desk(data, enrolled("li", 6), URL, OTHER, clock, cost=CHEAP).database.close()
    assert [u.login for u in signin.desk_users(data)] == ["li", "wang"]
    wang, li = signin.sign_in(data, "wang", PASS, clock), signin.sign_in(data, "li", OTHER, clock)
    assert (wang.replica, li.replica) == (5, 6)
    assert wang.key != li.key
    assert refused(lambda: signin.sign_in(data, "li", PASS, clock)) == "signin.wrong_passphrase"
    wang.database.close()
    li.database.close()


def test_setting_up_twice_is_refused_unless_meant(data: Path, clock: Hands) -> None:
    assert (
        refused(lambda: signin.set_up_desk(data, enrolled(replica=7), URL, OTHER, clock, cost=CHEAP))
        == "desk.already_set_up"
    )
    signin.set_up_desk(data, enrolled(replica=7), URL, OTHER, clock, again=True, cost=CHEAP).database.close()
    assert signin.sign_in(data, "wang", OTHER, clock).replica == 7
    assert (data / "desk-5" / "desk.db").exists(), "unsent work of the old desk is not thrown away"


def test_a_desk_that_was_left_behind_is_listed_until_it_is_sent(data: Path, clock: Hands) -> None:
    """It lay in the folder, and nothing told of it or opened it."""
    assert profile.left_desks(data) == ()
    with pytest.raises(Refusal) as caught:
        signin.check_set_up(data, " WANG", OTHER)
    assert caught.value.code == "desk.already_set_up" and "sync --left 5" in caught.value.words()
    signin.check_set_up(data, "wang", OTHER, again=True)
    again(data, clock, 7)
    again(data, clock, 8)
    assert [(d.user.login, d.user.replica, d.is_sent) for d in profile.left_desks(data)] == [
        ("wang", 5, False),
        ("wang", 7, False),
    ]
    parts = signin.sign_in_left(data, 5, PASS, clock)
    assert (parts.replica, parts.user_id) == (5, 82)
    parts.database.close()
    profile.note_sent(data, parts.user)
    signin.update_profile(data, "wang", server_url="http://127.0.0.1:9")
    assert {d.user.server_url for d in profile.left_desks(data)} == {"http://127.0.0.1:9"}, (
        "the street moved for them too"
    )
    assert [(d.user.replica, d.is_sent) for d in profile.left_desks(data)] == [(5, True), (7, False)]
    assert refused(lambda: signin.sign_in_left(data, 8, OTHER, clock)) == "desk.none_left"
    parts = signin.sign_in_left(data, 7, OTHER, clock)
    signin.destroy_desk(parts.folder, parts.user, parts.database.close)
    assert [d.user.replica for d in profile.left_desks(data)] == [5] and signin.desk_users(data)[0].replica == 8


def test_a_desk_left_before_the_profile_named_such_is_found_by_its_folder(data: Path, clock: Hands) -> None:
    again(data, clock, 7)
    content = json.loads((data / "desk.json").read_bytes())
    (data / "desk.json").write_text(json.dumps({name: content[name] for name in ("format", "users", "server_url")}))
    (data / "desk-notes").mkdir()
    (left,) = profile.left_desks(data)
    assert (left.user.replica, left.user.login, left.user.server_url) == (5, "wang", URL)
    signin.sign_in_left(data, 5, PASS, clock).database.close()


def test_a_damaged_profile_hides_no_desk(data: Path, clock: Hands) -> None:
    (data / "desk.json").write_text("{")
    assert refused(lambda: signin.check_set_up(data, "wang", OTHER)) == "desk.already_set_up"
    signin.check_set_up(data, "li", OTHER)
    assert [d.user.replica for d in profile.left_desks(data)] == [5]
    signin.set_up_desk(data, enrolled("li", 6), URL, OTHER, clock, cost=CHEAP).database.close()
    (left,) = profile.left_desks(data)
    assert (left.user.login, left.user.user_id, left.user.server_url) == ("wang", 0, URL)
    signin.sign_in_left(data, 5, PASS, clock).database.close()


def again(data: Path, clock: Hands, replica: int) -> None:
    signin.set_up_desk(data, enrolled(replica=replica), URL, OTHER, clock, again=True, cost=CHEAP).database.close()


def test_a_weak_passphrase_leaves_nothing_that_looks_set_up(tmp_path: Path, clock: Hands) -> None:
    assert (
        refused(lambda: signin.set_up_desk(tmp_path, enrolled(), URL, "short", clock, cost=CHEAP)) == "passphrase.weak"
    )
    assert signin.desk_users(tmp_path) == ()
    signin.set_up_desk(tmp_path, enrolled(), URL, PASS, clock, cost=CHEAP).database.close()
    assert signin.sign_in(tmp_path, "wang", PASS, clock).replica == 5


def test_a_changed_passphrase_replaces_the_old_one(data: Path, clock: Hands) -> None:
    folder = data / "desk-5"
    assert refused(lambda: signin.change_passphrase(folder, "wang", OTHER, PASS, clock, cost=CHEAP)) == (
        "signin.wrong_present"
    )
    clock.now += 2_000
    signin.change_passphrase(folder, "wang", PASS, OTHER, clock, cost=CHEAP)
    signin.sign_in(data, "wang", OTHER, clock).database.close()
    assert refused(lambda: signin.sign_in(data, "wang", PASS, clock)) == "signin.wrong_passphrase"


def test_the_profile_follows_the_street_server(data: Path) -> None:
    signin.update_profile(data, "wang", server_url="http://127.0.0.1:9/")
    signin.update_profile(data, "wang", street_epoch="e2")
    user = signin.desk_users(data)[0]
    assert (user.server_url, user.street_epoch, user.replica) == ("http://127.0.0.1:9", "e2", 5)


def test_who_shares_the_computer_follows_to_the_same_streets_new_address(data: Path, clock: Hands) -> None:
    signin.set_up_desk(data, enrolled("zhou", 6), URL, PASS, clock, cost=CHEAP).database.close()
    elsewhere = "http://127.0.0.1:7"
    signin.set_up_desk(data, enrolled("li", 7), elsewhere, PASS, clock, cost=CHEAP).database.close()
    moved = signin.update_profile(data, "wang", server_url="http://127.0.0.1:9")
    found = {u.login: u.server_url for u in signin.desk_users(data)}
    assert found == {"wang": moved.server_url, "zhou": "http://127.0.0.1:9", "li": elsewhere}


def test_a_destroyed_desk_is_gone_for_good(data: Path, clock: Hands) -> None:
    parts = signin.sign_in(data, "wang", PASS, clock)
    signin.destroy_desk(parts.folder, parts.user, parts.database.close)
    assert not (data / "desk-5").exists() and signin.desk_users(data) == ()
    assert signin.known_server(data) == parts.user.server_url, (
        "who is given the computer back is not asked for the address again"
    )


def test_what_another_program_has_open_of_a_destroyed_desk_goes_later(data: Path, clock: Hands) -> None:
    """On Windows it cannot go before; without its key nobody reads it."""
    parts = signin.sign_in(data, "wang", PASS, clock)
    with (parts.folder / "desk.db").open("rb"):
        signin.destroy_desk(parts.folder, parts.user, parts.database.close)
        left = {path.name for path in (data / "desk-5").iterdir()}
        assert "desk.db" in left and "keys.json" not in left and signin.desk_users(data) == ()
    assert refused(lambda: signin.sign_in(data, "wang", PASS, clock)) == "signin.unknown_here"
    assert not (data / "desk-5").exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 1, "users": [{"login": 3}]}', b"\xff\xfe"])
def test_a_damaged_profile_is_named(data: Path, clock: Hands, content: bytes) -> None:
    (data / "desk.json").write_bytes(content)
    with pytest.raises(Refusal) as caught:
        signin.sign_in(data, "wang", PASS, clock)
    assert caught.value.code == "profile.damaged" and "desk.json" in caught.value.words()


def test_a_newer_profile_is_not_misread(data: Path, clock: Hands) -> None:
    content = json.loads((data / "desk.json").read_bytes())
    (data / "desk.json").write_text(json.dumps(content | {"format": 2}))
    assert refused(lambda: signin.sign_in(data, "wang", PASS, clock)) == "profile.too_new"


@pytest.mark.parametrize(("file", "code"), [("desk.db", "store.missing"), ("keys.json", "keys.missing")])
def test_a_missing_file_is_named(data: Path, clock: Hands, file: str, code: str) -> None:
    (data / "desk-5" / file).unlink()
    assert refused(lambda: signin.sign_in(data, "wang", PASS, clock)) == code


def test_a_damaged_database_is_not_mistaken_for_a_wrong_passphrase(data: Path, clock: Hands) -> None:
    file = data / "desk-5" / "desk.db"
    file.write_bytes(b"\0" * 4096 + file.read_bytes()[4096:])
    for extra in ("desk.db-wal", "desk.db-shm"):
        (data / "desk-5" / extra).unlink(missing_ok=True)
    assert refused(lambda: signin.sign_in(data, "wang", PASS, clock)) == "store.wrong_key"

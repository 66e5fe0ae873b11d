"""A desk's key file and the street's key."""

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gridman.kernel.errors import Refusal
from gridman.store.keys import LOCK_MS, Cost, KeyFile, check_passphrase, street_key

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PASS = "correct horse 电池"
OTHER = "another long phrase"
T0 = 1_795_406_400_000


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, bytes]:
    path = tmp_path / "keys.json"
    _, key = KeyFile.create(path, "Wang.Fang", PASS, CHEAP)
    return path, key


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.words()
    return caught.value.code


def test_the_passphrase_opens_the_key_after_a_restart(keys: tuple[Path, bytes]) -> None:
    path, key = keys
    assert KeyFile.load(path).open("wang.fang", PASS, T0) == key
    assert len(key) == 32


def test_neither_key_nor_passphrase_lies_in_the_file(keys: tuple[Path, bytes]) -> None:
    path, key = keys
    raw = path.read_bytes()
    assert key.hex().encode() not in raw and key not in raw and PASS.encode() not in raw


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_the_file_is_its_owners_alone(keys: tuple[Path, bytes]) -> None:
    assert stat.S_IMODE(keys[0].stat().st_mode) == 0o600


def test_two_files_have_different_keys(tmp_path: Path) -> None:
    first = KeyFile.create(tmp_path / "a.json", "a", PASS, CHEAP)[1]
    assert first != KeyFile.create(tmp_path / "b.json", "a", PASS, CHEAP)[1]


def test_the_same_phrase_typed_decomposed_or_with_a_wide_blank_opens(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    _, key = KeyFile.create(path, "a", "café au lait!", CHEAP)
    assert KeyFile.load(path).open("a", "cafe\u0301\u3000au lait!", T0) == key


def test_a_wrong_passphrase_and_an_unknown_login_sound_the_same(keys: tuple[Path, bytes]) -> None:
    file = KeyFile.load(keys[0])
    assert code_of(lambda: file.open("wang.fang", OTHER, T0)) == "signin.wrong_passphrase"
    assert code_of(lambda: file.open("nobody", OTHER, T0)) == "signin.wrong_passphrase"


def test_pauses_grow_and_five_failures_lock_for_five_minutes(keys: tuple[Path, bytes]) -> None:
    path, key = keys
    now, pauses = T0, []
    for _ in range(5):
        assert code_of(lambda: KeyFile.load(path).open("wang.fang", OTHER, now)) == "signin.wrong_passphrase"  # noqa: B023
        with pytest.raises(Refusal) as caught:
            KeyFile.load(path).open("wang.fang", PASS, now)
        pauses.append(int(str(caught.value.params["seconds"])))
        last = caught.value.code
        now += pauses[-1] * 1000
    assert pauses == [1, 2, 4, 8, 300]
    assert last == "signin.locked"
    assert KeyFile.load(path).open("wang.fang", PASS, now) == key


def test_success_forgets_the_failures(keys: tuple[Path, bytes]) -> None:
    path, key = keys
    code_of(lambda: KeyFile.load(path).open("wang.fang", OTHER, T0))
    assert KeyFile.load(path).open("wang.fang", PASS, T0 + 1_000) == key
    code_of(lambda: KeyFile.load(path).open("wang.fang", OTHER, T0 + 2_000))
    with pytest.raises(Refusal) as caught:
        KeyFile.load(path).open("wang.fang", PASS, T0 + 2_000)
    assert caught.value.params["seconds"] == 1


def test_setting_the_clock_back_does_not_lock_for_years(keys: tuple[Path, bytes]) -> None:
    file = KeyFile.load(keys[0])
    code_of(lambda: file.open("wang.fang", OTHER, T0))
    with pytest.raises(Refusal) as caught:
        file.open("wang.fang", PASS, T0 - 10**12)
    assert int(str(caught.value.params["seconds"])) <= LOCK_MS // 1000


def test_each_person_has_a_slot_of_the_same_key(keys: tuple[Path, bytes]) -> None:
    path, key = keys
    KeyFile.load(path).add("li", OTHER, key, CHEAP)
    assert KeyFile.load(path).logins == ("wang.fang", "li")
    assert KeyFile.load(path).open("li", OTHER, T0) == KeyFile.load(path).open("wang.fang", PASS, T0) == key
    assert code_of(lambda: KeyFile.load(path).add("LI", OTHER, key, CHEAP)) == "keys.login_taken"


def test_after_a_change_only_the_new_passphrase_opens(keys: tuple[Path, bytes]) -> None:
    path, key = keys
    KeyFile.load(path).change("wang.fang", PASS, OTHER, T0, CHEAP)
    assert KeyFile.load(path).open("wang.fang", OTHER, T0) == key
    assert code_of(lambda: KeyFile.load(path).open("wang.fang", PASS, T0)) == "signin.wrong_passphrase"


def test_a_removed_person_is_out_and_the_last_stays(keys: tuple[Path, bytes]) -> None:
    path, key = keys
    file = KeyFile.load(path)
    file.add("li", OTHER, key, CHEAP)
    file.remove("wang.fang")
    assert code_of(lambda: KeyFile.load(path).open("wang.fang", PASS, T0)) == "signin.wrong_passphrase"
    assert code_of(lambda: KeyFile.load(path).remove("li")) == "keys.last_slot"


def resealed(path: Path, content: dict[str, object]) -> None:
    """Write a tampered file whose checksum is right again: only the cryptography is left to notice."""
    from gridman.store import keys as room

    slots = [room.msgspec.convert(s, room._Slot) for s in content["slots"]]  # type: ignore[attr-defined]
    content["check"] = room._check(str(content["database_id"]), slots)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_slot_handed_to_another_login_opens_nothing(keys: tuple[Path, bytes]) -> None:
    path, _ = keys
    content = json.loads(path.read_text(encoding="utf-8"))
    content["slots"][0]["login"] = "li"
    resealed(path, content)
    assert code_of(lambda: KeyFile.load(path).open("li", PASS, T0)) == "signin.wrong_passphrase"


def test_a_slot_carried_to_another_data_file_opens_nothing(keys: tuple[Path, bytes]) -> None:
    path, _ = keys
    content = json.loads(path.read_text(encoding="utf-8"))
    content["database_id"] = "0" * 32
    resealed(path, content)
    assert code_of(lambda: KeyFile.load(path).open("wang.fang", PASS, T0)) == "signin.wrong_passphrase"


@pytest.mark.parametrize("harm", ["truncate", "flip", "empty", "other", "not_utf8"])
def test_a_damaged_file_is_told_from_a_wrong_passphrase(keys: tuple[Path, bytes], harm: str) -> None:
    path, _ = keys
    raw = path.read_bytes()
    place = raw.index(b'"wrapped"') + 14
    flipped = raw[:place] + (b"A" if raw[place : place + 1] != b"A" else b"B") + raw[place + 1 :]
    path.write_bytes(
        {"truncate": raw[:-40], "flip": flipped, "empty": b"", "other": b"[1, 2]", "not_utf8": b"\xff\xfe{}"}[harm]
    )
    assert code_of(lambda: KeyFile.load(path)) == "keys.damaged"


@pytest.mark.parametrize("harm", [{"memory_kib": 1 << 40}, {"passes": 10**9}, {"lanes": 0}, {"nonce": ""}])
def test_a_file_that_asks_for_absurd_work_is_refused(keys: tuple[Path, bytes], harm: dict[str, object]) -> None:
    path, _ = keys
    content = json.loads(path.read_text(encoding="utf-8"))
    content["slots"][0] |= harm
    resealed(path, content)
    assert code_of(lambda: KeyFile.load(path)) == "keys.damaged"


def test_a_missing_file_and_an_existing_one_are_refused(keys: tuple[Path, bytes]) -> None:
    path, _ = keys
    assert code_of(lambda: KeyFile.load(path.with_name("none.json"))) == "keys.missing"
    assert code_of(lambda: KeyFile.create(path, "a", PASS, CHEAP)) == "keys.exists"


@pytest.mark.parametrize("weak", ["", "short", "aaaaaaaaaaaa", "x" * 201 + "abcd", "wangfang01"])
def test_weak_passphrases_are_refused(weak: str) -> None:
    assert code_of(lambda: check_passphrase(weak, "WangFang01")) == "passphrase.weak"


def test_the_default_cost_is_the_second_recommendation_of_rfc_9106() -> None:
    assert (Cost().memory_kib, Cost().passes, Cost().lanes) == (64 * 1024, 3, 4)


def test_the_streets_key_is_made_once_and_kept(tmp_path: Path) -> None:
    key = street_key(tmp_path / "street")
    assert street_key(tmp_path / "street") == key and len(key) == 32
    assert [p.name for p in (tmp_path / "street").iterdir()] == ["street.key"]
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "street" / "street.key").stat().st_mode) == 0o600


def test_a_lost_or_damaged_street_key_is_not_replaced(tmp_path: Path) -> None:
    assert code_of(lambda: street_key(tmp_path, must_exist=True)) == "street.key_missing"
    (tmp_path / "street.key").write_text("abc")
    assert code_of(lambda: street_key(tmp_path)) == "street.key_damaged"

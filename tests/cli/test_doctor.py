"""Damaged files, and whether the doctor names the damage. Every damage here is done to real files of a real desk or street."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from gridman.__main__ import main
from gridman.cli import machine_checks
from gridman.domain.access import SYSTEM, Actor
from gridman.domain.codes import table
from gridman.domain.grid import Grid
from gridman.domain.organisation import Organisation
from gridman.domain.user import User
from gridman.joining import sign_in_desk
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.photos import PhotoDraft
from gridman.services.street import open_street
from gridman.store.keys import KeyFile
from tests.cli.town import LOGIN, PASSPHRASE, Town, served


def codes(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, set[str]]:
    """The exit code and the codes of what the doctor found wrong (warnings left out)."""
    capsys.readouterr()
    exit_code = main(["--json", "--language", "en", "doctor", "--no-machine", "--offline", *argv])
    told = json.loads(capsys.readouterr().out)
    return exit_code, {p["code"] for f in told["findings"] if f["is_wrong"] for p in f["problems"]}


def flip(path: Path, at: int, count: int = 64) -> None:
    """Change bytes in the middle of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        old = file.read(count)
        file.seek(at)
        file.write(bytes(b ^ 0x5A for b in old))


@pytest.fixture
def desk_db(town: Town, passphrase: str) -> Path:
    return town.desk / "desk-2" / "desk.db"


def spoil(town: Town, *statements: str) -> None:
    """Write to the desk's database behind the program's back."""
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.database.writer.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    desk.close()


def test_a_sound_desk_and_a_sound_street_are_found_sound(
    town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert codes(capsys, "--data", str(town.desk)) == (0, set())
    assert codes(capsys, "--data", str(town.street)) == (0, set())


def test_a_changed_page_is_found(town: Town, desk_db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(desk_db, desk_db.stat().st_size // 4096 // 2 * 4096 + 700)
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.pages_damaged"})


def test_a_damaged_desk_with_unsent_work_is_told_to_send_it_first(
    town: Town, desk_db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.unit(desk.actor) as unit:
        report_incident(unit, IncidentDraft("A805", "井盖破损", place="1号楼北侧", grid_id=min(desk.actor.grid_ids)))
    with desk.store.database.reader.connect() as connection:
        question = text("SELECT rootpage FROM sqlite_master WHERE name = 'person'")
        page = int(connection.execute(question).scalar_one())
    desk.close()
    flip(desk_db, (page - 1) * 4096 + 700)
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.pages_damaged", "doctor.unsent_in_damaged"})


def test_a_changed_page_of_the_street_is_found(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    file = town.street / "street.db"
    flip(file, file.stat().st_size // 4096 // 2 * 4096 + 700)
    assert codes(capsys, "--data", str(town.street)) == (1, {"doctor.pages_damaged"})


def test_a_damaged_beginning_is_told_from_a_wrong_passphrase(
    town: Town, desk_db: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(desk_db, 100)
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.first_page", "doctor.unsent_unreadable"})
    monkeypatch.setenv("GRIDMAN_PASSPHRASE", "not the right one")
    assert codes(capsys, "--data", str(town.desk)) == (1, {"signin.wrong_passphrase"})


def test_a_file_cut_short_is_found_without_the_passphrase(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    desk_db = town.desk / "desk-2" / "desk.db"
    with desk_db.open("r+b") as file:
        file.truncate(desk_db.stat().st_size - 1_000)
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.file_cut", "doctor.unsent_unreadable"})
    desk_db.unlink()
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.no_file", "doctor.unsent_unreadable"})


def test_an_unencrypted_file_is_found(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    import sqlite3

    desk_db = town.desk / "desk-2" / "desk.db"
    desk_db.unlink()
    plain = sqlite3.connect(desk_db)
    plain.execute("CREATE TABLE person (name TEXT)")
    plain.close()
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.not_encrypted", "doctor.unsent_unreadable"})


def test_a_broken_key_file_and_a_broken_profile_are_found(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    keys = town.desk / "desk-2" / "keys.json"
    flip(keys, 60, 3)
    assert codes(capsys, "--data", str(town.desk)) == (1, {"keys.damaged", "doctor.unsent_unreadable"})
    keys.unlink()
    assert codes(capsys, "--data", str(town.desk)) == (1, {"keys.missing", "doctor.unsent_unreadable"})
    (town.desk / "desk.json").write_text("{", encoding="utf-8")
    assert codes(capsys, "--data", str(town.desk)) == (1, {"profile.damaged"})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_key_that_others_may_read_is_found(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    (town.desk / "desk-2" / "keys.json").chmod(0o644)
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.key_open"})


def test_the_streets_lost_and_damaged_keys_are_found(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    key = town.street / "street.key"
    key.write_text("00", encoding="ascii")
    assert codes(capsys, "--data", str(town.street)) == (1, {"street.key_damaged"})
    key.unlink()
    assert codes(capsys, "--data", str(town.street)) == (1, {"street.key_missing"})


def photo() -> bytes:
    from PIL import Image

    made = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(made, "JPEG")
    return made.getvalue()


def report_with_photo(town: Town) -> list[Path]:
    """An incident with a photo, reported on the desk; returns the photo's file."""
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    (grid_id,) = desk.actor.grid_ids
    draft = IncidentDraft(
        category=next(code.code for code in table("incident_category") if code.parent), description="路灯不亮", place="花园街",
        lng=117.102, lat=36.601, grid_id=grid_id, photos=[PhotoDraft(photo())],
    )  # fmt: skip
    with desk.store.unit(desk.actor) as unit:
        report_incident(unit, draft, desk.blobs)
    desk.close()
    return [path for path in (town.desk / "desk-2" / "blobs").rglob("*") if path.is_file()]


def test_lost_and_damaged_photos_are_found(town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]) -> None:
    (file,) = report_with_photo(town)
    assert codes(capsys, "--data", str(town.desk)) == (0, set())
    flip(file, 40, 4)
    assert codes(capsys, "--data", str(town.desk)) == (1, {"blob.damaged"})
    file.unlink()
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.photo_missing"})


def test_a_gap_in_the_journal_is_found(town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]) -> None:
    report_with_photo(town)
    spoil(town, "UPDATE journal SET op_n = op_n + 5 WHERE op_n = (SELECT max(op_n) FROM journal)")
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.journal_gap"})


def test_a_counter_that_went_back_is_found(town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]) -> None:
    report_with_photo(town)
    spoil(town, "UPDATE replica_counter SET last = 0")
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.counter_back"})


INDEX_DAMAGE = {
    "a household off the list": (
        "DELETE FROM household_line WHERE household_id = (SELECT min(id) FROM household)",
        "household_line",
    ),
    "a wrong count of people": ("UPDATE household_line SET people_count = 9", "household_line"),
    "a person not found": ("DELETE FROM search_entry WHERE entity = 'person'", "search"),
    "a person found by another name": ("UPDATE search_entry SET title = '?' WHERE entity = 'person'", "search"),
    "the search's terms lost": (
        "DELETE FROM search_terms WHERE rowid = (SELECT min(record_id) FROM search_entry)",
        "search",
    ),
    "the search dropped": ("DROP TABLE search_terms", "search"),
    "a building off the map": ("DELETE FROM place WHERE id = (SELECT min(id) FROM building)", "map"),
}


@pytest.mark.parametrize("damage", INDEX_DAMAGE)
def test_wrong_lists_are_found_and_made_anew(
    damage: str, town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statement, index = INDEX_DAMAGE[damage]
    spoil(town, statement)
    where = ("--data", str(town.desk))
    assert codes(capsys, *where) == (1, {f"doctor.index_{index}"})
    assert codes(capsys, *where, "--repair") == (0, set())
    assert codes(capsys, *where) == (0, set())


def test_a_tampered_audit_is_found(town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]) -> None:
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    with desk.store.database.writer.begin() as connection:
        triggers = (
            connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"))
            .scalars()
            .all()
        )
        for name in triggers:
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE audit SET act = 'print' WHERE id = 1"))
    desk.close()
    assert triggers
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.audit"})


def test_data_of_another_version_is_found_and_left_alone(
    town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(town, "UPDATE alembic_version SET version_num = '9999'")
    assert codes(capsys, "--data", str(town.desk)) == (1, {"doctor.schema"})
    assert codes(capsys, "--data", str(town.desk), "--repair") == (1, {"doctor.schema"})


def test_records_that_no_desk_receives_are_found(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    street = open_street(town.street)
    with street.store.database.writer.begin() as connection:
        connection.execute(text("DELETE FROM sync_row WHERE entity = 'person'"))
    street.close()
    assert codes(capsys, "--data", str(town.street)) == (1, {"doctor.feed_lost"})


def test_the_log_of_an_incident_that_does_not_reach_every_desk_is_found_and_placed_anew(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    street = open_street(town.street)
    with street.store.unit(SYSTEM) as unit:
        grid, office = unit.first(Grid), unit.first(Organisation, level="street")
        assert grid is not None and office is not None
        unit.create(User(login="clerk", name="Clerk", role="street_clerk", organisation_id=office.id))
        unit.flush()
        by = unit.first(User, login="clerk")
        assert by is not None
        clerk = Actor(by.id, by.name, by.role, office.id, frozenset(), 1)
        where = grid.id
    with street.store.unit(clerk) as unit:
        report_incident(unit, IncidentDraft("A801", "垃圾", "路口", grid_id=where))
    with street.store.database.writer.begin() as connection:
        connection.execute(text("DELETE FROM sync_row WHERE entity = 'incident_step' AND scope LIKE 'o:%'"))
    street.close()
    assert codes(capsys, "--data", str(town.street)) == (1, {"doctor.feed_apart"})
    assert codes(capsys, "--data", str(town.street), "--repair") == (0, set())
    assert codes(capsys, "--data", str(town.street)) == (0, set())


def test_work_that_waits_too_long_is_a_note_not_a_fault(
    town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report_with_photo(town)
    spoil(town, "UPDATE journal SET at = at - 864000000 WHERE op_n IS NOT NULL")
    assert main(["--language", "en", "doctor", "--no-machine", "--offline", "--data", str(town.desk)]) == 0
    assert "changes wait for the street server, the oldest since" in capsys.readouterr().out


def test_the_street_server_is_asked(town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--json", "doctor", "--no-machine", "--data", str(town.desk)]
    address = json.loads((town.desk / "desk.json").read_text("utf-8"))["users"][0]["server_url"]

    def server() -> dict[str, Any]:
        capsys.readouterr()
        main(where)
        (found,) = [f for f in json.loads(capsys.readouterr().out)["findings"] if f["detail"] == address]
        return dict(found)

    assert [p["code"] for p in server()["problems"]] == ["sync.unreachable"]
    with served(town.street, int(address.rsplit(":", 1)[1])):
        assert server()["problems"] == []
        assert main(["street", "device", "revoke", "2", "--reason", "lost", "--data", str(town.street)]) == 0
        revoked = server()
    assert revoked["is_wrong"] and [p["code"] for p in revoked["problems"]] == ["auth.device_revoked"]


def test_a_folder_with_nothing_in_it_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert codes(capsys, "--data", str(tmp_path)) == (1, {"cli.no_folder"})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of two megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    ).returncode:
        pytest.skip("this machine forbids mounting")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_found(small_disk: Path) -> None:
    (problem,) = machine_checks.disk_flaws(small_disk)
    assert problem.code == "doctor.disk" and str(small_disk) in problem.words()


def test_a_disk_with_room_is_no_problem(tmp_path: Path) -> None:
    assert list(machine_checks.disk_flaws(tmp_path, least_mb=1)) == []
    assert [p.code for p in machine_checks.disk_flaws(tmp_path, least_mb=10**9)] == ["doctor.disk"]


def test_a_cut_font_and_missing_parts_of_the_program_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gridman.kernel.paths import resource

    assert list(machine_checks._fonts()) == [] and list(machine_checks._translations()) == []
    (tmp_path / "fonts").mkdir()
    for font in resource("fonts").glob("*.ttf"):
        shutil.copy(font, tmp_path / "fonts" / font.name)
    cut = tmp_path / "fonts" / "NotoSansSC-Bold.ttf"
    whole = cut.read_bytes()
    cut.unlink()
    cut.write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr(machine_checks, "resource", lambda *parts: tmp_path.joinpath(*parts))
    assert [p.params["name"] for p in machine_checks._fonts()] == ["NotoSansSC-Bold.ttf"]
    assert {p.code for p in machine_checks._map_scripts()} == {"doctor.map_script"}
    assert {p.code for p in machine_checks._translations()} == {"doctor.translation"}


def test_a_library_of_qt_that_does_not_load_is_named_and_harms_nobody() -> None:
    aborts = "import os, sys; print('libEGL.so.1: cannot open shared object file', file=sys.stderr); os.abort()"
    (problem,) = machine_checks._probe(aborts, machine_checks._qt_missing)
    assert "libEGL.so.1" in problem.words() and "build_scripts/run.py" in problem.words()
    assert list(machine_checks._probe("print('fine')", machine_checks._qt_missing)) == []


@pytest.mark.slow
@pytest.mark.gui
def test_this_machine_passes_and_the_web_engine_really_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "--language", "en", "doctor"]) == 0
    found = {f["subject"]: f["problems"] for f in json.loads(capsys.readouterr().out)["findings"]}
    assert found["Web engine of the map"] == [] and found["Qt"] == []


def test_the_key_is_not_harmed_by_looking(town: Town, passphrase: str, capsys: pytest.CaptureFixture[str]) -> None:
    keys = town.desk / "desk-2" / "keys.json"
    before = keys.read_bytes()
    codes(capsys, "--data", str(town.desk))
    assert keys.read_bytes() == before
    assert KeyFile.load(keys).logins == (LOGIN,)


def test_the_disk_is_looked_at_once(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for more in ([], ["--no-machine"]):
        main(["--json", "--language", "en", "doctor", "--offline", "--no-window", "--data", str(town.street), *more])
        told = json.loads(capsys.readouterr().out)
        assert [f["subject"] for f in told["findings"]].count("Disk") == 1

"""Nothing of what people told is readable outside the encrypted stores: a day's work with marked names, numbers, addresses and notes, then a
search of every file it left (data folders, logs, write-ahead logs, temporary files, stick, backups, report), of every address asked, and of every
command line.
"""

import io
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from gridman.__main__ import main
from gridman.domain.grid import Grid
from gridman.domain.id_number import check_character
from gridman.joining import sign_in_desk
from gridman.kernel.log import get_log, start_log
from gridman.services.drafts import save_draft
from gridman.services.households import HouseholdQuery, add_person, household_ids, register_household, reveal
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.photos import PhotoDraft
from gridman.services.search import search
from gridman.services.visits import VisitDraft, log_visit
from gridman.ui.jobs import Failure
from tests.cli.test_backup import SAFE, port_of
from tests.cli.town import LOGIN, PASSPHRASE, Town, do, served
from tests.support.plaintext import found_in

_FIRST = "99010119610814733"
ID_NUMBER = _FIRST + check_character(_FIRST)
NAME, PHONE, ADDRESS = "欧阳䶮霁", "13957204816", "槐荫巷七十三号楼9单元1901"
NOTE, DRAFT, WORDS, CAPTION = "老伴上月住院腿脚不便", "半句未写完的话语", "深夜高空抛物砸坏车窗", "门口裂缝照片"
MARKED = (NAME, ID_NUMBER, PHONE, ADDRESS, NOTE, DRAFT, WORDS, CAPTION)


@pytest.fixture(autouse=True)
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Temporary files of this program and of those it starts land in one folder."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("GRIDMAN_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("GRIDMAN_BACKUP_PASSPHRASE", SAFE)
    yield folder


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address asked, with its headers, and every command line started."""
    found: list[str] = []
    send, popen = httpx.Client.send, subprocess.Popen.__init__

    def sending(self: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
        found.append(f"{request.method} {request.url} {dict(request.headers)}")
        return send(self, request, **more)

    def starting(self: Any, args: Any, *rest: Any, **more: Any) -> None:
        found.append(str(args))
        popen(self, args, *rest, **more)

    monkeypatch.setattr(httpx.Client, "send", sending)
    monkeypatch.setattr(subprocess.Popen, "__init__", starting)
    return found


def picture() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((640, 480)).save(out, "JPEG", comment=NAME.encode())
    return out.getvalue()


def work(town: Town) -> None:
    """What a worker does in a day, at a desk whose log listens to everything."""
    desk = sign_in_desk(town.desk, LOGIN, PASSPHRASE)
    start_log(town.desk / "logs", verbose=True)
    try:
        with desk.store.unit(desk.actor) as unit:
            (grid,) = [g for g in unit.page(Grid, order_by=("code",)) if g.id in desk.actor.grid_ids][:1]
            home = register_household(
                unit, {"grid_id": grid.id, "address": ADDRESS, "phones": PHONE, "needs_note": NOTE}
            )
            unit.flush()
            values = {
                "name": NAME,
                "relation": "02",
                "population_type": "01",
                "id_number": ID_NUMBER,
                "phones": PHONE,
                "remark": NOTE,
            }
            person = add_person(unit, home.id, values, ["V01"])
            reveal(unit, "person", person.id, "id_number")
        with desk.store.unit(desk.actor) as unit:
            photo = PhotoDraft(picture(), f"{NAME}.jpg", CAPTION)
            log_visit(unit, VisitDraft(home.id, "1", note=NOTE, photos=[photo]), desk.blobs)
            report_incident(
                unit, IncidentDraft("A101", WORDS, ADDRESS, grid_id=grid.id, reporter_name=NAME, reporter_phone=PHONE)
            )
        save_draft(desk.store, "visit", desk.actor.user_id, {"household_id": home.id, "note": DRAFT})
        with desk.store.read() as reader:
            for text in (NAME, PHONE[-4:], ID_NUMBER[-6:], "槐荫"):
                assert search(reader, text)
                household_ids(reader, HouseholdQuery(text=text))
    finally:
        desk.close()


def test_a_days_work_leaves_nothing_readable(town: Town, away: Path, tmp_path: Path, said: list[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    do("street", "backup", "--data", str(town.street), "--to", str(out / "before.backup"))
    with served(town.street, port_of(town)):
        work(town)
        do("bundle", "export", "--data", str(town.desk), "--out", str(out / "stick.gridman"))
        do("sync", "--data", str(town.desk))
        do("street", "backup", "--data", str(town.street), "--to", str(out / "after.backup"))
        do("desk", "backup", "--data", str(town.desk), "--to", str(out / "desk.backup"))
        assert main(["doctor", "--data", str(town.street), "--no-machine", "--report", str(out / "street.txt")]) in (
            0,
            1,
        )
        doctor = ["doctor", "--data", str(town.desk), "--login", LOGIN, "--no-machine", "--offline"]
        assert main([*doctor, "--report", str(out / "desk.txt")]) in (0, 1)
    report = (out / "desk.txt").read_text(encoding="utf-8")
    assert all(f["problems"] for f in json.loads(report.split("log:")[0])["findings"]), "what is sound is only counted"
    assert '"rows visit"' in report and '"code"' not in report.split("log:")[0].split('"counts"')[1]
    assert (
        len(list(tmp_path.rglob("*.db-wal"))) + len(list(tmp_path.rglob("*.db"))) >= 2
        and (out / "stick.gridman").exists()
    )
    for folder in (town.street, town.desk, away, out):
        assert found_in(folder, MARKED) == []
    assert any("/sync/v1" in line for line in said)
    assert [word for word in MARKED for line in said if word in line] == []


def test_an_error_tells_where_it_happened_and_not_what_it_held(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start_log(tmp_path / "logs")
    try:
        try:
            {}[NAME]
        except KeyError as inner:
            raise ValueError(f"cannot read {ID_NUMBER}") from inner
    except ValueError as error:
        failure = Failure(error)
        get_log("gridman.test").error("work failed: %s", failure.trace)
        get_log("gridman.test").exception("and again")
    start_log(None)
    log = (tmp_path / "logs" / "gridman.log").read_text(encoding="utf-8")
    assert "KeyError" in log and "builtins.ValueError" in log and "test_no_plaintext.py" in log
    assert found_in(tmp_path, MARKED) == []
    shown = capsys.readouterr()
    assert not any(word in shown.out + shown.err for word in MARKED)


@pytest.mark.parametrize("word", MARKED)
def test_the_search_finds_what_is_logged_on_purpose(tmp_path: Path, word: str) -> None:
    start_log(tmp_path / "logs")
    get_log("gridman.test").info("visit at %s", word)
    start_log(None)
    assert found_in(tmp_path, MARKED) == [f"{word} in {os.path.join('logs', 'gridman.log')}"]
    import gzip

    (tmp_path / "old.gz").write_bytes(gzip.compress(f"x {word} y".encode("utf-16-le")))
    (tmp_path / f"{word}.txt").write_text("", encoding="utf-8")
    assert len(found_in(tmp_path, MARKED)) == 3

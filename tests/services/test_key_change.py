"""Another data key: everything opens with the new one, nothing with the old, and a real SIGKILL at any step leaves one of the two states."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.attachment import Attachment
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.kernel.errors import Refusal
from gridman.server.certificates import street_tls
from gridman.services import key_change
from gridman.services.backup import back_up_street, restore_street
from gridman.services.enrolment import Enrolled
from gridman.services.key_change import change_desk_key, change_street_key
from gridman.services.lease import signer_of
from gridman.services.seals import former_bundle_keys
from gridman.services.signin import change_passphrase, set_up_desk, sign_in
from gridman.services.street import Street, hold_street_folder, open_street
from gridman.store.blobs import BlobStore
from gridman.store.database import open_sqlite
from gridman.store.keys import Cost, KeyFile
from gridman.store.soundness import page_flaws
from gridman.store.store import open_store
from gridman.store.tables import blob_state
from gridman.sync.seal import Header, Keys, open_sealed, seal
from tests.support.streets import CHEAP_HASHER, Hands, town_street

CHEAP = Cost(64, 1, 1)
PASS, BACKUP = "a quiet morning", "words for the backup"
PHOTOS = [b"photo %d " % n * 500 for n in range(3)]
HOST = "street.example"


@pytest.fixture(
    params=[
        pytest.param(True, id="open file", marks=pytest.mark.posix_files),
        pytest.param(False, id="closed file, as on Windows"),
    ],
)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file is replaced while it is kept from everybody, or, where the system forbids that, right after."""
    if request.param and os.name == "nt":
        pytest.skip("Windows has the one way only")
    monkeypatch.setattr(key_change, "_REPLACES_OPEN_FILES", request.param)


def filed(unit: Any, blobs: BlobStore) -> None:
    """Records with photos, one of them retired."""
    for n, data in enumerate(PHOTOS):
        name = sha256(data).hexdigest()
        blobs.put(name, data)
        attachment = unit.create(Attachment(sha256=name, size_bytes=len(data), owner_kind="household", owner_id=1))
        unit.flush()
        if n == 2:
            unit.retire(attachment, "taken back")
    for n in range(50):
        unit.create(Household(number=str(n), address=f"Garden Street {n}"))


def facts(street: Street) -> dict[str, Any]:
    """What must be the same before and after."""
    with street.store.read() as reader:
        households = sorted(h.address for h in reader.page(Household, limit=1_000))
    tls = street_tls(street)
    return {
        "households": households, "signer": signer_of(street.store, street.key), "authority": tls.authority,
        "hosts": HOST in tls.hosts, "photos": [street.photos.get(sha256(p).hexdigest()) for p in PHOTOS],
    }  # fmt: skip


def made_street(folder: Path, url: str | None = None) -> dict[str, Any]:
    with town_street(folder, url) as town:
        with town.street.store.unit(SYSTEM) as unit:
            filed(unit, town.street.photos)
        street_tls(town.street, [HOST])
        return facts(town.street)


@contextmanager
def opened(folder: Path, url: str | None = None) -> Iterator[Street]:
    street = open_street(folder, url, Hands(), hasher=CHEAP_HASHER, must_exist=True)
    try:
        yield street
    finally:
        street.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("postgres_server").create_database() if request.param == "postgresql" else None


@pytest.mark.usefixtures("way")
def test_a_street_goes_on_under_another_key(tmp_path: Path, database: str | None) -> None:
    folder = tmp_path / "street"
    before = made_street(folder, database)
    with opened(folder, database) as street:
        old = street.key
    (folder / "uploads" / "ab").mkdir(parents=True)
    done = change_street_key(folder, database, Hands())
    assert (done.photos, done.photos_lost) == (3, 0)
    with opened(folder, database) as street:
        assert street.key != old and facts(street) == before
        assert [Keys.from_private(k).public for k in former_bundle_keys(street.store, street.key)] == [
            Keys.from_seed(old).public
        ]
        if database is None:
            assert not list(page_flaws(street.store.database))
            with pytest.raises(Refusal, match=r"store\.wrong_key|wrong"):
                open_sqlite(folder / "street.db", old)
        stale = BlobStore(folder / "blobs", old)
        assert [stale.get(sha256(p).hexdigest()) for p in PHOTOS] == [None] * 3
    assert (
        not list(folder.rglob("*.next")) and not (folder / "blobs.old").exists() and not (folder / "uploads").exists()
    )
    change_street_key(folder, database, Hands())
    with opened(folder, database) as street:
        assert facts(street) == before and len(former_bundle_keys(street.store, street.key)) == 2


@pytest.mark.usefixtures("way")
def test_a_backup_from_before_is_restored_after(tmp_path: Path) -> None:
    folder = tmp_path / "street"
    before = made_street(folder)
    with opened(folder) as street:
        back_up_street(street, tmp_path / "old.gmb", BACKUP, cost=CHEAP)
    change_street_key(folder, None, Hands())
    with opened(folder) as street:
        back_up_street(street, tmp_path / "new.gmb", BACKUP, cost=CHEAP)
    for name in ("old", "new"):
        restore_street(tmp_path / f"{name}.gmb", tmp_path / name, BACKUP, Hands())
        with opened(tmp_path / name) as street:
            found = facts(street)
            assert (found["households"], found["photos"], found["signer"]) == (
                before["households"],
                before["photos"],
                before["signer"],
            )


def test_a_served_street_and_an_open_file_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "street"
    before = made_street(folder)
    with hold_street_folder(folder), pytest.raises(Refusal) as caught:
        change_street_key(folder, None, Hands())
    assert caught.value.code == "folder.in_use"
    with opened(folder) as street:
        with street.store.read() as reader:
            reader.count(Household)
        with pytest.raises(Refusal) as caught:
            change_street_key(folder, None, Hands())
        assert caught.value.code == "folder.in_use"
    with opened(folder) as street:
        assert facts(street) == before
    assert not list(folder.glob("*.next"))


@pytest.mark.usefixtures("way")
def test_photos_that_wait_in_the_review_list_or_to_be_sent_go_along(tmp_path: Path) -> None:
    """No record names them yet, or any more, and nobody else has them: the computer that handed them over destroyed itself."""
    folder = tmp_path / "street"
    made_street(folder)
    waiting = {name: sha256(name.encode()).hexdigest() for name in ("in review", "to be sent", "let go")}
    with opened(folder) as street:
        for name, sha in waiting.items():
            street.photos.put(sha, name.encode())
        lost = json.dumps({"owner_kind": "visit", "owner_id": 1, "sha256": waiting["in review"]})
        with street.store.unit(SYSTEM) as unit:
            unit.create(Conflict(record_kind="attachment", record_id=9, reason="lost_desk", lost=lost))
            unit.create(Conflict(record_kind="attachment", record_id=9, field="caption", reason="refused", lost="7"))
            for name, state in (("to be sent", "here"), ("let go", "dropped")):
                values = {"sha256": waiting[name], "state": state, "size_bytes": 1, "sent_bytes": 0}
                unit.connection.execute(insert(blob_state), values)
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / "made with the old key").touch()
    assert change_street_key(folder, None, Hands()).photos == len(PHOTOS) + 2
    assert not (folder / "snapshots").exists()
    with opened(folder) as street:
        assert {name: street.photos.get(sha) is not None for name, sha in waiting.items()} == {
            "in review": True, "to be sent": True, "let go": False
        }  # fmt: skip


@pytest.mark.usefixtures("way")
def test_a_damaged_photo_is_counted_and_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "street"
    made_street(folder)
    with opened(folder) as street:
        path = street.photos.path_of(sha256(PHOTOS[0]).hexdigest())
        path.write_bytes(path.read_bytes()[:-1] + b"\0")
    done = change_street_key(folder, None, Hands())
    assert (done.photos, done.photos_lost) == (2, 1)


@pytest.mark.usefixtures("way")
def test_a_bundle_written_before_is_opened_after(tmp_path: Path) -> None:
    old, desk = Keys.from_seed(b"o" * 32), Keys.from_seed(b"d" * 32)
    folder = tmp_path / "street"
    made_street(folder)
    with opened(folder) as street:
        known = Keys.from_seed(street.key)
    envelope = seal(Header(False, "s", 2, 0), b"work", desk, known.public)
    change_street_key(folder, None, Hands())
    with opened(folder) as street:
        (former,) = former_bundle_keys(street.store, street.key)
        assert open_sealed(envelope, Keys.from_private(former), desk.public)[1] == b"work"
        with pytest.raises(Refusal):
            open_sealed(envelope, Keys.from_seed(street.key), desk.public)
    assert old.public != known.public


ENROLLED = Enrolled(7, "gm1.7.secret", 1, "zhou", "Zhou", "grid_worker", 1, "street", "epoch", ("ref",), False)


def made_desk(data: Path) -> None:
    parts = set_up_desk(data, ENROLLED, "https://street", PASS, Hands(), cost=CHEAP)
    store = open_store(parts.database, 7, [], Hands())
    with store.unit(Actor(1, "Zhou", "grid_worker", 1)) as unit:
        filed(unit, BlobStore(parts.blobs, parts.key))
    store.close()


def desk_facts(data: Path) -> tuple[list[str], list[bytes | None], bytes]:
    parts = sign_in(data, "zhou", PASS, Hands())
    try:
        with open_store(parts.database, 7, [], Hands()).read() as reader:
            households = sorted(h.address for h in reader.page(Household, limit=1_000))
        blobs = BlobStore(parts.blobs, parts.key)
        return households, [blobs.get(sha256(p).hexdigest()) for p in PHOTOS], parts.key
    finally:
        parts.database.close()


@pytest.mark.usefixtures("way")
def test_a_desk_goes_on_under_another_key_and_the_same_passphrase(tmp_path: Path) -> None:
    made_desk(tmp_path)
    before = desk_facts(tmp_path)
    kept = (tmp_path / "desk-7" / "keys.json").read_bytes()
    with pytest.raises(Refusal) as caught:
        change_desk_key(tmp_path, "zhou", "not the passphrase", Hands(), cost=CHEAP)
    assert caught.value.code == "signin.wrong_passphrase"
    change_desk_key(tmp_path, "zhou", PASS, Hands(1_795_406_400_000 + 3_600_000), cost=CHEAP)
    after = desk_facts(tmp_path)
    assert after[:2] == before[:2] and after[2] != before[2]
    (tmp_path / "old.json").write_bytes(kept)
    stolen = KeyFile.load(tmp_path / "old.json").open("zhou", PASS, Hands().now + 7_200_000)
    assert stolen == before[2]
    with pytest.raises(Refusal):  # the old key file and the right passphrase open nothing any more
        open_sqlite(tmp_path / "desk-7" / "desk.db", stolen)
    change_passphrase(tmp_path / "desk-7", "zhou", PASS, "another quiet morning", Hands(), cost=CHEAP)


def test_an_open_desk_is_left_alone(tmp_path: Path) -> None:
    made_desk(tmp_path)
    parts = sign_in(tmp_path, "zhou", PASS, Hands())
    with pytest.raises(Refusal) as caught:
        change_desk_key(tmp_path, "zhou", PASS, Hands(), cost=CHEAP)
    assert caught.value.code == "folder.in_use"
    parts.database.close()
    assert len(desk_facts(tmp_path)[0]) == 50


KILLER = """
import os, signal, sys
from pathlib import Path
{imports}
from tests.support.streets import Hands
left = 0
def count(event, arguments):
    global left
    if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree") or (
        event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    ):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
for line in sys.stdin:
    child = os.fork()
    if not child:
        left = step = int(line)
        sys.addaudithook(count)
        {call}
        print("done", step - left, flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        print("killed", os.WTERMSIG(status), flush=True)
    elif status:
        print("failed", status, flush=True)
"""
"""One process that has everything imported; for each number it reads, a copy of itself does the work and ends itself at that file operation."""


@contextmanager
def killer(imports: str, call: str) -> Iterator[Callable[[int], tuple[str, int]]]:
    """Gives a function: at which file operation to kill -> ("killed", signal) or ("done", operations there were)."""
    root = Path(__file__).resolve().parents[2]
    code = KILLER.format(imports=imports, call=call)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:

        def run(step: int) -> tuple[str, int]:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(f"{step}\n")
            process.stdin.flush()
            word, number = process.stdout.readline().split()
            return word, int(number)

        yield run
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("kind", ["street", "desk"])
def test_a_kill_at_any_step_leaves_the_old_key_or_the_new_one(tmp_path: Path, kind: str) -> None:
    ready, work = tmp_path / "ready", tmp_path / "work"
    known: Any = made_street(ready) if kind == "street" else (made_desk(ready), desk_facts(ready)[:2])[1]
    imports = "from gridman.services.key_change import change_desk_key, change_street_key\nfrom gridman.store.keys import Cost"
    call = {
        "street": f"change_street_key(Path({str(work)!r}), None, Hands())",
        "desk": f"change_desk_key(Path({str(work)!r}), 'zhou', {PASS!r}, Hands(), cost=Cost(64, 1, 1))",
    }[kind]
    keys, old = set(), _key(ready, kind)
    shutil.copytree(ready, work)
    with killer(imports, call) as run:
        word, steps = run(10_000)
        assert word == "done" and steps > 15
        # The operations that put things in place, one by one, and some of the many before.
        for step in sorted({*range(1, steps, max(1, steps // 3)), *range(steps - 12, steps + 1)}):
            shutil.rmtree(work)
            shutil.copytree(ready, work)
            assert run(step) == ("killed", signal.SIGKILL), step
            if kind == "street":
                with opened(work) as street:
                    assert facts(street) == known, step
            else:
                assert desk_facts(work)[:2] == known, step
            keys.add(_key(work, kind) == old)
            assert not list(work.rglob("*.next")), step
        assert run(10_000)[0] == "done"  # and it can be done again
    assert keys == {True, False}  # kills before the decision and after it


def _key(folder: Path, kind: str) -> bytes:
    if kind == "street":
        return (folder / "street.key").read_bytes()
    return KeyFile.load(folder / "desk-7" / "keys.json").open("zhou", PASS, Hands().now + 86_400_000)

"""A desk whose disk fills up, or whose file is spoilt, while it synchronises: told in words, nothing half, nothing lost."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridman.domain.household import Household
from gridman.kernel.errors import Refusal, Trouble
from gridman.store import outbox
from gridman.store.database import open_sqlite
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal
from gridman.store.soundness import list_flaws, page_flaws
from gridman.store.store import Store
from tests.resilience.judge import digest_of_desk
from tests.sync.world import KEY, Desk, World, open_copy

SIZE = 6 << 20
FLIPS = 25


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of six megabytes, real."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let a file system be mounted")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def moved_to(desk: Desk, folder: Path) -> Desk:
    """The new desk, with its data in `folder`."""
    desk.store.close()
    desk.store = Store(open_copy(folder / "desk.db"), desk.store.replica, [DeskJournal(), Indexer()], desk.clock)
    return desk


def fill(folder: Path, leave: int) -> Path:
    """Take the room of the disk but for `leave` bytes."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        file.write(bytes(max(0, shutil.disk_usage(folder).free - leave)))
    return filler


def assert_whole(desk: Desk) -> None:
    assert not list(page_flaws(desk.store.database))
    with desk.store.read() as reader:
        assert not list(list_flaws(reader))


def test_a_disk_that_fills_up_during_a_first_synchronisation_costs_nothing_but_the_room(
    world: World, small_disk: Path
) -> None:
    homes = world.add_households(0, 3_000)
    desk = moved_to(world.desk(), small_disk)
    filler = fill(small_disk, 700_000)
    with pytest.raises(Trouble) as told:
        desk.sync()
    assert told.value.code == "disk.full" and str(small_disk) in told.value.words()
    assert_whole(desk)
    with desk.store.read() as reader:
        received = reader.count(Household)
    assert received < len(homes)
    filler.unlink()
    result = desk.sync()
    assert result.complete and result.received <= len(homes) - received + 200, "it began anew"
    assert_whole(desk)
    with desk.store.read() as reader:
        assert reader.count(Household) == len(homes)


def test_work_saved_before_the_disk_was_full_is_sent_when_there_is_room(world: World, small_disk: Path) -> None:
    home = world.add_households(0, 1)[0]
    desk = moved_to(world.desk(), small_disk)
    desk.sync()
    filler, saved = fill(small_disk, 300_000), []
    with pytest.raises(Trouble) as told:
        for n in range(2_000):
            desk.amend(home, remark=f"{n} " + "x" * 900)
            saved.append(n)
    assert told.value.code == "disk.full" and saved
    with desk.store.read() as reader:
        assert reader.get(Household, home).remark == f"{saved[-1]} " + "x" * 900
        before = outbox.waiting_count(reader)
    with pytest.raises(Trouble) as again:  # to send, the desk has to note that it sends
        desk.sync()
        fill(small_disk, 0)
        desk.amend(home, remark="y" * 900)
        desk.sync()
    assert again.value.code == "disk.full"
    filler.unlink()
    result = desk.sync()
    assert result.complete and not result.refused and before >= 1
    street = world.household(home)
    assert street is not None and str(street.remark).startswith((f"{saved[-1]} ", "y"))
    with desk.store.read() as reader:
        assert outbox.waiting_count(reader) == 0 and set(outbox.counts(reader)) == {"settled"}
    assert_whole(desk)


def test_a_spoilt_page_is_told_or_not_met_but_never_sent_or_shown(world: World) -> None:
    """Sixty-four bytes are turned over at a random place, again and again; each time from a sound copy with waiting work."""
    chance = random.Random(20_261_128)
    homes = world.add_households(0, 300)
    desk = world.desk()
    desk.sync()
    for n, home in enumerate(homes[:40]):
        desk.amend(home, remark=f"waits {n} " + "z" * 300)
    path = desk.store.database.path
    assert path is not None
    desk.store.close()
    sound, told = path.read_bytes(), []
    for _flip in range(FLIPS):
        at = chance.randrange(4_096, len(sound) - 64)
        path.write_bytes(sound[:at] + bytes(b ^ 0xFF for b in sound[at : at + 64]) + sound[at + 64 :])
        for left in (path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            left.unlink(missing_ok=True)
        try:
            desk.store = Store(
                open_sqlite(path, KEY, must_exist=True), desk.store.replica, [DeskJournal(), Indexer()], desk.clock
            )
            desk.sync()
        except Trouble as trouble:
            told.append(trouble.code)
            assert "gridman doctor" in trouble.words() or trouble.code == "store.wrong_key"
        except Refusal as refusal:
            pytest.fail(f"told as {refusal.code}: {refusal}")
        desk.store.close()
        for n, home in enumerate(homes[:40]):
            record = world.household(home)
            assert record is not None and record.remark in (None, f"waits {n} " + "z" * 300), (
                "the street was given something spoilt"
            )
    assert told and set(told) <= {"store.damaged", "store.index_damaged", "store.wrong_key"}
    # The sound copy, as from a backup of the disk, goes on from there: what was sent meanwhile is known again.
    path.write_bytes(sound)
    desk.store = Store(
        open_sqlite(path, KEY, must_exist=True), desk.store.replica, [DeskJournal(), Indexer()], desk.clock
    )
    result = desk.sync()
    assert result.complete and not result.refused
    assert {str(world.household(home).remark)[:5] for home in homes[:40]} == {"waits"}  # type: ignore[union-attr]
    assert digest_of_desk(desk.store)[0] >= len(homes)

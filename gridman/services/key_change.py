"""A new data key for a street or a desk: after somebody left who may have had the old one, or a copy of the folder got into wrong hands.

What was copied before stays readable with the old key, and backups stay what they are: each carries the key of its day, sealed with its
own passphrase. The street's certificate, its signing key and its desks' tokens do not change: nobody has to enrol anew.
"""

import secrets
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from gridman.domain.access import SYSTEM
from gridman.kernel.clock import Clock, system_clock
from gridman.kernel.files import write_whole
from gridman.kernel.progress import Progress, quiet
from gridman.services import seals
from gridman.services.audit import note
from gridman.services.signin import desk_of
from gridman.services.street import hold_street_folder, open_street
from gridman.services.uploads import FOLDER
from gridman.store.database import exported_sqlite, open_sqlite
from gridman.store.folder_lock import hold_folder
from gridman.store.keys import DEFAULT_COST, KEY_BYTES, Cost, KeyFile, street_key_text
from gridman.store.rotation import (
    DESK,
    LOCK,
    STREET,
    Layout,
    every_photo,
    next_to,
    require_room,
    reseal_photos,
    roll_forward,
)
from gridman.store.store import open_store

__all__ = ["KeyChange", "change_desk_key", "change_street_key"]

_PEM = "tls/server.pem"
_REPLACES_OPEN_FILES = sys.platform != "win32"


@dataclass(frozen=True)
class KeyChange:
    """What was done. `photos_lost`: photos that could not be read under the old key either, and were left out."""

    photos: int
    photos_lost: int


def change_street_key(
    data_dir: Path, database_url: str | None = None, clock: Clock = system_clock, progress: Progress = quiet
) -> KeyChange:
    """Give the street in `data_dir` another data key. Its server must be stopped; the disk must hold data and photos twice for a while.

    A kill at any moment leaves the street as it was or as it is to be; the next opening tidies up. Refuses with ``folder.in_use``,
    ``disk.full``, ``street.*``, ``store.*``.
    """
    with hold_street_folder(data_dir), hold_folder(data_dir, LOCK):
        roll_forward(data_dir, STREET)
        require_room(data_dir, STREET)
        street, new = open_street(data_dir, database_url, clock, must_exist=True), secrets.token_bytes(KEY_BYTES)
        try:
            with street.store.read() as reader:
                photos = every_photo(reader)
            with street.store.unit(SYSTEM) as unit:
                note(unit, "rotate_keys", what="street")
            seals.reseal(street.store, street.key, new)
            is_sqlite = street.store.database.is_sqlite
        finally:
            street.close()
        done, lost = reseal_photos(data_dir, street.key, new, photos, progress)
        if (data_dir / _PEM).exists():
            write_whole(next_to(data_dir, _PEM), seals.resealed_pem((data_dir / _PEM).read_bytes(), street.key, new))
        for made_anew in (FOLDER, "snapshots"):  # nobody opens them under the new key, and who has the old one could
            shutil.rmtree(data_dir / made_anew, ignore_errors=True)
        data = data_dir / "street.db"
        copying = exported_sqlite(data, street.key, next_to(data_dir, "street.db"), new) if is_sqlite else nullcontext()
        _decide(data_dir, STREET, copying, lambda: write_whole(next_to(data_dir, STREET.key), street_key_text(new)))
    open_street(data_dir, database_url, clock, must_exist=True).close()
    return KeyChange(done, lost)


def change_desk_key(
    data_dir: Path,
    login: str,
    passphrase: str,
    clock: Clock = system_clock,
    progress: Progress = quiet,
    *,
    cost: Cost = DEFAULT_COST,
) -> KeyChange:
    """Give the user's desk on this computer another data key under the same passphrase. Its window must be closed.

    Refuses like `signin.sign_in`, and with ``folder.in_use``, ``disk.full``.
    """
    user, folder = desk_of(data_dir, login)
    with hold_folder(folder, LOCK):
        roll_forward(folder, DESK)
        require_room(folder, DESK)
        keys, new = KeyFile.load(folder / DESK.key), secrets.token_bytes(KEY_BYTES)
        old = keys.open(login, passphrase, clock())
        database = open_sqlite(folder / "desk.db", old, must_exist=True)
        store = open_store(database, user.replica, [], clock)
        try:
            with store.read() as reader:
                photos = every_photo(reader)
            with store.unit(SYSTEM) as unit:
                note(unit, "rotate_keys", what="desk")
        finally:
            store.close()
        done, lost = reseal_photos(folder, old, new, photos, progress)
        copying = exported_sqlite(folder / "desk.db", old, next_to(folder, "desk.db"), new)
        _decide(folder, DESK, copying, lambda: keys.write_anew(next_to(folder, DESK.key), login, passphrase, new, cost))
    return KeyChange(done, lost)


def _decide(folder: Path, layout: Layout, copying: AbstractContextManager[None], decide: Callable[[], None]) -> None:
    """Copy the data, write the new key, and put everything in its place, the old file closed to everybody as long as the system lets one
    replace an open file.
    """
    with copying:
        decide()
        if _REPLACES_OPEN_FILES:
            roll_forward(folder, layout)
    roll_forward(folder, layout)

"""Backup and restore. A street's backup holds its data file, its photos and its key, the key sealed with a passphrase of the backup's own;
a desk's holds the desk as it lies on the disk, which its user's passphrase opens.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gridman import __version__
from gridman.domain.access import SYSTEM, Actor
from gridman.kernel.clock import Clock, system_clock
from gridman.kernel.errors import Refusal
from gridman.kernel.files import put_in_place, require_free_space, write_whole
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_
from gridman.services.audit import note
from gridman.services.desk import Desk
from gridman.services.figures import Figures, figures_of
from gridman.services.monitoring import LAST_BACKUP
from gridman.services.street import Street, open_street
from gridman.store.accounts import street_identity
from gridman.store.archive import FORMAT, Manifest, damaged, manifest_of, prove, unpack, write_archive
from gridman.store.backup import begin_new_life, copy_database, identity_of_copy, size_bytes
from gridman.store.database import open_postgresql, open_sqlite
from gridman.store.keys import DEFAULT_COST, Cost, KeyFile
from gridman.store.moving import fill_postgresql, require_empty
from gridman.store.settings import put_setting
from gridman.store.soundness import all_photos, page_flaws

__all__ = [
    "Inside",
    "Manifest",
    "Restored",
    "back_up_desk",
    "back_up_street",
    "look_into_backup",
    "restore_street",
    "verify_street_backup",
]

_LOGIN = "backup"
_KEYS, _SEALED, _DATA, _KEY = "keys.json", "street.key.sealed", "street.db", "street.key"
_NONCE = 12
_SPARE_BYTES = 50_000_000


@dataclass(frozen=True)
class Restored:
    """What came out of a backup: its manifest, and the epoch of the street's new life."""

    manifest: Manifest
    epoch: str


def back_up_street(
    street: Street,
    to: Path,
    passphrase: str,
    progress: Progress = quiet,
    *,
    cost: Cost = DEFAULT_COST,
    within: Path | None = None,
    actor: Actor = SYSTEM,
) -> Manifest:
    """Write the street as it is at this moment to the new file `to`; the server may go on serving.

    The backup of a street on PostgreSQL holds an SQLite file as well: it is restored into either. Photos are copied after the data: what
    comes later is more than the data knows, never less. ``within``: the folder for what is half done (default: beside `to`);
    ``actor``: in whose name the log has it. Refuses with ``backup.exists``, ``passphrase.weak``,
    ``disk.full``; leaves nothing when `progress` stops it.
    """
    _require_room(size_bytes(street.store.database), _photos(street.blobs), to)
    with _workplace(to, within) as work:
        _, wrapping = KeyFile.create(work / _KEYS, _LOGIN, passphrase, cost)
        copy_database(street.store.database, work / _DATA, street.key, progress)
        now = street.clock()
        street_id, epoch, seq = identity_of_copy(work / _DATA, street.key, now)
        facts = Manifest(FORMAT, "street", __version__, now, street_id, epoch, seq, 0)
        photos = _photos(street.blobs)
        sources: list[tuple[str, Path | bytes]] = [
            (_KEYS, work / _KEYS),
            (_SEALED, _seal(wrapping, street.key, street_id)),
            (_DATA, work / _DATA),
            *((f"blobs/{name}", path) for name, path in photos),
        ]
        made = write_archive(to, facts, street.key, sources, progress)
    with street.store.unit(actor) as unit:
        note(unit, "export", None, None, what="backup", photos=made.photo_count)
        put_setting(unit, LAST_BACKUP, str(unit.at))
    return made


def verify_street_backup(path: Path, passphrase: str, progress: Progress = quiet) -> Manifest:
    """Make sure that `path` can be restored, by restoring it into a folder that is thrown away: every byte is as it was written, the
    passphrase opens it, the data file and every photo in it are sound. Refuses with ``backup.damaged``, ``backup.not_a_street``,
    ``backup.wrong_passphrase``.
    """
    return look_into_backup(path, passphrase, progress).manifest


@dataclass(frozen=True)
class Inside:
    """What a backup holds: its manifest, and the street in it in numbers."""

    manifest: Manifest
    figures: Figures


def look_into_backup(path: Path, passphrase: str, progress: Progress = quiet, *, within: Path | None = None) -> Inside:
    """The same, and what was found. ``within``: see `back_up_street`."""
    with _workplace(path, within) as work:
        manifest = _unpack_street(path, passphrase, work / "street", progress)
        with _opened(work / "street", manifest, system_clock) as street:
            _look_at_photos(street, progress)
            with street.store.read() as reader:
                return Inside(manifest, figures_of(reader))


def restore_street(
    path: Path,
    data_dir: Path,
    passphrase: str,
    clock: Clock = system_clock,
    progress: Progress = quiet,
    *,
    database_url: str | None = None,
    within: Path | None = None,
    of_street: str = "",
) -> Restored:
    """Make the street of the backup `path` anew in `data_dir`, which must not exist or be empty; it appears there whole or not at all.
    ``database_url``: an empty PostgreSQL that is to hold the data, wherever it lay before; key and photos come into the folder.

    ``within``: see `back_up_street`; ``of_street``: the id of the only street whose backup is wanted (``backup.other_street``).

    The street begins a new life (epoch): desks notice at their next call and offer again whatever it does not know.
    Refuses like `verify_street_backup`, and with ``backup.folder_in_use``, ``backup.database_in_use``.
    """
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise Refusal(
            "backup.folder_in_use",
            N_("{folder} is not empty."),
            N_("Restore into a new folder; the old one stays as it is until you remove it."),
            folder=data_dir,
        )
    if database_url is not None:
        _require_empty(database_url)
    with _workplace(data_dir, within) as work:
        fresh = work / "street"
        manifest = _unpack_street(path, passphrase, fresh, progress)
        if of_street and manifest.street_id != of_street:
            raise Refusal(
                "backup.other_street",
                N_("{path} is the backup of another street; the computers of this one would not believe it."),
                N_("Restore it with gridman street restore into a folder of its own."),
                path=path.name,
            )
        with _opened(fresh, manifest, clock) as street:
            _look_at_photos(street, progress)
            with street.store.unit(SYSTEM) as unit:
                epoch = begin_new_life(unit)
                note(unit, "restore", None, None, what="street", seq=manifest.seq)
            if database_url is not None:
                _move_to_postgresql(street, database_url, progress)
        if database_url is not None:
            (fresh / _DATA).unlink()
        if data_dir.exists():
            data_dir.rmdir()
        put_in_place(fresh, data_dir)
    return Restored(manifest, epoch)


def _require_empty(database_url: str) -> None:
    database = open_postgresql(database_url)
    try:
        require_empty(database)
    finally:
        database.close()


def _move_to_postgresql(street: Street, database_url: str, progress: Progress) -> None:
    database = open_postgresql(database_url)
    try:
        fill_postgresql(street.store.database, database, progress)
    finally:
        database.close()


def _unpack_street(path: Path, passphrase: str, folder: Path, progress: Progress) -> Manifest:
    """A street's folder as it was, once everything in the archive has proved true."""
    manifest = manifest_of(path, progress)
    if manifest.kind != "street" or any(manifest.member(name) is None for name in (_KEYS, _SEALED, _DATA)):
        raise Refusal(
            "backup.not_a_street",
            N_("{path} is not the backup of a street."),
            N_("A desk's backup is unpacked with any tar program into an empty folder."),
            path=path,
        )
    require_free_space(folder, sum(m.size_bytes for m in manifest.members) + _SPARE_BYTES)
    unpack(path, manifest, folder, progress)
    wrapping = _wrapping_key(folder / _KEYS, passphrase, manifest.made_at, path)
    key = _unseal(wrapping, (folder / _SEALED).read_bytes(), manifest.street_id, path)
    prove(manifest, key, path)
    database = open_sqlite(folder / _DATA, key, must_exist=True)
    try:
        for flaw in page_flaws(database):
            raise flaw
    finally:
        database.close()
    for name in (_KEYS, _SEALED):
        (folder / name).unlink()
    write_whole(folder / _KEY, key.hex().encode() + b"\n")
    return manifest


def _wrapping_key(keys: Path, passphrase: str, made_at: int, path: Path) -> bytes:
    """What the street's key in the backup is sealed with."""
    try:
        return KeyFile.load(keys).open(_LOGIN, passphrase, made_at)
    except Refusal as refusal:
        if refusal.code != "signin.wrong_passphrase":
            raise
        raise Refusal(
            "backup.wrong_passphrase",
            N_("This is not the passphrase of the backup {path}."),
            N_(
                "It is the one that was chosen when this backup was made, not that of a sign-in; without it nobody can open the backup."
            ),
            path=path,
        ) from refusal


@contextmanager
def _opened(folder: Path, manifest: Manifest, clock: Clock) -> Iterator[Street]:
    street = open_street(folder, None, clock, must_exist=True)
    try:
        with street.store.read() as reader:
            if street_identity(reader)[0] != manifest.street_id:
                raise damaged(folder, "street")
        yield street
    finally:
        street.close()


def _look_at_photos(street: Street, progress: Progress) -> None:
    """Open every photo that came along; a damaged one refuses with ``blob.damaged``."""
    with street.store.read() as reader:
        known = all_photos(reader)
    for number, sha256 in enumerate(known):
        street.photos.get(sha256)
        progress(number + 1, len(known), N_("Checking photos"))


def back_up_desk(desk: Desk, to: Path, progress: Progress = quiet) -> Manifest:
    """Write this user's desk to the new file `to`, as encrypted as it lies on the disk: unpacked with any tar program into an empty folder it is
    a desk again, which the passphrase of that day opens.

    A desk that is put back after it sent more work would use numbers of operations that the street has seen with another content: the street
    refuses it then (``sync.fork``) and it must be set up anew. So this copy is for reading and for work that was never sent.
    """
    folder, profile = desk.data_dir, desk.profile
    keys = KeyFile.load(folder / "keys.json")
    facts = Manifest(FORMAT, "desk", __version__, desk.store.clock(), profile.street_id, profile.street_epoch, 0, 0)
    photos = _photos(folder / "blobs")
    _require_room(size_bytes(desk.store.database), photos, to)
    with _workplace(to) as work:
        copy_database(desk.store.database, work / "desk.db")
        sources: list[tuple[str, Path | bytes]] = [
            ("desk.json", msgspec.json.encode({"format": 1, "users": [profile]})),
            (f"{folder.name}/keys.json", folder / "keys.json"),
            (f"{folder.name}/desk.db", work / "desk.db"),
            *((f"{folder.name}/blobs/{name}", path) for name, path in photos),
        ]
        return write_archive(to, facts, hashlib.sha256(keys.database_id.encode()).digest(), sources, progress)


def _photos(folder: Path) -> list[tuple[str, Path]]:
    """Whole photos only: pieces of one that is under way are sent again."""
    found = sorted(p for p in folder.glob("??/*") if p.is_file() and "." not in p.name)
    return [(p.relative_to(folder).as_posix(), p) for p in found]


def _require_room(data_bytes: int, photos: list[tuple[str, Path]], to: Path) -> None:
    """Twice the data file: its copy lies beside the archive while that is written."""
    needed = sum(p.stat().st_size for _, p in photos) + 2 * data_bytes
    require_free_space(to.parent, needed + _SPARE_BYTES)


@contextmanager
def _workplace(beside: Path, within: Path | None = None) -> Iterator[Path]:
    """A folder for what is half done, on the disk of the result; gone at the end however it ends."""
    folder = within or beside.parent
    folder.mkdir(parents=True, exist_ok=True)
    beside.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".gridman-", dir=folder))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _sealer(wrapping: bytes) -> AESGCM:
    return AESGCM(hashlib.blake2b(b"gridman backup street key", key=wrapping, digest_size=32).digest())


def _seal(wrapping: bytes, key: bytes, street_id: str) -> bytes:
    # The wrapping key is made for this one file and seals this one text: a fixed nonce meets no other.
    nonce = bytes(_NONCE)
    return nonce + _sealer(wrapping).encrypt(nonce, key, street_id.encode())


def _unseal(wrapping: bytes, sealed: bytes, street_id: str, path: Path) -> bytes:
    try:
        return _sealer(wrapping).decrypt(sealed[:_NONCE], sealed[_NONCE:], street_id.encode())
    except (InvalidTag, ValueError) as error:
        raise damaged(path, "key") from error

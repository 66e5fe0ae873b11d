"""The street's own copy of the data, opened with what a street records: its journal and the feed its desks pull from."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from argon2 import PasswordHasher

from gridman.domain.access import SYSTEM
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region
from gridman.domain.user import User
from gridman.kernel.clock import Clock, system_clock
from gridman.kernel.errors import Refusal
from gridman.kernel.ids import STREET_REPLICA
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_
from gridman.services.accounts import create_user, password_hasher
from gridman.services.seals import settle_seals
from gridman.store import accounts as rows
from gridman.store.blobs import BlobStore
from gridman.store.database import SHARED_CACHE_KIB, Database, open_postgresql, open_sqlite
from gridman.store.feed import StreetFeed
from gridman.store.folder_lock import hold_folder
from gridman.store.indexes import Indexer
from gridman.store.journal import StreetJournal
from gridman.store.keys import street_key
from gridman.store.migrations import upgrade, version_of
from gridman.store.moving import copy_to_sqlite, keep_copy
from gridman.store.rotation import STREET, settle
from gridman.store.store import Store, open_store
from gridman.store.switching import finish_switch, is_half_switched
from gridman.store.unit import Unit

__all__ = [
    "Contact",
    "Migration",
    "Street",
    "StreetPicture",
    "as_sqlite",
    "found_street",
    "hold_street_folder",
    "migrate_street",
    "open_street",
    "street_picture",
]

_FILE = "street.db"


@dataclass
class Street:
    """An open street: its store, its data key (for photos), its folder, and how passwords are hashed."""

    data_dir: Path
    store: Store
    key: bytes = field(repr=False)
    hasher: PasswordHasher = field(default_factory=password_hasher, repr=False)

    @property
    def blobs(self) -> Path:
        """Where the street's photos lie."""
        return self.data_dir / "blobs"

    @cached_property
    def photos(self) -> BlobStore:
        """The street's photos."""
        return BlobStore(self.blobs, self.key)

    @property
    def clock(self) -> Clock:
        """The street's clock."""
        return self.store.clock

    @property
    def database_kind(self) -> str:
        """SQLite or PostgreSQL, for people."""
        return "SQLite" if self.store.database.is_sqlite else "PostgreSQL"

    def close(self) -> None:
        """Close the database."""
        self.store.close()


def open_street(
    data_dir: Path,
    database_url: str | None = None,
    clock: Clock = system_clock,
    *,
    hasher: PasswordHasher | None = None,
    must_exist: bool = False,
) -> Street:
    """Open the street in `data_dir`, making it when it is new (unless `must_exist`): an encrypted SQLite file there, or the PostgreSQL
    database of `database_url`. Photos and the key file lie in the folder in both cases.

    Refuses with ``street.missing``, ``street.data_missing``, ``street.key_missing``, ``store.*``.
    """
    database, key = _open_database(data_dir, database_url, must_exist)
    try:
        if not database.is_sqlite:
            keep_copy(database, data_dir, key)
        store = open_store(database, STREET_REPLICA, [StreetJournal(), StreetFeed(), Indexer()], clock)
        with store.unit(SYSTEM) as unit:
            rows.ensure_street(unit)
        settle_seals(store, key)
    except BaseException:
        database.close()
        raise
    return Street(data_dir, store, key, hasher or password_hasher())


def _open_database(data_dir: Path, database_url: str | None, must_exist: bool) -> tuple[Database, bytes]:
    if is_half_switched(data_dir):
        with hold_street_folder(data_dir):
            pass  # whoever comes to hold it finishes that
    settle(data_dir, STREET)
    file = data_dir / _FILE
    if must_exist and not (data_dir / "street.key").exists() and not file.exists():
        raise Refusal(
            "street.missing",
            N_("There is no street in {folder}."),
            N_("Check the folder, or make a new street with gridman street init."),
            folder=data_dir,
        )
    # A data file whose key was lost must not be met with a new key, which would only say "wrong key".
    key = street_key(data_dir, must_exist=must_exist or file.exists())
    if database_url is None and must_exist and not file.exists():
        raise Refusal(
            "street.data_missing",
            N_("The street's data file {path} is missing."),
            N_("Put the copy from your last backup in its place. With PostgreSQL give its address with --database."),
            path=file,
        )
    if database_url is not None:
        return open_postgresql(database_url), key
    return open_sqlite(file, key, must_exist=must_exist, reader_cache_kib=SHARED_CACHE_KIB), key


@dataclass(frozen=True)
class Migration:
    """What `migrate_street` did. `before` equals `after` when there was nothing to do; `copy`: where the data lies as it was."""

    before: str
    after: str
    copy: Path | None


def migrate_street(data_dir: Path, database_url: str | None = None, progress: Progress = quiet) -> Migration:
    """Bring a street's data up to this version of the program, by hand and at a time of one's own choosing; a copy is kept first.

    Refuses like `open_street`, with ``store.too_new`` and, while a server serves the folder, ``folder.in_use``.
    """
    with hold_street_folder(data_dir):
        database, key = _open_database(data_dir, database_url, must_exist=True)
        try:
            before = version_of(database) or ""
            copy = None if database.is_sqlite else keep_copy(database, data_dir, key, progress)
            upgrade(database)
            after = version_of(database) or ""
        finally:
            database.close()
        if database.path is not None and before != after:
            copy = database.path.with_name(f"{database.path.name}.before-{after}")
    return Migration(before, after, copy)


@contextmanager
def as_sqlite(store: Store, progress: Progress = quiet) -> Iterator[Store]:
    """The store itself, or of one in PostgreSQL a copy that is read and thrown away: the index of places is kept by SQLite only."""
    if store.database.is_sqlite:
        yield store
        return
    with tempfile.TemporaryDirectory(prefix="gridman-") as folder:
        path, key = Path(folder) / _FILE, secrets.token_bytes(32)
        copy_to_sqlite(store.database, path, key, progress)
        copy = open_store(open_sqlite(path, key), store.replica, [], store.clock)
        try:
            yield copy
        finally:
            copy.close()


@contextmanager
def hold_street_folder(data_dir: Path) -> Iterator[None]:
    """For the length of the block no second server may serve this folder; refuses with ``folder.in_use``. A change of streets that was cut off
    is finished before.
    """
    with hold_folder(data_dir, "street.lock"):
        if is_half_switched(data_dir):
            finish_switch(data_dir)
        yield


def found_street(
    unit: Unit,
    name: str,
    admin_login: str,
    admin_password: str,
    *,
    region: Region | None = None,
    hasher: PasswordHasher | None = None,
) -> tuple[Organisation, User]:
    """The first records of a new street: its organisation and the administrator's account."""
    if unit.first(Organisation, level="street", is_department=None) is not None:
        raise Refusal(
            "street.founded",
            N_("This street has been set up already."),
            N_("Add users with gridman street user add."),
        )
    organisation = unit.create(Organisation(name=name, level="street", region_id=region.id if region else None))
    unit.flush()
    admin = create_user(
        unit, admin_login, admin_login, "sysadmin", organisation, admin_password, must_change=False, hasher=hasher
    )
    return organisation, admin


@dataclass(frozen=True)
class Contact:
    """One device's last call."""

    replica: int
    last_seen_at: int
    is_revoked: bool


@dataclass(frozen=True)
class StreetPicture:
    """What the status page may tell anyone in the office: numbers, no names."""

    street_id: str
    epoch: str
    device_count: int
    account_count: int
    last_contacts: tuple[Contact, ...]


def street_picture(store: Store, contacts: int = 10) -> StreetPicture:
    """The state of the street in numbers; the devices that called last come first."""
    with store.read() as reader:
        street_id, epoch = rows.street_identity(reader)
        devices = rows.devices(reader)
        accounts = rows.accounts(reader)
    latest = sorted((d for d in devices if d.last_seen_at), key=lambda d: -d.last_seen_at)[:contacts]
    return StreetPicture(
        street_id,
        epoch,
        sum(d.revoked_at is None for d in devices),
        len(accounts),
        tuple(Contact(d.replica, d.last_seen_at, d.revoked_at is not None) for d in latest),
    )

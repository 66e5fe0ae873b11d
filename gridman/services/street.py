"""The street's own copy of the data, opened with what a street records: its journal and the feed its desks pull from."""

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
from gridman.kernel.words import N_
from gridman.services.accounts import create_user, password_hasher
from gridman.store import accounts as rows
from gridman.store.blobs import BlobStore
from gridman.store.database import open_postgresql, open_sqlite
from gridman.store.feed import StreetFeed
from gridman.store.folder_lock import hold_folder
from gridman.store.indexes import Indexer
from gridman.store.journal import StreetJournal
from gridman.store.keys import street_key
from gridman.store.store import Store, open_store
from gridman.store.unit import Unit

__all__ = ["Contact", "Street", "StreetPicture", "found_street", "hold_street_folder", "open_street", "street_picture"]

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
    database = open_sqlite(file, key, must_exist=must_exist) if database_url is None else open_postgresql(database_url)
    try:
        store = open_store(database, STREET_REPLICA, [StreetJournal(), StreetFeed(), Indexer()], clock)
        with store.unit(SYSTEM) as unit:
            rows.ensure_street(unit)
    except BaseException:
        database.close()
        raise
    return Street(data_dir, store, key, hasher or password_hasher())


@contextmanager
def hold_street_folder(data_dir: Path) -> Iterator[None]:
    """For the length of the block no second server may serve this folder; refuses with ``folder.in_use``."""
    with hold_folder(data_dir, "street.lock"):
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

"""Of which version of the schema a street's data is, and what was kept from before."""

from dataclasses import dataclass

from gridman.domain.access import Actor, require
from gridman.services.street import Street
from gridman.store.migrations import head, version_of

__all__ = ["DataVersion", "KeptCopy", "data_version"]


@dataclass(frozen=True)
class KeptCopy:
    """The data as it was before it was brought to `version` of the schema; `name`: its file in the street's folder."""

    name: str
    version: str
    made_at: int
    size_bytes: int


@dataclass(frozen=True)
class DataVersion:
    """`current`: of the data; `newest`: what this program writes. They are equal while it serves: it brings the data up before."""

    current: str
    newest: str
    copies: tuple[KeptCopy, ...]


def data_version(street: Street, actor: Actor) -> DataVersion:
    """The version, and the copies kept by migrations, the newest first."""
    require(actor, "account.manage")
    found = [*street.data_dir.glob("street.db.before-*"), *street.data_dir.glob("street.before-*.db")]
    copies = [
        KeptCopy(p.name, p.name.removesuffix(".db").rpartition("-")[2], int(p.stat().st_mtime * 1000), p.stat().st_size)
        for p in found
    ]
    return DataVersion(
        version_of(street.store.database) or "", head(), tuple(sorted(copies, key=lambda c: c.version, reverse=True))
    )

"""Data folders: which kind lies there, and opening it for a command."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridman.cli.secrets import ask_secret
from gridman.domain.access import SYSTEM, Actor
from gridman.kernel.errors import Refusal
from gridman.kernel.paths import default_data_dir
from gridman.kernel.words import N_, _
from gridman.services.street import Street
from gridman.store.store import Store

__all__ = [
    "Opened",
    "add_data",
    "add_login",
    "kind_of",
    "login_of",
    "open_folder",
    "opened_desk",
    "opened_street",
    "require_place",
]

PASSPHRASE = "GRIDMAN_PASSPHRASE"


@dataclass
class Opened:
    """A folder opened to be read or written. `kind`: "street" or "desk"; `blobs()`: where its photos lie."""

    kind: str
    folder: Path
    store: Store
    actor: Actor
    blobs: Callable[[], Any]


def add_data(parser: argparse.ArgumentParser, *, is_street: bool = False) -> None:
    """The arguments that name a data folder."""
    if is_street:
        parser.add_argument("--data", type=Path, required=True, metavar="DIR", help=_("folder of the street server"))
        add_database(parser)
    else:
        default = default_data_dir()
        text = _("data folder (default: {folder})").format(folder=default).replace("%", "%%")
        parser.add_argument("--data", type=Path, default=default, metavar="DIR", help=text)


def add_database(parser: argparse.ArgumentParser) -> None:
    """Where a street's data is, when not in its folder."""
    parser.add_argument("--database", metavar="URL", help=_("PostgreSQL of the street: postgresql://user@host/name"))


def add_login(parser: argparse.ArgumentParser) -> None:
    """Who works on the desk."""
    parser.add_argument(
        "--login", metavar="LOGIN", help=_("sign-in name; the passphrase is asked, or read from GRIDMAN_PASSPHRASE")
    )


def kind_of(folder: Path) -> str | None:
    """ "street", "desk", or None where there is neither."""
    if (folder / "street.key").exists() or (folder / "street.db").exists():
        return "street"
    return "desk" if (folder / "desk.json").exists() else None


def require_folder(folder: Path) -> None:
    """Refuses with ``cli.folder_missing`` where there is nothing at all."""
    if not folder.is_dir():
        raise Refusal(
            "cli.folder_missing",
            N_("The folder {folder} does not exist."),
            N_("Check --data; a desk is set up with gridman desk, a street with gridman street init."),
            folder=folder,
        )


def require_place(file: Path) -> None:
    """Refuses with ``cli.no_place`` where the folder of a file to write does not exist: a stick that is not mounted would be made a folder of
    the local disk, and nobody would notice before the stick is looked for what it should carry.
    """
    folder = file.absolute().parent
    if not folder.exists():
        raise Refusal(
            "cli.no_place",
            N_("The folder {folder} does not exist; nothing was written."),
            N_(
                "If it is on a stick or another disk, connect it and look where it is now; otherwise make the folder first."
            ),
            folder=folder,
        )


def login_of(folder: Path, login: str | None) -> str:
    """The login to open a desk with: as told, else the only one there is. Refuses with ``cli.folder_missing`` or ``cli.which_login``."""
    from gridman.services.signin import desk_users

    require_folder(folder)
    users = desk_users(folder)
    if login:
        return login
    if len(users) == 1:
        return users[0].login
    raise Refusal(
        "cli.which_login",
        N_("{folder} holds the desks of {count} users: {logins}."),
        N_("Say whose to open with --login."),
        folder=folder,
        count=len(users),
        logins=", ".join(user.login for user in users) or "-",
    )


@contextmanager
def opened_street(folder: Path, database: str | None = None, *, must_exist: bool = True) -> Iterator[Street]:
    """The street in `folder`, closed at the end."""
    from gridman.services.street import open_street

    street = open_street(folder, database, must_exist=must_exist)
    try:
        yield street
    finally:
        street.close()


@contextmanager
def opened_desk(folder: Path, login: str | None) -> Iterator[Any]:
    """A desk (`gridman.services.desk.Desk`) of `folder`, closed at the end."""
    from gridman.joining import sign_in_desk

    who = login_of(folder, login)
    desk = sign_in_desk(folder, who, ask_secret(PASSPHRASE, _("Passphrase of {login}").format(login=who)))
    try:
        yield desk
    finally:
        desk.close()


@contextmanager
def open_folder(folder: Path, login: str | None = None, database: str | None = None) -> Iterator[Opened]:
    """A street's or a desk's folder, whichever it is, ready for lists, reports and maps. On a street `login` says in whose name; without it
    the program itself acts. Refuses with ``cli.no_folder`` where there is neither, with ``cli.folder_missing`` where there is no folder.
    """
    if not database:
        require_folder(folder)
    kind = "street" if database else kind_of(folder)
    if kind == "street":
        with opened_street(folder, database) as street:
            yield Opened("street", folder, street.store, _actor_of(street, login), lambda: _street_blobs(street))
    elif kind == "desk":
        with opened_desk(folder, login) as desk:
            yield Opened("desk", folder, desk.store, desk.actor, lambda: desk.blobs)
    else:
        raise Refusal(
            "cli.no_folder",
            N_("There is neither a desk nor a street in {folder}."),
            N_("Check --data; a desk is set up with gridman desk, a street with gridman street init."),
            folder=folder,
        )


def _actor_of(street: Street, login: str | None) -> Actor:
    """The user `login` as an actor; the program itself without one. The lists of a street are made when they are asked for."""
    from gridman.domain.user import User
    from gridman.services.access import actor_of_user
    from gridman.store.soundness import bring_lists_up_to_date

    bring_lists_up_to_date(street.store)
    if login is None:
        return SYSTEM
    with street.store.read() as reader:
        user = reader.first(User, login=login)
        if user is None:
            raise unknown_login(login)
        return actor_of_user(reader, user.id)


def _street_blobs(street: Street) -> Any:
    from gridman.store.blobs import BlobStore

    return BlobStore(street.blobs, street.key)


def unknown_login(login: str) -> Refusal:
    """Nobody here signs in with that name."""
    return Refusal(
        "cli.unknown_login",
        N_("There is no user {login}."),
        N_("See gridman street user list for those there are."),
        login=login,
    )

"""The profile of a computer: who works here with which street, and which desks were left behind when one was set up anew.

A desk that its user left behind (a forgotten passphrase, a fresh start) stays in its folder with all that it has not sent. It is listed until
somebody opened it and nothing waited in it any more.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gridman.kernel.errors import Refusal
from gridman.kernel.files import write_whole
from gridman.kernel.words import N_
from gridman.store.keys import KeyFile, fold_login

__all__ = [
    "DESTROYED", "PROFILE", "DeskUser", "LeftDesk", "desk_users", "keep_profile", "known_server", "left_desks", "note_sent", "standing_desk",
]  # fmt: skip

_FORMAT = 1
PROFILE = "desk.json"
DESTROYED = "destroyed"
"""The mark in the folder of a destroyed desk that another program held open."""


class DeskUser(msgspec.Struct, frozen=True):
    """One line of the profile file: a user of this computer and the desk that is theirs."""

    login: str
    name: str
    user_id: int
    role: str
    organisation_id: int
    replica: int
    server_url: str
    street_id: str
    street_epoch: str


class _Profile(msgspec.Struct, frozen=True):
    """`server_url`: the street server known last, so that a computer whose desk was destroyed still knows whom to ask. `left`: the desks that
    their users left behind; `sent`: the numbers of those in which nothing waits any more.
    """

    format: int
    users: list[DeskUser]
    server_url: str = ""
    left: list[DeskUser] = []
    sent: list[int] = []


@dataclass(frozen=True)
class LeftDesk:
    """A desk beside those of the users of this computer. `is_sent`: nothing waited in it when it was opened last. Where no line of the
    profile tells of it, `user` is what its key file and the user's present desk say (`user_id` 0: unknown; `login` empty: keys unreadable).
    """

    user: DeskUser
    is_sent: bool


def desk_users(data_dir: Path) -> tuple[DeskUser, ...]:
    """Who can sign in on this computer, the latest first; empty when it was never set up. Refuses a damaged profile."""
    profile = _read(data_dir)
    return tuple(profile.users) if profile is not None else ()


def known_server(data_dir: Path) -> str:
    """The address of the street server that this computer worked with last; empty where none is known."""
    try:
        profile = _read(data_dir)
    except Refusal:
        return ""
    return next((u.server_url for u in profile.users), profile.server_url) if profile is not None else ""


def _read(data_dir: Path) -> _Profile | None:
    path = data_dir / PROFILE
    try:
        profile = msgspec.json.decode(path.read_bytes(), type=_Profile)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(
            "profile.damaged",
            N_("The profile file {path} cannot be read ({why})."),
            N_(
                "Put the copy from your last backup in its place, or enrol this computer again; the data itself is untouched."
            ),
            path=path,
            why=error,
        ) from error
    if profile.format != _FORMAT:
        raise Refusal(
            "profile.too_new",
            N_("The profile file {path} was written by a newer gridman."),
            N_("Install the newer version. Nothing was changed."),
            path=path,
        )
    return profile


def keep_profile(
    data_dir: Path,
    users: tuple[DeskUser, ...],
    server_url: str = "",
    follow: Callable[[DeskUser], DeskUser] = lambda user: user,
) -> None:
    """Write who works here. Who had another desk before has left that one behind; a number that is in use, or gone, is not. ``follow``: what
    becomes of the lines of desks that were left (their street moved too).
    """
    try:
        old = _read(data_dir)
    except Refusal:
        old = None
    known = {} if old is None else {u.replica: u for u in (*old.left, *old.users)}
    used, logins = {u.replica for u in users}, {u.login for u in users}
    past = set() if old is None else {u.replica for u in old.left}
    left = [u for u in known.values() if u.replica not in used and (u.replica in past or u.login in logins)]
    left = [u for u in left if (_folder(data_dir, u.replica) / "keys.json").exists()]
    sent = [] if old is None else old.sent
    _write(data_dir, _Profile(_FORMAT, list(users), server_url or users[0].server_url, [follow(u) for u in left], sent))


def _write(data_dir: Path, profile: _Profile) -> None:
    write_whole(data_dir / PROFILE, msgspec.json.format(msgspec.json.encode(profile), indent=1))


def _folder(data_dir: Path, replica: int) -> Path:
    return data_dir / f"desk-{replica}"


def left_desks(data_dir: Path) -> tuple[LeftDesk, ...]:
    """The desks in this folder with which nobody signs in any more, the lowest number first: those of the profile, and those of which only
    the folder tells (left before the profile named them, or by a profile that was damaged).
    """
    try:
        profile = _read(data_dir)
    except Refusal:
        profile = None
    if profile is None:
        profile = _Profile(_FORMAT, [])
    used, named = {u.replica for u in profile.users}, {u.replica: u for u in profile.left}
    found = []
    for number in _numbers(data_dir):
        if number not in used:
            user = named.get(number) or _guessed(data_dir, number, profile)
            found.append(LeftDesk(user, number in profile.sent))
    return tuple(found)


def _numbers(data_dir: Path) -> list[int]:
    """Of the desks that have a folder with anything to open in it."""
    found = []
    for folder in data_dir.glob("desk-*"):
        number = folder.name.removeprefix("desk-")
        is_desk = (folder / "keys.json").exists() and not (folder / DESTROYED).exists()
        if number.isascii() and number.isdecimal() and is_desk:
            found.append(int(number))
    return sorted(found)


def _guessed(data_dir: Path, number: int, profile: _Profile) -> DeskUser:
    login = ""
    with suppress(Refusal):
        login = next(iter(KeyFile.load(_folder(data_dir, number) / "keys.json").logins), "")
    now = next((u for u in (*profile.users, *profile.left) if u.login == login), None)
    if now is not None:
        return msgspec.structs.replace(now, replica=number)
    server_url = next((u.server_url for u in profile.users), profile.server_url)
    return DeskUser(login, login, 0, "", 0, number, server_url, "", "")


def standing_desk(data_dir: Path, login: str) -> DeskUser | None:
    """The desk that this sign-in name has here, which would be left behind if it were set up anew. Where the profile is damaged, the newest
    of the folders that its key opens. Refuses with ``profile.too_new``.
    """
    wanted = fold_login(login)
    try:
        return next((u for u in desk_users(data_dir) if u.login == wanted), None)
    except Refusal as refusal:
        if refusal.code != "profile.damaged":
            raise
    return next((d.user for d in reversed(left_desks(data_dir)) if d.user.login == wanted), None)


def note_sent(data_dir: Path, user: DeskUser) -> None:
    """Nothing waits any more in a desk that was left behind."""
    profile = _read(data_dir) or _Profile(_FORMAT, [], user.server_url)
    left = [*(u for u in profile.left if u.replica != user.replica), user]
    sent = sorted({*profile.sent, user.replica})
    _write(data_dir, msgspec.structs.replace(profile, left=left, sent=sent))

"""Sign-in at a desk, with or without a network: the profile file says who works here, a key file opens each one's data.

    DATA/desk.json            who works on this computer and with which street: no secrets
    DATA/language             the language chosen last, for the sign-in window, which opens before any desk does
    DATA/desk-REPLICA/        one enrolled user's desk: keys.json (the wrapped key), desk.db (encrypted), blobs/

Every user has a desk of their own on a shared computer: another replica number, another key, other scopes. So one person's passphrase
never opens what only another may see, and unsent work of two people never mixes.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from gridman.domain.access import Actor
from gridman.domain.user import User
from gridman.kernel.clock import Clock, system_clock
from gridman.kernel.errors import Refusal
from gridman.kernel.files import put_in_place, require_free_space, take_away, take_away_folder, write_whole
from gridman.kernel.words import LANGUAGES, N_
from gridman.services.audit import note
from gridman.services.enrolment import Enrolled, plain_name
from gridman.services.lease import keep_signer, note_time
from gridman.services.profile import (
    DESTROYED,
    PROFILE,
    DeskUser,
    LeftDesk,
    desk_users,
    keep_profile,
    known_server,
    left_desks,
    standing_desk,
)
from gridman.services.settings import DEVICE_NAME
from gridman.services.trust import keep_desk_authority
from gridman.store.database import Database, open_sqlite
from gridman.store.keys import DEFAULT_COST, Cost, KeyFile, check_passphrase, fold_login
from gridman.store.rotation import DESK, settle
from gridman.store.settings import get_setting, put_setting
from gridman.store.store import Store, open_store
from gridman.store.unit import Unit

__all__ = [
    "DeskParts", "DeskUser", "LeftDesk", "change_passphrase", "check_set_up", "desk_of", "desk_token",
    "desk_users", "destroy_desk", "keep_language", "keep_look", "keep_token", "kept_language", "kept_look", "known_server", "left_desk", "left_desks",
    "set_up_desk", "sign_in", "sign_in_left", "standing_desk", "stays_behind", "update_profile", "verify_passphrase",
]  # fmt: skip

_TOKEN = "street.token"
_LANGUAGE = "language"
_LOOK = "look"
_LARGE = "large"
_ROOM_BYTES = 64 << 20
"""A new desk with the records of a few grids, and what SQLite writes beside them meanwhile."""


@dataclass
class DeskParts:
    """An opened desk: its folder, the data key (it opens the photos too), the database, and who signed in."""

    folder: Path
    key: bytes = field(repr=False)
    database: Database
    user: DeskUser

    @property
    def replica(self) -> int:
        """The number of this desk."""
        return self.user.replica

    @property
    def user_id(self) -> int:
        """Who signed in."""
        return self.user.user_id

    @property
    def blobs(self) -> Path:
        """Where this desk's photos lie."""
        return self.folder / "blobs"


def kept_language(data_dir: Path) -> str:
    """The language chosen last on this computer; empty before the first time, and where the file does not say one."""
    try:
        code = (data_dir / _LANGUAGE).read_text("ascii").strip()
    except (OSError, UnicodeError):
        return ""
    return code if code in LANGUAGES else ""


def keep_language(data_dir: Path, code: str) -> None:
    """Remember it beside the profile. Where nothing can be written the window speaks it all the same, until it is closed."""
    with suppress(Refusal):
        write_whole(data_dir / _LANGUAGE, code.encode())


def kept_look(data_dir: Path) -> tuple[str, bool]:
    """The look ("dark", "light") last in use on this computer and whether its text was large; ("", False) before the first time. The desk
    keeps them too, but where one signs in it cannot be read yet.
    """
    try:
        said = (data_dir / _LOOK).read_text("ascii").split()
    except (OSError, UnicodeError):
        said = []
    return next((word for word in said if word != _LARGE), ""), _LARGE in said


def keep_look(data_dir: Path, name: str, *, is_large: bool) -> None:
    """Remember it beside the profile, if it can be written."""
    if kept_look(data_dir) != (name, is_large):
        with suppress(Refusal):
            write_whole(data_dir / _LOOK, (f"{name} {_LARGE}" if is_large else name).encode())


def _users_or_none(data_dir: Path) -> tuple[DeskUser, ...]:
    """Who can sign in here; a profile that cannot be read is put aside, so that the computer can be set up again."""
    try:
        return desk_users(data_dir)
    except Refusal as refusal:
        if refusal.code != "profile.damaged":
            raise
        with suppress(OSError):
            put_in_place(data_dir / PROFILE, data_dir / f"{PROFILE}.damaged")
        return ()


def _find(data_dir: Path, login: str) -> DeskUser | None:
    return next((u for u in desk_users(data_dir) if u.login == fold_login(login)), None)


def _get(data_dir: Path, login: str) -> DeskUser:
    found = _find(data_dir, login)
    if found is None:
        raise Refusal(
            "signin.unknown_here",
            N_("{login} has not been set up on this computer."),
            N_("Connect to the street server once and enrol this computer for that user."),
            login=login,
        )
    return found


def _folder(data_dir: Path, user: DeskUser) -> Path:
    return data_dir / f"desk-{user.replica}"


def desk_of(data_dir: Path, login: str) -> tuple[DeskUser, Path]:
    """A user's profile line and folder. Refuses with ``signin.unknown_here``."""
    user = _get(data_dir, login)
    return user, _folder(data_dir, user)


def _settled(data_dir: Path, user: DeskUser) -> Path:
    """The user's folder, after a change of keys that was cut off was finished or forgotten."""
    folder = _folder(data_dir, user)
    settle(folder, DESK)
    return folder


def check_set_up(data_dir: Path, login: str, passphrase: str, *, again: bool = False) -> None:
    """What can be known here before the street is asked: afterwards a one-time code is used up, whatever becomes of the desk.

    Refuses with ``passphrase.weak``, ``desk.already_set_up``, ``profile.too_new``, ``disk.full``, ``file.cannot_write``.
    """
    check_passphrase(passphrase, login)
    standing = standing_desk(data_dir, login)
    if standing is not None and not again:
        raise stays_behind(data_dir, standing)
    require_free_space(data_dir, _ROOM_BYTES)
    trial = data_dir / "trial"
    write_whole(trial, b"")
    take_away(trial)


def stays_behind(data_dir: Path, user: DeskUser) -> Refusal:
    """What becomes of a user's desk that is left behind for a new one: the refusal until they mean it, and what they are told then."""
    return Refusal(
        "desk.already_set_up",
        N_(
            "This computer is already set up for {login}, with desk {number}. If it is set up anew, that desk stays in the data folder; what "
            "it has not sent stays in it and is not shown afterwards."
        ),
        N_(
            "If you know its passphrase, sign in and synchronise first. Later it is sent where one signs in (User: Left behind), or with: "
            'gridman sync --left {number} --data "{folder}"'
        ),
        login=user.login,
        number=user.replica,
        folder=data_dir,
    )


def set_up_desk(
    data_dir: Path,
    enrolled: Enrolled,
    server_url: str,
    passphrase: str,
    clock: Clock = system_clock,
    *,
    device_name: str = "",
    authority: bytes = b"",
    again: bool = False,
    cost: Cost = DEFAULT_COST,
) -> DeskParts:
    """After enrolment: make the key file and the encrypted store, keep the token in it, and enter the user in the profile, last:
    a set-up that was cut off leaves nothing that looks finished, one that failed no folder. ``device_name`` is printed on
    this desk's sheets; ``authority`` (PEM) is the one whose street server this desk believes from now on.

    ``again``: the user starts anew (forgotten passphrase, revoked desk); the old desk's folder stays, and is listed (`left_desks`).
    Refuses with ``desk.already_set_up``, ``passphrase.weak``.
    """
    _sweep_remains(data_dir)
    login = fold_login(enrolled.login)
    known = _users_or_none(data_dir)
    others = tuple(u for u in known if u.login != login)
    if not again and len(others) < len(known):
        raise stays_behind(data_dir, next(u for u in known if u.login == login))
    user = DeskUser(
        login=login,
        name=enrolled.name,
        user_id=enrolled.user_id,
        role=enrolled.role,
        organisation_id=enrolled.organisation_id,
        replica=enrolled.replica,
        server_url=server_url.rstrip("/"),
        street_id=enrolled.street_id,
        street_epoch=enrolled.street_epoch,
    )
    folder = _folder(data_dir, user)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _, key = KeyFile.create(folder / "keys.json", login, passphrase, cost)
        database = open_sqlite(folder / "desk.db", key)
        try:
            with open_store(database, user.replica, [], clock).unit(_actor(user)) as unit:
                keep_token(unit, enrolled.token)
                keep_desk_authority(unit, authority)
                keep_signer(unit, enrolled.signer, enrolled.ticket)
                put_setting(unit, DEVICE_NAME, plain_name(device_name))
                note(unit, "enrol", "user", user.user_id, device=user.replica)
            keep_profile(data_dir, (user, *others))
        except BaseException:
            database.close()
            raise
    except BaseException:
        take_away_folder(folder)  # its number is new: nobody's work lies there
        raise
    return DeskParts(folder, key, database, user)


def _actor(user: DeskUser) -> Actor:
    return Actor(user.user_id, user.name, user.role, user.organisation_id, frozenset(), user.replica)


def sign_in(data_dir: Path, login: str, passphrase: str, clock: Clock = system_clock) -> DeskParts:
    """Open the user's desk; no network is needed. The caller opens the store on the parts, with the recorders of a desk.

    Refuses with ``signin.unknown_here``, ``signin.wrong_passphrase``, ``signin.wait``, ``signin.locked``, ``keys.*``, ``store.*``.
    """
    _sweep_remains(data_dir)
    return _opened(data_dir, _get(data_dir, login), passphrase, clock)


def sign_in_left(data_dir: Path, number: int, passphrase: str, clock: Clock = system_clock) -> DeskParts:
    """Open the desk ``number``, which its user left behind, with its own passphrase. Refuses with ``desk.none_left`` where there is no such
    desk, and like `sign_in`.
    """
    return _opened(data_dir, left_desk(data_dir, number).user, passphrase, clock)


def left_desk(data_dir: Path, number: int) -> LeftDesk:
    """The desk ``number``, left behind in this folder. Refuses with ``desk.none_left``, which names those there are."""
    left = left_desks(data_dir)
    found = next((desk for desk in left if desk.user.replica == number), None)
    if found is None:
        raise Refusal(
            "desk.none_left",
            N_("No desk {number} was left behind in {folder}; there are: {numbers}."),
            N_("Check the number and --data; gridman doctor lists the desks that were left behind."),
            number=number,
            folder=data_dir,
            numbers=", ".join(str(desk.user.replica) for desk in left) or "-",
        )
    return found


def _opened(data_dir: Path, user: DeskUser, passphrase: str, clock: Clock) -> DeskParts:
    login = user.login
    folder = _settled(data_dir, user)
    keys = KeyFile.load(folder / "keys.json")
    failed = keys.failures(login)
    key = keys.open(login, passphrase, clock())
    database = open_sqlite(folder / "desk.db", key, must_exist=True)
    store = open_store(database, user.replica, [], clock)
    user = _completed(store, user)
    with store.unit(_actor(user)) as unit:
        if failed:  # failures could not be written while the file was shut
            note(unit, "sign_in_failed", "user", user.user_id, times=failed)
        note(unit, "sign_in", "user", user.user_id)
        note_time(unit)
    return DeskParts(folder, key, database, user)


def _completed(store: Store, user: DeskUser) -> DeskUser:
    """With what only the desk itself knows of its user, where the profile that told it is gone."""
    if user.user_id:
        return user
    with store.read() as reader:
        known = reader.first(User, login=user.login)
    if known is None:
        return user
    return msgspec.structs.replace(
        user, name=known.name, user_id=known.id, role=known.role, organisation_id=known.organisation_id
    )


def verify_passphrase(data_dir: Path, login: str, passphrase: str, clock: Clock = system_clock) -> None:
    """Refuse unless `passphrase` opens the user's desk (after an idle lock); wrong ones count like at sign-in."""
    KeyFile.load(_settled(data_dir, _get(data_dir, login)) / "keys.json").open(login, passphrase, clock())


def change_passphrase(
    folder: Path, login: str, old: str, new: str, clock: Clock = system_clock, *, cost: Cost = DEFAULT_COST
) -> None:
    """Another passphrase for the open desk in its ``folder`` (`DeskParts.folder`); the data is not rewritten.

    Refuses with ``signin.wrong_present``, and what `KeyFile.change` refuses.
    """
    try:
        KeyFile.load(folder / "keys.json").change(login, old, new, clock(), cost)
    except Refusal as refusal:
        if refusal.code != "signin.wrong_passphrase":
            raise
        raise Refusal(
            "signin.wrong_present",
            N_("The present passphrase is wrong; nothing was changed."),
            N_("Type the one with which you sign in here; check Caps Lock and the input method."),
        ) from refusal


def update_profile(
    data_dir: Path, login: str, *, server_url: str | None = None, street_epoch: str | None = None
) -> DeskUser:
    """Note that the street server moved to another address, or was restored from a backup (another epoch); returns the user's new line.
    Who else works here with the same street at the same old address follows to the new one: each desk believes its own authority only.
    """
    old = _get(data_dir, login)
    url = (server_url or old.server_url).rstrip("/")
    new = msgspec.structs.replace(old, server_url=url, street_epoch=street_epoch or old.street_epoch)

    def follow(user: DeskUser) -> DeskUser:
        if user.replica == old.replica:
            return new
        is_along = (user.street_id, user.server_url) == (old.street_id, old.server_url)
        return msgspec.structs.replace(user, server_url=url) if is_along else user

    keep_profile(data_dir, tuple(follow(u) for u in desk_users(data_dir)), follow=follow)
    return new


def destroy_desk(folder: Path, user: DeskUser, let_go: Callable[[], None]) -> None:
    """Destroy an open desk in its `folder`: the key first, which alone makes the data unreadable, then, after `let_go` has closed them, the
    files, and its profile line. What another program has open on Windows stays, unreadable, until somebody next signs in here.
    """
    take_away(folder / "keys.json")
    let_go()
    if not take_away_folder(folder):
        with suppress(Refusal):
            write_whole(folder / DESTROYED, b"")
    others = tuple(u for u in desk_users(folder.parent) if u.replica != user.replica)
    keep_profile(folder.parent, others, user.server_url)


def _sweep_remains(data_dir: Path) -> None:
    """Delete what had to be left of destroyed desks."""
    for mark in data_dir.glob(f"desk-*/{DESTROYED}"):
        take_away_folder(mark.parent)


def desk_token(store: Store) -> str:
    """The token this desk shows the street server."""
    with store.read() as reader:
        token = get_setting(reader, _TOKEN)
    if not token:
        raise Refusal(
            "desk.not_enrolled",
            N_("This computer is not enrolled with a street server."),
            N_("Enrol it: the street's administrator gives you a code."),
        )
    return token


def keep_token(unit: Unit, token: str) -> None:
    """Keep the token inside the encrypted store; replaces the one before a rotation."""
    put_setting(unit, _TOKEN, token)

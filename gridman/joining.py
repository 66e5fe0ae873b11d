"""Where the parts of a desk and of a street are chosen and joined. Only the command line and the demonstration stand above it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridman.domain import codes
from gridman.domain.access import Actor
from gridman.geo.standalone import IncidentCard, standalone_page
from gridman.geo.tiles import GridShape
from gridman.kernel.clock import Clock, show_instant, system_clock
from gridman.kernel.errors import Refusal
from gridman.kernel.files import os_trouble
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.kernel.words import N_
from gridman.services import maps
from gridman.services.desk import Desk, actor_here
from gridman.services.enrolment import Enrolled
from gridman.services.incidents import IncidentQuery, incident_ids, incident_rows
from gridman.services.lease import lease_of, require_lease
from gridman.services.profile import LeftDesk, left_desks, note_sent
from gridman.services.signin import (
    DeskParts,
    DeskUser,
    check_set_up,
    desk_users,
    keep_language,
    keep_look,
    kept_language,
    kept_look,
    known_server,
    set_up_desk,
    sign_in,
    sign_in_left,
    verify_passphrase,
)  # fmt: skip
from gridman.services.trust import Invitation, check_street, read_invitation
from gridman.store.blobs import BlobStore
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal
from gridman.store.outbox import waiting_count
from gridman.store.photo_queue import unsent_photos
from gridman.store.replay import receiving
from gridman.store.store import open_store
from gridman.store.unit import Reader
from gridman.sync.http import enrol_over_http, fetch_authority, is_plain, take_back_over_http
from gridman.sync.retry import AWAY
from gridman.sync.session import DeskSync

__all__ = [
    "DeskDoor", "LeftSent", "enrol_desk", "incident_page", "join_desk", "move_desk", "send_left_desk", "sign_in_desk",
]  # fmt: skip


def join_desk(parts: DeskParts, clock: Clock = system_clock) -> Desk:
    """The desk on opened parts: store with outbox and indexes, photos, connection to its street."""
    store = open_store(parts.database, parts.user.replica, [DeskJournal(), Indexer()], clock)
    with receiving(store) as replay:
        replay.take_deferred()  # before anybody edits what an older version of the program could not show
    blobs = BlobStore(parts.blobs, parts.key)
    actor: Actor = actor_here(store, parts.user)
    return Desk(store, parts.user, blobs, parts.folder, DeskSync(store, blobs, parts.user), actor)


def sign_in_desk(data_dir: Path, login: str, passphrase: str, clock: Clock = system_clock) -> Desk:
    """Open the desk of `login` on this computer. No network is needed, unless the desk was without its street for too long: then the street
    is asked first, and without it the desk stays shut (``signin.expired``).
    """
    desk = join_desk(sign_in(data_dir, login, passphrase, clock), clock)
    try:
        _require_lease(desk)
    except BaseException:
        desk.close()
        raise
    return desk


def move_desk(data_dir: Path, login: str, passphrase: str, url: str, clock: Clock = system_clock) -> DeskUser:
    """`Desk.change_server` without a window. Works also where the desk was too long without its street: that may be because the street moved.
    Nothing of the desk is shown.
    """
    desk = join_desk(sign_in(data_dir, login, passphrase, clock), clock)
    try:
        return desk.change_server(url)
    finally:
        desk.close()


@dataclass(frozen=True)
class LeftSent:
    """What came of sending the desk ``number`` that was left behind, in ``folder``. ``waiting``: operations and photos that still wait in it;
    ``result``: of the exchange, None where the street refused it with ``problem`` though nothing waits.
    """

    number: int
    folder: Path
    waiting: int
    result: Any = None
    problem: Refusal | None = None


def send_left_desk(
    data_dir: Path, number: int, passphrase: str, exchange: Callable[[Desk], Any], clock: Clock = system_clock
) -> LeftSent:
    """Open the desk ``number``, which its user left behind for a new one, and have ``exchange`` synchronise it; for nothing else, so how long
    it was without its street does not count. Once nothing waits in it, nobody is told of it any more.

    Refuses with ``desk.none_left``, like `sign_in`, and like `Desk.synchronise` while something waits.
    """
    desk = join_desk(sign_in_left(data_dir, number, passphrase, clock), clock)
    result, problem = None, None
    try:
        try:
            result = exchange(desk)
        except Refusal as refusal:
            # Destroyed, it is closed, and the refusal says what became of its work; a copy may have handed all over already.
            if refusal.code == "desk.destroyed" or _waiting(desk):
                raise
            problem = refusal
        waiting = _waiting(desk)
        if not waiting:
            note_sent(data_dir, desk.profile)
        return LeftSent(number, desk.data_dir, waiting, result, problem)
    finally:
        desk.close()


def _waiting(desk: Desk) -> int:
    with desk.store.read() as reader:
        return waiting_count(reader) + len(unsent_photos(reader, desk.profile.replica))


def _require_lease(desk: Desk) -> None:
    with desk.store.read() as reader:
        if not lease_of(reader).is_over:
            return
    try:
        desk.synchronise()
    except Refusal as refusal:
        if refusal.code not in AWAY:
            raise
    with desk.store.read() as reader:
        require_lease(reader)


def enrol_desk(
    data_dir: Path,
    server_url: str,
    login: str,
    passphrase: str,
    *,
    password: str | None = None,
    code: str | None = None,
    device_name: str = "",
    fingerprint: str = "",
    clock: Clock = system_clock,
    again: bool = False,
) -> Desk:
    """Set this computer up for `login`: make sure of the street server, ask it, then make the encrypted desk that `passphrase` opens.

    ``code``: as typed or scanned (`trust.read_invitation`); a scanned one names the server itself. ``fingerprint``: the street's, compared
    by a person, where the code does not carry it. Refuses with ``enrol.confirm_street``, ``sync.untrusted`` before anything is sent, and for
    what is wrong on this computer before the code is used up (`check_set_up`). What fails after that takes the enrolment back, so that the
    code works again; ``enrol.half_done`` where the street could not be told.
    """
    check_set_up(data_dir, login, passphrase, again=again)
    invitation = read_invitation(code) if code is not None else Invitation("")
    server_url = invitation.url or server_url
    authority = fetch_authority(server_url)
    if authority or not is_plain(server_url):
        check_street(authority, server_url, invitation.fingerprint or fingerprint)
    enrolled = enrol_over_http(
        server_url, login, device_name, password=password, code=invitation.code or None, authority=authority
    )
    try:
        parts = set_up_desk(
            data_dir, enrolled, server_url, passphrase, clock, device_name=device_name, authority=authority, again=again
        )
    except Exception as error:
        _take_back(server_url, enrolled, authority, error)
        raise
    desk = join_desk(parts, clock)
    if isinstance(desk.synchroniser, DeskSync):
        with suppress(Refusal):  # cut off just now: the first synchronisation does it
            desk.synchroniser.introduce()
    return desk


def _take_back(server_url: str, enrolled: Enrolled, authority: bytes, error: Exception) -> None:
    """The street has a computer that there is not: have it forget it. Refuses with ``enrol.half_done`` where it does not."""
    try:
        take_back_over_http(server_url, enrolled.token, authority=authority)
    except Refusal as unheard:
        told = error if isinstance(error, Refusal) else os_trouble(error)
        raise Refusal(
            "enrol.half_done",
            N_("The street entered this computer as number {number}, but it could not be set up here: {why}"),
            N_(
                "Mend that, then ask the street's administrator for another code, and to shut out computer {number}: it was never in use."
            ),
            number=enrolled.replica,
            why=told.words() if told is not None else type(error).__name__,
        ) from unheard


class DeskDoor:
    """What the sign-in window needs of a data folder (`gridman.ui.signin.Door`)."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def users(self) -> Sequence[DeskUser]:
        """Who can sign in here."""
        return desk_users(self.data_dir)

    @property
    def language(self) -> str:
        """The language chosen last on this computer; empty before the first time."""
        return kept_language(self.data_dir)

    @property
    def server_url(self) -> str:
        """The street server this computer worked with last; empty where none is known."""
        return known_server(self.data_dir)

    def keep_language(self, code: str) -> None:
        """Remember it for the next sign-in."""
        keep_language(self.data_dir, code)

    @property
    def look(self) -> tuple[str, bool]:
        """The look last in use on this computer (empty before the first time), and whether its text was large."""
        return kept_look(self.data_dir)

    def keep_look(self, name: str, is_large: bool) -> None:
        """Remember it for the next sign-in."""
        keep_look(self.data_dir, name, is_large=is_large)

    def open(self, login: str, passphrase: str) -> Desk:
        """The opened desk."""
        return sign_in_desk(self.data_dir, login, passphrase)

    def set_up(
        self, server_url: str, login: str, secret: str, is_code: bool, passphrase: str, device_name: str,
        progress: Progress = quiet, ticket: Ticket | None = None, fingerprint: str = "", leaves: bool = False,
    ) -> Desk:  # fmt: skip
        """Enrol this computer with a password or a one-time code, open the new desk and fetch its records. ``fingerprint``: the street's,
        once a person has compared it. ``leaves``: they mean to leave the desk behind that they have here (``desk.already_set_up``).
        """
        desk = enrol_desk(
            self.data_dir, server_url, login, passphrase, password=None if is_code else secret, code=secret if is_code else None,
            device_name=device_name, fingerprint=fingerprint, again=leaves,
        )  # fmt: skip
        desk.synchronise(progress, ticket)
        return desk

    def left(self) -> Sequence[LeftDesk]:
        """The desks left behind here in which work may wait."""
        return [desk for desk in left_desks(self.data_dir) if not desk.is_sent]

    def send_left(
        self, number: int, passphrase: str, progress: Progress = quiet, ticket: Ticket | None = None
    ) -> LeftSent:
        """Have one of them send what waits in it."""
        return send_left_desk(self.data_dir, number, passphrase, lambda desk: desk.synchronise(progress, ticket))

    def unlock(self, desk: Desk, passphrase: str) -> None:
        """Refuse unless this is the passphrase of the desk's user."""
        verify_passphrase(self.data_dir, desk.profile.login, passphrase)
        _require_lease(desk)


def incident_page(reader: Reader, language: str, progress: Progress = quiet) -> tuple[str, int]:
    """All incidents with a place, as one page that opens in any browser without a network; and how many they are."""
    import shapely

    from gridman.geo.features import MapFeature

    overview = maps.overview(reader)
    base = maps.tile(reader, (overview.west, overview.south, overview.east, overview.north), ("base",)).base
    rows = [
        r
        for r in incident_rows(reader, list(incident_ids(reader, IncidentQuery())))
        if r.lng is not None and r.lat is not None
    ]
    features = [
        MapFeature(_layer(f.layer), f.kind or "", f.name or "", shapely.from_wkb(f.shape)) for f in base if f.shape
    ]
    grids = [
        GridShape(g.id, g.code, g.name, shapely.from_wkb(g.shape), g.community_id) for g in overview.grids if g.shape
    ]
    cards = [
        IncidentCard(
            r.id,
            r.state,
            r.lng or 0.0,
            r.lat or 0.0,
            r.number,
            codes.word("incident_category", r.category),
            r.place,
            show_instant(r.reported_at),
        )
        for r in rows
    ]
    return standalone_page(features, grids, cards, language, attribution=overview.attribution, progress=progress), len(
        cards
    )


def _layer(name: str) -> Any:
    return name

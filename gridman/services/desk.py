"""The open desk: one user's copy of the data on this computer, and the way to the street server."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gridman.domain.access import Actor
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.kernel.words import N_
from gridman.services.access import actor_of_user
from gridman.services.audit import note
from gridman.services.outbox import note_round
from gridman.services.photos import Blobs
from gridman.services.signin import DeskUser, change_passphrase, destroy_desk, update_profile
from gridman.store.changes import Changes
from gridman.store.store import Store

__all__ = ["Desk", "Synchroniser"]


class Synchroniser(Protocol):
    """The desk's connection with the street server (made by `gridman.sync`; services know only this)."""

    on_changes: Callable[[Changes], None] | None

    def run(self, progress: Progress, ticket: Ticket | None) -> Any:
        """One whole synchronisation; see `gridman.sync.exchange.RoundResult`."""

    def status(self) -> Any:
        """The state in words; see `gridman.sync.exchange.SyncStatus`."""

    def fetch_photo(self, sha256: str, progress: Progress, ticket: Ticket | None) -> bytes:
        """A photo's whole content, from here or from the street; see `gridman.sync.photos.PhotoLane.fetch`."""

    def hurry(self) -> None:
        """Rows are waited for: photos under way let them pass."""

    def listen(self, heard: Callable[[Any], None], ticket: Ticket) -> None:
        """Hear of changes at the street, see `gridman.sync.listening`, until `ticket` is cancelled."""

    def check_address(self, url: str) -> None:
        """Refuse unless the very street of this desk answers at `url`; see `gridman.sync.moving.check_address`."""

    def move_to(self, user: DeskUser) -> None:
        """From the next call on speak with the street where `user` says it is."""

    def close(self) -> None:
        """Let go of the connection."""


@dataclass
class Desk:
    """What the window and the command line work on. `profile`: who this computer was set up for, and where the street server is;
    `data_dir`: the folder of this user's desk, within that of the computer.
    """

    store: Store
    profile: DeskUser
    blobs: Blobs
    data_dir: Path
    synchroniser: Synchroniser
    actor: Actor

    def refresh_actor(self) -> Actor:
        """Read the user's role and grids anew: they may have changed with what the street sent."""
        self.actor = actor_here(self.store, self.profile)
        return self.actor

    def synchronise(self, progress: Progress = quiet, ticket: Ticket | None = None) -> Any:
        """Send what waits and receive what is new. What came of it is kept for the Sync page."""
        started_at = self.store.clock()
        try:
            result = self.synchroniser.run(progress, ticket)
        except Refusal as refusal:
            if refusal.code == "auth.device_revoked":
                raise self._destroyed(refusal) from refusal
            note_round(self.store, started_at, refusal=refusal)
            raise
        note_round(self.store, started_at, result)
        self.refresh_actor()
        return result

    def fetch_photo(self, sha256: str, progress: Progress = quiet, ticket: Ticket | None = None) -> bytes:
        """The whole of a photo of which there is a record here. Refuses with ``blob.missing`` while the street has not got it either."""
        return self.synchroniser.fetch_photo(sha256, progress, ticket)

    def tell_changes(self, hear: Callable[[Changes], None]) -> None:
        """Tell of rows that passed photos under way as they come, from the thread that synchronises."""
        self.synchroniser.on_changes = hear

    def hurry(self) -> None:
        """Somebody waits for rows while photos are under way."""
        self.synchroniser.hurry()

    def _destroyed(self, revoked: Refusal) -> Refusal:
        """The street, and nobody else (its certificate and this desk's token say so), has removed this computer: leave nothing here."""
        self.synchroniser.close()
        destroy_desk(self.data_dir, self.profile, self.store.close)
        handed_over, left = (int(str(revoked.params.get(name, 0))) for name in ("handed_over", "left"))
        if left:
            remedy = N_(
                "{left} changes had not been sent and could not be handed over any more; the others are in the street's "
                "review list (entries: {count}). To go on here, ask for an enrolment code."
            )
        else:
            remedy = N_(
                "Work that had not been sent went to the street's review list (entries: {count}). To go on here, ask for an enrolment code."
            )
        return Refusal(
            "desk.destroyed",
            N_("The street removed this computer from its list: the records of {name} on it were destroyed."),
            remedy,
            name=self.profile.name,
            count=handed_over,
            left=left,
        )

    def listen(self, heard: Callable[[Any], None], ticket: Ticket) -> None:
        """Hear of changes at the street until `ticket` is cancelled: blocks, so it wants a thread of its own."""
        self.synchroniser.listen(heard, ticket)

    def change_passphrase(self, old: str, new: str) -> None:
        """Another passphrase for this desk; the next sign-in asks for it."""
        change_passphrase(self.data_dir, self.profile.login, old, new, self.store.clock)

    def change_server(self, url: str) -> DeskUser:
        """The street server has another address, `url`: make sure that this very street answers there, then keep it, for all who work on this
        computer with that street. Refuses with ``desk.*``, ``sync.*``; then the old address stays.
        """
        wanted = url.strip().rstrip("/")
        self.synchroniser.check_address(wanted)
        self.profile = update_profile(self.data_dir.parent, self.profile.login, server_url=wanted)
        self.synchroniser.move_to(self.profile)
        with self.store.unit(self.actor) as unit:
            note(unit, "move_server")
        return self.profile

    def status(self) -> Any:
        """How things stand with the street server."""
        return self.synchroniser.status()

    def close(self) -> None:
        """Let go of the connection and the files."""
        self.synchroniser.close()
        self.store.close()


def actor_here(store: Store, profile: DeskUser) -> Actor:
    """The signed-in user as an actor; before the first synchronisation only the profile is known."""
    with store.read() as reader:
        if reader.find(User, profile.user_id) is not None:
            return actor_of_user(reader, profile.user_id, profile.replica)
    return Actor(profile.user_id, profile.name, profile.role, profile.organisation_id, frozenset({0}), profile.replica)

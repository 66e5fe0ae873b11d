"""What the window and the command line do with bundles at an open desk."""

from pathlib import Path

from gridman.domain.access import SYSTEM
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.services.desk import Desk
from gridman.services.lease import keep_ticket
from gridman.services.outbox import note_round
from gridman.store.blobs import BlobStore
from gridman.sync.bundle import DeskBundles, TakenBack, Written

__all__ = ["bring_back", "carry"]


def _side(desk: Desk) -> DeskBundles:
    if not isinstance(desk.blobs, BlobStore):
        raise TypeError("a desk that is carried has its photos in files")
    return DeskBundles(desk.store, desk.blobs, desk.actor, desk.profile.street_id)


def carry(desk: Desk, path: Path, progress: Progress = quiet, ticket: Ticket | None = None) -> Written:
    """Write what waits at the desk to a bundle. Refuses with ``bundle.no_keys``, ``disk.full``."""
    return _side(desk).write(path, progress, ticket)


def bring_back(desk: Desk, path: Path, progress: Progress = quiet, ticket: Ticket | None = None) -> TakenBack:
    """Take in the street's answer; like a synchronisation it is told on the Sync page. Refuses with ``bundle.*``."""
    started_at = desk.store.clock()
    try:
        taken = _side(desk).take_back(path, progress, ticket)
    except Refusal as refusal:
        note_round(desk.store, started_at, refusal=refusal)
        raise
    if taken.ticket:
        with desk.store.unit(SYSTEM) as unit:
            keep_ticket(unit, taken.ticket)
    if not taken.is_stale:
        note_round(desk.store, started_at, taken)
        desk.refresh_actor()
    return taken

"""A desk's whole round, as the window starts it."""

from pathlib import Path
from typing import Any

import pytest

from gridman.kernel.errors import Refusal
from gridman.services.signin import DeskUser
from gridman.store.blobs import BlobStore
from gridman.store.changes import Changes
from gridman.store.replay import receiving
from gridman.store.store import put_meta
from gridman.sync.session import DeskSync
from tests.sync.world import Desk, World


class FallingLine:
    """The desk's street behind a line that falls after `holds` messages."""

    def __init__(self, desk: Desk, holds: int) -> None:
        self._street, self._left = desk.street, holds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._street, name)

    def exchange(self, request: Any) -> Any:
        if not self._left:
            raise Refusal("sync.unreachable", "The street server cannot be reached.")
        self._left -= 1
        return self._street.exchange(request)


def test_what_came_before_the_line_fell_is_told_to_the_screens(world: World, tmp_path: Path) -> None:
    desk = world.desk()
    world.add_households(0, 3)
    with receiving(desk.store) as replay:
        put_meta(replay.connection, "sync_page", "4")
    user = DeskUser("worker", "Worker", desk.user_id, "grid_worker", 1, desk.store.replica, "http://street", "s", "e")
    sync = DeskSync(desk.store, BlobStore(tmp_path / "blobs", bytes(32)), user)
    sync._street = FallingLine(desk, 2)  # type: ignore[assignment]
    shown: list[Changes] = []
    sync.on_changes = shown.append
    with pytest.raises(Refusal):
        sync.run()
    assert shown and shown[-1], "it is in the desk's file, and no list would show it until the next round that holds"

"""Sync page without a network: the buttons write a bundle that the street can open, and say in words what came back."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from gridman.services import outbox
from gridman.store.blobs import BlobStore
from gridman.store.bundle_keys import desk_seed, keep_street_keys
from gridman.sync.codec import decode_request
from gridman.sync.farewell import note_copy
from gridman.sync.seal import Header, Keys, open_sealed, seal
from tests.support.desk import Desk
from tests.support.keys import Keys as Keyboard

pytestmark = pytest.mark.gui
STREET = Keys.from_seed(bytes(range(32)))


@pytest.fixture
def said(
    open_window: Callable[..., Any], ground_desk: Desk, qtbot: QtBot, tmp_path: Path
) -> tuple[Any, Keyboard, list[str]]:
    """The Sync page of a desk that knows its street's keys, and what the window says."""
    with ground_desk.store.unit(ground_desk.actor) as unit:
        keep_street_keys(unit, STREET.public)
    ground_desk.profile = SimpleNamespace(**vars(ground_desk.profile), street_id="0123456789abcdef")  # type: ignore[assignment]
    ground_desk.blobs = BlobStore(tmp_path / "blobs", bytes(32))
    session = open_window("grid_worker", "sync")
    told: list[str] = []
    session.shell.toasted.connect(lambda toast: told.append(toast.text))
    return session.window.current_page.status.stick, Keyboard(qtbot, session), told


def test_what_waits_is_written_for_the_street_alone(said: Any, ground_desk: Desk, tmp_path: Path) -> None:
    stick, keys, told = said
    with ground_desk.store.read() as reader:
        waiting = outbox.counts(reader)["waiting"]
    stick.write_to(tmp_path / "zhou")
    keys.rest()
    desk_keys = Keys.from_seed(desk_seed(ground_desk.store, ground_desk.actor))
    _header, content = open_sealed((tmp_path / "zhou.gridman").read_bytes(), STREET, desk_keys.public)
    requests = [decode_request(body) for body in msgspec.msgpack.decode(content)[0]]
    assert sum(len(r.ops) for r in requests) == waiting > 10
    assert f"{waiting} pieces of work" in told[-1] and stick.out.isEnabled()


def test_what_cannot_be_used_is_told_in_words(said: Any, ground_desk: Desk, tmp_path: Path) -> None:
    stick, keys, told = said
    (tmp_path / "x.gridman").write_bytes(b"holiday pictures")
    stick.take_from(tmp_path / "x.gridman")
    keys.rest()
    assert "no bundle" in told[-1]
    profile = ground_desk.profile
    header = Header(True, profile.street_id, ground_desk.store.replica, 0)
    desk_keys = Keys.from_seed(desk_seed(ground_desk.store, ground_desk.actor))
    (tmp_path / "old.gridman").write_bytes(seal(header, msgspec.msgpack.encode([[], [], ""]), STREET, desk_keys.public))
    stick.take_from(tmp_path / "old.gridman")
    keys.rest()
    assert "nothing was changed" in told[-1]


@pytest.mark.parametrize(
    ("parting", "words"),
    [(["retired_desk", [], False], "removed this computer from its list"), (["copied_desk", [], True], "holds a copy of this desk")],
)  # fmt: skip
def test_what_became_of_the_computer_is_told(
    said: Any, ground_desk: Desk, tmp_path: Path, parting: list[Any], words: str
) -> None:
    stick, keys, told = said
    header = Header(True, ground_desk.profile.street_id, ground_desk.store.replica, 0)
    desk_keys = Keys.from_seed(desk_seed(ground_desk.store, ground_desk.actor))
    content = msgspec.msgpack.encode([[], [], "", b"", parting])
    (tmp_path / "back.gridman").write_bytes(seal(header, content, STREET, desk_keys.public))
    stick.take_from(tmp_path / "back.gridman")
    keys.rest()
    assert words in told[-1]


def test_a_copy_is_told_where_its_bundle_goes(said: Any, ground_desk: Desk, tmp_path: Path) -> None:
    stick, keys, told = said
    note_copy(ground_desk.store)
    stick.write_to(tmp_path / "zhou.gridman")
    keys.rest()
    assert "goes to the street's review list" in told[-1]

"""A photo of a colleague: the small one at once, the whole one on Enter or a click, with progress, a way to stop, and words when it fails."""

import hashlib
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gridman.domain.access import SYSTEM
from gridman.domain.attachment import Attachment
from gridman.kernel.errors import Refusal
from gridman.services.photos import PhotoDraft, prepare_photo
from gridman.store.blobs import BlobStore
from gridman.sync.photos import PhotoLane
from gridman.ui.entry.thumbs import PhotoStrip
from gridman.ui.entry.whole_photo import WholePhoto
from tests.support.desk import NOON, REPLICA, Desk
from tests.support.keys import Keys
from tests.ui.conftest import unnamed

pytestmark = pytest.mark.gui
Open = Callable[..., Any]


class Shelf:
    """The street's photos; each piece waits until the test lets it go (`gate`), and fails with `trouble` while there is one."""

    def __init__(self, folder: Path) -> None:
        self.blobs = BlobStore(folder, bytes(32))
        self.gate = threading.Semaphore(0)
        self.trouble: Refusal | None = None
        self.offsets: list[int] = []

    def get_blob(self, sha256: str, offset: int, limit: int) -> tuple[bytes, int]:
        if self.trouble is not None:
            raise self.trouble
        assert self.gate.acquire(timeout=10)
        self.offsets.append(offset)
        return self.blobs.read(sha256, offset, limit)

    def let(self, pieces: int) -> None:
        for _n in range(pieces):
            self.gate.release()


def picture() -> PhotoDraft:
    """A picture that stays large: noise does not compress."""
    out = io.BytesIO()
    Image.frombytes("RGB", (900, 700), os.urandom(900 * 700 * 3)).save(out, "PNG")
    return PhotoDraft(out.getvalue(), "door.png")


@pytest.fixture
def shelf(ground_desk: Desk, tmp_path: Path) -> Shelf:
    """An incident of this desk carries a colleague's photo that is only at the street."""
    made, photo = Shelf(tmp_path / "street"), prepare_photo(picture())
    made.blobs.put(photo.sha256, photo.data)
    assert len(photo.data) > 3 * 65_536
    with ground_desk.store.unit(SYSTEM) as unit:
        unit.create(
            Attachment(
                id=(REPLICA + 1) << 43 | 7, owner_kind="incident", owner_id=ground_desk.ids["incidents"][0],
                grid_id=ground_desk.ids["grids"][0], sha256=photo.sha256, media_type=photo.media_type, size_bytes=len(photo.data),
                taken_at=NOON, thumbnail=photo.thumbnail, caption="井盖",
            )
        )  # fmt: skip
    lane = PhotoLane(ground_desk.store, BlobStore(tmp_path / "desk", bytes(32)), REPLICA, lambda: made)  # type: ignore[arg-type,return-value]
    ground_desk.fetch_photo = lane.fetch  # type: ignore[method-assign]
    return made


def begin(open_window: Open, desk: Desk, qtbot: QtBot) -> tuple[Any, WholePhoto]:
    """Open the incident and press Enter on its photo."""
    session = open_window("grid_worker", "incidents")
    session.desk.fetch_photo = desk.fetch_photo
    keys = Keys(qtbot, session)
    session.shell.go("incidents", "incident", desk.ids["incidents"][0])
    keys.rest()
    strip = session.window.current_page.findChild(PhotoStrip)
    assert strip is not None
    (thumb,) = [child for child in strip.children() if hasattr(child, "pressed")]
    assert thumb.accessibleName() == "井盖" and not thumb.pixmap().isNull()
    thumb.setFocus()
    qtbot.keyClick(thumb, Qt.Key.Key_Return)
    (whole,) = session.window.findChildren(WholePhoto)
    return session, whole


def test_the_whole_photo_comes_with_progress_and_is_kept(
    open_window: Open, ground_desk: Desk, shelf: Shelf, qtbot: QtBot
) -> None:
    session, whole = begin(open_window, ground_desk, qtbot)
    assert whole.state == "fetching" and not whole.picture.pixmap().isNull(), "the small picture meanwhile"
    small = whole.picture.pixmap().size()
    shelf.let(1)
    qtbot.waitUntil(lambda: "kB" in whole.words.text(), timeout=5_000)
    assert not unnamed(whole)
    shelf.let(50)
    qtbot.waitUntil(lambda: whole.state == "whole", timeout=5_000)
    assert whole.picture.pixmap().width() > small.width() and "2026-11-23" in whole.words.text()
    qtbot.keyClick(whole, Qt.Key.Key_Escape)
    assert not whole.isVisible()
    pieces = len(shelf.offsets)
    strip = session.window.current_page.findChild(PhotoStrip)
    (thumb,) = [child for child in strip.children() if hasattr(child, "pressed")]
    qtbot.mouseClick(thumb, Qt.MouseButton.LeftButton)
    again = session.window.findChildren(WholePhoto)[-1]
    qtbot.waitUntil(lambda: again.state == "whole", timeout=5_000)
    assert len(shelf.offsets) == pieces, "from this computer the second time"
    again.close()


def test_stopped_it_goes_on_from_there(open_window: Open, ground_desk: Desk, shelf: Shelf, qtbot: QtBot) -> None:
    _session, whole = begin(open_window, ground_desk, qtbot)
    shelf.let(2)
    qtbot.waitUntil(lambda: len(shelf.offsets) == 2 and "kB" in whole.words.text(), timeout=5_000)
    whole.stop_button.click()
    assert whole.state == "stopped" and "goes on from there" in whole.words.text() and whole.again_button.hasFocus()
    shelf.let(50)
    qtbot.waitUntil(lambda: whole._shell.background.is_idle(), timeout=5_000)
    assert whole.state == "stopped", "nobody is told any more"
    whole.again_button.click()
    qtbot.waitUntil(lambda: whole.state == "whole", timeout=5_000)
    assert shelf.offsets == sorted(set(shelf.offsets)), "no piece came twice"
    whole.close()


@pytest.mark.parametrize(
    ("code", "state", "said"),
    [("sync.unreachable", "offline", "when you are connected"), ("blob.missing", "refused", "has sent it")],
)
def test_why_it_does_not_come_is_said_and_the_small_one_stays(
    open_window: Open, ground_desk: Desk, shelf: Shelf, qtbot: QtBot, code: str, state: str, said: str
) -> None:
    shelf.trouble = Refusal(code, "This photo is not here yet.", "It comes when the desk that took it has sent it.")
    _session, whole = begin(open_window, ground_desk, qtbot)
    qtbot.waitUntil(lambda: whole.state == state, timeout=5_000)
    assert said in whole.words.text() and not whole.picture.pixmap().isNull() and whole.again_button.isVisible()
    shelf.trouble = None
    shelf.let(50)
    qtbot.keyClick(whole.again_button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: whole.state == "whole", timeout=5_000)
    whole.close()


def test_the_photos_name_is_that_of_its_content() -> None:
    photo = prepare_photo(picture())
    assert photo.sha256 == hashlib.sha256(photo.data).hexdigest()

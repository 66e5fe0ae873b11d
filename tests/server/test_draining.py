"""A desk that is too old for its street, over HTTP: its records and photos arrive, it is told to update, and it receives nothing."""

import io
from pathlib import Path

import pytest
from PIL import Image

from gridman.domain.household import Household
from gridman.joining import enrol_desk
from gridman.kernel.errors import Refusal
from gridman.server.app import StreetParts, make_app
from gridman.server.run import ServerThread
from gridman.services.photos import PhotoDraft, attach
from gridman.store.outbox import waiting_count
from gridman.sync.protocol import Versions
from gridman.sync.replica import Replica
from tests.server.conftest import GENEROUS
from tests.support.streets import PASSWORD, WORKER, TownStreet

PASS = "a quiet morning"


def newer_street(town: TownStreet, port: int) -> ServerThread:
    """The same street after an update that no longer speaks the desk's version."""
    street = town.street
    parts = StreetParts(street, Replica(street.store, spoken=Versions(2, 3)), street.photos, GENEROUS)
    return ServerThread(make_app(parts), port=port)


def test_records_and_photos_of_a_desk_that_is_too_old_are_taken_in(town: TownStreet, tmp_path: Path) -> None:
    with ServerThread(town.street) as url:
        desk = enrol_desk(tmp_path / "desk", url, WORKER, PASS, password=PASSWORD, clock=town.clock)
        desk.synchronise()
    picture = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(picture, "PNG")
    with desk.store.unit(desk.actor) as unit:
        made = unit.create(Household(number="H1", grid_id=town.grids[0], address="Lane 1"))
        unit.flush()
        (photo,) = attach(unit, desk.blobs, "household", made.id, town.grids[0], [PhotoDraft(picture.getvalue())])
    try:
        with newer_street(town, int(url.rsplit(":", 1)[1])), pytest.raises(Refusal) as caught:
            desk.synchronise()
        assert caught.value.code == "sync.too_old" and "{" not in caught.value.words()
        assert desk.status().reason.code == "sync.too_old"
        with desk.store.read() as reader:
            assert waiting_count(reader) == 0
        with town.street.store.read() as reader:
            assert [h.number for h in reader.page(Household)] == ["H1"]
        assert town.street.photos.get(photo.sha256) == desk.blobs.get(photo.sha256)
    finally:
        desk.close()

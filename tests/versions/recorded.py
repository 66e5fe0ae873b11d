"""The wire as it is today, written down: messages and bundles of a small fictional street, with what they mean as JSON beside them.

`python -m tests.versions.recorded VERSION` writes `tests/golden/wire/VERSION/`; a released version's folder is never written again. The records
have ids of their own choosing, so that later versions can lay the same ground by whatever means they have then.
"""

import base64
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.grid import Assignment, Grid
from gridman.domain.household import Household
from gridman.domain.organisation import Organisation
from gridman.domain.region import Region
from gridman.domain.user import User
from gridman.services.access import actor_of_user
from gridman.services.incidents import IncidentDraft, perform, report_incident
from gridman.services.photos import PhotoDraft
from gridman.services.visits import VisitDraft, log_visit
from gridman.store import accounts
from gridman.store.blobs import BlobStore
from gridman.store.bundle_keys import desk_seed, keep_device_keys, keep_street_keys
from gridman.store.feed import StreetFeed
from gridman.store.indexes import Indexer
from gridman.store.journal import DeskJournal, StreetJournal
from gridman.store.store import Store
from gridman.sync import exchange
from gridman.sync.bundle import DeskBundles, StreetBundles
from gridman.sync.codec import encode
from gridman.sync.protocol import PROTOCOL, Answer, Greeting, Hello, Request
from gridman.sync.replica import Replica
from gridman.sync.seal import Keys
from tests.resilience.work import picture
from tests.sync.world import KEY, Watch, open_copy

__all__ = ["DESK", "GRID", "HOMES", "STREET_ID", "USER", "Ground", "do_the_work", "golden", "laid", "plain"]

STREET_ID, DESK = "0123456789abcdef", 2
_FIRST = 1 << 43
REGION, COMMUNITY, GRID, OFFICE, COMMITTEE, USER = (_FIRST + 1_000 + n for n in range(6))
HOMES = tuple(_FIRST + 2_000 + n for n in range(3))
_DESK_SEED = bytes(range(32, 64))


def golden(version: str) -> Path:
    """Where that version's wire is written down."""
    return Path(__file__).parents[1] / "golden" / "wire" / version


@dataclass
class Ground:
    """The street, its worker's desk, and the way between them."""

    folder: Path
    street: Store
    desk: Store
    replica: Replica
    photos: BlobStore
    desk_photos: BlobStore
    clock: Watch

    @property
    def actor(self) -> Actor:
        with self.street.read() as reader:
            return actor_of_user(reader, USER, DESK)

    @property
    def bundles(self) -> StreetBundles:
        return StreetBundles(self.street, self.replica, self.photos, KEY, STREET_ID)

    @property
    def desk_bundles(self) -> DeskBundles:
        return DeskBundles(self.desk, self.desk_photos, self.actor, STREET_ID)


@contextmanager
def laid(folder: Path) -> Iterator[Ground]:
    """A community with one grid, three households, and a worker whose desk is number 2 and has its keys for bundles."""
    clock = Watch()
    street = Store(open_copy(folder / "street.db"), 1, [StreetJournal(), StreetFeed(), Indexer()], clock)
    with street.unit(SYSTEM) as unit:
        unit.create(Region(id=REGION, code="990101001000", name="Demo Street", level="street"))
        unit.create(
            Region(id=COMMUNITY, code="990101001001", name="Demo Community", level="community", parent_id=REGION)
        )
        unit.create(Grid(id=GRID, code="990101001001001", name="Grid 1", community_id=COMMUNITY))
        unit.create(Organisation(id=OFFICE, name="Street office", level="street", region_id=REGION))
        unit.create(
            Organisation(
                id=COMMITTEE, name="Community office", level="community", parent_id=OFFICE, region_id=COMMUNITY
            )
        )
        unit.create(User(id=USER, login="zhou", name="周桂英", role="grid_worker", organisation_id=COMMITTEE))
        unit.create(Assignment(user_id=USER, grid_id=GRID))
        for n, home in enumerate(HOMES):
            unit.create(Household(id=home, number=f"H{n}", grid_id=GRID, address=f"幸福里{n + 1}号"))
    with street.unit(SYSTEM) as unit:
        assert accounts.add_device(unit, USER, "Counter", "digest") == DESK
        keep_device_keys(unit, DESK, Keys.from_seed(_DESK_SEED).public)
    desk = Store(open_copy(folder / "desk.db"), DESK, [DeskJournal(), Indexer()], clock)
    with desk.unit(SYSTEM) as unit:
        keep_street_keys(unit, Keys.from_seed(KEY).public)
    replica = Replica(street, Keys.from_seed(KEY).public, key=KEY)
    ground = Ground(folder, street, desk, replica, BlobStore(folder / "s", KEY), BlobStore(folder / "d", KEY), clock)
    _take_seed(ground)
    try:
        yield ground
    finally:
        street.close()
        desk.close()


def _take_seed(ground: Ground) -> None:
    """The desk's keys are those that the street was told."""
    from gridman.store.settings import put_setting

    with ground.desk.unit(SYSTEM) as unit:
        put_setting(unit, "bundle.seed", _DESK_SEED.hex())
    assert desk_seed(ground.desk, SYSTEM) == _DESK_SEED


def plain(message: Any) -> Any:
    """A message as JSON can say it."""
    return json.loads(json.dumps(msgspec.to_builtins(message, builtin_types=(bytes,)), default=_as_text))


def _as_text(value: Any) -> str:
    return "base64:" + base64.b64encode(value).decode()


def _record(folder: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as place, laid(Path(place)) as ground:
        hello = Hello(PROTOCOL, DESK, keys=Keys.from_seed(_DESK_SEED).public)
        _keep(folder, "hello", hello)
        _keep(folder, "greeting", ground.replica.greet(ground.actor, hello))
        asked = exchange.prepare(ground.desk)
        given = ground.replica.exchange(ground.actor, asked)
        exchange.absorb(ground.desk, asked, given)
        _keep(folder, "first-request", asked)
        _keep(folder, "first-answer", given)
        do_the_work(ground)
        _keep(folder, "work-request", exchange.prepare(ground.desk, with_audit=True))
        shutil.copyfile(ground.desk_bundles.write(Path(place) / "out.gridman").path, folder / "out.gridman")
        ground.bundles.take(folder / "out.gridman", Path(place) / "back.gridman")
        shutil.copyfile(Path(place) / "back.gridman", folder / "back.gridman")
        again = exchange.prepare(ground.desk)
        _keep(folder, "work-answer", ground.replica.exchange(ground.actor, again))


def do_the_work(ground: Ground) -> None:
    """One of each: a visit with a photo, a correction, an incident and a step of it."""
    import random

    ground.clock.pass_()
    with ground.desk.unit(ground.actor) as unit:
        photo = PhotoDraft(picture(random.Random(1), 24), "noise.png")
        log_visit(unit, VisitDraft(HOMES[0], "1", note="平安", photos=[photo]), ground.desk_photos)
    with ground.desk.unit(ground.actor) as unit:
        unit.amend(unit.get(Household, HOMES[1]), remark="有狗", phones="13800000000")
    with ground.desk.unit(ground.actor) as unit:
        made = report_incident(unit, IncidentDraft("A801", "楼道堆放杂物", place="幸福里1号楼", grid_id=GRID))
    with ground.desk.unit(ground.actor) as unit:
        perform(unit, made.id, "urge")


def _keep(folder: Path, name: str, message: Hello | Greeting | Request | Answer) -> None:
    (folder / f"{name}.bin").write_bytes(encode(message))
    text = json.dumps(plain(message), ensure_ascii=False, indent=1)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main() -> int:
    """Write a version down that is not written down yet."""
    folder = golden(sys.argv[1])
    if folder.exists():
        print(f"{folder} stands: what was released is not written again", file=sys.stderr)
        return 1
    folder.mkdir(parents=True)
    _record(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

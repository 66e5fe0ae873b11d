"""What a desk or a street of today does not know yet is kept, said, and there after its upgrade; over a network and on a stick (sync design D11)."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import gridman
from gridman.domain.access import SYSTEM
from gridman.domain.grid import Assignment
from gridman.domain.household import Household
from tests.support.streets import PASSWORD, STAFF, WORKER, town_street
from tests.versions import act
from tests.versions.tomorrow import make_tomorrow

pytestmark = pytest.mark.slow

TODAY = Path(gridman.__file__).parents[1]
WORDS, DOOR = "The lamp at the gate is broken", "12#3"


class Version:
    """A process of one version, which does what it is told."""

    def __init__(self, path: Path) -> None:
        env = {**os.environ, "PYTHONPATH": str(path), "PYTHONUTF8": "1", "GRIDMAN_PASSPHRASE": act.PASSPHRASE}
        self._process = subprocess.Popen(
            [sys.executable, act.__file__], env=env, cwd=path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )  # fmt: skip

    def does(self, verb: str, **told: Any) -> Any:
        """What came of it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps([verb, told]), file=self._process.stdin, flush=True)
        word, answer = json.loads(self._process.stdout.readline())
        assert word == "done", answer
        return answer

    def end(self) -> None:
        """It ends when nothing more can come."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)

    @contextmanager
    def serving(self, ground: "Ground") -> Iterator[None]:
        """The street served by this version."""
        assert self.does("serve", data=ground.street, port=ground.port) == ground.url
        try:
            yield
        finally:
            self.does("stop")


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Version, Version]]:
    """Today's and tomorrow's."""
    both = Version(TODAY), Version(make_tomorrow(tmp_path_factory.mktemp("tomorrow")))
    yield both
    for one in both:
        one.end()


@dataclass
class Ground:
    """A street with one household, and where it is served."""

    folder: Path
    port: int
    home: int
    grid: int

    @property
    def street(self) -> str:
        return str(self.folder / "street")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def who(self, desk: str, login: str) -> dict[str, Any]:
        return {"data": str(self.folder / desk), "login": login}

    def carried(self, me: dict[str, Any], desk: Version, street: Version) -> None:
        """The desk's work to the street and the answer back, on a stick."""
        out, back = str(self.folder / "out.gridman"), str(self.folder / "back.gridman")
        who = ["--data", me["data"], "--login", me["login"]]
        desk.does("command", arguments=["bundle", "export", *who, "--out", out])
        street.does("command", arguments=["bundle", "take", out, "--data", self.street, "--out", back])
        desk.does("command", arguments=["bundle", "import", back, *who])


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    with town_street(tmp_path / "street") as town, town.street.store.unit(SYSTEM) as unit:
        unit.create(Assignment(user_id=town.users[STAFF], grid_id=town.grids[0], from_on="2026-01-01"))
        home = unit.create(Household(number="H1", grid_id=town.grids[0], address="Long Lane 1")).id
        grid = town.grids[0]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Ground(tmp_path, port, home, grid)


@pytest.mark.parametrize("way", ["network", "stick"])
def test_a_desk_keeps_what_it_does_not_know_and_has_it_after_its_upgrade(
    ground: Ground, versions: tuple[Version, Version], way: str
) -> None:
    (today, tomorrow), me, home = versions, ground.who("old", WORKER), ground.home
    with today.serving(ground):
        today.does("enrol", **me, url=ground.url, password=PASSWORD)
    tomorrow.does(
        "write_at_street", data=ground.street, home=home, values={"door_code": DOOR}, grid=ground.grid, words=WORDS
    )
    with tomorrow.serving(ground):
        if way == "network":
            today.does("sync", **me)
        else:
            ground.carried(me, today, tomorrow)
        today.does("amend", **me, home=home, values={"remark": "written before the upgrade"})
        before = today.does("show", **me, home=home)
        assert before["kept"] == 2 and before["waiting"] == 1 and before["petitions"] is None
        # The desk is upgraded, its data with it, while work waits.
        assert tomorrow.does("sync", **me) == {"sent": 1, "complete": True, "refused": []}
        after = tomorrow.does("show", **me, home=home)
    assert (after["door_code"], after["petitions"], after["kept"]) == (DOOR, [WORDS], 0)
    assert after["remark"] == "written before the upgrade" and after["waiting"] == 0
    assert len(list((ground.folder / "old").glob("desk-*/desk.db.before-*"))) == 1, "the older file was not kept"


@pytest.mark.parametrize("way", ["network", "stick"])
def test_a_street_keeps_what_it_does_not_know_and_takes_it_in_after_its_upgrade(
    ground: Ground, versions: tuple[Version, Version], way: str
) -> None:
    (today, tomorrow), home = versions, ground.home
    me, other = ground.who("new", WORKER), ground.who("other", STAFF)
    with today.serving(ground):
        tomorrow.does("enrol", **me, url=ground.url, password=PASSWORD)
    # So that a row of the household comes without the field that is being edited.
    today.does("write_at_street", data=ground.street, home=home, values={"remark": "both know this"})
    with today.serving(ground):
        tomorrow.does("amend", **me, home=home, values={"door_code": DOOR})
        tomorrow.does("petition", **me, grid=ground.grid, words=WORDS)
        if way == "network":
            tomorrow.does("sync", **me)
        else:
            ground.carried(me, tomorrow, today)
        for _round in range(2):  # and still after a round in which nothing was sent
            tomorrow.does("sync", **me)
            shown = tomorrow.does("show", **me, home=home)
            assert (shown["door_code"], shown["petitions"], shown["waiting"]) == (DOOR, [WORDS], 0)
            states = list(shown["receipts"].values())
            assert sorted(verdict for _state, verdict, _reason in states) == ["applied", "deferred"]
            assert all("older than this computer" in reason for _state, _verdict, reason in states), (
                "the desk is not told"
            )
    at_today = today.does("show_street", data=ground.street, home=home)
    assert at_today["remark"] == "both know this" and at_today["kept"] == 2
    with tomorrow.serving(ground):  # the street is upgraded
        tomorrow.does("sync", **me)
        tomorrow.does("enrol", **other, url=ground.url, password=PASSWORD)
        copies = [tomorrow.does("show", **who, home=home) for who in (me, other)]
        copies.append(tomorrow.does("show_street", data=ground.street, home=home))
    for copy in copies:
        assert (copy["remark"], copy["door_code"], copy["petitions"], copy["kept"]) == (
            "both know this",
            DOOR,
            [WORDS],
            0,
        )

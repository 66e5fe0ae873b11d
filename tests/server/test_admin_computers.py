"""What the pages tell of computers: the version each spoke last, when it was heard of, and whether it is drained or waited for."""

from pathlib import Path

import httpx

from gridman import __version__
from gridman.domain.access import SYSTEM
from gridman.joining import enrol_desk
from gridman.services.enrolment import RETIRED, enrol, revoke_device
from gridman.services.overview import page_desks
from gridman.store.accounts import amend_device, device_of
from gridman.sync.codec import encode
from gridman.sync.protocol import SPOKEN, Request
from tests.server.conftest import Served, served
from tests.server.office import Office, office, small
from tests.support.streets import CHEAP_HASHER, PASSWORD, WORKER, TownStreet, town

__all__ = ["Path", "office", "served", "small", "town"]


def call(served: Served, token: str, replica: int, **said: object) -> httpx.Response:
    message = Request(**{"protocol": SPOKEN.highest, "replica": replica, "epoch": "", "at": 1, "page": 10, **said})  # type: ignore[arg-type]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/vnd.gridman.sync"}
    return served.client.post("/sync/v1", content=encode(message), headers=headers)


def heard(street: TownStreet, replica: int) -> tuple[str, int, int]:
    with street.street.store.read() as reader:
        found = device_of(reader, replica)
        assert found is not None
        return found.app, found.lowest, found.highest


def test_the_street_keeps_what_each_desk_said_of_its_version(served: Served) -> None:
    enrolled = served.enrol()
    token, replica = enrolled["token"], enrolled["replica"]
    assert heard(served.town, replica) == ("", 0, 0)
    assert call(served, token, replica, app="0.0.9\x00x", lowest=1).status_code == 200
    assert heard(served.town, replica) == ("0.0.9x", 1, SPOKEN.highest)
    call(served, token, replica, lowest=1)  # the second message of a round does not repeat it
    assert heard(served.town, replica) == ("0.0.9x", 1, SPOKEN.highest)
    call(
        served, token, replica, app="0.2.0", protocol=SPOKEN.highest + 3, lowest=SPOKEN.highest + 2
    )  # refused, and known all the same
    assert heard(served.town, replica) == ("0.2.0", SPOKEN.highest + 2, SPOKEN.highest + 3)
    call(served, token, replica, app="9" * 500)
    assert heard(served.town, replica)[0] == "9" * 40


def test_a_real_desk_names_its_version(served: Served, tmp_path: Path) -> None:
    desk = enrol_desk(
        tmp_path / "desk", served.url, WORKER, "a quiet morning", password=PASSWORD, clock=served.town.clock
    )
    try:
        desk.synchronise()
        assert heard(served.town, desk.profile.replica) == (__version__, SPOKEN.lowest, SPOKEN.highest)
    finally:
        desk.close()


def test_the_page_tells_versions_and_who_is_waited_for(small: Office) -> None:
    store = small.town.street.store
    old, fresh, gone = (enrol(store, WORKER, name, password=PASSWORD, hasher=CHEAP_HASHER).replica for name in "ABC")
    with store.unit(SYSTEM) as unit:
        amend_device(unit, old, app="0.0.1", lowest=1, highest=1, last_seen_at=unit.at)
        amend_device(unit, gone, app="0.1.0", lowest=1, highest=SPOKEN.highest, last_seen_at=unit.at)
        revoke_device(unit, gone, RETIRED)
    with store.read() as reader:
        line = next(line for line in page_desks(reader, SYSTEM) if line.device.replica == old)
        assert line.is_too_old(2) and not line.is_too_old(1)
    with small.signed_in() as browser:
        page = browser.open("/admin/computers")
        assert "0.0.1" in page.text and "waited for" in page.text and "has not called since" in page.text
        one = browser.open(f"/admin/computers/{old}")
        assert "Version of the program0.0.1" in one.text
        small.town.clock.pass_minutes(1)
        with store.unit(SYSTEM) as unit:
            amend_device(unit, gone, last_seen_at=unit.at)
            amend_device(unit, fresh, last_seen_at=unit.at)
        page = browser.open("/admin/computers")
        assert "waited for" not in page.text and "has not called since" not in page.text

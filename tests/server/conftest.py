"""A real server on 127.0.0.1 over a real street, on both databases."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gridman.server.app import ADDRESSES, street_app
from gridman.server.limits import Limits
from gridman.server.openapi import document
from gridman.server.run import ServerThread
from tests.support.streets import PASSWORD, WORKER, TownStreet, town, town_street

__all__ = ["town"]

DOCUMENT = document(ADDRESSES, Limits())
GENEROUS = Limits(enrolment_burst=10_000, call_burst=100_000, body_s=2.0)


@dataclass
class Served:
    """A running server: the street behind it, its address, and a client."""

    town: TownStreet
    url: str
    client: httpx.Client

    def enrol(self, login: str = WORKER, password: str = PASSWORD, device: str = "Counter") -> dict[str, Any]:
        answer = self.client.post("/enrol/v1", json={"login": login, "password": password, "device_name": device})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def bearer(self, login: str = WORKER) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.enrol(login)['token']}"}


def as_documented(answer: httpx.Response) -> None:
    """Whatever a test asks of a server, its answer is one that the served document tells of."""
    path = "/blobs/v1/{sha256}" if answer.request.url.path.startswith("/blobs/v1/") else answer.request.url.path
    operation = DOCUMENT["paths"].get(path, {}).get(answer.request.method.lower())
    if operation is None or not answer.request.url.path.isprintable():
        return
    if path.endswith("}") and answer.request.url.path.count("/") != 3:
        return
    assert str(answer.status_code) in operation["responses"], (answer.request.method, path, answer.status_code)


def served_town(town: TownStreet, limits: Limits = GENEROUS) -> Iterator[Served]:
    with (
        ServerThread(street_app(town.street, limits)) as url,
        httpx.Client(base_url=url, timeout=20, trust_env=False, event_hooks={"response": [as_documented]}) as client,
    ):
        yield Served(town, url, client)


@pytest.fixture
def served(town: TownStreet) -> Iterator[Served]:
    """The server, once on each database."""
    yield from served_town(town)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def lasting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for a whole file of tests that do not mind each other, once on each database."""
    folder = tmp_path_factory.mktemp("lasting")
    url = request.getfixturevalue("postgres_server").create_database() if request.param == "postgresql" else None
    with town_street(folder / "street", url) as made:
        yield from served_town(made)

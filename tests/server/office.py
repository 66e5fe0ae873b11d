"""A street served over TLS with its pages, and browsers that look at them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gridman.domain.access import SYSTEM
from gridman.server.app import street_app
from gridman.server.certificates import Tls, street_tls
from gridman.server.limits import Limits
from gridman.server.run import ServerThread
from gridman.services.accounts import create_user, set_password
from tests.server.conftest import GENEROUS
from tests.support.browser import Browser
from tests.support.streets import ADMIN, CHEAP_HASHER, CLERK, PASSWORD, TownStreet, town_street

__all__ = ["AUDITOR", "Office", "office", "office_of", "small"]

AUDITOR = "auditor"


@dataclass
class Office:
    """A street served over TLS, and browsers."""

    town: TownStreet
    tls: Tls
    url: str

    def browser(self, language: str = "en") -> Browser:
        return Browser(self.url, self.tls.authority, language)

    @contextmanager
    def signed_in(self, login: str = ADMIN, password: str = PASSWORD, language: str = "en") -> Iterator[Browser]:
        with closing(self.browser(language)) as browser:
            assert browser.sign_in(login, password).path != "/admin/sign-in"
            yield browser


@contextmanager
def office_of(town: TownStreet, limits: Limits = GENEROUS) -> Iterator[Office]:
    tls = street_tls(town.street)
    with ServerThread(
        street_app(town.street, limits, authority=tls.authority, certificate_ends_at=tls.ends_at), tls=tls
    ) as url:
        yield Office(town, tls, url)


@contextmanager
def peopled(town: TownStreet) -> Iterator[Office]:
    """With an auditor, and a clerk whose password is the clerk's own."""
    with town.street.store.unit(SYSTEM) as unit:
        create_user(
            unit, AUDITOR, "Auditor", "auditor", town.organisations["street"], PASSWORD, must_change=False, hasher=CHEAP_HASHER,
        )  # fmt: skip
        set_password(unit, town.users[CLERK], PASSWORD, must_change=False, hasher=CHEAP_HASHER)
    with office_of(town) as made:
        yield made


@pytest.fixture
def office(town: TownStreet) -> Iterator[Office]:
    """The office, once on each database."""
    with peopled(town) as made:
        yield made


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Office]:
    """One on SQLite only, for what does not depend on the database."""
    with town_street(tmp_path / "street") as town, peopled(town) as made:
        yield made

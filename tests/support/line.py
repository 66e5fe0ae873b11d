"""A desk, its street over HTTPS, and a line between them that counts and, where the test says so, misbehaves."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.joining import enrol_desk
from gridman.server.certificates import street_tls
from gridman.server.run import ServerThread
from gridman.services.desk import Desk
from gridman.services.trust import fingerprint_of
from gridman.services.visits import VisitDraft, log_visit
from tests.support.link import BadLink, Weather
from tests.support.streets import PASSWORD, WORKER, TownStreet, town_street

__all__ = ["NO_REST", "Line", "line_to"]

NO_REST = Weather(dead_s=0.0)


@dataclass
class Line:
    """A desk, its street, and the counting line between them."""

    town: TownStreet
    desk: Desk
    link: BadLink
    homes: list[int]

    def works(self, visits: int = 20) -> None:
        """Log visits with notes that do not compress."""
        for n in range(visits):
            note = hashlib.sha256(str(n).encode()).hexdigest()
            with self.desk.store.unit(self.desk.actor) as unit:
                log_visit(unit, VisitDraft(self.homes[n % len(self.homes)], "1", note=note))


@contextmanager
def line_to(folder: Path, *, is_plain: bool = False) -> Iterator[Line]:
    with town_street(folder / "street") as town:
        with town.street.store.unit(SYSTEM) as unit:
            homes = [
                unit.create(Household(number=f"H{n}", grid_id=town.grids[0], address=f"Long Lane {n}")).id
                for n in range(5)
            ]
        tls = None if is_plain else street_tls(town.street)
        print_ = "" if tls is None else fingerprint_of(tls.authority)
        with ServerThread(town.street, tls=tls) as url, BadLink(urlsplit(url).port or 0, NO_REST) as link:
            there = f"{'http' if is_plain else 'https'}://127.0.0.1:{link.port}"
            desk = enrol_desk(
                folder / "desk",
                there,
                WORKER,
                "a quiet morning",
                password=PASSWORD,
                fingerprint=print_,
                clock=town.clock,
            )
            try:
                desk.synchronise()
                link.taken()
                yield Line(town, desk, link, homes)
            finally:
                desk.close()

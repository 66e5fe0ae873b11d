"""What an ordinary synchronisation costs on the wire, counted by a proxy in between: one request on the connection that is open already."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.joining import enrol_desk
from gridman.kernel.errors import Refusal
from gridman.server.certificates import street_tls
from gridman.server.run import ServerThread
from gridman.services import audit, audit_anchor
from gridman.services.desk import Desk
from gridman.services.lease import lease_of
from gridman.services.trust import fingerprint_of
from gridman.services.visits import VisitDraft, log_visit
from tests.support.link import BadLink, Weather
from tests.support.streets import PASSWORD, WORKER, TownStreet, town_street

NO_REST = Weather(dead_s=0.0)


@dataclass
class Line:
    """A desk, its street, and the counting line between them."""

    town: TownStreet
    desk: Desk
    link: BadLink
    homes: list[int]

    def works(self, visits: int = 20) -> None:
        for n in range(visits):
            with self.desk.store.unit(self.desk.actor) as unit:
                log_visit(unit, VisitDraft(self.homes[n % len(self.homes)], "1", note=f"well {n}"))


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


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with line_to(tmp_path) as made:
        yield made


def test_work_the_audit_log_and_a_new_ticket_go_in_one_request(line: Line) -> None:
    line.town.clock.pass_minutes(25 * 60)
    line.works()
    audit.note_alone(line.desk.store, line.desk.actor, "export", "household", None, purpose="survey", rows=3)
    with line.desk.store.read() as reader:
        before, anchor = lease_of(reader).not_after, audit_anchor.anchored(reader)
    result = line.desk.synchronise()
    counts = line.link.taken()
    assert (counts.turns, counts.connections) == (1, 0), "more than one request, or another connection"
    assert result.sent == 20 and result.complete and result.requests == 1
    with line.desk.store.read() as reader:
        assert lease_of(reader).not_after > before, "no new ticket"
        assert anchor != audit_anchor.anchored(reader) == audit.audit_head(reader), "the audit log was not anchored"
    assert line.desk.synchronise().complete
    assert line.link.taken().turns == 1


def test_nothing_to_say_costs_at_most_400_bytes(tmp_path: Path) -> None:
    with line_to(tmp_path, is_plain=True) as line:
        for _round in range(2):
            assert line.desk.synchronise().complete
            counts = line.link.taken()
            assert (counts.requests, counts.connections) == (1, 0)
            assert 0 < counts.carried <= 400


def test_a_connection_that_died_between_two_rounds_is_replaced_without_a_word(line: Line) -> None:
    line.works(3)
    line.link.cut()
    result = line.desk.synchronise()
    assert result.sent == 3 and line.link.taken().connections == 1


def test_a_connection_that_dies_at_once_again_is_told(line: Line) -> None:
    line.link.weather = Weather(lost_answers=1.0, dead_s=0.0)
    line.works(3)
    with pytest.raises(Refusal) as told:
        line.desk.synchronise()
    assert told.value.code in ("sync.cut_off", "sync.unreachable") and line.link.taken().answers_lost
    line.link.weather = NO_REST
    result = line.desk.synchronise()
    assert result.sent == 3 and result.complete and not result.refused

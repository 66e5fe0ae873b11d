"""What an ordinary synchronisation costs on the wire, counted by a proxy in between: one request on the connection that is open already."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gridman.domain.access import SYSTEM
from gridman.kernel.errors import Refusal
from gridman.services import audit, audit_anchor
from gridman.services.lease import lease_of
from gridman.store.bundle_keys import keep_street_keys, street_keys_here
from tests.support.line import NO_REST, Line, line_to
from tests.support.link import Weather


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
        keys = street_keys_here(reader)
    with line.desk.store.unit(SYSTEM) as unit:
        keep_street_keys(unit, bytes(len(keys)))  # as if the street had changed its own since
    result = line.desk.synchronise()
    counts = line.link.taken()
    assert (counts.turns, counts.connections) == (1, 0), "more than one request, or another connection"
    assert result.sent == 20 and result.complete and result.requests == 1
    with line.desk.store.read() as reader:
        assert lease_of(reader).not_after > before, "no new ticket"
        assert street_keys_here(reader) == keys != b"", "the street's keys for bundles did not come with it"
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

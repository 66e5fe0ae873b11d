"""What earlier versions wrote is read, taken in and answered: their messages and bundles, as they were written down when they were released."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gridman.domain.household import Household
from gridman.domain.incident import Incident, IncidentStep
from gridman.domain.visit import Visit
from gridman.store import outbox
from gridman.sync import exchange
from gridman.sync.codec import decode_answer, decode_greeting, decode_request
from gridman.sync.protocol import Request
from tests.versions.recorded import DESK, HOMES, Ground, do_the_work, golden, laid, plain

VERSIONS = sorted(path.name for path in golden("v1").parent.iterdir())
DECODERS: dict[str, Callable[[bytes], Any]] = {
    "hello": decode_request, "greeting": decode_greeting, "first-request": decode_request, "first-answer": decode_answer,
    "work-request": decode_request, "work-answer": decode_answer,
}  # fmt: skip


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with laid(tmp_path) as made:
        yield made


def says_at_least(now: Any, then: Any) -> bool:
    """Whether it says what was written down; a later version may add parts at the end of a message."""
    if isinstance(now, list) and isinstance(then, list):
        return len(now) >= len(then) and all(says_at_least(n, t) for n, t in zip(now, then, strict=False))
    return bool(now == then)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", DECODERS)
def test_a_message_means_what_it_meant(version: str, name: str) -> None:
    there = golden(version)
    message = DECODERS[name]((there / f"{name}.bin").read_bytes())
    assert says_at_least(plain(message), json.loads((there / f"{name}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_desk_takes_in_a_first_answer(ground: Ground, version: str) -> None:
    answer = decode_answer((golden(version) / "first-answer.bin").read_bytes())
    absorbed = exchange.absorb(ground.desk, exchange.prepare(ground.desk), answer)
    assert absorbed.complete and not absorbed.is_stale and absorbed.received >= 10
    with ground.desk.read() as reader:
        assert {h.id: h.address for h in reader.page(Household)} == {
            home: f"幸福里{n + 1}号" for n, home in enumerate(HOMES)
        }


def assert_worked(ground: Ground) -> None:
    """The recorded day is in the street's register."""
    with ground.street.read() as reader:
        (visit,) = reader.page(Visit)
        corrected = reader.get(Household, HOMES[1])
        (incident,) = reader.page(Incident)
        steps = {step.action for step in reader.page(IncidentStep)}
    assert (visit.note, visit.household_id) == ("平安", HOMES[0])
    assert (corrected.remark, corrected.phones) == ("有狗", "13800000000")
    assert incident.description == "楼道堆放杂物" and {"report", "urge"} <= steps


@pytest.mark.parametrize("version", VERSIONS)
def test_a_street_takes_a_days_work_and_knows_it_again(ground: Ground, version: str) -> None:
    request = decode_request((golden(version) / "work-request.bin").read_bytes())
    assert isinstance(request, Request)
    ground.clock.pass_(10_000)
    first, second = (ground.replica.exchange(ground.actor, request) for _ in range(2))
    verdicts = [v.outcome for v in first.verdicts]
    assert verdicts == ["applied"] * len(request.ops) and len(verdicts) >= 5, first.verdicts
    assert [v.n for v in second.verdicts] == [v.n for v in first.verdicts], (
        "the digest of an old operation is another now"
    )
    assert_worked(ground)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_bundle_is_taken_and_its_answer_can_be_taken_back(ground: Ground, version: str, tmp_path: Path) -> None:
    ground.clock.pass_(10_000)
    taken = ground.bundles.take(golden(version) / "out.gridman", tmp_path / "back.gridman")
    assert taken.replica == DESK and taken.fresh >= 5 and taken.photos == 1
    assert_worked(ground)
    # The answer of then fits a desk at the positions of then that did the same.
    there = golden(version)
    asked = decode_request((there / "first-request.bin").read_bytes())
    assert isinstance(asked, Request)
    exchange.absorb(ground.desk, asked, decode_answer((there / "first-answer.bin").read_bytes()))
    do_the_work(ground)
    ground.desk_bundles.write(tmp_path / "sent.gridman")
    back = ground.desk_bundles.take_back(there / "back.gridman")
    assert not back.is_stale and back.complete and back.sent == taken.fresh and back.photos == 1 and not back.refused
    with ground.desk.read() as reader:
        assert outbox.waiting_count(reader) == 0 and set(outbox.counts(reader)) == {"settled"}

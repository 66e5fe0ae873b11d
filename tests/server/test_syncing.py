"""The sync's address: messages of the protocol go through, on both databases."""

import httpx

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.sync import codec
from gridman.sync.protocol import Answer, Greeting, Hello, Op, Request
from tests.server.conftest import Served
from tests.support.streets import STAFF, WORKER


def call(served: Served, bearer: dict[str, str], message: Hello | Request) -> httpx.Response:
    return served.client.post("/sync/v1", content=codec.encode(message), headers=bearer)


def exchange(served: Served, enrolled: dict[str, str], ops: list[Op]) -> httpx.Response:
    bearer = {"Authorization": f"Bearer {enrolled['token']}"}
    at = served.town.clock.now
    return call(served, bearer, Request(1, int(enrolled["replica"]), enrolled["street_epoch"], at, 500, ops, []))


def household(served: Served, replica: int, n: int, grid: int = 0, **values: object) -> Op:
    stamp = f"{served.town.clock.now:012x}0000{replica:05x}"
    after = {"grid_id": served.town.grids[grid], "address": "Weir Lane 1", **values}
    return Op(n, "create", "household", replica << 43 | n, after, {}, stamp, served.town.clock.now)


def test_a_desk_greets_and_learns_the_epoch_it_enrolled_with(served: Served) -> None:
    enrolled = served.enrol()
    answer = call(served, {"Authorization": f"Bearer {enrolled['token']}"}, Hello(1, enrolled["replica"]))
    greeting = codec.decode_greeting(answer.content)
    assert isinstance(greeting, Greeting) and greeting.epoch == enrolled["street_epoch"] and greeting.last_n == 0


def test_an_operation_is_taken_once_and_reaches_the_store(served: Served) -> None:
    enrolled = served.enrol()
    op = household(served, enrolled["replica"], 1, remark="a dog")
    for _ in range(2):
        answer = codec.decode_answer(exchange(served, enrolled, [op]).content)
        assert isinstance(answer, Answer) and [(v.n, v.outcome) for v in answer.verdicts] == [(1, "applied")]
    with served.town.street.store.read() as reader:
        assert [h.remark for h in reader.page(Household)] == ["a dog"]


def test_another_devices_number_in_the_message_is_refused(served: Served) -> None:
    mine, theirs = served.enrol(), served.enrol(STAFF)
    answer = exchange(served, mine | {"replica": theirs["replica"]}, [])
    assert (answer.status_code, answer.json()["code"]) == (403, "sync.other_device")


def test_a_text_that_a_database_cannot_hold_does_no_harm(served: Served) -> None:
    enrolled = served.enrol(WORKER)
    ops = [
        household(served, enrolled["replica"], 1, remark="a\x00b"),
        household(served, enrolled["replica"], 2, remark="c"),
    ]
    answer = exchange(served, enrolled, ops)
    assert answer.status_code < 500, answer.text
    if answer.status_code == 200:
        assert [v.n for v in codec.decode_answer(answer.content).verdicts] == [1, 2]


def test_a_household_of_a_grid_that_is_not_ones_own_is_not_taken(served: Served) -> None:
    enrolled = served.enrol(WORKER)
    answer = codec.decode_answer(
        exchange(served, enrolled, [household(served, enrolled["replica"], 1, grid=2)]).content
    )
    assert answer.verdicts[0].outcome != "applied"
    with served.town.street.store.read() as reader:
        assert reader.count(Household) == 0


def test_what_is_written_at_the_street_comes_with_the_next_call(served: Served) -> None:
    enrolled = served.enrol()
    with served.town.street.store.unit(SYSTEM) as unit:
        unit.create(Household(grid_id=served.town.grids[0], remark="from the office"))
        unit.create(Household(grid_id=served.town.grids[2], remark="of another grid"))
    answer = codec.decode_answer(exchange(served, enrolled, []).content)
    assert [(r.kind, r.count) for r in answer.rows if r.kind == "household"] == [("household", 1)]

"""Desks and streets of different versions: nothing is stranded, and what a later version adds is passed over (sync design D11)."""

import msgspec
import pytest
import zstandard

from gridman.domain.household import Household
from gridman.kernel.errors import Refusal
from gridman.store import outbox
from gridman.sync import exchange
from gridman.sync.codec import decode_answer, decode_request, digest_of, encode
from gridman.sync.protocol import Answer, Op, Request, Versions
from gridman.sync.replica import Replica
from gridman.sync.versions import agreed, is_drained
from tests.sync.world import World


def updated(world: World, lowest: int, highest: int) -> None:
    """The street is updated while its desks stay as they are."""
    world.replica = Replica(world.store, spoken=Versions(lowest, highest))
    for desk in world.desks:
        desk.street.replica = world.replica


@pytest.mark.parametrize(
    ("street", "desk", "version", "drained"),
    [
        ((1, 1), (1, 1), 1, False),
        ((1, 3), (1, 1), 1, False),
        ((1, 2), (2, 4), 2, False),
        ((3, 4), (1, 2), 2, True),
        ((3, 4), (1, 3), 3, False),
    ],
)
def test_the_highest_common_version_is_spoken(
    street: tuple[int, int], desk: tuple[int, int], version: int, drained: bool
) -> None:
    assert agreed(Versions(*street), Versions(*desk)) == version
    assert is_drained(Versions(*street), Versions(*desk)) == drained


def test_a_desk_that_is_too_old_hands_over_everything_and_is_told_to_update(world: World) -> None:
    desk = world.desk()
    known = world.add_households(0, 300)
    desk.sync()
    updated(world, 2, 3)
    for household_id in known:
        desk.amend(household_id, remark="门" * 200)  # together more than one push
    world.add_households(0, 2)
    before = len(desk.street.requests)
    with pytest.raises(Refusal) as caught:
        desk.sync()
    assert caught.value.code == "sync.too_old" and "Update" in caught.value.words()
    pushes = [len(r.ops) for r in desk.street.requests[before:]]
    assert len(pushes) > 2 and all(pushes[:-1]) and not pushes[-1], "all that waits, then the question that is refused"
    assert {world.household(i).remark for i in known} == {"门" * 200}  # type: ignore[union-attr]
    with desk.store.read() as reader:
        assert outbox.waiting_count(reader) == 0 and reader.count(Household) == 300, "nothing waits, nothing new came"


def test_after_its_update_a_drained_desk_goes_on_where_it_was(world: World) -> None:
    desk = world.desk()
    (known,) = world.add_households(0, 1)
    desk.sync()
    updated(world, 2, 3)
    desk.amend(known, remark="sent while too old")
    with pytest.raises(Refusal):
        desk.sync()
    world.add_households(0, 2)
    updated(world, 1, 3)  # as if the desk had been updated
    result = desk.sync()
    assert result.complete and result.sent == 0
    with desk.store.read() as reader:
        assert reader.count(Household) == 3
    assert desk.household(known).remark == "sent while too old"  # type: ignore[union-attr]


def test_a_drained_desk_of_a_restored_street_offers_its_work_again(world: World) -> None:
    desk = world.desk()
    desk.sync()
    request = exchange.prepare(desk.store)
    updated(world, 2, 2)
    stale = msgspec.structs.replace(request, epoch="another life", ops=[])
    with pytest.raises(Refusal) as caught:
        desk.street.exchange(stale)
    assert caught.value.code == "sync.too_old"
    made = desk.household(0)
    assert made is None
    with desk.store.unit(desk.actor) as unit:
        unit.create(Household(number="N1", grid_id=world.grids[0], address="Lane 9"))
    asked = msgspec.structs.replace(exchange.prepare(desk.store), epoch="another life")
    answer = desk.street.exchange(asked)
    assert (answer.epoch, answer.cursors, answer.is_reset) == ("another life", asked.cursors, False)
    assert [v.outcome for v in answer.verdicts] == ["applied"]


def test_a_newer_desk_speaks_the_streets_version(world: World) -> None:
    desk = world.desk()
    world.add_households(0, 1)
    newer = exchange.prepare(desk.store, spoken=Versions(1, 4))
    answer = desk.street.exchange(newer)
    assert answer.protocol == 1 and exchange.absorb(desk.store, newer, answer).complete


def test_work_that_a_street_is_too_old_for_stays_on_the_desk(world: World) -> None:
    desk = world.desk()
    desk.sync()
    with desk.store.unit(desk.actor) as unit:
        unit.create(Household(number="N1", grid_id=world.grids[0], address="Lane 9"))
    with pytest.raises(Refusal) as caught:
        desk.street.exchange(exchange.prepare(desk.store, spoken=Versions(2, 3)))
    assert caught.value.code == "sync.too_new"
    assert desk.sync().sent == 1


def test_an_answer_in_a_version_nobody_offered_is_not_taken_in(world: World) -> None:
    desk = world.desk()
    request = exchange.prepare(desk.store)
    answer = msgspec.structs.replace(desk.street.exchange(request), protocol=7)
    with pytest.raises(Refusal) as caught:
        exchange.absorb(desk.store, request, answer)
    assert caught.value.code == "sync.too_new"


def test_what_a_later_version_appends_to_a_message_is_passed_over(world: World) -> None:
    desk = world.desk()
    with desk.store.unit(desk.actor) as unit:
        unit.create(Household(number="N1", grid_id=world.grids[0], address="Lane 9"))
    request = exchange.prepare(desk.store)
    message = msgspec.msgpack.decode(msgspec.msgpack.encode(request))
    message[6] = [[*op, "later", {"a": 1}] for op in message[6]]
    message[7] = [[*cursor, "later"] for cursor in message[7]]
    read = decode_request(zstandard.compress(msgspec.msgpack.encode([*message, "later", None])))
    assert read == request
    assert isinstance(read, Request) and digest_of(read.ops[0]) == digest_of(request.ops[0])
    answer = desk.street.exchange(request)
    sent = msgspec.msgpack.decode(msgspec.msgpack.encode(answer))
    sent[5] = [[*verdict, "later"] for verdict in sent[5]]
    assert decode_answer(zstandard.compress(msgspec.msgpack.encode([*sent, 1, 2]))) == answer


def test_messages_of_the_first_version_are_read_as_they_were(world: World) -> None:
    """Without what was added since: a desk that says one version speaks that one only."""
    read = decode_request(zstandard.compress(msgspec.msgpack.encode(["exchange", 1, 2, "", 0, 10, [], []])))
    assert isinstance(read, Request) and read.spoken == Versions(1, 1)


def test_the_digest_of_an_operation_is_that_of_its_first_version() -> None:
    """A street that was updated knows an operation again which it took before: these bytes may never change."""
    op = Op(
        7,
        "amend",
        "household",
        1 << 43 | 5,
        {"remark": "门口有狗"},
        {"remark": None},
        "0" * 20 + "1",
        1_795_406_400_000,
    )
    assert digest_of(op) == "0d7f5ece9f99af7869e00c3e5d270501"
    assert isinstance(decode_answer(encode(Answer(1, "", 0, 0, 0))), Answer)

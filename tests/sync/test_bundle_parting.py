"""Bundles of computers that may not write any more: kept for review at the counter as over a network, whichever way and however often they come."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gridman.domain.access import SYSTEM
from gridman.domain.conflict import Conflict
from gridman.kernel.errors import Refusal
from gridman.services import handover
from gridman.services.audit import page_audit
from gridman.services.enrolment import LOST, RETIRED, revoke_device
from gridman.services.photos import PhotoDraft, attach
from gridman.store import outbox
from gridman.store.backup import begin_new_life
from gridman.store.blobs import BlobStore
from gridman.store.handing import hand_over_of
from gridman.store.photo_queue import unsent_photos
from gridman.sync import bundle
from gridman.sync.bundle import DeskBundles
from gridman.sync.farewell import hand_over, is_copy, note_copy
from gridman.sync.seal import Header, Keys, header_of, open_sealed, seal
from tests.sync.test_bundle import STREET, Stick, houses, make_stick, picture, waiting
from tests.sync.test_handover import rescued, twin_of
from tests.sync.world import KEY, World


@pytest.fixture
def stick(world: World) -> Iterator[Stick]:
    yield make_stick(world)


def removed(stick: Stick, number: int, revoked_as: str) -> None:
    with stick.world.store.unit(SYSTEM) as unit:
        revoke_device(unit, stick.desks[number].store.replica, revoked_as)


def cards(stick: Stick, **equal: Any) -> list[Conflict]:
    with stick.world.store.read() as reader:
        return reader.page(Conflict, **equal)


def refusal_of(work: Callable[..., object], *args: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        work(*args)
    assert "{" not in caught.value.words()
    return caught.value


def twin(stick: Stick, number: int = 0) -> int:
    """The desk's folder, photos too, on another computer; its number among the desks."""
    desk, side = stick.desks[number], stick.sides[number]
    copy = twin_of(stick.world, desk)
    folder = stick.world.folder / f"blobs-of-copy{len(stick.desks)}"
    mine = stick.world.folder / f"blobs{desk.store.replica}"
    if mine.exists():
        shutil.copytree(mine, folder)
    stick.sides[number] = DeskBundles(desk.store, side.blobs, desk.actor, STREET)
    stick.desks.append(copy)
    stick.sides.append(DeskBundles(copy.store, BlobStore(folder, KEY), copy.actor, STREET))
    return len(stick.desks) - 1


def copied(stick: Stick) -> tuple[int, int]:
    """A desk, and its copy that is behind by one household."""
    stick.add()
    stick.carry()
    copy = twin(stick)
    stick.found(0, "Weir Lane 1")
    stick.carry(0)
    return 0, copy


def homeward(stick: Stick, path: Path, number: int) -> Any:
    """What an answer holds."""
    _header, content = open_sealed(path.read_bytes(), stick.sides[number]._keys(), Keys.from_seed(KEY).public)
    return msgspec.msgpack.decode(content, type=bundle._Homeward)


def without_words(stick: Stick, path: Path) -> Path:
    """The bundle as an earlier program wrote it."""
    number = next(n for n, d in enumerate(stick.desks) if d.store.replica == header_of(path.read_bytes()).replica)
    street = Keys.from_seed(KEY)
    header, content = open_sealed(path.read_bytes(), street, stick.sides[number]._keys().public)
    requests, photos, _words = msgspec.msgpack.decode(content)
    older = path.with_suffix(".old")
    older.write_bytes(
        seal(header, msgspec.msgpack.encode([requests, photos]), stick.sides[number]._keys(), street.public)
    )
    return older


def with_foreign_photo(stick: Stick, path: Path, number: int) -> Path:
    """The bundle with one photo more, of which nobody has a record."""
    street, mine = Keys.from_seed(KEY), stick.sides[number]._keys()
    header, content = open_sealed(path.read_bytes(), street, mine.public)
    requests, photos, words = msgspec.msgpack.decode(content)
    photos.insert(0, (hashlib.sha256(b"foreign").hexdigest(), b"foreign"))
    path.write_bytes(seal(header, msgspec.msgpack.encode([requests, photos, words]), mine, street.public))
    return path


@pytest.mark.parametrize("revoked_as", [LOST, RETIRED])
def test_a_removed_computer_that_does_not_know_it_is_kept_for_review_and_given_nothing(
    stick: Stick, revoked_as: str
) -> None:
    stick.world.add_households(0, 3)
    desk = stick.add()
    stick.found(0, "Weir Lane 1")
    out = stick.write()
    removed(stick, 0, revoked_as)
    taken = stick.take(out)
    assert taken.parted is not None and (taken.fresh, taken.repeated, taken.parted.cards) == (1, 0, 1)
    (card,) = cards(stick)
    assert (card.reason, card.computer) == (f"{revoked_as}_desk", "pc") and "Weir Lane 1" in (card.lost or "")
    assert "Weir Lane 1" not in dict(houses(stick.world.store)), "nothing is applied"
    told = homeward(stick, taken.path, 0)
    assert (told.pages, told.ticket, told.keys, told.photos) == ([], "", b"", [])
    for body in told.parting.answers:
        answer = bundle.decode_answer(body)
        assert not (answer.rows or answer.entries or answer.cursors or answer.segments or answer.drops)
    said = refusal_of(stick.sides[0].take_back, taken.path)
    assert said.code == "bundle.removed" and said.params["count"] == 1
    assert waiting(desk) == 0 and dict(houses(desk.store)) == {"Weir Lane 1": None}, "what it shows stays shown"
    with stick.world.store.read() as reader:
        (line,) = page_audit(reader, SYSTEM, act="hand_over")
    assert line.details == {"device": desk.store.replica, "source": f"{revoked_as}_desk", "cards": 1}


def test_plugged_in_twice_and_late_it_is_kept_once(stick: Stick) -> None:
    desk = stick.add()
    stick.found(0, "Weir Lane 1")
    out = stick.write()
    removed(stick, 0, RETIRED)
    first, second = stick.take(out), stick.take(out)
    assert (first.fresh, first.repeated, second.fresh, second.repeated) == (1, 0, 0, 1)
    for path in (second.path, first.path, second.path):
        assert refusal_of(stick.sides[0].take_back, path).params["count"] == 1
    stick.found(0, "Weir Lane 2")
    hand_over(desk.store, desk.street.farewell)  # it came into contact meanwhile
    late = stick.take(out)
    assert (late.fresh, late.repeated) == (0, 1) and len(cards(stick)) == 2 and waiting(desk) == 0
    with stick.world.store.read() as reader:
        assert len(page_audit(reader, SYSTEM, act="hand_over")) == 1


def test_work_that_went_over_the_network_before_is_not_kept_again(stick: Stick) -> None:
    desk = stick.add()
    stick.found(0, "Weir Lane 1")
    out = stick.write()
    desk.sync()
    removed(stick, 0, RETIRED)
    assert stick.take(out).repeated == 1 and cards(stick) == [] and len(houses(stick.world.store)) == 1


def test_a_copy_that_does_not_know_it_hears_it_from_the_answer(stick: Stick) -> None:
    whole, copy = copied(stick)
    house = stick.found(copy, "Mill Lane 9")  # under the number that the other gave to Weir Lane 1
    taken = stick.take(stick.write(copy))
    assert taken.parted is not None and taken.parted.source.reason == "copied_desk" and taken.fresh == 1
    (card,) = cards(stick)
    assert (
        card.reason == "copied_desk"
        and card.record_id != house
        and dict(houses(stick.world.store)).keys() == {"Weir Lane 1"}
    )
    # Its twin has the same keys and may be asked to read it: it is no copy for that.
    assert refusal_of(stick.sides[whole].take_back, taken.path).code == "bundle.twin"
    stick.found(whole, "Weir Lane 2")
    assert stick.carry(whole).sent == 1 and waiting(stick.desks[whole]) == 0
    said = refusal_of(stick.sides[copy].take_back, taken.path)
    assert said.code == "sync.fork" and said.params["count"] == 1 and waiting(stick.desks[copy]) == 0
    with stick.desks[copy].store.read() as reader:
        assert is_copy(reader)
    assert refusal_of(stick.sides[copy].take_back, taken.path).params == said.params, "twice is harmless"
    assert rescued(stick.desks[copy]) == 1 and len(cards(stick)) == 1, "so is coming into contact afterwards"


def test_an_answer_meant_for_the_copys_twin_makes_no_third_one_a_copy(stick: Stick) -> None:
    _whole, copy = copied(stick)
    third = twin(stick, copy)  # as far as the copy was, with nothing of its own
    stick.found(copy, "Mill Lane 9")
    answer = stick.take(stick.write(copy)).path
    assert refusal_of(stick.sides[third].take_back, answer).code == "bundle.twin"
    with stick.desks[third].store.read() as reader:
        assert not is_copy(reader)


def test_a_copy_that_knows_it_says_so_and_receives_nothing_any_more(stick: Stick) -> None:
    whole, copy = copied(stick)
    before = stick.take(stick.write(copy)).path  # an ordinary answer, from before it knew
    note_copy(stick.desks[copy].store)
    assert refusal_of(stick.sides[copy].take_back, before).code == "sync.fork"
    stick.found(copy, "Mill Lane 9")
    taken = stick.take(stick.write(copy))
    assert taken.parted is not None and taken.fresh == 1 and len(cards(stick, reason="copied_desk")) == 1
    assert refusal_of(stick.sides[whole].take_back, taken.path).code == "bundle.twin"
    assert refusal_of(stick.sides[copy].take_back, taken.path).params["count"] == 1
    assert "Weir Lane 1" not in dict(houses(stick.desks[copy].store))


def test_a_copy_that_knows_it_takes_no_rows_from_an_answer_of_before(stick: Stick) -> None:
    stick.world.add_households(0, 3)
    stick.add()
    answer = stick.take(stick.write()).path
    copy = twin(stick)
    note_copy(stick.desks[copy].store)
    assert refusal_of(stick.sides[copy].take_back, answer).code == "sync.fork"
    assert houses(stick.desks[copy].store) == []
    assert stick.sides[0].take_back(answer).received and len(houses(stick.desks[0].store)) == 3


def test_work_that_both_hold_makes_no_copy_of_the_one_that_sent_it(stick: Stick) -> None:
    stick.add()
    stick.carry()
    stick.found(0, "Weir Lane 1")
    copy = twin(stick)
    assert stick.carry(0).sent == 1
    note_copy(stick.desks[copy].store)
    taken = stick.take(stick.write(copy))
    assert (taken.fresh, taken.repeated) == (0, 1) and cards(stick) == []
    assert refusal_of(stick.sides[0].take_back, taken.path).code == "bundle.twin"
    said = refusal_of(stick.sides[copy].take_back, taken.path)
    assert "Nothing" in said.words() or "nothing is lost" in said.words()
    stick.found(0, "Weir Lane 2")
    assert stick.carry(0).sent == 1


def test_a_copy_that_is_behind_hears_it_from_an_ordinary_answer(stick: Stick) -> None:
    _whole, copy = copied(stick)
    assert refusal_of(stick.carry, copy).code == "sync.fork"
    with stick.desks[copy].store.read() as reader:
        assert is_copy(reader), "later the street might answer as if nothing were wrong"
    stick.found(copy, "Mill Lane 9")
    taken = stick.take(stick.write(copy))
    assert taken.parted is not None and taken.fresh == 1
    assert refusal_of(stick.sides[copy].take_back, taken.path).params["count"] == 1


def test_a_desk_that_is_neither_removed_nor_a_copy_hands_nothing_over(stick: Stick) -> None:
    stick.add()
    stick.found(0, "Weir Lane 1")
    assert stick.take(stick.write()).parted is None and cards(stick) == []


def test_from_a_lost_computer_only_so_much_and_only_so_long(stick: Stick, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_BATCH_BYTES", 1)  # a request for each operation
    monkeypatch.setattr(handover, "LOST_CHANGES", 2)
    desk = stick.add()
    for n in range(4):
        stick.found(0, f"Weir Lane {n}")
    out = stick.write()
    removed(stick, 0, LOST)
    taken = stick.take(out)
    assert taken.parted is not None and taken.parted.problem is not None
    assert taken.parted.problem.code == "handover.full" and taken.fresh == len(cards(stick)) == 2
    said = refusal_of(stick.sides[0].take_back, taken.path)
    assert (said.params["count"], said.params["left"], waiting(desk)) == (2, 2, 2)
    assert stick.take(out).fresh == 0, "again it is no more"
    stick.world.clock.pass_(handover.LOST_WINDOW_MS + 1)
    assert refusal_of(stick.take, out).code == "handover.closed"


@pytest.mark.parametrize("revoked_as", [LOST, RETIRED, ""])
def test_photos_come_along_once_within_the_bounds_and_only_the_computers_own(
    stick: Stick, revoked_as: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if revoked_as:
        stick.add()
        number = 0
    else:
        _whole, number = copied(stick)
    side, desk = stick.sides[number], stick.desks[number]
    house = stick.found(number, "Mill Lane 9")
    with desk.store.unit(desk.actor) as unit:
        attach(unit, side.blobs, "household", house, stick.world.grids[0], [PhotoDraft(picture(n)) for n in (10, 200)])
    with desk.store.read() as reader:
        mine = [sha256 for sha256, _size in unsent_photos(reader, desk.store.replica)]
    assert len(mine) == 2
    out = with_foreign_photo(stick, stick.write(number), number)
    if revoked_as:
        removed(stick, 0, revoked_as)
    taken = stick.take(out)
    assert taken.photos == 2 and all(stick.street.blobs.has(sha256) for sha256 in mine)
    with stick.world.store.read() as reader:
        counted = hand_over_of(reader, desk.store.replica).photo_bytes
    assert bool(counted) == (revoked_as == LOST)
    monkeypatch.setattr(handover, "LOST_PHOTO_BYTES", counted)
    again = stick.take(out)
    assert again.photos == 2 and again.parted is not None and again.parted.problem is None, "counted once"
    refusal_of(side.take_back, taken.path)
    with desk.store.read() as reader:
        assert unsent_photos(reader, desk.store.replica) == []


def test_a_street_that_came_back_from_a_backup_is_told_all_and_noted_at_once(stick: Stick) -> None:
    desk = stick.add()
    stick.carry()
    stick.found(0, "Weir Lane 1")
    with stick.world.store.unit(SYSTEM) as unit:
        begin_new_life(unit)
    removed(stick, 0, RETIRED)
    assert refusal_of(stick.carry).code == "bundle.removed" and waiting(desk) == 0
    with desk.store.read() as reader:
        assert outbox.handed_over_cards(reader) == 1


def test_bundles_and_desks_of_an_earlier_program_lose_nothing(stick: Stick) -> None:
    """A removed computer's is kept for review, a copy's is refused as it was: it does not say what made its records."""
    whole, copy = copied(stick)
    stick.found(copy, "Mill Lane 9")
    new = stick.write(copy)
    assert refusal_of(stick.take, without_words(stick, new)).code == "sync.fork" and cards(stick) == []

    class _Older(msgspec.Struct, array_like=True, frozen=True):
        pages: list[tuple[bytes, bytes]]
        photos: list[tuple[str, int]] = []
        ticket: str = ""
        keys: bytes = b""

    _header, content = open_sealed(
        stick.take(new).path.read_bytes(), stick.sides[copy]._keys(), Keys.from_seed(KEY).public
    )
    assert msgspec.msgpack.decode(content, type=_Older).pages == [], "it tells such a desk nothing, and does no harm"
    stick.found(whole, "Weir Lane 2")
    out = without_words(stick, stick.write(whole))
    removed(stick, whole, RETIRED)
    taken = stick.take(out)
    assert taken.parted is not None and len(cards(stick, reason="retired_desk")) == 1


def test_words_that_are_no_bundles_are_refused(stick: Stick) -> None:
    stick.add()
    stick.found(0, "Weir Lane 1")
    removed(stick, 0, LOST)
    street, mine = Keys.from_seed(KEY), stick.sides[0]._keys()
    _header, content = open_sealed(stick.write().read_bytes(), street, mine.public)
    requests, photos, words = msgspec.msgpack.decode(content)
    said = bundle.decode_last_words(words)
    forged = stick.world.folder / "forged.gridman"
    for wrong in ({"is_end": True}, {"replica": said.replica + 1}, {"ops": bundle._request(requests[0]).ops}):
        body = bundle.encode(msgspec.structs.replace(said, **wrong))
        header = Header(False, STREET, said.replica, 0)
        forged.write_bytes(seal(header, msgspec.msgpack.encode([requests, photos, body]), mine, street.public))
        assert refusal_of(stick.take, forged).code == "bundle.unreadable" and cards(stick) == []

"""Bundles carried by hand between desks and their street: alone, beside a network, twice, late, in any order, damaged, astray."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select

from gridman.domain.access import SYSTEM
from gridman.domain.household import Household
from gridman.domain.visit import Visit
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Cancelled, Ticket
from gridman.services.photos import PhotoDraft, attach
from gridman.store import accounts, outbox, tables
from gridman.store.blobs import BlobStore
from gridman.store.photo_queue import unsent_photos
from gridman.sync import bundle
from gridman.sync.bundle import DeskBundles, StreetBundles, TakenBack, TakenIn, introduce
from gridman.sync.replica import Replica
from gridman.sync.seal import Header, Keys, open_sealed, seal
from tests.sync.world import KEY, Desk, World, make_world

STREET = "0123456789abcdef"


@dataclass
class Stick:
    """A world whose desks can also carry their work: the street's side, the desks' sides, the files on the stick."""

    world: World
    street: StreetBundles
    desks: list[Desk] = field(default_factory=list)
    sides: list[DeskBundles] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    answers: list[Path] = field(default_factory=list)

    def add(self, grid: int = 0) -> Desk:
        desk = self.world.desk(grids=[grid])
        replica = desk.store.replica
        with self.world.store.unit(SYSTEM) as unit:
            assert accounts.add_device(unit, desk.user_id, "pc", "digest") == replica
        desk.street.replica = self.street.replica
        introduce(desk.store, desk.actor, desk.street)
        blobs = BlobStore(self.world.folder / f"blobs{replica}", KEY)
        self.desks.append(desk)
        self.sides.append(DeskBundles(desk.store, blobs, desk.actor, STREET))
        return desk

    def write(self, number: int = 0) -> Path:
        path = self.world.folder / f"out{len(self.written)}.gridman"
        self.sides[number].write(path)
        self.written.append(path)
        return path

    def take(self, path: Path) -> TakenIn:
        out = self.world.folder / f"back{len(self.answers)}.gridman"
        taken = self.street.take(path, out)
        self.answers.append(out)
        return taken

    def carry(self, number: int = 0) -> TakenBack:
        """There and back."""
        return self.sides[number].take_back(self.take(self.write(number)).path)

    def found(self, number: int, address: str, grid: int = 0) -> int:
        desk = self.desks[number]
        with desk.store.unit(desk.actor) as unit:
            return unit.create(Household(grid_id=self.world.grids[grid], address=address)).id


def make_stick(world: World) -> Stick:
    keys = Keys.from_seed(KEY)
    replica = Replica(world.store, keys.public)
    return Stick(world, StreetBundles(world.store, replica, BlobStore(world.folder / "blobs", KEY), KEY, STREET))


@pytest.fixture
def stick(world: World) -> Iterator[Stick]:
    yield make_stick(world)


def waiting(desk: Desk) -> int:
    with desk.store.read() as reader:
        return outbox.waiting_count(reader)


def houses(store: object) -> list[tuple[str, str | None]]:
    with store.read() as reader:  # type: ignore[attr-defined]
        return sorted((h.address, h.remark) for h in reader.page(Household, limit=10_000))


def picture(shade: int) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, 90, 90)).save(made, "PNG")
    return made.getvalue()


def test_a_desk_that_is_never_online_again_works_a_whole_day_by_stick(stick: Stick) -> None:
    theirs = stick.world.add_households(0, 8)
    desk = stick.add()
    first = stick.carry()
    assert first.complete and {h for h, _ in houses(desk.store)} == {f"Lane 0 No. {i}" for i in range(8)}
    with desk.store.unit(desk.actor) as unit:
        for number, house in enumerate(theirs[:5]):
            visit = unit.create(
                Visit(
                    household_id=house, grid_id=stick.world.grids[0], visited_at=unit.at, user_id=desk.user_id, kind="01", outcome="1"
                )
            )  # fmt: skip
            unit.flush()
            attach(
                unit, stick.sides[0].blobs, "visit", visit.id, stick.world.grids[0], [PhotoDraft(picture(40 * number))]
            )
    desk.amend(theirs[0], remark="a dog")
    new = stick.found(0, "Weir Lane 1")
    evening = stick.carry()
    assert evening.complete and not evening.refused and evening.photos == 5 and waiting(desk) == 0
    assert stick.world.household(new) is not None and stick.world.household(theirs[0]).remark == "a dog"
    with stick.world.store.read() as reader:
        assert reader.count(Visit) == 5
    with desk.store.read() as reader:
        assert set(outbox.counts(reader)) == {"settled"} and not unsent_photos(reader, desk.store.replica)
    names = [p.name for p in (stick.world.folder / "blobs").glob("??/*")]
    assert len(names) == 5
    again = stick.write()
    assert stick.sides[0].write(again).photos == 0  # what arrived is not carried twice


def test_more_work_than_one_request_holds_goes_in_one_bundle(stick: Stick, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_BATCH_BYTES", 4_000)
    desk = stick.add()
    stick.carry()
    with desk.store.unit(desk.actor) as unit:
        for number in range(300):
            unit.create(Household(grid_id=stick.world.grids[0], address=f"Weir Lane {number}"))
    result = stick.carry()
    assert result.sent == 300 and result.requests > 5 and waiting(desk) == 0
    assert houses(stick.world.store) == houses(desk.store) and len(houses(desk.store)) == 300


def test_the_same_bundle_twice_is_taken_once(stick: Stick) -> None:
    desk = stick.add()
    stick.carry()
    stick.found(0, "Weir Lane 1")
    path = stick.write()
    first, second = stick.take(path), stick.take(path)
    assert (first.fresh, first.repeated, second.fresh, second.repeated) == (1, 0, 0, 1)
    assert len(houses(stick.world.store)) == 1
    assert not stick.sides[0].take_back(first.path).is_stale
    assert stick.sides[0].take_back(first.path).is_stale and stick.sides[0].take_back(second.path).is_stale
    assert houses(desk.store) == houses(stick.world.store)


def test_an_answer_that_was_overtaken_by_the_network_changes_nothing(stick: Stick) -> None:
    desk = stick.add()
    desk.sync()
    house = stick.found(0, "Weir Lane 1")
    late = stick.take(stick.write()).path
    desk.amend(house, remark="a dog")
    desk.sync()
    before = houses(desk.store)
    assert stick.sides[0].take_back(late).is_stale
    assert houses(desk.store) == before == [("Weir Lane 1", "a dog")] and waiting(desk) == 0


def test_a_lost_answer_costs_nothing(stick: Stick) -> None:
    desk = stick.add()
    stick.carry()
    stick.found(0, "Weir Lane 1")
    stick.take(stick.write())  # and nobody brings it back
    stick.found(0, "Weir Lane 2")
    assert stick.carry().complete and waiting(desk) == 0
    assert [a for a, _ in houses(stick.world.store)] == ["Weir Lane 1", "Weir Lane 2"]


@pytest.mark.parametrize("broken_at", range(4))
def test_an_import_that_breaks_off_goes_on_from_there(
    stick: Stick, broken_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "LARGEST_PAGE", 4)
    stick.world.add_households(0, 20)
    desk = stick.add()
    answer = stick.take(stick.write())
    assert answer.pages > 5
    real, calls = bundle.absorb, []

    def breaking(*args: object) -> object:
        calls.append(args)
        done = real(*args) if len(calls) % 2 or len(calls) != broken_at + 1 else None
        if len(calls) == broken_at + 1:
            raise KeyboardInterrupt  # before or after the page was kept
        return done

    monkeypatch.setattr(bundle, "absorb", breaking)
    with pytest.raises(KeyboardInterrupt):
        stick.sides[0].take_back(answer.path)
    assert len(houses(desk.store)) < 20
    monkeypatch.setattr(bundle, "absorb", real)
    assert stick.sides[0].take_back(answer.path).complete
    assert len(houses(desk.store)) == 20 and houses(desk.store) == houses(stick.world.store)


def test_a_person_may_stop_an_import(stick: Stick) -> None:
    stick.world.add_households(0, 3)
    stick.add()
    answer, ticket = stick.take(stick.write()), Ticket()
    ticket.cancel()
    with pytest.raises(Cancelled):
        stick.sides[0].take_back(answer.path, ticket=ticket)


def code_of(work: object, *args: object) -> str:
    with pytest.raises(Refusal) as caught:
        work(*args)  # type: ignore[operator]
    assert caught.value.words()
    return caught.value.code


def test_files_that_went_astray_are_told_in_words(stick: Stick, tmp_path: Path) -> None:
    stick.add(), stick.add()
    out, other = stick.write(0), stick.sides[1]
    back = stick.take(out).path
    assert code_of(other.take_back, back) == "bundle.other_desk"
    assert code_of(stick.sides[0].take_back, out) == "bundle.wrong_way"
    assert code_of(stick.take, back) == "bundle.wrong_way"
    stick.street.street_id = "another"
    assert code_of(stick.take, out) == "bundle.other_street"
    assert code_of(stick.take, tmp_path / "none") == "bundle.cannot_read"


def test_a_desk_that_never_spoke_with_its_street_says_so(stick: Stick) -> None:
    desk = stick.world.desk()
    side = DeskBundles(desk.store, BlobStore(stick.world.folder / "b", KEY), desk.actor, STREET)
    assert code_of(side.write, stick.world.folder / "x") == "bundle.no_keys"


def test_one_desk_cannot_write_in_anothers_name(stick: Stick) -> None:
    mine, theirs = stick.add(), stick.add()
    stick.found(0, "Weir Lane 1")
    street = Keys.from_seed(KEY)
    _header, content = open_sealed(stick.write(0).read_bytes(), street, stick.sides[0]._keys().public)
    forged = stick.world.folder / "forged.gridman"
    for replica in (theirs.store.replica, mine.store.replica):  # her number signed by me; my number signed by her
        writer = stick.sides[replica == mine.store.replica]._keys()
        forged.write_bytes(seal(Header(False, STREET, replica, 0), content, writer, street.public))
        assert code_of(stick.take, forged) == "bundle.unreadable"
    writer = stick.sides[1]._keys()  # her own envelope around my requests
    forged.write_bytes(seal(Header(False, STREET, theirs.store.replica, 0), content, writer, street.public))
    assert code_of(stick.take, forged) == "bundle.unreadable"
    assert houses(stick.world.store) == []


def test_nobody_reads_a_bundle_on_the_way(stick: Stick) -> None:
    stick.add()
    stick.found(0, "Weir Lane seventeen")
    for path in (out := stick.write(), stick.take(out).path):
        assert b"Weir Lane" not in path.read_bytes()
        assert (
            code_of(open_sealed, path.read_bytes(), Keys.from_seed(bytes(32)), Keys.from_seed(KEY).public)
            == "bundle.unreadable"
        )


@pytest.fixture(scope="module")
def lasting() -> Iterator[tuple[Stick, bytes, bytes]]:
    """A stick with a bundle and its answer, neither taken yet at its end."""
    with make_world() as world:
        stick = make_stick(world)
        world.add_households(0, 3)
        stick.add()
        stick.found(0, "Weir Lane 1")
        out = stick.write()
        copy = stick.take(out).path  # makes the answer; the street then has the household: count from here
        yield stick, out.read_bytes(), copy.read_bytes()


def spoilt(data: bytes, place: float, bit: int, is_cut: bool) -> bytes:
    at = int(place * len(data))
    return data[:at] if is_cut else data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


@settings(max_examples=150, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), is_cut=st.booleans(), is_answer=st.booleans())
def test_whatever_is_damaged_is_refused_and_nothing_is_applied(
    lasting: tuple[Stick, bytes, bytes], place: float, bit: int, is_cut: bool, is_answer: bool
) -> None:
    stick, out, answer = lasting
    path = stick.world.folder / "spoilt.gridman"
    path.write_bytes(spoilt(answer if is_answer else out, place, bit, is_cut))
    store = stick.desks[0].store if is_answer else stick.world.store
    before = houses(store), state(store)
    with pytest.raises(Refusal):
        stick.sides[0].take_back(path) if is_answer else stick.take(path)
    assert (houses(store), state(store)) == before


def state(store: object) -> list[object]:
    with store.read() as reader:  # type: ignore[attr-defined]
        run = reader.connection.execute
        return [run(select(t)).all() for t in (tables.cursor, tables.sync_op, tables.sync_clock, tables.blob_state)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["found", "amend", "net", "write", "take", "back", "street"]),
        st.integers(0, 1),
        st.integers(0, 30),
    ),
    max_size=30,
)


@settings(max_examples=20, deadline=None)
@given(steps=STEPS)
def test_network_and_sticks_mixed_in_any_order_converge_and_lose_nothing(steps: list[tuple[str, int, int]]) -> None:
    with make_world() as world:
        stick = make_stick(world)
        stick.add(), stick.add()
        made: list[int] = []
        for number, (what, who, which) in enumerate(steps):
            world.clock.pass_(), [d.clock.pass_() for d in stick.desks]
            _step(stick, what, who, which, number, made)
        for _ in range(2):
            for who in range(2):
                stick.desks[who].sync() if len(steps) % 2 else stick.carry(who)
        assert houses(world.store) == houses(stick.desks[0].store) == houses(stick.desks[1].store)
        assert len(houses(world.store)) == len(made) == len(set(houses(world.store)))
        for desk in stick.desks:
            assert waiting(desk) == 0
            with world.store.read() as reader, desk.store.read() as own:
                done = list(
                    reader.connection.scalars(
                        select(tables.sync_op.c.n).where(tables.sync_op.c.replica == desk.store.replica)
                    )
                )
                written = list(
                    own.connection.scalars(select(tables.journal.c.op_n).where(tables.journal.c.op_n.is_not(None)))
                )
            assert sorted(done) == sorted(written) == list(range(1, len(written) + 1))


def _step(stick: Stick, what: str, who: int, which: int, number: int, made: list[int]) -> None:
    if what == "found":
        made.append(stick.found(who, f"Weir Lane {number}"))
    elif what == "amend":
        here = [i for i in made if stick.desks[who].household(i)]
        if here:
            stick.desks[who].amend(here[which % len(here)], remark=f"remark {number}")
    elif what == "street":
        made += stick.world.add_households(0, 1)
        with stick.world.store.unit(SYSTEM) as unit:
            unit.amend(unit.get(Household, made[-1]), address=f"Street Lane {number}")
    elif what == "net":
        stick.desks[who].sync()
    elif what == "write":
        stick.write(who)
    elif what == "take" and stick.written:
        stick.take(stick.written[which % len(stick.written)])  # any file, new or old, as often as it comes
    elif what == "back" and stick.answers:
        try:
            stick.sides[who].take_back(stick.answers[which % len(stick.answers)])
        except Refusal as refusal:
            assert refusal.code == "bundle.other_desk"


def test_a_content_that_is_not_what_its_name_says_is_not_filed(stick: Stick) -> None:
    desk = stick.add()
    stick.carry()
    house = stick.found(0, "Weir Lane 1")
    with desk.store.unit(desk.actor) as unit:
        (photo,) = attach(
            unit, stick.sides[0].blobs, "household", house, stick.world.grids[0], [PhotoDraft(picture(1))]
        )
    name = photo.sha256
    stick.sides[0].blobs.get = lambda _sha256: b"something else"  # type: ignore[method-assign]
    result = stick.carry()
    assert result.sent == 2 and result.photos == 0 and not stick.street.blobs.has(name)
    assert hashlib.sha256(b"something else").hexdigest() != name

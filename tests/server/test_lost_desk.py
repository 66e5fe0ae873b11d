"""A computer reported lost, in a stranger's hands: whatever he sends, he reads nothing through it and changes nothing but the review list."""

import hashlib
from collections import Counter
from typing import Any

import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridman.domain.access import SYSTEM
from gridman.domain.attachment import Attachment
from gridman.domain.conflict import Conflict
from gridman.domain.household import Household
from gridman.domain.incident import Incident
from gridman.domain.person import Person
from gridman.server.api import Caller
from gridman.server.app import ADDRESSES
from gridman.services.enrolment import LOST, revoke_device
from gridman.sync.codec import decode_answer, encode
from gridman.sync.protocol import Cursor, Hello, LastWords, Maker, Op, Request
from tests.server.conftest import Served
from tests.simulation.copies import ask, rows_of_copy

SECRET = "玉兰巷十七号"
KINDS = (
    "household",
    "person",
    "visit",
    "incident",
    "incident_step",
    "attachment",
    "conflict",
    "grid",
    "user",
    "parking",
)
NAMES = (
    "household_id", "grid_id", "remark", "address", "name", "note", "state", "retired_at", "sha256", "owner_id", "owner_kind", "role",
    "resolution", "shapes", "login",
)  # fmt: skip
GUARDED = [a for a in ADDRESSES if a.caller in (Caller.DESK, Caller.LEAVING)]
FOR_GOOD = ("sync_op", "sync_exit", "deferred", "cell", "device", "account", "enrolment")
"""Tables of the machine that a lost computer does not change either, but for when it was heard of."""


def furnished(served: Served) -> dict[str, int]:
    """A street with something to read, and a record of each kind to write about."""
    town, grid = served.town, served.town.grids[0]
    photo = b"\xff\xd8" + SECRET.encode()
    with town.street.store.unit(SYSTEM) as unit:
        home = unit.create(Household(number="H9", grid_id=grid, address=SECRET, remark=SECRET))
        unit.flush()
        person = unit.create(Person(household_id=home.id, grid_id=grid, name=SECRET, relation="02"))
        lamp = unit.create(
            Incident(number="20261123-1", grid_id=grid, description=SECRET, state="reported", creator_id=town.organisations["street"])
        )  # fmt: skip
        name = hashlib.sha256(photo).hexdigest()
        served.town.street.photos.put(name, photo)
        seen = unit.create(
            Attachment(owner_kind="household", owner_id=home.id, grid_id=grid, sha256=name, size_bytes=len(photo))
        )
        decided = unit.create(
            Conflict(record_kind="household", record_id=home.id, grid_id=grid, field="remark", reason="held")
        )
        unit.flush()
        return {
            "household": home.id, "person": person.id, "incident": lamp.id, "attachment": seen.id, "conflict": decided.id,
            "grid": grid, "user": town.users["worker"], "": int(name[:8], 16),
        } | {f"sha {name}": 0}  # fmt: skip


def told(content: bytes) -> bytes:
    """What an answer holds, unpacked where it is packed."""
    try:
        return content + zstandard.ZstdDecompressor().stream_reader(content).read()
    except zstandard.ZstdError:
        return content


def test_whatever_a_lost_computer_sends_it_is_given_nothing_and_nothing_is_applied(served: Served) -> None:
    mine, records = served.enrol(), furnished(served)
    sha = next(name.removeprefix("sha ") for name in records if name.startswith("sha "))
    database, replica = served.town.street.store.database, mine["replica"]
    bearer = {"Authorization": f"Bearer {mine['token']}"}
    with served.town.street.store.unit(SYSTEM) as unit:
        revoke_device(unit, replica, LOST)
    known = [i for kind, i in records.items() if kind and not kind.startswith("sha ")]
    ids = st.sampled_from(known) | st.integers(replica << 43 | 1, replica << 43 | 30)
    values = (
        st.sampled_from([SECRET[:2], "", None, True, 0, b"\x00", *known])
        | st.text(max_size=8)
        | st.integers(-(2**62), 2**62)
    )
    names = st.sampled_from(NAMES)
    entities = st.sampled_from(KINDS)
    ops = st.builds(
        lambda n, kind, entity, record, after, action: Op(
            n, kind, entity, record, after | ({"action": action} if kind == "command" else {}), {}, "0" * 21, 1
        ),
        st.integers(1, 1 << 40), st.sampled_from(["create", "amend", "command", "none", "destroy"]), entities, ids,
        st.dictionaries(names, values, max_size=5), st.sampled_from(["redraw", "close", "assign", "accept"]),
    )  # fmt: skip
    makers = st.builds(Maker, ids, st.integers(1, 30), st.just("ab" * 16), st.integers(0, 3))
    words = st.builds(
        lambda said, by, is_rescue: LastWords(1, replica, 0, said, by, is_rescue),
        st.lists(ops, max_size=4, unique_by=lambda op: op.n), st.lists(makers, max_size=4), st.booleans(),
    )  # fmt: skip
    cursors = st.lists(
        st.builds(Cursor, st.sampled_from(["ref", "map", f"g:{served.town.grids[0]}", "o:1"]), st.just(0), st.just(0)),
        max_size=3,
    )
    requests = st.builds(
        lambda some, at: Request(1, replica, "", 0, 500, some, at),
        st.lists(ops, max_size=2, unique_by=lambda op: op.n),
        cursors,
    )
    before = rows_of_copy(database)
    machine = {table: ask(database, f"SELECT count(*) FROM {table}") for table in FOR_GOOD}
    kept_before = before.pop("conflict")

    statuses: Counter[int] = Counter()

    def given_nothing(answer: Any) -> None:
        assert SECRET.encode() not in told(answer.content), answer.request.url
        assert not {"gridman-ticket", "gridman-keys"} & set(answer.headers)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(message=words | requests | st.just(Hello(1, replica)))
    def holds(message: Any) -> None:
        answer = served.client.post(
            "/farewell/v1", content=encode(message), headers=bearer | {"gridman-ticket": "wanted"}
        )
        given_nothing(answer)
        statuses[answer.status_code] += 1
        if answer.status_code == 200:
            found = decode_answer(answer.content)
            assert not (
                found.rows
                or found.entries
                or found.segments
                or found.cursors
                or found.drops
                or found.seq
                or found.last_n
            )
            assert len(found.verdicts) == len(message.ops)
        for path in ("/sync/v1", "/audit/v1"):
            shut = served.client.post(path, content=encode(message), headers=bearer | {"gridman-ticket": "wanted"})
            assert shut.status_code == 403
            given_nothing(shut)
        after = rows_of_copy(database)
        kept = after.pop("conflict")
        assert after == before, "something was applied"
        assert {i: kept[i] for i in kept_before} == kept_before
        assert {row["reason"] for i, row in kept.items() if i not in kept_before} <= {"lost_desk"}
        assert machine == {table: ask(database, f"SELECT count(*) FROM {table}") for table in FOR_GOOD}

    holds()
    assert statuses[200] > 20, "most of it was taken: what is refused at the door shows nothing"
    for one in GUARDED:
        with served.client.stream(one.method, one.path.replace("{sha256}", sha), headers=bearer) as answer:
            answer.read()
            given_nothing(answer)
            assert answer.status_code >= 400

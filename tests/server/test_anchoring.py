"""The desks' audit logs at the street: complete after a synchronisation, and a log that was cut or changed shows, over real TLS."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import text

from gridman.domain.access import SYSTEM, Actor
from gridman.joining import enrol_desk
from gridman.kernel.errors import Refusal
from gridman.server.certificates import street_tls
from gridman.server.run import ServerThread
from gridman.services import audit, audit_anchor
from gridman.services.desk import Desk
from gridman.services.trust import fingerprint_of
from gridman.store.audit import digest_of_row
from gridman.store.audit_pages import Wanted, page_lines
from gridman.store.desk_audit import ChainRow
from tests.support.streets import PASSWORD, WORKER, TownStreet, town_street


@pytest.fixture
def street(tmp_path: Path) -> Iterator[TownStreet]:
    with town_street(tmp_path / "street") as town:
        yield town


@pytest.fixture
def desk(street: TownStreet, tmp_path: Path) -> Iterator[Desk]:
    tls = street_tls(street.street)
    with ServerThread(street.street, tls=tls) as url:
        made = enrol_desk(
            tmp_path / "desk", url, WORKER, "a quiet morning", password=PASSWORD, fingerprint=fingerprint_of(tls.authority),
            clock=street.clock,
        )  # fmt: skip
        try:
            yield made
        finally:
            made.close()


def export(desk: Desk, count: int = 1) -> None:
    for number in range(count):
        audit.note_alone(desk.store, desk.actor, "export", "household", None, purpose="survey", rows=number)


def lines(street: TownStreet, act: str | None = None) -> list[audit.AuditRow]:
    with street.street.store.read() as reader:
        return [
            line.row
            for line in page_lines(reader, Wanted(frozenset({act} if act else ())), limit=5_000)
            if line.place.log == 1
        ]


def broken(street: TownStreet) -> list[int]:
    with street.street.store.read() as reader:
        return [b.device.replica for b in audit_anchor.broken_logs(reader) if b.is_open and not b.is_copy]


def tamper(desk: Desk, *statements: str) -> None:
    """What somebody with the key of the desk would do."""
    with desk.store.database.writer.begin() as connection:
        for verb in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER IF EXISTS audit_no_{verb}"))
        for statement in statements:
            connection.execute(text(statement))


def test_what_was_exported_at_a_desk_is_known_at_the_street_after_a_synchronisation(
    street: TownStreet, desk: Desk
) -> None:
    export(desk, 1_203)  # more than goes into one message
    desk.synchronise()
    found = lines(street, "export")
    assert len(found) == 1_203 and {f.details["purpose"] for f in found} == {"survey"}
    assert {f.replica for f in found} == {desk.profile.replica} and {f.actor_id for f in found} == {
        street.users[WORKER]
    }
    with desk.store.read() as reader:
        assert audit_anchor.anchored(reader) == audit.audit_head(reader) and audit_anchor.next_push(reader) is None
    assert broken(street) == []


def test_nothing_is_sent_twice_and_a_lost_answer_harms_nothing(street: TownStreet, desk: Desk) -> None:
    export(desk)
    with desk.store.read() as reader:
        push = audit_anchor.next_push(reader)
    assert push is not None
    me = Actor(street.users[WORKER], "Worker", "grid_worker", 1, frozenset(), desk.profile.replica)
    audit_anchor.receive(street.street.store, street.street.key, me, push)  # its answer never arrived
    desk.synchronise()
    export(desk)
    desk.synchronise()
    assert len(lines(street, "export")) == 2 and broken(street) == []


@pytest.mark.parametrize(
    "statements",
    [
        (
            "DELETE FROM audit WHERE id > 2",
            "UPDATE meta SET value = (SELECT id || ':' || digest FROM audit WHERE id = 2) WHERE key = 'audit_head'",
        ),
        ("UPDATE audit SET digest = replace(digest, 'a', 'b') WHERE id = (SELECT max(id) FROM audit)",),
        ("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)",),
    ],
    ids=["cut off", "changed", "a line taken out"],
)
def test_a_log_that_was_cut_or_changed_after_it_was_sent_shows_at_the_street(
    street: TownStreet, desk: Desk, statements: tuple[str, ...]
) -> None:
    export(desk, 3)
    desk.synchronise()
    before = lines(street)
    tamper(desk, *statements)
    export(desk)
    desk.synchronise()
    assert broken(street) == [desk.profile.replica] and lines(street) == before
    desk.synchronise()  # it is noted once, and work goes on
    with street.street.store.read() as reader:
        assert len(audit.page_audit(reader, SYSTEM, act="audit_broken")) == 1
        assert audit.verify_chain(reader) is None


def test_a_log_written_anew_from_the_first_line_on_shows(street: TownStreet, desk: Desk) -> None:
    """All digests right, because the thief has the key and the time: only what the street has received gives him away."""
    export(desk, 3)
    desk.synchronise()
    with desk.store.read() as reader:
        rows = [row._asdict() for row in reader.connection.execute(text("SELECT * FROM audit ORDER BY id"))]
    previous, changes = "0" * 64, []
    for row in rows:
        row |= {"previous": previous, "act": "print" if row["act"] == "export" else row["act"]}
        previous = row["digest"] = digest_of_row(row)
        changes.append(
            f"UPDATE audit SET act = '{row['act']}', previous = '{row['previous']}', digest = '{previous}' WHERE id = {row['id']}"
        )
    tamper(desk, *changes, f"UPDATE meta SET value = '{len(rows)}:{previous}' WHERE key = 'audit_head'")
    with desk.store.read() as reader:
        assert audit.verify_chain(reader) is None  # the desk alone cannot see it
    export(desk)
    desk.synchronise()
    assert broken(street) == [desk.profile.replica]


def test_a_street_restored_from_a_backup_gets_the_lines_again_and_blames_nobody(street: TownStreet, desk: Desk) -> None:
    export(desk, 3)
    desk.synchronise()
    before = lines(street)
    with street.street.store.database.writer.begin() as connection:  # what a backup of before would hold
        connection.execute(text("DROP TRIGGER desk_audit_no_delete"))
        connection.execute(text("DELETE FROM desk_audit"))
        connection.execute(text("UPDATE device SET audit_n = NULL, audit_digest = NULL"))
    export(desk)
    desk.synchronise()
    assert broken(street) == [] and len(lines(street)) == len(before) + 1


def test_the_streets_confirmation_is_signed(desk: Desk) -> None:
    export(desk)
    with desk.store.read() as reader:
        push = audit_anchor.next_push(reader)
    assert push is not None
    with pytest.raises(Refusal) as caught:
        audit_anchor.keep_anchor(desk.store, push, audit_anchor.Anchor(push.head, "AAAA", True))
    assert caught.value.code == "sync.unsigned"


def hostile(row: ChainRow) -> list[ChainRow]:
    changed = [
        msgspec.structs.replace(row, id=row.id + 7), msgspec.structs.replace(row, previous="1" * 64), msgspec.structs.replace(row, act="x\x00"),
        msgspec.structs.replace(row, at=1 << 70), msgspec.structs.replace(row, details="[1]"), msgspec.structs.replace(row, details='{"a": {}}'),
        msgspec.structs.replace(row, id=-(1 << 70)), msgspec.structs.replace(row, id=0), msgspec.structs.replace(row, at=1 << 60),
        msgspec.structs.replace(row, at=-5), msgspec.structs.replace(row, details=f'{{"grid": {1 << 80}}}'),
    ]  # fmt: skip
    return [msgspec.structs.replace(r, digest=digest_of_row(msgspec.structs.asdict(r))) for r in changed]


def test_forged_lines_are_not_taken_and_break_nothing(street: TownStreet, desk: Desk) -> None:
    with desk.store.read() as reader:
        push = audit_anchor.next_push(reader)
    assert push is not None
    me = Actor(street.users[WORKER], "Worker", "grid_worker", 1, frozenset(), desk.profile.replica)
    for row in hostile(push.rows[0]):
        answer = audit_anchor.receive(
            street.street.store, street.street.key, me, audit_anchor.AuditPush(push.head, 0, [row])
        )
        assert not answer.is_whole, row
    assert lines(street) == []
    for head in ("", "x:y", "-1:a", "9" * 40 + ":a"):
        with pytest.raises(Refusal) as caught:
            audit_anchor.receive(street.street.store, street.street.key, me, msgspec.structs.replace(push, head=head))
        assert caught.value.code == "http.malformed"


def test_only_an_enrolled_desk_may_send(street: TownStreet) -> None:
    with ServerThread(street.street) as url:
        assert (
            httpx.post(f"{url}/audit/v1", json={"head": "1:a", "after": 0, "rows": []}, trust_env=False).status_code
            == 401
        )

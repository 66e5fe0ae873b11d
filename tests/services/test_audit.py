"""The audit log: complete, append-only, and it shows tampering."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from gridman.domain.access import SYSTEM, Actor
from gridman.kernel.errors import Refusal
from gridman.services import audit
from gridman.store.database import open_postgresql, open_sqlite
from gridman.store.journal import StreetJournal
from gridman.store.store import Store, open_store

AUDITOR = Actor(7, "Auditor", "auditor", 1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path, noon: Callable[[], int]) -> Iterator[Store]:
    if request.param == "sqlite":
        database = open_sqlite(tmp_path / "street.db", bytes(32))
    else:
        database = open_postgresql(request.getfixturevalue("postgres_server").create_database())
    opened = open_store(database, 1, [StreetJournal()], noon)
    yield opened
    opened.close()


def write(store: Store, lines: int = 5) -> None:
    for number in range(lines):
        audit.note_alone(store, SYSTEM, "print", "household", number, rows=number, sheet="F01")


def tamper(store: Store, *statements: str) -> None:
    """What a thief with the key would do: take the triggers away, then rewrite."""
    with store.database.writer.begin() as connection:
        if store.database.is_sqlite:
            connection.execute(text("DROP TRIGGER audit_no_update"))
            connection.execute(text("DROP TRIGGER audit_no_delete"))
        else:
            connection.execute(text("DROP TRIGGER audit_no_rewriting ON audit"))
        for statement in statements:
            connection.execute(text(statement))


def broken(store: Store) -> int | None:
    with store.read() as reader:
        return audit.verify_chain(reader)


def test_lines_come_back_newest_first_and_the_chain_is_whole(store: Store, noon: Callable[[], int]) -> None:
    assert broken(store) is None
    write(store, 3)
    with store.read() as reader:
        lines = audit.page_audit(reader, AUDITOR)
    assert [line.record_id for line in lines] == [2, 1, 0]
    assert lines[0].details == {"rows": 2, "sheet": "F01"} and lines[0].at == noon()
    assert broken(store) is None


def test_pages_go_back_and_filter_by_act(store: Store) -> None:
    write(store, 4)
    audit.note_alone(store, SYSTEM, "export", rows=10)
    with store.read() as reader:
        assert [line.id for line in audit.page_audit(reader, AUDITOR, before_id=4, limit=2)] == [3, 2]
        assert [line.act for line in audit.page_audit(reader, AUDITOR, act="export")] == ["export"]


@pytest.mark.parametrize("statement", ["UPDATE audit SET act = 'print'", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_rewrite(store: Store, statement: str) -> None:
    write(store, 1)
    with pytest.raises(DatabaseError, match="append-only"), store.database.writer.begin() as connection:
        connection.execute(text(statement))
    assert broken(store) is None


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit SET actor_id = 9 WHERE id = 3", 3),
        ("UPDATE audit SET details = '{}' WHERE id = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE id = 5", 5),
        ("DELETE FROM audit WHERE id = 1", 1),
        ("DELETE FROM audit WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id >= 4", 4),
        ("DELETE FROM audit", 1),
    ],
)
def test_tampering_is_found_at_its_place(store: Store, statement: str, found: int) -> None:
    write(store)
    tamper(store, statement)
    assert broken(store) == found


def test_a_line_slipped_in_is_found(store: Store) -> None:
    write(store)
    tamper(
        store,
        "INSERT INTO audit (id, at, act, details, previous, digest) "
        "SELECT 6, at, act, details, digest, digest FROM audit WHERE id = 5",
    )
    assert broken(store) == 6


def test_a_refused_unit_leaves_no_line(store: Store) -> None:
    with pytest.raises(RuntimeError), store.unit(SYSTEM) as unit:
        audit.note(unit, "import", rows=3)
        raise RuntimeError
    write(store, 2)
    with store.read() as reader:
        assert [line.act for line in audit.page_audit(reader, AUDITOR)] == ["print", "print"]
    assert broken(store) is None


def test_only_those_who_may_read_it(store: Store) -> None:
    with store.read() as reader, pytest.raises(Refusal) as caught:
        audit.page_audit(reader, Actor(3, "Clerk", "street_clerk", 1))
    assert caught.value.code == "access.role"


@pytest.mark.parametrize(
    "details",
    [{"who": "11010519491231002X"}, {"phone": "call 13812345678"}, {"why": "x" * 201}, {"rows": [1]}, {"rows": 1.5}],
)
def test_personal_or_shapeless_details_are_a_bug(store: Store, details: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="audit detail"):
        audit.note_alone(store, SYSTEM, "print", **details)  # type: ignore[arg-type]


def test_an_unknown_act_is_a_bug(store: Store) -> None:
    with pytest.raises(ValueError, match="unknown audit act"):
        audit.note_alone(store, SYSTEM, "prnit")

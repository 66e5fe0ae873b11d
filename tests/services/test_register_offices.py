"""Offices that import registers at one street: each sees and takes back its own, learns nothing of the others, and all of it is noted."""

import pytest

from gridman.domain.access import SYSTEM, Actor
from gridman.domain.grid import Grid
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.progress import Cancelled
from gridman.services import audit
from gridman.services.register import check_register, import_register, page_batches
from gridman.services.register_undo import undo_import
from gridman.store.store import Store
from tests.services.test_register import CLERK, counts, family, store, street
from tests.support.registers import id_number, person_row

__all__ = ["store"]


def test_where_somebody_lives_in_grids_of_others_is_not_told(store: Store) -> None:
    import_register(store, [person_row(4, "张三", id_number(), "301", building="2")], CLERK)
    with store.read() as reader:
        first = reader.page(Grid, order_by=("code",))[0]
        mine = Actor(6, "吴", "community_staff", 4, frozenset({first.id}))
        report = check_register(reader, [person_row(4, "张三", id_number(), "101")], mine)
    (problem,) = report.problems
    assert problem.code == "register.elsewhere"
    assert "2" not in problem.words() and "301" not in str(problem.params), "an ID number is no key to an address"


def test_an_import_into_grids_of_others_is_not_taken_back(store: Store) -> None:
    rows = [person_row(4, "甲", id_number(sequence=1)), person_row(5, "乙", id_number(sequence=3), building="2")]
    whole = import_register(store, rows, CLERK).batch
    with store.read() as reader:
        first = reader.page(Grid, order_by=("code",))[0]
    mine = Actor(6, "吴", "community_staff", 4, frozenset({first.id}))
    with pytest.raises(Refusal) as refused:
        undo_import(store, whole, mine)
    assert refused.value.code == "register.not_yours" and counts(store)[1] == 2
    rows[1].person["political"] = "01"
    amended = import_register(store, rows, CLERK).batch
    with pytest.raises(Refusal):
        undo_import(store, amended, mine)
    own = import_register(store, [person_row(6, "丙", id_number(sequence=5), "102")], mine).batch
    assert undo_import(store, own, mine).retired > 0


def test_an_office_sees_its_own_imports_only(store: Store) -> None:
    with store.unit(SYSTEM) as unit:
        ours = unit.create(User(login="wu", name="吴", role="community_staff", organisation_id=4))
        theirs = unit.create(User(login="li", name="李", role="community_staff", organisation_id=5))
    made = [
        import_register(store, family(room=f"10{n}", sequence=n * 3), Actor(user.id, user.name, "community_staff", 0)).batch
        for n, user in ((1, ours), (2, theirs))
    ]  # fmt: skip
    with store.read() as reader:
        (seen,) = page_batches(reader, Actor(99, "赵", "community_head", 4))
        assert seen.number == made[0]
        assert {b.number for b in page_batches(reader, Actor(98, "admin", "sysadmin", 1))} == set(made)


def test_an_import_that_is_stopped_is_noted_too_and_so_is_a_stopped_undoing(store: Store) -> None:
    """What they wrote until then stays, and nobody may go on with them."""

    def noted() -> list[object]:
        with store.read() as reader:
            return [row.details["what"] for row in audit.page_audit(reader, Actor(1, "a", "auditor", 1), act="import")]

    def stop(done: int, total: int, step: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        import_register(store, street(8), CLERK, progress=stop, households_per_unit=4)
    assert noted() == ["register begun"] and counts(store)[1] == 4
    batch = import_register(store, street(8), CLERK).batch
    assert noted() == ["register", "register begun"]
    with pytest.raises(Cancelled):
        undo_import(store, batch, CLERK, progress=stop)
    assert noted()[0] == "register undo begun"

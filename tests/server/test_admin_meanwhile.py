"""Two administrators before the same form: neither puts back what the other changed, and neither replaces it unseen."""

from gridman.domain.access import SYSTEM
from gridman.domain.organisation import Organisation
from gridman.domain.user import User
from gridman.services.departments import add_department
from tests.server.office import Office, office
from tests.support.streets import WORKER

__all__ = ["office"]


def department_of(office: Office) -> int:
    with office.town.street.store.unit(SYSTEM) as unit:
        return add_department(unit, "Water board", office.town.organisations["street"]).id


def test_who_saves_second_changes_only_what_they_changed(office: Office) -> None:
    town, street, department = office.town, office.town.organisations["street"], department_of(office)
    here = f"/admin/accounts/{town.users[WORKER]}"

    def worker() -> User:
        with town.street.store.read() as reader:
            return reader.get(User, town.users[WORKER])

    with office.signed_in() as one, office.signed_in() as other:
        mine, theirs = one.open(here).form(here), other.open(here).form(here)
        one.send(mine, name="Wang Fang", phone="13900000001")
        other.send(theirs, organisation_id=str(street))
        found = worker()
        assert (found.name, found.phone, found.organisation_id) == (
            "Wang Fang",
            "13900000001",
            street,
        )
        crossed = one.send(mine, name="Wang Fang", phone="13900000001", organisation_id=str(department))
        assert crossed.status == 422 and "somebody else changed this to" in crossed.text
        office_name = crossed.form(here).options["organisation_id"][str(street)]
        assert office_name in crossed.text.partition("somebody else changed this to")[2]
        assert worker().organisation_id == street
        one.send(crossed.form(here))  # seen, and meant
        assert worker().organisation_id == department


def test_nor_is_a_departments_new_name_replaced_unseen(office: Office) -> None:
    department = department_of(office)
    here = f"/admin/departments/{department}"
    with office.signed_in() as one, office.signed_in() as other:
        mine, theirs = one.open(here).form(f"{here}/rename"), other.open(here).form(f"{here}/rename")
        one.send(mine, name="City management")
        crossed = other.send(theirs, name="Law enforcement")
        assert crossed.status == 422 and "changed this to City management" in crossed.text
        other.send(crossed.form(f"{here}/rename"))
        with office.town.street.store.read() as reader:
            assert reader.get(Organisation, department).name == "Law enforcement"

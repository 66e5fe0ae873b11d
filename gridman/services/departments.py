"""Functional departments (职能部门) of the street: added, renamed, and taken out of use when nothing hangs on them any more."""

from gridman.domain import access
from gridman.domain.grid import Grid
from gridman.domain.incident import OPEN_STATES, Incident
from gridman.domain.organisation import ORG_LEVELS, Organisation
from gridman.domain.region import Region
from gridman.domain.rules import require_valid, tidy
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.audit import note
from gridman.services.meanwhile import edits_against
from gridman.store.unit import Reader, Unit

__all__ = [
    "add_department",
    "department_of_name",
    "open_incidents_of",
    "page_organisations",
    "rename_department",
    "retire_department",
]

_ALL = 100_000
_NAMED = 5
"""So many incidents or accounts are named where a department cannot be retired."""


def page_organisations(reader: Reader) -> list[Organisation]:
    """Every organisation in use as people look for one: from the street down, departments after the offices of their level, each by the code of
    its region or grid (names with numbers in Chinese sort in no order that anybody reads).
    """
    codes = {r.id: r.code for r in reader.page(Region, limit=_ALL)}
    grids = {g.id: g.code for g in reader.page(Grid, limit=_ALL)}

    def place(o: Organisation) -> tuple[int, bool, str, str]:
        level = ORG_LEVELS.index(o.level) if o.level in ORG_LEVELS else -1
        code = grids.get(o.grid_id or 0) or codes.get(o.region_id or 0) or ""
        return -level, bool(o.is_department), code, o.name

    return sorted(reader.page(Organisation, limit=_ALL), key=place)


def add_department(unit: Unit, name: str, superior_id: int) -> Organisation:
    """A functional department beside its superior organisation; found again by name."""
    access.require(unit.actor, "account.manage")
    superior = unit.get(Organisation, superior_id)
    name = _name_of(name)
    found = unit.first(Organisation, name=name, parent_id=superior_id, is_department=True)
    if found is not None:
        return found
    department = Organisation(
        name=name, level=superior.level, parent_id=superior_id, region_id=superior.region_id, is_department=True
    )
    unit.create(department)
    unit.flush()
    note(unit, "department", "organisation", department.id, what="added")
    return department


def rename_department(unit: Unit, department_id: int, name: str, seen: str | None = None) -> Organisation:
    """Another name; what was dispatched to it, and its accounts, stay with it. `seen`: the name that the person who changes it had before their
    eyes, see `gridman.services.meanwhile`. Refuses with ``department.none`` and ``department.name_taken``.
    """
    access.require(unit.actor, "account.manage")
    unit.hold(Organisation, department_id)
    department = _department(unit, department_id)
    name = _name_of(name)
    if seen is not None:
        edits_against("organisation", {"name": department.name}, {"name": name}, {"name": seen})
    other = unit.first(Organisation, name=name)
    if other is not None and other.id != department_id:
        raise Refusal(
            "department.name_taken",
            N_("There is an organisation named {name} already."),
            N_("Choose another name, or retire the one that is no longer needed."),
            name=name,
        )
    unit.amend(department, name=name)
    note(unit, "department", "organisation", department_id, what="renamed")
    return department


def retire_department(unit: Unit, department_id: int, reason: str) -> Organisation:
    """Take a department out of use: nothing is dispatched to it any more; what it did stays on file under its name.

    Refuses with ``department.no_reason``, ``department.none``, and while something would be left without anybody with
    ``department.has_incidents`` or ``department.has_accounts``.
    """
    access.require(unit.actor, "account.manage")
    unit.hold(Organisation, department_id)
    department = _department(unit, department_id)
    if not reason.strip():
        raise Refusal(
            "department.no_reason",
            N_("The reason is missing."),
            N_("Say in a few words why the department goes, for example: merged into another one."),
        )
    incidents = open_incidents_of(unit, department_id)
    if incidents:
        raise Refusal(
            "department.has_incidents",
            N_("{count} open incidents are still with {department}: {numbers}."),
            N_("Finish them, send them back or call them back first; then retire the department."),
            count=len(incidents),
            department=department.name,
            numbers=_some([i.number or "–" for i in incidents]),
        )
    users = unit.page(User, organisation_id=department_id, order_by=("login",), limit=1_000)
    if users:
        raise Refusal(
            "department.has_accounts",
            N_("{department} still has accounts: {logins}."),
            N_("Give them another organisation first, on their pages or with gridman street user change."),
            department=department.name,
            logins=_some([u.login or "" for u in users]),
        )
    unit.retire(department, reason.strip()[:200])
    note(unit, "department", "organisation", department_id, what="retired")
    return department


def open_incidents_of(reader: Reader, department_id: int) -> list[Incident]:
    """Open incidents that the department holds, or that would come back to it: those it reported or handled."""
    states = set(OPEN_STATES)
    held = reader.page(Incident, state=states, holder_id=department_id)
    reported = reader.page(Incident, state=states, creator_id=department_id)
    handled = reader.page(Incident, state=states, handler_id=department_id)
    found = {i.id: i for i in (*held, *reported, *handled)}
    return sorted(found.values(), key=lambda i: i.number or "")


def department_of_name(reader: Reader, name: str) -> Organisation:
    """The department in use that bears this name; refuses with ``department.none``."""
    found = reader.first(Organisation, name=name.strip(), is_department=True)
    if found is None:
        raise _none(name)
    return found


def _department(unit: Unit, department_id: int) -> Organisation:
    found = unit.find(Organisation, department_id)
    if found is None or not found.is_department or found.retired_at is not None:
        raise _none(str(department_id) if found is None else found.name)
    return found


def _none(name: str) -> Refusal:
    return Refusal(
        "department.none",
        N_("There is no department {name} in use."),
        N_("See gridman street department list for those there are. Offices of the street, its communities and grids follow the map."),
        name=name,
    )  # fmt: skip


def _name_of(name: str) -> str:
    values = tidy(Organisation, {"name": name})
    require_valid(Organisation, values, is_new=True)
    return str(values["name"])


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")

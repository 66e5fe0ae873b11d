"""The office work of a street's administrator: users, enrolment codes, computers, departments."""

import argparse
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import add_data, opened_street, unknown_login
from gridman.cli.secrets import ask_new
from gridman.cli.street_trust import add_invitation, invite
from gridman.domain.access import SYSTEM
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _

__all__ = ["fill", "leaf", "organisation_of", "user_of"]

_PASSWORD = "GRIDMAN_PASSWORD"
_ALL = 1_000_000


def fill(parts: Any) -> None:
    """The arguments of `street user`, `device` and `department`."""
    user = parts.add_parser("user", help=_("users and their accounts")).add_subparsers(metavar="DO", required=True)
    _fill_users(user)
    device = parts.add_parser("device", help=_("enrolled computers")).add_subparsers(metavar="DO", required=True)
    leaf(device, "list", _("list them"), _devices)
    revoke = leaf(device, "revoke", _("shut one out at once"), _revoke)
    revoke.add_argument("number", type=int, metavar="NUMBER", help=_("its number in the list"))
    revoke.add_argument(
        "--retired",
        action="store_true",
        help=_("not lost but taken out of service: what it hands over is not marked as doubtful"),
    )
    revoke.add_argument(
        "--reason", required=True, metavar="TEXT", help=_("why, in a few words; it stands in the audit log")
    )
    department = parts.add_parser("department", help=_("departments of the street")).add_subparsers(
        metavar="DO", required=True
    )
    add = leaf(department, "add", _("add one"), _add_department)
    add.add_argument("--name", required=True, metavar="NAME", help=_("its name"))
    rename = leaf(department, "rename", _("give one another name"), _rename_department)
    rename.add_argument("--name", required=True, metavar="NAME", help=_("its name now"))
    rename.add_argument("--to", required=True, metavar="NAME", help=_("its new name"))
    retire = leaf(department, "retire", _("take one out of use that holds nothing any more"), _retire_department)
    retire.add_argument("--name", required=True, metavar="NAME", help=_("its name"))
    retire.add_argument("--reason", required=True, metavar="WORDS", help=_("why, in a few words"))
    leaf(department, "list", _("list the organisations"), _organisations)


def _fill_users(user: Any) -> None:
    add = leaf(user, "add", _("add one"), _add_user)
    add.add_argument("--login", required=True, metavar="LOGIN", help=_("sign-in name"))
    add.add_argument("--name", required=True, metavar="NAME", help=_("the person's name"))
    add.add_argument(
        "--role",
        required=True,
        metavar="ROLE",
        help=_("grid_worker, community_staff, street_clerk, street_supervisor …"),
    )
    add.add_argument(
        "--organisation",
        metavar="NAME",
        help=_(
            "name of the organisation, or code of its grid or community (default: the street); see street department list"
        ),
    )
    add.add_argument("--code", action="store_true", help=_("no password: print a code that enrols one computer"))
    add_invitation(add)
    leaf(user, "list", _("list them"), _users)
    change = leaf(user, "change", _("another name, role or organisation"), _change_user)
    change.add_argument("--login", required=True, metavar="LOGIN", help=_("whose"))
    change.add_argument("--name", metavar="NAME", help=_("the person's name"))
    change.add_argument(
        "--role", metavar="ROLE", help=_("grid_worker, community_staff, street_clerk, street_supervisor …")
    )
    change.add_argument(
        "--organisation", metavar="NAME", help=_("name of the organisation, or code of its grid or community")
    )
    code = leaf(user, "code", _("print a new code that enrols one computer"), _code)
    code.add_argument("--login", required=True, metavar="LOGIN", help=_("for whom"))
    add_invitation(code)
    suspend = leaf(user, "suspend", _("shut one out at once"), _suspend)
    suspend.add_argument("--login", required=True, metavar="LOGIN", help=_("whom"))
    suspend.add_argument("--lift", action="store_true", help=_("let the user in again"))
    password = leaf(user, "password", _("set a new password"), _set_password)
    password.add_argument("--login", required=True, metavar="LOGIN", help=_("whose"))


def leaf(parts: Any, name: str, text: str, work: Any) -> argparse.ArgumentParser:
    """One command of the street."""
    made: argparse.ArgumentParser = parts.add_parser(name, help=text, description=text)
    made.set_defaults(work=work)
    add_data(made, is_street=True)
    return made


def user_of(unit: Any, login: str) -> Any:
    """The user of a sign-in name; refuses with ``cli.unknown_login``."""
    from gridman.domain.user import User
    from gridman.store.keys import fold_login

    found = unit.first(User, login=fold_login(login))
    if found is None:
        raise unknown_login(login)
    return found


def organisation_of(unit: Any, name: str | None) -> Any:
    """The organisation of that name, or of the grid or region of that code; without either the street's office."""
    from gridman.domain.grid import Grid
    from gridman.domain.organisation import Organisation
    from gridman.domain.region import Region
    from gridman.services.layout import street_office

    if not name:
        return street_office(unit)
    found = unit.first(Organisation, name=name)
    if found is None and name.isdecimal():
        grid, region = unit.first(Grid, code=name), unit.first(Region, code=name)
        if grid is not None:
            found = unit.first(Organisation, grid_id=grid.id, level="grid")
        elif region is not None:
            found = unit.first(Organisation, region_id=region.id, level=region.level)
    if found is None:
        raise Refusal(
            "cli.no_organisation",
            N_("There is no organisation {name}."),
            N_("See gridman street department list for those there are."),
            name=name,
        )
    return found


def _add_user(args: argparse.Namespace, console: Console) -> int:
    from gridman.domain.grid import Grid
    from gridman.services.accounts import create_user
    from gridman.services.assignments import lacks_grid
    from gridman.services.enrolment import new_code

    with opened_street(args.data, args.database) as street:
        password = None
        if not args.code:
            password = ask_new(_PASSWORD, _("Password of {login}").format(login=args.login))
        with street.store.unit(SYSTEM) as unit:
            organisation = organisation_of(unit, args.organisation)
            made = create_user(unit, args.login, args.name, args.role, organisation, password, hasher=street.hasher)
            unit.flush()
            code = new_code(unit, made.id) if args.code else ""
            needs_grid = lacks_grid(unit, made)
            grid = unit.find(Grid, organisation.grid_id)
        console.say(_("{name} ({login}), {role}, {organisation}").format(
            name=made.name, login=made.login, role=made.role, organisation=organisation.name,
        ))  # fmt: skip
        shown = invite(street, made.login, code, args, console) if code else {"code": ""}
    if needs_grid:
        console.say(
            _("{name} has no grid yet: the desk receives no household before one is assigned.").format(name=made.name)
        )
        code_of_grid = grid.code if grid else _("CODE")
        console.say(f"    gridman street assign --data {args.data} --login {made.login} --grid {code_of_grid}")
    given = {"id": made.id, "login": made.login, "role": made.role, "organisation": organisation.name}
    console.give({**given, "needs_grid": needs_grid, **shown})
    return 0


def _users(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.accounts import page_accounts

    with opened_street(args.data, args.database) as street, street.store.read() as reader:
        lines = page_accounts(reader, SYSTEM)
    for line in lines:
        marks = [_("suspended")] if line.is_suspended else []
        marks += [_("locked until {at}").format(at=show_instant(line.locked_until))] if line.locked_until else []
        marks += [] if line.has_password else [_("enrols by code")]
        devices = _("{count} computers").format(count=line.device_count)
        console.say(f"{line.login:<16} {line.role:<18} {line.name}  {devices}  {', '.join(marks)}".rstrip())
    console.give([vars(line) for line in lines])
    return 0


def _change_user(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.accounts import amend_user

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        user = user_of(unit, args.login)
        seen = {name: getattr(user, name) for name in ("name", "role", "organisation_id", "phone")}
        organisation_id = organisation_of(unit, args.organisation).id if args.organisation else user.organisation_id
        made = amend_user(
            unit, user.id, name=args.name or user.name, role=args.role or user.role, organisation_id=organisation_id, phone=user.phone or "",
            seen=seen,
        )  # fmt: skip
    console.say(f"{made.login:<16} {made.role:<18} {made.name}")
    console.give(
        {
            "id": made.id,
            "login": made.login,
            "name": made.name,
            "role": made.role,
            "organisation_id": made.organisation_id,
        }
    )
    return 0


def _code(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.enrolment import new_code

    with opened_street(args.data, args.database) as street:
        with street.store.unit(SYSTEM) as unit:
            user = user_of(unit, args.login)
            code = new_code(unit, user.id)
        shown = invite(street, user.login, code, args, console)
    console.give({"login": user.login, **shown})
    return 0


def _suspend(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.accounts import suspend

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        user = user_of(unit, args.login)
        suspend(unit, user.id, not args.lift)
    text = _("{login} may sign in again.") if args.lift else _("{login} is suspended.")
    console.say(text.format(login=user.login))
    console.give({"login": user.login, "suspended": not args.lift})
    return 0


def _set_password(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.accounts import set_password

    with opened_street(args.data, args.database) as street:
        with street.store.read() as reader:
            user = user_of(reader, args.login)
        password = ask_new(_PASSWORD, _("Password of {login}").format(login=user.login))
        with street.store.unit(SYSTEM) as unit:
            set_password(unit, user.id, password, hasher=street.hasher)
    console.say(_("{login} has a new password, to be changed at the next sign-in.").format(login=user.login))
    console.give({"login": user.login})
    return 0


def _devices(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.overview import page_desks

    with opened_street(args.data, args.database) as street, street.store.read() as reader:
        lines = page_desks(reader, SYSTEM)
    for line in lines:
        d = line.device
        seen = show_instant(d.last_seen_at) if d.last_seen_at else _("never")
        state = _("revoked") if d.revoked_at else _("last seen {at}").format(at=seen)
        console.say(f"{d.replica:>6}  {line.login:<16} {d.name}  {d.app or '–'}  {state}")
    console.give([
        {
            "number": line.device.replica, "login": line.login, "name": line.device.name, "enrolled_at": line.device.enrolled_at,
            "last_seen_at": line.device.last_seen_at, "skew_ms": line.skew_ms, "revoked_at": line.device.revoked_at,
            "revoked_as": line.device.revoked_as, "audit_broken_at": line.device.audit_broken_at, "app": line.device.app,
            "lowest": line.device.lowest, "highest": line.device.highest,
        }
        for line in lines
    ])  # fmt: skip
    return 0


def _revoke(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.enrolment import LOST, RETIRED, reason_given, revoke_device

    reason = reason_given(args.reason)
    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        revoke_device(unit, args.number, RETIRED if args.retired else LOST, reason)
    console.say(
        _("Computer {number} is shut out; it destroys its records at its next contact.").format(number=args.number)
    )
    console.give({"number": args.number, "revoked": True, "reason": reason})
    return 0


def _add_department(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.departments import add_department

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        office = organisation_of(unit, None)
        made = add_department(unit, args.name, office.id)
    console.say(_("{department}, beside {organisation}").format(department=made.name, organisation=office.name))
    console.give({"id": made.id, "name": made.name})
    return 0


def _rename_department(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.departments import department_of_name, rename_department

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        made = rename_department(unit, department_of_name(unit, args.name).id, args.to)
    console.say(_("{name} is called {to} now.").format(name=args.name, to=made.name))
    console.give({"id": made.id, "name": made.name})
    return 0


def _retire_department(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.departments import department_of_name, retire_department

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        gone = retire_department(unit, department_of_name(unit, args.name).id, args.reason)
    console.say(_("{name} is retired.").format(name=gone.name))
    console.give({"id": gone.id, "name": gone.name, "reason": gone.retired_reason})
    return 0


def _organisations(args: argparse.Namespace, console: Console) -> int:
    from gridman.domain.grid import Grid
    from gridman.services.departments import page_organisations

    with opened_street(args.data, args.database) as street, street.store.read() as reader:
        grids = {g.id: g.code for g in reader.page(Grid, limit=_ALL)}
        found = page_organisations(reader)
    for o in found:
        what = _("department") if o.is_department else grids.get(o.grid_id or 0, "")
        console.say(f"{o.level:<10} {o.name}{'  ' + what if what else ''}")
    console.give(
        [{"id": o.id, "name": o.name, "level": o.level, "is_department": bool(o.is_department)} for o in found]
    )
    return 0

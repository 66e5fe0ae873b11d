"""The office work of a street's administrator: users, enrolment codes, computers, grids of workers, departments."""

import argparse
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import add_data, opened_street, unknown_login
from gridman.cli.secrets import ask_new
from gridman.cli.street_trust import add_invitation, invite
from gridman.domain.access import SYSTEM
from gridman.kernel.clock import day_of, show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _

__all__ = ["fill"]

_PASSWORD = "GRIDMAN_PASSWORD"
_ALL = 1_000_000


def fill(parts: Any) -> None:
    """The arguments of `street user`, `assign`, `device` and `department`."""
    user = parts.add_parser("user", help=_("users and their accounts")).add_subparsers(metavar="DO", required=True)
    _fill_users(user)
    assign = _leaf(parts, "assign", _("give a worker a grid"), _assign)
    assign.add_argument("--login", required=True, metavar="LOGIN", help=_("the worker"))
    assign.add_argument(
        "--grid", required=True, action="append", metavar="CODE", help=_("15-digit grid code; may be repeated")
    )
    assign.add_argument("--end", action="store_true", help=_("end the assignment instead"))
    device = parts.add_parser("device", help=_("enrolled computers")).add_subparsers(metavar="DO", required=True)
    _leaf(device, "list", _("list them"), _devices)
    revoke = _leaf(device, "revoke", _("shut one out at once"), _revoke)
    revoke.add_argument("number", type=int, metavar="NUMBER", help=_("its number in the list"))
    revoke.add_argument(
        "--retired",
        action="store_true",
        help=_("not lost but taken out of service: its unsent work is kept for review"),
    )
    department = parts.add_parser("department", help=_("departments of the street")).add_subparsers(
        metavar="DO", required=True
    )
    add = _leaf(department, "add", _("add one"), _add_department)
    add.add_argument("--name", required=True, metavar="NAME", help=_("its name"))
    _leaf(department, "list", _("list the organisations"), _organisations)


def _fill_users(user: Any) -> None:
    add = _leaf(user, "add", _("add one"), _add_user)
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
        help=_("name of the organisation (default: the street); see street department list"),
    )
    add.add_argument("--code", action="store_true", help=_("no password: print a code that enrols one computer"))
    add_invitation(add)
    _leaf(user, "list", _("list them"), _users)
    code = _leaf(user, "code", _("print a new code that enrols one computer"), _code)
    code.add_argument("--login", required=True, metavar="LOGIN", help=_("for whom"))
    add_invitation(code)
    suspend = _leaf(user, "suspend", _("shut one out at once"), _suspend)
    suspend.add_argument("--login", required=True, metavar="LOGIN", help=_("whom"))
    suspend.add_argument("--lift", action="store_true", help=_("let the user in again"))
    password = _leaf(user, "password", _("set a new password"), _set_password)
    password.add_argument("--login", required=True, metavar="LOGIN", help=_("whose"))


def _leaf(parts: Any, name: str, text: str, work: Any) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = parts.add_parser(name, help=text, description=text)
    made.set_defaults(work=work)
    add_data(made, is_street=True)
    return made


def _user_of(unit: Any, login: str) -> Any:
    from gridman.domain.user import User
    from gridman.store.keys import fold_login

    found = unit.first(User, login=fold_login(login))
    if found is None:
        raise unknown_login(login)
    return found


def _organisation_of(unit: Any, name: str | None) -> Any:
    from gridman.domain.organisation import Organisation

    wanted: dict[str, Any] = {"name": name} if name else {"level": "street", "is_department": None}
    found = unit.page(Organisation, limit=_ALL, **wanted)
    if not found and name:
        raise Refusal(
            "cli.no_organisation",
            N_("There is no organisation {name}."),
            N_("See gridman street department list for those there are."),
            name=name,
        )
    if not found:
        raise Refusal(
            "street.not_founded", N_("The street has no organisation yet."), N_("Found it with gridman street init.")
        )
    return found[0]


def _add_user(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.accounts import create_user
    from gridman.services.enrolment import new_code

    with opened_street(args.data, args.database) as street:
        password = None
        if not args.code:
            password = ask_new(_PASSWORD, _("Password of {login}").format(login=args.login))
        with street.store.unit(SYSTEM) as unit:
            organisation = _organisation_of(unit, args.organisation)
            made = create_user(unit, args.login, args.name, args.role, organisation, password, hasher=street.hasher)
            unit.flush()
            code = new_code(unit, made.id) if args.code else ""
        console.say(_("{name} ({login}), {role}, {organisation}").format(
            name=made.name, login=made.login, role=made.role, organisation=organisation.name,
        ))  # fmt: skip
        shown = invite(street, made.login, code, args, console) if code else {"code": ""}
    console.give({"id": made.id, "login": made.login, "role": made.role, "organisation": organisation.name, **shown})
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


def _code(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.enrolment import new_code

    with opened_street(args.data, args.database) as street:
        with street.store.unit(SYSTEM) as unit:
            user = _user_of(unit, args.login)
            code = new_code(unit, user.id)
        shown = invite(street, user.login, code, args, console)
    console.give({"login": user.login, **shown})
    return 0


def _suspend(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.accounts import suspend

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        user = _user_of(unit, args.login)
        suspend(unit, user.id, not args.lift)
    text = _("{login} may sign in again.") if args.lift else _("{login} is shut out.")
    console.say(text.format(login=user.login))
    console.give({"login": user.login, "suspended": not args.lift})
    return 0


def _set_password(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.accounts import set_password

    with opened_street(args.data, args.database) as street:
        with street.store.read() as reader:
            user = _user_of(reader, args.login)
        password = ask_new(_PASSWORD, _("Password of {login}").format(login=user.login))
        with street.store.unit(SYSTEM) as unit:
            set_password(unit, user.id, password, hasher=street.hasher)
    console.say(_("{login} has a new password, to be changed at the next sign-in.").format(login=user.login))
    console.give({"login": user.login})
    return 0


def _assign(args: argparse.Namespace, console: Console) -> int:
    from gridman.domain.grid import Assignment, Grid

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        user = _user_of(unit, args.login)
        today = day_of(unit.at)
        for code in args.grid:
            grid = unit.first(Grid, code=code)
            if grid is None:
                raise Refusal(
                    "cli.no_grid", N_("There is no grid {code}."), N_("See gridman export map for the codes of the grids."), code=code
                )  # fmt: skip
            known = unit.first(Assignment, user_id=user.id, grid_id=grid.id, until_on=None)
            if args.end and known is not None:
                unit.amend(known, until_on=today)
            elif not args.end and known is None:
                unit.create(Assignment(user_id=user.id, grid_id=grid.id, from_on=today))
    text = _("{name} no longer works in {grids}.") if args.end else _("{name} works in {grids}.")
    console.say(text.format(name=user.name, grids=", ".join(args.grid)))
    console.give({"login": user.login, "grids": args.grid, "ended": args.end})
    return 0


def _devices(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.enrolment import page_devices

    with opened_street(args.data, args.database) as street, street.store.read() as reader:
        devices = page_devices(reader, SYSTEM)
        logins = {d.user_id: _login_of(reader, d.user_id) for d in devices}
    for d in devices:
        seen = show_instant(d.last_seen_at) if d.last_seen_at else _("never")
        state = _("revoked") if d.revoked_at else _("last seen {at}").format(at=seen)
        console.say(f"{d.replica:>6}  {logins[d.user_id]:<16} {d.name}  {state}")
    console.give([
        {"number": d.replica, "login": logins[d.user_id], "name": d.name, "last_seen_at": d.last_seen_at, "revoked_at": d.revoked_at}
        for d in devices
    ])  # fmt: skip
    return 0


def _login_of(reader: Any, user_id: int) -> str:
    from gridman.domain.user import User

    user = reader.find(User, user_id)
    return str(user.login) if user else str(user_id)


def _revoke(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.enrolment import LOST, RETIRED, revoke_device

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        revoke_device(unit, args.number, RETIRED if args.retired else LOST)
    console.say(
        _("Computer {number} is shut out; it destroys its records at its next contact.").format(number=args.number)
    )
    console.give({"number": args.number, "revoked": True})
    return 0


def _add_department(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.layout import add_department

    with opened_street(args.data, args.database) as street, street.store.unit(SYSTEM) as unit:
        office = _organisation_of(unit, None)
        made = add_department(unit, args.name, office.id)
    console.say(_("{department}, beside {organisation}").format(department=made.name, organisation=office.name))
    console.give({"id": made.id, "name": made.name})
    return 0


def _organisations(args: argparse.Namespace, console: Console) -> int:
    from gridman.domain.grid import Grid
    from gridman.domain.organisation import Organisation, rank_of
    from gridman.domain.region import Region

    with opened_street(args.data, args.database) as street, street.store.read() as reader:
        codes = {r.id: r.code for r in reader.page(Region, limit=_ALL)}
        grids = {g.id: g.code for g in reader.page(Grid, limit=_ALL)}
        found = sorted(
            reader.page(Organisation, limit=_ALL),
            key=lambda o: (
                -rank_of(o),
                bool(o.is_department),
                grids.get(o.grid_id or 0) or codes.get(o.region_id or 0, ""),
                o.name,
            ),
        )
    for o in found:
        what = _("department") if o.is_department else grids.get(o.grid_id or 0, "")
        console.say(f"{o.level:<10} {o.name}{'  ' + what if what else ''}")
    console.give(
        [{"id": o.id, "name": o.name, "level": o.level, "is_department": bool(o.is_department)} for o in found]
    )
    return 0

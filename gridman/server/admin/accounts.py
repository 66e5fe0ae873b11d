"""Accounts: who may sign in, with which role, in which organisation."""

from collections.abc import Mapping
from typing import Any

from gridman.domain.organisation import Organisation
from gridman.domain.rules import Invalid
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Go, Page, whole
from gridman.server.admin.door import inside
from gridman.server.admin.markup import Html, Part, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import (
    Fields,
    actions,
    as_shown,
    card,
    chip,
    empty,
    facts,
    form,
    link,
    note,
    press,
    search_box,
    seen_in,
    table,
)
from gridman.server.admin.slips import code_slip, grid_missing
from gridman.services.accounts import (
    AccountLine,
    amend_user,
    create_user,
    page_accounts,
    roles_with_account,
    set_password,
    suspend,
)
from gridman.services.departments import page_organisations
from gridman.services.enrolment import new_code
from gridman.services.meanwhile import CHANGED
from gridman.services.overview import page_desks

__all__ = ["ROUTES"]

RIGHT = "account.manage"


def state_chips(ask: Ask, line: AccountLine) -> Part:
    """How an account stands, in words."""
    chips = []
    if line.is_suspended:
        chips.append(chip(ask.say(N_("suspended")), "danger"))
    if line.locked_until:
        chips.append(chip(ask.say(N_("locked until {at}"), at=ask.when(line.locked_until)), "attention"))
    if not line.has_password:
        chips.append(chip(ask.say(N_("enrols by code"))))
    elif line.must_change:
        chips.append(chip(ask.say(N_("password to be replaced")), "information"))
    return join(*chips) if chips else chip(ask.say(N_("in use")), "good")


def get_accounts(ask: Ask) -> Answer:
    """All accounts, or those whose name, role or organisation has what was typed."""
    wanted = ask.query.get("q", "").casefold().strip()
    with ask.street.store.read() as reader:
        lines = page_accounts(reader, ask.actor)
        names = {o.id: o.name for o in page_organisations(reader)}
    shown = [
        n
        for n in lines
        if wanted
        in " ".join((n.login, n.name, n.role, ask.word("role", n.role), names.get(n.organisation_id, ""))).casefold()
    ]
    rows = [
        (
            link(n.login, f"/accounts/{n.user_id}"),
            n.name,
            ask.word("role", n.role),
            names.get(n.organisation_id, "–"),
            n.device_count,
            state_chips(ask, n),
        )
        for n in shown
    ]
    heads = [
        ask.say(text)
        for text in (N_("Sign-in name"), N_("Name"), N_("Role"), N_("Organisation"), N_("Computers"), N_("State"))
    ]
    count = ask.say(N_("{shown} of {all} accounts"), shown=len(shown), all=len(lines))
    body = join(
        search_box(ask, "/accounts", N_("Name, role or organisation")),
        actions(
            link(ask.say(N_("Add an account")), "/accounts/new", is_button=True, is_main=True),
            el("span", count, class_="soft"),
        ),
        el("p"),
        table(heads, rows, numbers=(4,))
        if rows
        else empty(ask, N_("No account fits."), N_("Type less, or add an account.")),
    )
    return Page(ask.say(N_("Accounts")), body, "accounts")


def _user_fields(ask: Ask, fields: Fields, reader: Any, *, is_new: bool) -> Html:
    roles = [(code, f"{ask.word('role', code)} ({code})") for code in roles_with_account()]
    offices = [(o.id, ask.organisation(o)) for o in page_organisations(reader)]
    return join(
        fields.line("login", N_("Sign-in name"), required=True, is_first=True, hint=N_("2 to 40 letters or digits, without blanks; it cannot be "
            "changed later."))
        if is_new
        else None,
        fields.line("name", N_("Name"), required=True),
        fields.choice("role", N_("Role"), roles, required=True, hint=N_("Decides what the person may do and see.")),
        fields.choice("organisation_id", N_("Organisation"), offices, required=True),
        None if is_new else fields.line("phone", N_("Phone"), kind="tel"),
    )  # fmt: skip


def _new_page(ask: Ask, errors: dict[str, str] | None = None) -> Page:
    fields = Fields(ask, ask.form or {"role": "grid_worker", "way": "code"}, errors or {})
    with ask.street.store.read() as reader:
        parts = _user_fields(ask, fields, reader, is_new=True)
    ways = [
        ("code", ask.say(N_("With an enrolment code, for a desk"))),
        ("password", ask.say(N_("With a password, for these pages or a desk"))),
    ]
    body = card(
        form(
            ask,
            "/accounts/new",
            parts,
            fields.choice("way", N_("How does the person begin?"), ways),
            fields.line("password", N_("First password"), kind="password", complete="new-password", hint=N_("Only for the second way. At least 10 "
                "characters; it has to be replaced at the first sign-in.")),
            actions(el("button", ask.say(N_("Add the account")), class_="main"), link(ask.say(N_("Cancel")), "/accounts")),
        )
    )  # fmt: skip
    return Page(ask.say(N_("Add an account")), body, "accounts", 422 if errors else 200)


def get_new(ask: Ask) -> Answer:
    """The form."""
    return _new_page(ask)


_PLACES = {
    "account.login_taken": "login", "account.login_malformed": "login", "account.role": "role", "passphrase.weak": "password",
    "record.missing": "organisation_id", "account.last_admin": "role", "account.office_retired": "organisation_id",
}  # fmt: skip


def _errors(ask: Ask, refusal: Refusal) -> dict[str, str]:
    """The refusal beside the field it is about; raises it again when it is about none."""
    if isinstance(refusal, Invalid):
        _in_words(ask, refusal.problems)
        return ask.invalid(refusal, User)
    place = _PLACES.get(refusal.code)
    if place is None:
        raise refusal
    return {place: " ".join(ask.told(refusal))}


def _in_words(ask: Ask, problems: Mapping[str, Refusal]) -> None:
    """What somebody else chose meanwhile, as the lists of the form name it."""
    role, office = problems.get("role"), problems.get("organisation_id")
    if role is not None and role.code == CHANGED:
        role.params["value"] = ask.word("role", str(role.params["value"]))
    if office is not None and office.code == CHANGED:
        with ask.street.store.read() as reader:
            office.params["value"] = ask.organisation(reader.get(Organisation, office.params["value"]))


def post_new(ask: Ask) -> Answer:
    """A new account; one that begins with a code is led on to the code."""
    by_code = ask.form.get("way") != "password"
    try:
        with ask.street.store.unit(ask.actor) as unit:
            made = create_user(
                unit, ask.form.get("login", ""), ask.form.get("name", ""), ask.form.get("role", ""),
                ask.chosen("organisation_id") or 0, None if by_code else ask.form.get("password", ""), hasher=ask.street.hasher,
            )  # fmt: skip
            unit.flush()
            code = new_code(unit, made.id) if by_code else ""
    except Refusal as refusal:
        return _new_page(ask, _errors(ask, refusal))
    if not by_code:
        return Go(f"/accounts/{made.id}", "account.created")
    body = join(note(ask.say(N_("The account is created.")), tone="good screen"), code_slip(ask, made, code))
    return Page(ask.say(N_("Enrolment code")), body, "accounts")


def _account_page(ask: Ask, errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> Page:
    user_id = ask.number("id")
    with ask.street.store.read() as reader:
        user = reader.get(User, user_id)
        line = next((n for n in page_accounts(reader, ask.actor) if n.user_id == user_id), None)
        desks = [d for d in page_desks(reader, ask.actor) if d.device.user_id == user_id]
        shown = {name: getattr(user, name) for name in ("name", "role", "organisation_id", "phone")}
        parts = _user_fields(ask, Fields(ask, typed or shown, errors or {}), reader, is_new=False)
    here = f"/accounts/{user_id}"
    secret = Fields(ask, {}, errors or {})
    left = card(
        form(ask, here, as_shown(shown), parts, actions(el("button", ask.say(N_("Save")), class_="main"))),
        title=ask.say(N_("Who it is")),
    )
    computers = [
        join(link(f"{d.device.replica} {d.device.name}", f"/computers/{d.device.replica}"), el("br"))
        for d in desks
        if d.is_active
    ]
    right = join(
        card(
            facts([
                (ask.say(N_("Sign-in name")), user.login),
                (ask.say(N_("State")), state_chips(ask, line) if line else "–"),
                (ask.say(N_("Computers")), join(*computers) if computers else "–"),
            ]),
            actions(
                press(ask, f"{here}/code", N_("Enrolment code for a computer …"), tone="main"),
                press(ask, f"{here}/suspend", N_("Let in again") if user.is_suspended else N_("Suspend the account"),
                      tone="" if user.is_suspended else "danger", values={"lift": int(bool(user.is_suspended))}),
            ),
            title=ask.say(N_("Sign-in")),
        ),
        card(
            form(
                ask, f"{here}/password",
                secret.line("password", N_("New password"), kind="password", required=True, complete="new-password",
                            hint=N_("At least 10 characters. It lifts a lock, and has to be replaced at the next sign-in.")),
                el("button", ask.say(N_("Set the password"))),
            ),
            title=ask.say(N_("Forgotten password")),
        ),
        note(ask.say(N_("A forgotten passphrase of a desk cannot be reset: give a new enrolment code, and the computer is set up anew. What it "
                        "had not sent stays shut in the old desk; it is sent from there if the passphrase comes to mind.")))
    )  # fmt: skip
    body = join(grid_missing(ask, user), el("div", left, el("div", right), class_="two"))
    return Page(f"{user.name} ({user.login})", body, "accounts", 422 if errors else 200)


def get_account(ask: Ask) -> Answer:
    """One account."""
    return _account_page(ask)


def post_account(ask: Ask) -> Answer:
    """Another name, role or organisation."""
    seen: dict[str, Any] = seen_in(ask.form)
    if (office := whole(seen.get("organisation_id", ""))) is not None:
        seen["organisation_id"] = office
    try:
        with ask.street.store.unit(ask.actor) as unit:
            amend_user(
                unit, ask.number("id"), name=ask.form.get("name", ""), role=ask.form.get("role", ""),
                organisation_id=ask.chosen("organisation_id") or 0, phone=ask.form.get("phone", ""), seen=seen or None,
            )  # fmt: skip
    except Refusal as refusal:
        return _account_page(ask, _errors(ask, refusal), ask.form)
    return Go(f"/accounts/{ask.number('id')}", "account.amended")


def post_password(ask: Ask) -> Answer:
    """A password from the administrator."""
    try:
        with ask.street.store.unit(ask.actor) as unit:
            set_password(unit, ask.number("id"), ask.form.get("password", ""), hasher=ask.street.hasher)
    except Refusal as refusal:
        return _account_page(ask, _errors(ask, refusal))
    return Go(f"/accounts/{ask.number('id')}", "account.password")


def post_suspend(ask: Ask) -> Answer:
    """Out at once, or in again."""
    is_lift = ask.form.get("lift") == "1"
    with ask.street.store.unit(ask.actor) as unit:
        suspend(unit, ask.number("id"), not is_lift)
    return Go(f"/accounts/{ask.number('id')}", "account.lifted" if is_lift else "account.suspended")


ROUTES = (
    Served("/accounts", "GET", inside(get_accounts, RIGHT)),
    Served("/accounts/new", "GET", inside(get_new, RIGHT)),
    Served("/accounts/new", "POST", inside(post_new, RIGHT, is_slow=True)),
    Served("/accounts/{id}", "GET", inside(get_account, RIGHT)),
    Served("/accounts/{id}", "POST", inside(post_account, RIGHT)),
    Served("/accounts/{id}/password", "POST", inside(post_password, RIGHT, is_slow=True)),
    Served("/accounts/{id}/suspend", "POST", inside(post_suspend, RIGHT)),
)

"""Organisations of the street, and its functional departments (职能部门), to which incidents are dispatched."""

from gridman.domain.organisation import Organisation
from gridman.domain.rules import Invalid
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Go, Page
from gridman.server.admin.door import inside
from gridman.server.admin.markup import Html, Part, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import (
    Fields,
    as_shown,
    card,
    chip,
    empty,
    facts,
    fold,
    form,
    link,
    note,
    refused,
    seen_in,
    table,
)
from gridman.services.departments import (
    add_department,
    open_incidents_of,
    page_organisations,
    rename_department,
    retire_department,
)
from gridman.services.layout import street_office

__all__ = ["ROUTES"]

RIGHT = "account.manage"
_RETIRED_SHOWN = 100


def _page(ask: Ask, errors: dict[str, str] | None = None) -> Page:
    with ask.street.store.read() as reader:
        found = page_organisations(reader)
        counts = {o.id: reader.count(User, organisation_id=o.id) for o in found if o.level != "grid"}
        every = reader.page(Organisation, is_department=True, with_retired=True, order_by=("name",), limit=10_000)
    gone = [o for o in every if o.retired_at is not None][:_RETIRED_SHOWN]
    shown = sorted((o for o in found if o.level != "grid"), key=lambda o: not o.is_department)
    rows = [
        (
            link(o.name, f"/departments/{o.id}") if o.is_department else o.name, ask.word("organisation_level", o.level),
            chip(ask.say(N_("department")), "information") if o.is_department else "", counts[o.id],
        )
        for o in shown
    ]  # fmt: skip
    heads = [ask.say(text) for text in (N_("Organisation"), N_("Level"), N_("Kind"), N_("Accounts"))]
    fields = Fields(ask, ask.form, errors or {})
    body = join(
        fold(
            ask.say(N_("Add a department")),
            card(form(
                ask, "/departments",
                fields.line("name", N_("Name of the department"), required=True,
                            hint=N_("Its people get accounts with the role department user; they see what is dispatched to it, nothing else.")),
                el("button", ask.say(N_("Add the department")), class_="main"),
            )),
            is_open=bool(errors),
        ),
        table(heads, rows, numbers=(3,)) if rows
        else empty(ask, N_("There is no organisation yet."), N_("Found the street with gridman street init.")),
        _gone(ask, gone) if gone else None,
    )  # fmt: skip
    return Page(ask.say(N_("Departments and offices")), body, "departments", 422 if errors else 200)


def _gone(ask: Ask, departments: list[Organisation]) -> Html:
    rows = [(o.name, ask.when(o.retired_at or 0), o.retired_reason or "–") for o in departments]
    heads = [ask.say(text) for text in (N_("Department"), N_("Retired"), N_("Reason"))]
    return table(heads, rows, caption=ask.say(N_("Retired departments")))


def get_departments(ask: Ask) -> Answer:
    """The list and the form."""
    return _page(ask)


def post_department(ask: Ask) -> Answer:
    """Add one; a name that is there already is found again."""
    try:
        with ask.street.store.unit(ask.actor) as unit:
            add_department(unit, ask.form.get("name", ""), street_office(unit).id)
    except Invalid as refusal:
        return _page(ask, ask.invalid(refusal, Organisation))
    return Go("/departments", "department")


def _one(ask: Ask, errors: dict[str, str] | None = None, refusal: Refusal | None = None) -> Page:
    with ask.street.store.read() as reader:
        found = reader.get(Organisation, ask.number("id"))
        accounts = reader.page(User, organisation_id=found.id, order_by=("login",), limit=100)
        incidents = open_incidents_of(reader, found.id)
    here = f"/departments/{found.id}"
    people: list[Part] = [link(f"{u.name} ({u.login})", f"/accounts/{u.id}") for u in accounts]
    spaced = join(*(join(", " if n else "", person) for n, person in enumerate(people)))
    about = facts([
        (ask.say(N_("Accounts")), spaced or "–"),
        (ask.say(N_("Open incidents that it holds, reported or handled")), len(incidents)),
    ])  # fmt: skip
    if not found.is_department or found.retired_at is not None:
        told = (
            N_("It is retired: {reason}")
            if found.retired_at
            else N_("This organisation follows the map; it is not changed here.")
        )
        return Page(
            found.name, join(note(ask.say(told, reason=found.retired_reason or "–")), card(about)), "departments"
        )
    fields = Fields(ask, {"name": found.name, **ask.form}, errors or {})
    rename = form(
        ask, f"{here}/rename", as_shown({"name": found.name}),
        fields.line("name", N_("Name of the department"), required=True,
                    hint=N_("What was dispatched to it and its accounts stay with it; desks show the new name after their next synchronisation.")),
        el("button", ask.say(N_("Rename"))),
    )  # fmt: skip
    retire = form(
        ask, f"{here}/retire",
        el("p", ask.say(N_("Nothing is dispatched to it any more. What it did stays on file under its name. It must hold neither open incidents nor "
                           "accounts."))),
        fields.line("reason", N_("Reason"), required=True, hint=N_("In a few words, for example: merged into another one.")),
        el("button", ask.say(N_("Retire the department")), class_="danger"),
    )  # fmt: skip
    body = join(
        refused(ask, refusal) if refusal else None,
        card(about),
        el(
            "div",
            card(rename, title=ask.say(N_("Another name"))),
            card(retire, title=ask.say(N_("Retire"))),
            class_="two",
        ),
    )
    return Page(found.name, body, "departments", 422 if errors or refusal else 200)


def get_department(ask: Ask) -> Answer:
    """One of them, and what can be done with it."""
    return _one(ask)


def post_rename(ask: Ask) -> Answer:
    """Another name."""
    try:
        with ask.street.store.unit(ask.actor) as unit:
            rename_department(unit, ask.number("id"), ask.form.get("name", ""), seen_in(ask.form).get("name"))
    except Invalid as refusal:
        return _one(ask, ask.invalid(refusal, Organisation))
    except Refusal as refusal:
        if refusal.code != "department.name_taken":
            raise
        return _one(ask, {"name": " ".join(ask.told(refusal))})
    return Go(f"/departments/{ask.number('id')}", "department.renamed")


def post_retire(ask: Ask) -> Answer:
    """Take it out of use, or say what still hangs on it."""
    try:
        with ask.street.store.unit(ask.actor) as unit:
            retire_department(unit, ask.number("id"), ask.form.get("reason", ""))
    except Refusal as refusal:
        if refusal.code == "department.no_reason":
            return _one(ask, {"reason": " ".join(ask.told(refusal))})
        if refusal.code not in ("department.has_incidents", "department.has_accounts"):
            raise
        return _one(ask, refusal=refusal)
    return Go("/departments", "department.retired")


ROUTES = (
    Served("/departments", "GET", inside(get_departments, RIGHT)),
    Served("/departments", "POST", inside(post_department, RIGHT)),
    Served("/departments/{id}", "GET", inside(get_department, RIGHT)),
    Served("/departments/{id}/rename", "POST", inside(post_rename, RIGHT)),
    Served("/departments/{id}/retire", "POST", inside(post_retire, RIGHT)),
)

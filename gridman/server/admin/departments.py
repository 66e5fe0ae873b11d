"""Organisations of the street, and its functional departments (职能部门), to which incidents are dispatched."""

from gridman.domain.organisation import Organisation
from gridman.domain.rules import Invalid
from gridman.domain.user import User
from gridman.kernel.words import N_
from gridman.server.admin.accounts import organisations
from gridman.server.admin.ask import Answer, Ask, Go, Page
from gridman.server.admin.door import inside
from gridman.server.admin.markup import el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import Fields, card, chip, empty, fold, form, table
from gridman.services.layout import add_department, street_office

__all__ = ["ROUTES"]

RIGHT = "account.manage"


def _page(ask: Ask, errors: dict[str, str] | None = None) -> Page:
    with ask.street.store.read() as reader:
        found = organisations(ask, reader)
        counts = {o.id: reader.count(User, organisation_id=o.id) for o in found if o.level != "grid"}
    shown = sorted((o for o in found if o.level != "grid"), key=lambda o: not o.is_department)
    rows = [
        (
            o.name, ask.word("organisation_level", o.level),
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
    )  # fmt: skip
    return Page(ask.say(N_("Departments and offices")), body, "departments", 422 if errors else 200)


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


ROUTES = (
    Served("/departments", "GET", inside(get_departments, RIGHT)),
    Served("/departments", "POST", inside(post_department, RIGHT)),
)

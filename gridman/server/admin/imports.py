"""The register from an office's spreadsheet: first what would happen, then the import, and its undoing; each as long work with a page of its own."""

from pathlib import Path
from typing import Any

from gridman.domain.access import may
from gridman.domain.masking import mask_within
from gridman.exchange.register_sheet import read_register
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Page
from gridman.server.admin.door import inside
from gridman.server.admin.jobs import job_table, running_note, shown_soon
from gridman.server.admin.markup import Html, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import Fields, actions, card, chip, empty, form, link, press, table
from gridman.server.admin.results import report_result
from gridman.server.jobs import Running
from gridman.services.jobs import page_jobs
from gridman.services.register import Batch, check_register, import_register, page_batches
from gridman.services.register_undo import undo_import
from gridman.services.uploads import drop_upload, keep_upload, take_upload

__all__ = ["ROUTES"]

RIGHT = "register.import"
_MOST_BYTES = 32 << 20
_KINDS = frozenset({"check", "import", "undo"})
_ORDERING = N_("Putting the rows in order")
_STATES = {
    "open": (N_("not finished"), "attention"),
    "done": (N_("done"), "good"),
    "undone": (N_("taken back"), ""),
}


def _page(ask: Ask, errors: dict[str, str] | None = None) -> Page:
    with ask.street.store.read() as reader:
        batches = page_batches(reader, ask.actor)
    manages = may(ask.actor, "account.manage")
    fields = Fields(ask, {}, errors or {})
    heads = [ask.say(t) for t in (N_("Number"), N_("When"), N_("File"), N_("State"), N_("Records"), "")]
    body = join(
        running_note(ask, page_jobs(ask.street, ask.actor)) if manages else None,
        card(
            el("p", ask.say(N_("A spreadsheet in the office's 25 columns. Nothing is written before you have seen what would happen."))),
            form(
                ask, "/imports",
                fields.line("file", N_("Spreadsheet (.xlsx, .xls, .ods)"), kind="file", required=True, hint=N_("At most 32 MB.")),
                el("button", ask.say(N_("See what would happen")), class_="main"),
                is_upload=True,
            ),
            title=ask.say(N_("Import the register")),
        ),
        table(heads, [_row(ask, b) for b in batches], caption=ask.say(N_("Imports so far"))) if batches
        else empty(ask, N_("Nothing was imported yet.")),
        job_table(ask, _KINDS, N_("Last work on registers")) if manages else None,
    )  # fmt: skip
    return Page(ask.say(N_("Import")), body, "imports", 422 if errors else 200)


def _row(ask: Ask, batch: Batch) -> list[str | Html | int | None]:
    text, tone = _STATES.get(batch.state, (batch.state, ""))
    undo = link(ask.say(N_("Take back …")), f"/imports/{batch.number}/undo") if batch.state != "undone" else None
    return [batch.number, ask.when(batch.at), batch.source, chip(ask.say(text), tone), sum(batch.counts.values()), undo]


def get_imports(ask: Ask) -> Answer:
    """The form and the imports there were."""
    return _page(ask)


def _plain_name(name: str) -> str:
    """A file's name as it may be kept; its ending stays, by which the format is known."""
    return mask_within(name)[-100:]


def post_check(ask: Ask) -> Answer:
    """Begin the dry run; the file waits sealed until it is decided."""
    upload = ask.uploads.get("file")
    if upload is None or not upload.content:
        return _page(ask, {"file": ask.say(N_("Choose a file first."))})
    street, actor, content, name = ask.street, ask.actor, upload.content, _plain_name(upload.name)
    kept = keep_upload(street, content)

    def work(running: Running) -> dict[str, Any]:
        sheet = read_register(Path(name), running.progress, content=content)
        running.progress(0, 0, _ORDERING)
        with street.store.read() as reader:
            report = check_register(reader, sheet.rows, actor, running.progress)
        return report_result(report, sheet)

    return shown_soon(ask, ask.parts.jobs.start(actor, "check", work, file=kept, name=name))


def post_import(ask: Ask) -> Answer:
    """Begin to write it."""
    kept, name = ask.form.get("file", ""), _plain_name(ask.form.get("name", "-"))
    street, actor, content = ask.street, ask.actor, take_upload(ask.street, kept)

    def work(running: Running) -> dict[str, Any]:
        sheet = read_register(Path(name), running.progress, content=content)
        running.progress(0, 0, _ORDERING)
        progress, ticket = running.progress, running.ticket
        result = import_register(street.store, sheet.rows, actor, source=name, progress=progress, ticket=ticket)
        drop_upload(street, kept)
        return {**report_result(result, sheet), "batch": result.batch}

    return shown_soon(ask, ask.parts.jobs.start(actor, "import", work, file=kept, name=name))


def get_undo(ask: Ask) -> Answer:
    """What taking back means, before it is done."""
    number = ask.params["number"]
    here = f"/imports/{number}/undo"
    body = card(
        el("p", ask.say(N_("What the import created is retired, what it changed gets its old value back. A household on which anybody has worked "
            "since "
                           "stays as it is. Desks follow at their next synchronisation."))),
        actions(press(ask, here, N_("Take the import back"), tone="danger"), link(ask.say(N_("Cancel")), "/imports")),
    )  # fmt: skip
    return Page(ask.say(N_("Take back import {number}"), number=number), body, "imports")


def post_undo(ask: Ask) -> Answer:
    """Begin to take it back."""
    street, actor, number = ask.street, ask.actor, ask.params["number"][:40]

    def work(running: Running) -> dict[str, Any]:
        result = undo_import(street.store, number, actor, progress=running.progress, ticket=running.ticket)
        return {"retired": result.retired, "restored": result.restored, "kept": len(result.kept)}

    return shown_soon(ask, ask.parts.jobs.start(actor, "undo", work, number=number, name=number))


ROUTES = (
    Served("/imports", "GET", inside(get_imports, RIGHT)),
    Served("/imports", "POST", inside(post_check, RIGHT, most_bytes=_MOST_BYTES)),
    Served("/imports/go", "POST", inside(post_import, RIGHT)),
    Served("/imports/{number}/undo", "GET", inside(get_undo, RIGHT)),
    Served("/imports/{number}/undo", "POST", inside(post_undo, RIGHT)),
)

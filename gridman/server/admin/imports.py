"""The register from an office's spreadsheet: first what would happen, then the import, and its undoing."""

from pathlib import Path

from gridman.domain.register_row import CellProblem
from gridman.exchange.register_sheet import RegisterSheet, read_register
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Go, Page
from gridman.server.admin.door import inside
from gridman.server.admin.markup import Html, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import Fields, actions, card, chip, empty, facts, form, link, note, press, table
from gridman.services.register import Batch, RegisterReport, all_batches, check_register, import_register
from gridman.services.register_undo import undo_import
from gridman.services.uploads import drop_upload, keep_upload, take_upload

__all__ = ["ROUTES"]

RIGHT = "register.import"
_MOST_BYTES = 32 << 20
_SHOWN = 200
_STATES = {
    "open": (N_("not finished"), "attention"),
    "done": (N_("done"), "good"),
    "undone": (N_("taken back"), ""),
}


def _page(ask: Ask, errors: dict[str, str] | None = None) -> Page:
    with ask.street.store.read() as reader:
        batches = sorted(all_batches(reader), key=lambda b: -b.at)
    fields = Fields(ask, {}, errors or {})
    heads = [ask.say(t) for t in (N_("Number"), N_("When"), N_("File"), N_("State"), N_("Records"), "")]
    body = join(
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
    )  # fmt: skip
    return Page(ask.say(N_("Import")), body, "imports", 422 if errors else 200)


def _row(ask: Ask, batch: Batch) -> list[str | Html | int | None]:
    text, tone = _STATES.get(batch.state, (batch.state, ""))
    undo = link(ask.say(N_("Take back …")), f"/imports/{batch.number}/undo") if batch.state != "undone" else None
    return [batch.number, ask.when(batch.at), batch.source, chip(ask.say(text), tone), sum(batch.counts.values()), undo]


def get_imports(ask: Ask) -> Answer:
    """The form and the imports there were."""
    return _page(ask)


def _read(name: str, content: bytes) -> RegisterSheet:
    return read_register(Path(name), content=content)


def post_check(ask: Ask) -> Answer:
    """The dry run; the file waits sealed until it is decided."""
    upload = ask.uploads.get("file")
    if upload is None or not upload.content:
        return _page(ask, {"file": ask.say(N_("Choose a file first."))})
    try:
        sheet = _read(upload.name, upload.content)
        with ask.street.store.read() as reader:
            report = check_register(reader, sheet.rows, ask.actor)
    except Refusal as refusal:
        if not refusal.code.startswith(("sheet.", "register.")):
            raise
        return _page(ask, {"file": " ".join(ask.told(refusal))})
    kept = keep_upload(ask.street, upload.content)
    go = press(ask, "/imports/go", N_("Import"), tone="main", values={"file": kept, "name": upload.name})
    can = report.new_count + report.changed_count > 0
    body = join(
        _counts(ask, report, sheet),
        _problems(ask, report),
        actions(go if can else None, link(ask.say(N_("Cancel")), "/imports", is_button=True)),
        None if can else note(ask.say(N_("There is nothing to import: every sound row is in the register as it is."))),
    )
    return Page(ask.say(N_("What would happen: {file}"), file=upload.name), body, "imports")


def _counts(ask: Ask, report: RegisterReport, sheet: RegisterSheet) -> Html:
    pairs: list[tuple[str, str | Html | int | None]] = [
        (ask.say(N_("Rows")), report.row_count),
        (ask.say(N_("New residents")), report.new_count),
        (ask.say(N_("Changed")), report.changed_count),
        (ask.say(N_("As in the register")), report.same_count),
        (ask.say(N_("Left out because of errors")), chip(str(report.refused_count), "danger" if report.refused_count else "good")),
        (ask.say(N_("New households")), report.new_households),
    ]  # fmt: skip
    if sheet.unknown:
        pairs.append((ask.say(N_("Columns that are not read")), "、".join(sheet.unknown)))
    return card(facts(pairs))


def _problems(ask: Ask, report: RegisterReport) -> Html | None:
    if not report.problems:
        return note(ask.say(N_("No errors were found.")), tone="good")
    rows = [
        (
            p.sheet, p.row, p.column or "–", p.value, _what(ask, p),
            chip(ask.say(N_("look at it")), "attention") if p.is_warning else chip(ask.say(N_("left out")), "danger"),
        )
        for p in sorted(report.problems, key=lambda p: (p.is_warning, p.sheet, p.row))[:_SHOWN]
    ]  # fmt: skip
    heads = [ask.say(t) for t in (N_("Sheet"), N_("Row"), N_("Column"), N_("Value"), N_("What is wrong"), "")]
    more = len(report.problems) - len(rows)
    rest = note(ask.say(N_("… and {count} more. gridman import register --errors writes them all into a copy of the "
        "file."), count=more)) if more else None  # fmt: skip
    return join(table(heads, rows, caption=ask.say(N_("What to look at"))), rest)


def _what(ask: Ask, problem: CellProblem) -> str:
    return " ".join(ask.told(Refusal(problem.code, problem.text, problem.remedy, **{**problem.params, "value": problem.value})))  # fmt: skip


def post_import(ask: Ask) -> Answer:
    """Write it."""
    name = ask.form.get("file", "")
    content = take_upload(ask.street, name)
    sheet = _read(ask.form.get("name", "-"), content)
    result = import_register(ask.street.store, sheet.rows, ask.actor, source=ask.form.get("name", ""))
    drop_upload(ask.street, name)
    body = join(
        note(ask.say(N_("Imported as {batch}."), batch=result.batch or "–"), tone="good"),
        _counts(ask, result, sheet),
        _problems(ask, result),
        actions(link(ask.say(N_("Imports so far")), "/imports", is_button=True)),
    )
    return Page(ask.say(N_("Imported")), body, "imports")


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
    """Take it back, and say what had to stay."""
    result = undo_import(ask.street.store, ask.params["number"], ask.actor)
    if not result.kept:
        return Go("/imports", "import.undone")
    text = N_(
        "{retired} records were retired and {restored} restored; {kept} stay because somebody has worked on them since."
    )
    told = ask.say(text, retired=result.retired, restored=result.restored, kept=len(result.kept))
    body = join(note(told, tone="attention"), actions(link(ask.say(N_("Imports so far")), "/imports", is_button=True)))
    return Page(ask.say(N_("The import was taken back.")), body, "imports")


ROUTES = (
    Served("/imports", "GET", inside(get_imports, RIGHT)),
    Served("/imports", "POST", inside(post_check, RIGHT, most_bytes=_MOST_BYTES)),
    Served("/imports/go", "POST", inside(post_import, RIGHT)),
    Served("/imports/{number}/undo", "GET", inside(get_undo, RIGHT)),
    Served("/imports/{number}/undo", "POST", inside(post_undo, RIGHT)),
)

"""What came of long work, in words: of each kind what was done, and where it did not come to its end what that means and what helps."""

from collections.abc import Callable
from typing import Any

from gridman.exchange.register_sheet import RegisterSheet
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Ask
from gridman.server.admin.markup import Html, Part, join
from gridman.server.admin.pieces import actions, card, chip, facts, link, note, press, refused, table
from gridman.services.backup import Manifest
from gridman.services.figures import Figures
from gridman.services.jobs import CANCELLED, DONE, FAILED, LOST, REFUSED, Job
from gridman.services.register import RegisterReport
from gridman.services.uploads import waits

__all__ = ["archive_result", "came_of", "figures_pairs", "report_result"]

_SHOWN = 200


def came_of(ask: Ask, job: Job) -> list[Part]:
    """The result's cards and notes."""
    state, result = job.row.state, job.result
    if state == REFUSED and result is not None:
        told = [
            refused(ask, Refusal(result["code"], result["text"], result["remedy"], **result["params"])),
            _after(ask, job),
        ]
        return [*told]
    if state == DONE and result is not None:
        return _SHOWN_AS[job.row.kind](ask, job, result)
    if state == DONE:
        return [note(ask.say(N_("What came of it is not kept any more: it is shown for a day.")))]
    words = {
        CANCELLED: (N_("The work was stopped."), "attention"),
        LOST: (N_("The server ended before the work was done."), "danger"),
        FAILED: (N_("The program made a mistake; the server's log has the rest."), "danger"),
        REFUSED: (N_("It was not done."), "danger"),
    }
    text, tone = words[state]
    if state == CANCELLED and result is not None and result.get("stopping"):
        text = N_("The work was stopped because the server was stopped.")
    return [note(ask.say(text), ask.say(_AFTERWARDS[job.row.kind]), tone=tone), _after(ask, job)]


_AFTERWARDS = {
    "check": N_("Nothing was written. Choose the file again."),
    "import": N_("What was imported until then is in the register and sound. Go on with the same file: it continues where it was; or take the "
                 "import back in the list of imports."),
    "undo": N_("What was taken back until then stays so. Take the import back once more: it continues with the rest."),
    "backup": N_("No half backup is left; earlier ones are as they were. Make it again."),
    "verify": N_("The backup is as it was. Verify it again."),
    "restore": N_("Nothing of it is left, and the street that is served was not touched. Restore it again."),
}  # fmt: skip


def _after(ask: Ask, job: Job) -> Html | None:
    """What can be done at once where it did not come to its end."""
    about = job.row.about
    if job.row.kind == "import" and waits(ask.street, about.get("file", "")):
        values = {"file": about["file"], "name": about.get("name", "")}
        return actions(press(ask, "/imports/go", N_("Go on with the import"), tone="main", values=values))
    if job.row.kind == "undo":
        return actions(link(ask.say(N_("Take back …")), f"/imports/{about.get('number', '')}/undo", is_button=True))
    return None


def report_result(report: RegisterReport, sheet: RegisterSheet) -> dict[str, Any]:
    """A look at a register, or its import, as plain values."""
    problems = sorted(report.problems, key=lambda p: (p.is_warning, p.sheet, p.row))
    return {
        "rows": report.row_count, "new": report.new_count, "changed": report.changed_count, "same": report.same_count,
        "refused": report.refused_count, "households": report.new_households, "unknown": list(sheet.unknown), "all": len(problems),
        "problems": [
            {
                "sheet": p.sheet, "row": p.row, "column": p.column or "", "value": str(p.value or ""), "is_warning": p.is_warning,
                "text": p.text, "remedy": p.remedy, "params": {name: str(value) for name, value in p.params.items()},
            }
            for p in problems[:_SHOWN]
        ],
    }  # fmt: skip


def archive_result(manifest: Manifest) -> dict[str, Any]:
    """What a backup says of itself, as plain values."""
    return {
        "made_at": manifest.made_at, "size": sum(m.size_bytes for m in manifest.members), "photos": manifest.photo_count,
        "app": manifest.app,
    }  # fmt: skip


def _check(ask: Ask, job: Job, result: dict[str, Any]) -> list[Part]:
    about = job.row.about
    can = result["new"] + result["changed"] > 0
    there = can and waits(ask.street, about.get("file", ""))
    values = {"file": about.get("file", ""), "name": about.get("name", "")}
    return [
        note(ask.say(N_("What would happen: {file}"), file=about.get("name", "–")), ask.say(N_("Nothing was written yet."))),
        _counts(ask, result), _problems(ask, result),
        actions(press(ask, "/imports/go", N_("Import"), tone="main", values=values) if there else None,
                link(ask.say(N_("Cancel")), "/imports", is_button=True)),
        None if can else note(ask.say(N_("There is nothing to import: every sound row is in the register as it is."))),
        note(ask.say(N_("The file is not here any more: it waits for an hour.")), ask.say(N_("Choose it again.")), tone="attention")
        if can and not there else None,
    ]  # fmt: skip


def _import(ask: Ask, job: Job, result: dict[str, Any]) -> list[Part]:
    return [
        note(ask.say(N_("Imported as {batch}."), batch=result["batch"] or "–"), tone="good"),
        _counts(ask, result), _problems(ask, result),
    ]  # fmt: skip


def _counts(ask: Ask, result: dict[str, Any]) -> Html:
    wrong = result["refused"]
    pairs: list[tuple[str, Part]] = [
        (ask.say(N_("Rows")), result["rows"]),
        (ask.say(N_("New residents")), result["new"]),
        (ask.say(N_("Changed")), result["changed"]),
        (ask.say(N_("As in the register")), result["same"]),
        (ask.say(N_("Left out because of errors")), chip(str(wrong), "danger" if wrong else "good")),
        (ask.say(N_("New households")), result["households"]),
    ]
    if result["unknown"]:
        pairs.append((ask.say(N_("Columns that are not read")), "、".join(result["unknown"])))
    return card(facts(pairs))


def _problems(ask: Ask, result: dict[str, Any]) -> Html:
    if not result["problems"]:
        return note(ask.say(N_("No errors were found.")), tone="good")
    rows = [
        (
            p["sheet"], p["row"], p["column"] or "–", p["value"], _what(ask, p),
            chip(ask.say(N_("look at it")), "attention") if p["is_warning"] else chip(ask.say(N_("left out")), "danger"),
        )
        for p in result["problems"]
    ]  # fmt: skip
    heads = [ask.say(t) for t in (N_("Sheet"), N_("Row"), N_("Column"), N_("Value"), N_("What is wrong"), "")]
    more = result["all"] - len(rows)
    rest = note(ask.say(N_("… and {count} more. gridman import register --errors writes them all into a copy of the "
        "file."), count=more)) if more else None  # fmt: skip
    return join(table(heads, rows, caption=ask.say(N_("What to look at"))), rest)


def _what(ask: Ask, problem: dict[str, Any]) -> str:
    params = {**problem["params"], "value": problem["value"]}
    return " ".join(ask.told(Refusal("register.cell", problem["text"], problem["remedy"], **params)))


def _undo(ask: Ask, job: Job, result: dict[str, Any]) -> list[Part]:
    if not result["kept"]:
        return [note(ask.say(N_("The import was taken back.")), tone="good")]
    text = N_(
        "{retired} records were retired and {restored} restored; {kept} stay because somebody has worked on them since."
    )
    return [note(ask.say(N_("The import was taken back.")), ask.say(text, **result), tone="attention")]


def _backup(ask: Ask, job: Job, result: dict[str, Any]) -> list[Part]:
    told = N_("{file} is made. Fetch it and keep it on another disk; check it there with gridman street verify.")
    return [
        note(ask.say(told, file=result["file"]), tone="good"),
        card(
            facts([*_archive(ask, result)]),
            actions(link(ask.say(N_("Fetch")), f"/backups/{result['file']}", is_button=True)),
        ),
    ]


def _archive(ask: Ask, result: dict[str, Any]) -> list[tuple[str, Part]]:
    return [
        (ask.say(N_("Made")), ask.when(result["made_at"])),
        (ask.say(N_("Size")), f"{result['size'] / 1_000_000:.1f} MB"),
        (ask.say(N_("Photos")), result["photos"]),
        (ask.say(N_("Made by version")), result["app"]),
    ]


def figures_pairs(ask: Ask, figures: Figures) -> list[tuple[str, int]]:
    """A street's figures under their names."""
    return [
        (ask.say(N_("Households")), figures.households),
        (ask.say(N_("Residents")), figures.people),
        (ask.say(N_("Visits")), figures.visits),
        (ask.say(N_("Incidents")), figures.incidents),
        (ask.say(N_("Open incidents")), figures.open_incidents),
        (ask.say(N_("Accounts")), figures.accounts),
        (ask.say(N_("Computers")), figures.computers),
        (ask.say(N_("Register imports")), figures.imports),
        (ask.say(N_("Number of the feed")), figures.seq),
    ]


def _verify(ask: Ask, job: Job, result: dict[str, Any]) -> list[Part]:
    figures = Figures(**result["figures"])
    told = N_(
        "{file} is sound: every byte is as it was written, the passphrase opens it, it was restored into a folder that is gone again."
    )
    return [
        note(ask.say(told, file=job.row.about.get("name", "–")), tone="good"),
        card(facts([*_archive(ask, result), *figures_pairs(ask, figures)]), title=ask.say(N_("What is in it"))),
    ]


def _restore(ask: Ask, job: Job, result: dict[str, Any]) -> list[Part]:
    told = N_(
        "The street of {at} is restored beside the one that is served, which goes on. Nothing has changed for anybody yet."
    )
    return [
        note(ask.say(told, at=ask.when(result["made_at"])), tone="good"),
        card(facts(_archive(ask, result))),
        actions(
            link(ask.say(N_("Compare and decide …")), f"/restored/{result['folder']}", is_button=True, is_main=True)
        ),
    ]


_SHOWN_AS: dict[str, Callable[[Ask, Job, dict[str, Any]], list[Part]]] = {
    "check": _check, "import": _import, "undo": _undo, "backup": _backup, "verify": _verify, "restore": _restore,
}  # fmt: skip

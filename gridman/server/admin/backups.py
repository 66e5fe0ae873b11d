"""Backups: make one, see which there are, fetch one to keep it elsewhere, verify one, and of which version the data is."""

from dataclasses import asdict
from typing import Any

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, File, Page
from gridman.server.admin.door import inside
from gridman.server.admin.jobs import job_table, running_note, shown_soon
from gridman.server.admin.markup import Html, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import Fields, actions, card, empty, facts, form, link, note, table
from gridman.server.admin.restoring import decided_note, folder_tables, restore_card
from gridman.server.admin.results import archive_result
from gridman.server.jobs import Running
from gridman.services.backup_folder import (
    back_up_here,
    backup_here,
    fetch_backup,
    new_backup_name,
    page_backups,
    verify_here,
)
from gridman.services.data_version import data_version
from gridman.services.jobs import page_jobs, workplace_of

__all__ = ["ROUTES"]

RIGHT = "account.manage"
_MB = 1_000_000
_KINDS = frozenset({"backup", "verify", "restore"})


def _page(ask: Ask, errors: dict[str, str] | None = None) -> Page:
    found = page_backups(ask.street, ask.actor)
    fields = Fields(ask, {}, errors or {})
    rows = [
        (
            b.path.name, ask.when(b.made_at), f"{b.size_bytes / _MB:.1f} MB",
            join(link(ask.say(N_("Fetch")), f"/backups/{b.path.name}"), " · ",
                 link(ask.say(N_("Verify or restore …")), f"/backups/{b.path.name}/open")),
        )
        for b in found
    ]  # fmt: skip
    heads = [ask.say(text) for text in (N_("File"), N_("Made"), N_("Size"), "")]
    body = join(
        decided_note(ask),
        running_note(ask, page_jobs(ask.street, ask.actor)),
        card(
            el("p", ask.say(N_("One file with the data, the photos and the key, sealed with a passphrase of its own. The street goes on working "
                "meanwhile."))),
            form(
                ask, "/backups",
                fields.line("passphrase", N_("Passphrase of the backup"), kind="password", required=True, complete="new-password",
                            hint=N_("At least 10 characters. It is not kept anywhere: write it down and lock it away, not beside the backup.")),
                fields.line("again", N_("Passphrase, once more"), kind="password", required=True, complete="new-password"),
                el("button", ask.say(N_("Back up now")), class_="main"),
            ),
            title=ask.say(N_("Back up now")),
        ),
        table(heads, rows, caption=ask.say(N_("In the street's data folder"))) if rows
        else empty(ask, N_("No backup was made here yet."), N_("Backups that were made with gridman street backup lie where they were told to.")),
        note(ask.say(N_("The newest five are kept here; older ones are removed when a new one is whole. One that is kept on another disk is "
            "verified and restored here once it is copied into the folder {folder}."), folder=str(ask.street.data_dir / "backups"))),
        folder_tables(ask),
        job_table(ask, _KINDS, N_("Last work on backups")),
        _version(ask),
    )  # fmt: skip
    return Page(ask.say(N_("Backup")), body, "backups", 422 if errors else 200)


def _version(ask: Ask) -> Html:
    found = data_version(ask.street, ask.actor)
    copies = [f"{copy.name} ({ask.when(copy.made_at)}, {copy.size_bytes / _MB:.1f} MB)" for copy in found.copies]
    return card(
        facts([
            (ask.say(N_("Database")), ask.street.database_kind),
            (ask.say(N_("Version of the data (schema)")), found.current),
            (ask.say(N_("Written by this program")), found.newest),
            (ask.say(N_("Last brought up")), ask.when(found.copies[0].made_at) if found.copies else "–"),
            (ask.say(N_("Kept as it was before")), join(*(el("div", text) for text in copies)) if copies else "–"),
        ]),
        el("p", ask.say(N_("There is no button for it: a newer program brings the data up before it serves anybody, keeps a copy first, and does "
            "not start where that fails, with the data as it was. gridman street migrate does it at a time of your own choosing, while the "
            "server is stopped.")), class_="soft"),
        title=ask.say(N_("Version of the data")),
    )  # fmt: skip


def get_backups(ask: Ask) -> Answer:
    """The list and the form."""
    return _page(ask)


def post_backup(ask: Ask) -> Answer:
    """Begin one; the passphrase stays in this process until it is made."""
    passphrase = ask.form.get("passphrase", "")
    if passphrase != ask.form.get("again", ""):
        return _page(ask, {"again": ask.say(N_("The two are not the same."))})
    street, actor = ask.street, ask.actor
    try:
        name = new_backup_name(street, actor, passphrase)
    except Refusal as refusal:
        if refusal.code != "passphrase.weak":
            raise
        return _page(ask, {"passphrase": " ".join(ask.told(refusal))})

    def work(running: Running) -> dict[str, Any]:
        within = workplace_of(street, running.number)
        path, made = back_up_here(street, actor, passphrase, running.progress, name=name, within=within)
        return {"file": path.name, **archive_result(made)}

    return shown_soon(ask, ask.parts.jobs.start(actor, "backup", work, name=name, makes=f"backups/{name}"))


def get_backup(ask: Ask) -> Answer:
    """Fetch one; who did is in the audit log."""
    path = fetch_backup(ask.street, ask.actor, ask.params["name"])
    return File(path, path.name)


def get_open(ask: Ask) -> Answer:
    """One of them: verify it, or restore it beside the street."""
    path = backup_here(ask.street, ask.actor, ask.params["name"])
    here = f"/backups/{path.name}"
    verify = card(
        el("p", ask.say(N_("It is restored into a folder that is thrown away again: every byte, the passphrase, the data and each photo are "
            "looked at. Nothing changes."))),
        form(
            ask, f"{here}/verify",
            Fields(ask).line("passphrase", N_("Passphrase of the backup"), kind="password", required=True, complete="off"),
            el("button", ask.say(N_("Verify")), class_="main"),
        ),
        title=ask.say(N_("Verify")),
    )  # fmt: skip
    back = actions(link(ask.say(N_("To the backups")), "/backups", is_button=True))
    return Page(path.name, join(el("div", verify, restore_card(ask, path), class_="two"), back), "backups")


def post_verify(ask: Ask) -> Answer:
    """Begin to verify one."""
    name, passphrase = ask.params["name"], ask.form.get("passphrase", "")
    street, actor = ask.street, ask.actor
    backup_here(street, actor, name)

    def work(running: Running) -> dict[str, Any]:
        within = workplace_of(street, running.number)
        found = verify_here(street, actor, name, passphrase, running.progress, within=within)
        return {**archive_result(found.manifest), "figures": asdict(found.figures)}

    return shown_soon(ask, ask.parts.jobs.start(actor, "verify", work, name=name))


ROUTES = (
    Served("/backups", "GET", inside(get_backups, RIGHT)),
    Served("/backups", "POST", inside(post_backup, RIGHT)),
    Served("/backups/{name}", "GET", inside(get_backup, RIGHT)),
    Served("/backups/{name}/open", "GET", inside(get_open, RIGHT)),
    Served("/backups/{name}/verify", "POST", inside(post_verify, RIGHT)),
)

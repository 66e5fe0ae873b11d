"""A backup restored beside the street, looked at, and served from the next start on; or thrown away. The replaced street is kept."""

from pathlib import Path
from typing import Any

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Go, Page
from gridman.server.admin.door import inside
from gridman.server.admin.jobs import shown_soon
from gridman.server.admin.markup import Html, Part, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import Fields, actions, card, facts, form, link, note, press, table
from gridman.server.admin.results import archive_result, figures_pairs
from gridman.server.jobs import Running
from gridman.services.accounts import verify_login
from gridman.services.backup_folder import backup_here
from gridman.services.jobs import hold_jobs, workplace_of
from gridman.services.restoring import (
    Comparison,
    Computer,
    compare,
    decide,
    discard,
    new_folder_name,
    page_replaced,
    page_restored,
    restore_here,
    undecide,
    wanted_switch,
)

__all__ = ["ROUTES", "decided_note", "folder_tables", "restore_card"]

RIGHT = "account.manage"
_MB = 1_000_000


def restore_card(ask: Ask, path: Path) -> Html:
    """The form that restores this backup, or where the data lies in PostgreSQL, the command."""
    if not ask.street.store.database.is_sqlite:
        command = f"gridman street restore {path} --data NEW-FOLDER --database postgresql://…/NEW-DATABASE"
        return card(
            el("p", ask.say(N_("A street on PostgreSQL is restored at the server itself: the new data needs an empty database of its own."))),
            el("p", el("code", command)),
            el("p", ask.say(N_("Then stop this server and start it with the new folder and database. Desks send again by themselves what the "
                "restored street does not know.")), class_="soft"),
            title=ask.say(N_("Restore")),
        )  # fmt: skip
    return card(
        el("p", ask.say(N_("It is restored into a folder beside the street that is served, which goes on as it is. Then you compare the two and "
            "decide."))),
        form(
            ask, f"/backups/{path.name}/restore",
            Fields(ask).line("to_restore", N_("Passphrase of the backup"), kind="password", required=True, complete="off"),
            el("button", ask.say(N_("Restore beside the street"))),
        ),
        title=ask.say(N_("Restore")),
    )  # fmt: skip


def post_restore(ask: Ask) -> Answer:
    """Begin to restore one beside the street."""
    backup, passphrase = ask.params["name"], ask.form.get("to_restore", "")
    street, actor = ask.street, ask.actor
    backup_here(street, actor, backup)
    folder = new_folder_name(street)

    def work(running: Running) -> dict[str, Any]:
        within = workplace_of(street, running.number)
        made = restore_here(street, actor, backup, passphrase, running.progress, name=folder, within=within)
        return {**archive_result(made.manifest), "folder": folder}

    return shown_soon(ask, ask.parts.jobs.start(actor, "restore", work, name=backup, folder=folder))


def folder_tables(ask: Ask) -> Html | None:
    """Restored streets that wait for a decision, and those that were replaced."""
    restored, replaced = page_restored(ask.street, ask.actor), page_replaced(ask.street, ask.actor)
    heads = [ask.say(t) for t in (N_("Folder"), N_("When"), N_("Size"), "")]
    made = [
        table(
            heads,
            [(line.name, ask.when(line.made_at), f"{line.size_bytes / _MB:.1f} MB",
              link(ask.say(N_("Compare and decide …")), f"/restored/{line.name}")) for line in restored],
            caption=ask.say(N_("Restored beside the street")),
        )
    ] if restored else []  # fmt: skip
    if replaced:
        rows = [
            (
                str(ask.street.data_dir / "replaced" / line.name),
                ask.when(line.made_at),
                f"{line.size_bytes / _MB:.1f} MB",
                "",
            )
            for line in replaced
        ]
        made.append(table(heads, rows, caption=ask.say(N_("Streets that were replaced"))))
        made.append(note(ask.say(N_("Each is whole, with its key. Never serve it again beside this one; remove its folder at the server when "
            "nothing is to be looked up in it any more."))))  # fmt: skip
    return join(*made) if made else None


def decided_note(ask: Ask) -> Html | None:
    """What is decided and not done yet, with what ends that."""
    switch = wanted_switch(ask.street.data_dir)
    if switch is None:
        return None
    text = N_(
        "From the next start of the server on the restored street {folder} is served. What is done here until then stays in the one replaced."
    )
    can = ask.parts.restart is not None
    return el(
        "div",
        el("p", ask.say(text, folder=switch.restored)),
        None if can else el("p", ask.say(N_("Stop the server and start it again as always: gridman street --data {folder}"),
                                         folder=ask.street.data_dir)),
        actions(
            press(ask, "/restart", N_("Start the server again now"), tone="main") if can else None,
            press(ask, "/restored/back", N_("Do not: go on with the present street")),
        ),
        class_="note attention",
    )  # fmt: skip


def get_restored(ask: Ask) -> Answer:
    """The restored street against the present one, and the decision."""
    return _compared(ask)


def _compared(ask: Ask, errors: dict[str, str] | None = None) -> Page:
    name = ask.params["name"]
    found = compare(ask.street, ask.actor, name)
    rows = [
        (label, now, then)
        for (label, now), (_same, then) in zip(
            figures_pairs(ask, found.now), figures_pairs(ask, found.then), strict=True
        )
    ]
    heads = [ask.say(t) for t in ("", N_("Served now"), N_("Restored"))]
    wanted = wanted_switch(ask.street.data_dir)
    here = f"/restored/{name}"
    serve = card(
        el("p", ask.say(N_("At the next start of the server the present street is moved whole into the folder replaced, and the restored one takes "
            "its place. It begins a new life: desks notice it at their next synchronisation and send again by themselves what it does not know."))),
        el("p", ask.say(N_("Everybody signs in to these pages anew, with the password of the day of the backup."))),
        form(
            ask, f"{here}/serve",
            Fields(ask, {}, errors or {}).line("password", N_("Your password, to confirm"), kind="password", required=True,
                                               complete="current-password"),
            el("button", ask.say(N_("Serve the restored street from the next start on")), class_="danger"),
        ),
        title=ask.say(N_("Serve it")),
    )  # fmt: skip
    away = card(
        el("p", ask.say(N_("The restored folder is removed; the backup and the present street stay as they are."))),
        press(ask, f"{here}/discard", N_("Throw the restored street away")),
        title=ask.say(N_("Throw it away")),
    )
    is_chosen = wanted is not None and wanted.restored == name
    body = join(
        decided_note(ask),
        table(heads, rows, numbers=(1, 2)),
        _goes(ask, found),
        None if is_chosen else el("div", serve, away, class_="two"),
    )
    return Page(ask.say(N_("Restored street {name}"), name=name), body, "backups", 422 if errors else 200)


def _goes(ask: Ask, found: Comparison) -> Html:
    """What no desk brings back, and what comes back though it was ended."""

    def computers(which: tuple[Computer, ...]) -> str:
        return ", ".join(f"{c.replica} ({c.name or '–'}, {c.login})" for c in which) or "–"

    gone: list[tuple[str, Part]] = [
        (ask.say(N_("Accounts made since")), ", ".join(found.accounts_gone) or "–"),
        (ask.say(N_("Computers enrolled since; they must be enrolled again")), computers(found.computers_gone)),
        (ask.say(N_("Imports since")), ", ".join(found.imports_gone) or "–"),
        (
            ask.say(N_("Changes sent since by computers that are shut out now; they have destroyed their records")),
            str(found.work_gone),
        ),
    ]
    back: list[tuple[str, Part]] = [
        (ask.say(N_("Accounts suspended since")), ", ".join(found.accounts_back) or "–"),
        (
            ask.say(N_("Accounts that had another role, and would have it again")),
            ", ".join(f"{login} ({ask.word('role', role)})" for login, role in found.roles_back) or "–",
        ),
        (ask.say(N_("Computers shut out since; they must be shut out again")), computers(found.computers_back)),
    ]
    is_risky = bool(found.accounts_back or found.roles_back or found.computers_back)
    told = N_("These would be trusted again. Shut them out right after the start, before anything else.")
    lost = N_("No desk can send those changes again. If there is a later backup, take that one.")
    return join(
        card(
            facts(gone),
            el("p", ask.say(N_("Assignments of grids, notices, departments and passwords are those of the day of the backup, too.")), class_="soft"),
            title=ask.say(N_("What would be missing")),
        ),
        card(facts(back), title=ask.say(N_("What would come back"))),
        note(ask.say(lost), tone="danger") if found.work_gone else None,
        note(ask.say(told), tone="danger") if is_risky else None,
    )  # fmt: skip


def post_serve(ask: Ask) -> Answer:
    """Decide; the own password says that it is meant."""
    assert ask.signed_in is not None
    name = ask.params["name"]
    try:
        verify_login(ask.street.store, ask.signed_in.login, ask.form.get("password", ""), hasher=ask.street.hasher)
    except Refusal as refusal:
        if refusal.code not in ("auth.wrong_password", "auth.locked"):
            raise
        return _compared(ask, {"password": " ".join(ask.told(refusal))})
    decide(ask.street, ask.actor, name, ask.parts.hosts)
    return Go("/backups", "switch.decided")


def post_back(ask: Ask) -> Answer:
    """Take the decision back."""
    undecide(ask.street, ask.actor)
    return Go("/backups", "switch.back")


def post_discard(ask: Ask) -> Answer:
    """Throw a restored street away."""
    discard(ask.street, ask.actor, ask.params["name"])
    return Go("/backups", "restored.discarded")


def post_restart(ask: Ask) -> Answer:
    """Serve anew in the same process; only for what was decided."""
    restart = ask.parts.restart
    if restart is None or wanted_switch(ask.street.data_dir) is None:
        return Go("/backups")
    with hold_jobs(ask.street):  # long work is not cut off by it
        restart()
    body = join(
        note(ask.say(N_("The server starts again. Desks that call meanwhile wait or come again by themselves."))),
        el(
            "p",
            ask.say(
                N_(
                    "In a few seconds this page asks for the restored street; sign in there with your password of the day of the backup."
                )
            ),
        ),
        actions(link(ask.say(N_("To the sign-in")), "", is_button=True)),
    )
    return Page(ask.say(N_("Starting again")), body, "backups", again="/backups")


ROUTES = (
    Served("/backups/{name}/restore", "POST", inside(post_restore, RIGHT)),
    Served("/restored/back", "POST", inside(post_back, RIGHT)),
    Served("/restored/{name}", "GET", inside(get_restored, RIGHT)),
    Served("/restored/{name}/serve", "POST", inside(post_serve, RIGHT, is_slow=True)),
    Served("/restored/{name}/discard", "POST", inside(post_discard, RIGHT)),
    Served("/restart", "POST", inside(post_restart, RIGHT)),
)

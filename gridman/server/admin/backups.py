"""Backups: make one now, see which there are, fetch one to keep it elsewhere."""

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, File, Page
from gridman.server.admin.door import inside
from gridman.server.admin.markup import el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import Fields, card, empty, form, link, note, table
from gridman.services.backup_folder import back_up_here, fetch_backup, page_backups

__all__ = ["ROUTES"]

RIGHT = "account.manage"
_MB = 1_000_000


def _page(ask: Ask, errors: dict[str, str] | None = None, made: str = "") -> Page:
    found = page_backups(ask.street, ask.actor)
    fields = Fields(ask, {}, errors or {})
    rows = [
        (b.path.name, ask.when(b.made_at), f"{b.size_bytes / _MB:.1f} MB", link(ask.say(N_("Fetch")), f"/backups/{b.path.name}"))
        for b in found
    ]  # fmt: skip
    heads = [ask.say(text) for text in (N_("File"), N_("Made"), N_("Size"), "")]
    body = join(
        note(ask.say(N_("{file} is made. Fetch it and keep it on another disk; check it there with gridman street "
            "verify."), file=made), tone="good") if made else None,
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
        note(ask.say(N_("A backup is restored at the server itself: gridman street restore. The newest five are kept here; older ones are removed "
            "when a new one is whole."))),
    )  # fmt: skip
    return Page(ask.say(N_("Backup")), body, "backups", 422 if errors else 200)


def get_backups(ask: Ask) -> Answer:
    """The list and the form."""
    return _page(ask)


def post_backup(ask: Ask) -> Answer:
    """Make one; the passphrase stays in this call."""
    passphrase = ask.form.get("passphrase", "")
    if passphrase != ask.form.get("again", ""):
        return _page(ask, {"again": ask.say(N_("The two are not the same."))})
    try:
        made = back_up_here(ask.street, ask.actor, passphrase)
    except Refusal as refusal:
        if refusal.code != "passphrase.weak":
            raise
        return _page(ask, {"passphrase": " ".join(ask.told(refusal))})
    return _page(ask, made=made.name)


def get_backup(ask: Ask) -> Answer:
    """Fetch one; who did is in the audit log."""
    path = fetch_backup(ask.street, ask.actor, ask.params["name"])
    return File(path, path.name)


ROUTES = (
    Served("/backups", "GET", inside(get_backups, RIGHT)),
    Served("/backups", "POST", inside(post_backup, RIGHT, is_slow=True)),
    Served("/backups/{name}", "GET", inside(get_backup, RIGHT)),
)

"""The first page: what an administrator looks at in the morning, with what to do where something is wrong."""

import time

from gridman import __version__
from gridman.domain.access import may
from gridman.kernel.clock import day_of
from gridman.kernel.words import N_
from gridman.server.admin.ask import Answer, Ask, Go, Page
from gridman.server.admin.door import inside
from gridman.server.admin.frame import NAV
from gridman.server.admin.jobs import running_note
from gridman.server.admin.markup import Html, Part, el, join
from gridman.server.admin.pages import Served
from gridman.server.admin.pieces import chip, facts, link, note, toned
from gridman.server.admin.restoring import decided_note
from gridman.services.jobs import page_jobs
from gridman.services.overview import Overview, overview

__all__ = ["ROUTES"]

_DAY_MS = 86_400_000
_OLD_BACKUP_MS = 8 * _DAY_MS
_SOON_MS = 30 * _DAY_MS


def get_overview(ask: Ask) -> Answer:
    """The street in figures. Who may not see it is led to the first page of the own role."""
    if not may(ask.actor, "account.manage"):
        return Go(next(path for key, path, _word, _icon, right in NAV if may(ask.actor, right)))
    with ask.street.store.read() as reader:
        found = overview(reader, ask.actor)
        now = reader.now
    body = join(
        decided_note(ask), running_note(ask, page_jobs(ask.street, ask.actor)), *_warnings(ask, found, now),
        el("div", *_cards(ask, found, now), class_="cards"),
    )  # fmt: skip
    return Page(ask.say(N_("Overview")), body, "overview")


def _warnings(ask: Ask, found: Overview, now: int) -> list[Html]:
    """What needs somebody today, the worst first."""
    told: list[Html] = []
    broken = [d.broken for d in found.desks if d.broken is not None and d.broken.is_open]
    for is_copy, tone, text in (
        (False, "danger", N_("The audit logs of these computers were cut or changed: {numbers}. Ask the auditor.")),
        (True, "attention", N_("The data of these computers was copied: {numbers}. Set the copies up again and shut these numbers out.")),
    ):  # fmt: skip
        numbers = ", ".join(str(b.device.replica) for b in broken if b.is_copy == is_copy)
        if numbers:
            told.append(
                note(
                    join(ask.say(text, numbers=numbers), " ", link(ask.say(N_("All computers")), "/computers")),
                    tone=tone,
                )
            )
    if now - found.last_backup_at > _OLD_BACKUP_MS:
        told.append(
            note(join(ask.say(N_("There is no backup of the last week.")), " ", link(ask.say(N_("Make one now")), "/backups")), tone="attention")
        )  # fmt: skip
    ends_at = ask.parts.certificate_ends_at
    if ends_at and ends_at - now < _SOON_MS:
        told.append(
            note(ask.say(N_("The server's certificate ends on {day}. Start the server anew: it renews the street's own by "
                "itself."), day=day_of(ends_at)), tone="attention")
        )  # fmt: skip
    return told


def _cards(ask: Ask, found: Overview, now: int) -> list[Html]:
    active = [d for d in found.desks if d.is_active]
    quiet, wrong = [d for d in active if d.is_quiet], [d for d in active if d.has_wrong_clock]
    heard = sum(now - d.device.last_seen_at < _DAY_MS for d in active)
    up_s = int(time.monotonic() - ask.parts.started)
    ends_at = ask.parts.certificate_ends_at
    return [
        _card(
            ask.say(N_("Computers")), len(active),
            (ask.say(N_("Heard of in the last day")), heard),
            (ask.say(N_("Silent for 10 days")), chip(str(len(quiet)), toned(bool(quiet)))),
            (ask.say(N_("Wrong clock")), chip(str(len(wrong)), toned(bool(wrong)))),
            more=link(ask.say(N_("All computers")), "/computers"),
        ),
        _card(
            ask.say(N_("Accounts")), found.accounts,
            (ask.say(N_("Locked now")), chip(str(found.locked), toned(found.locked > 0))),
            (ask.say(N_("Password still to be replaced")), found.must_change),
            (ask.say(N_("Failed sign-ins in the last day")), chip(str(found.failed_sign_ins), toned(found.failed_sign_ins > 20))),
            more=link(ask.say(N_("All accounts")), "/accounts"),
        ),
        _card(
            ask.say(N_("Waiting for review")), found.waiting,
            more=join(
                el("span", ask.say(N_("Values that lost or are held. Whoever looks after the grid decides: on the page To review, or on a desk "
                                      "under Sync.")), class_="small"),
                link(ask.say(N_("To review")), "/review") if may(ask.actor, "conflict.resolve") else None,
            ),
        ),
        _card(
            ask.say(N_("Households")), found.households,
            (ask.say(N_("Open incidents")), found.open_incidents),
        ),
        _card(
            ask.say(N_("Last backup")), ask.when(found.last_backup_at),
            (ask.say(N_("Database")), ask.street.database_kind),
            (ask.say(N_("Number of the feed")), found.feed),
            more=link(ask.say(N_("Backups")), "/backups"),
        ),
        _card(
            ask.say(N_("Server")), __version__,
            (ask.say(N_("Running for")), ask.say(N_("{days} d {hours} h {minutes} min"), days=up_s // 86_400, hours=up_s // 3_600 % 24,
                                                 minutes=up_s // 60 % 60)),
            (ask.say(N_("Certificate ends")), day_of(ends_at) if ends_at else "–"),
            more=link(ask.say(N_("Fingerprint and address")), "/computers"),
        ),
    ]  # fmt: skip


def _card(title: str, figure: Part, *pairs: tuple[str, Part], more: Part = None) -> Html:
    return el(
        "section",
        el("h2", title),
        el("p", figure, class_="figure"),
        facts(pairs) if pairs else None,
        el("p", more, class_="actions") if more else None,
        class_="card",
    )


ROUTES = (Served("", "GET", inside(get_overview, None)),)

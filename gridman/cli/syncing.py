"""`gridman sync`: one exchange with the street server, or one whenever there is something; and the whole story of one record."""

import argparse
from pathlib import Path
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import PASSPHRASE, add_data, add_login, opened_desk
from gridman.cli.secrets import ask_secret
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _, ngettext
from gridman.services.signin import left_desk

__all__ = ["fill", "run"]

_NOT_OURS = N_("came from the street")
"""A step without a receipt: the work of another desk or of the street itself, so it is in the street's register."""


def fill(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_data(parser)
    add_login(parser)
    one = parser.add_mutually_exclusive_group()
    one.add_argument(
        "--left",
        type=int,
        metavar="NUMBER",
        help=_(
            "send what waits in the desk with this number, which was left behind when its user was set up anew; its own passphrase is asked"
        ),
    )
    one.add_argument(
        "--watch",
        action="store_true",
        help=_("go on until Ctrl+C: at once when the street has something, else now and then"),
    )
    parser.add_argument(
        "--every",
        type=int,
        default=60,
        metavar="SECONDS",
        help=_("with --watch: pause while nothing is heard, give or take a fifth (default: 60)"),
    )
    one.add_argument(
        "--check",
        action="store_true",
        help=_("compare everything here with the street's copy, and receive anew what differs"),
    )
    one.add_argument(
        "--explain",
        metavar="RECORD",
        help=_(
            "tell the history and receipts of this record: the number of an incident or household, or any record's id; no network is needed"
        ),
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Synchronise, or explain."""
    if args.left is not None:
        return _send_left(args.data, args.left, console)
    with opened_desk(args.data, args.login) as desk:
        if args.explain is not None:
            return _explain(desk, args.explain, console)
        if args.check:
            return _check(desk, console)
        if args.watch:
            from gridman.cli.watching import watch

            watch(desk, lambda: _round(desk, console), console.warn, max(1, args.every))
        return _round(desk, console)


def _send_left(folder: Path, number: int, console: Console) -> int:
    """One exchange of a desk that was left behind, and what waits in it afterwards; 1 while something does."""
    from gridman.joining import send_left_desk

    login = left_desk(folder, number).user.login
    said = _("Passphrase of desk {number} of {login}").format(number=number, login=login)
    sent = send_left_desk(folder, number, ask_secret(PASSPHRASE, said), lambda desk: _round(desk, console))
    if sent.problem is not None:
        console.warn(sent.problem.words())
    if sent.waiting:
        console.warn(
            _("Still waiting in desk {number}: {count}. Type the same again.").format(number=number, count=sent.waiting)
        )
        return 1
    console.say(
        _("Nothing waits any more in desk {number} of {login}. Its folder {folder} is not needed any more.").format(
            number=number, login=login, folder=sent.folder
        )
    )
    return int(sent.result or 0)


def _check(desk: Any, console: Console) -> int:
    """Rounds until every scope was compared; 1 when something still differs. Refuses with ``cli.nothing_compared``."""
    from gridman.sync.checking import Held, ask_all_again

    compared, anew, different = 0, 0, 0
    asked = ask_all_again(desk.store)
    for _scope in asked:
        held = desk.synchronise(console.progress).held
        compared, anew, different = (
            compared + (held is not None),
            anew + (held == Held.ANEW),
            different + (held == Held.DIFFERENT),
        )
    same = compared - anew - different
    if not compared:
        raise Refusal(
            "cli.nothing_compared",
            N_("Nothing was compared: this computer has received nothing from the street yet, or was just receiving."),
            N_("Type gridman sync first, and once it has received everything gridman sync --check again."),
        )
    if same == compared:
        console.say(
            ngettext(
                "{n} part of the register compared with the street's: it is equal.",
                "{n} parts of the register compared with the street's: all are equal.",
                compared,
            ).format(n=compared)
        )
    else:
        console.say(
            _(
                "Parts of the register compared with the street's: {n}, of them equal {same}, received anew {anew}, still different {different}."
            ).format(n=compared, same=same, anew=anew, different=different)
        )
    if anew:
        console.warn(_("It was not as the street's: everything was received anew."))
    if not anew and compared < len(asked):
        console.warn(_("Not compared this time: {n}; type the command again.").format(n=len(asked) - compared))
    if different:
        console.warn(
            _("It is still not as the street's: tell the office that looks after gridman (gridman doctor --report).")
        )
    console.give({"compared": compared, "same": same, "anew": anew, "different": different})
    return 1 if different else 0


def _round(desk: Any, console: Console) -> int:
    result = desk.synchronise(console.progress)
    console.say(
        _("{at}: sent {sent}, received {received}, refused {refused}").format(
            at=show_instant(desk.store.clock()), sent=result.sent, received=result.received, refused=len(result.refused)
        )
    )
    for receipt in result.refused:
        console.warn(
            _("refused: {kind} {id}: {reason}").format(
                kind=receipt.entity, id=receipt.record_id, reason=receipt.reason or ""
            )
        )
    if result.is_clock_wrong:
        console.warn(
            _("This computer's clock is {seconds} seconds off the street server's: set it.").format(
                seconds=result.skew_ms // 1000
            )
        )
    console.give(
        {
            "sent": result.sent, "received": result.received, "complete": result.complete, "skew_ms": result.skew_ms,
            "refused": [{"kind": r.entity, "id": r.record_id, "reason": r.reason} for r in result.refused],
        }
    )  # fmt: skip
    return 1 if result.refused else 0


def _explain(desk: Any, wanted: str, console: Console) -> int:
    """Who did what to the record here and elsewhere, and what became of this desk's own work on it."""
    from gridman.store.journal import history_of

    with desk.store.read() as reader:
        record_id = _record_of(reader, wanted)
        entries = [] if record_id is None else list(reversed(history_of(reader, [record_id])))
        names = _names(reader, {e.actor_id for e in entries if e.actor_id})
        standing = _standing(reader, entries)
    if not entries:
        raise Refusal(
            "cli.no_history",
            N_("This desk knows no work on a record {id}."),
            N_("Check the number; what other desks did is in the street's journal."),
            id=wanted,
        )
    for entry, crossed in zip(entries, standing, strict=True):
        for line in _lines(entry, names, crossed):
            console.say(line)
    if any(entry.state in ("waiting", "sent") for entry in entries):
        for line in _why_it_waits(desk):
            console.say(line)
    console.give([
        {
            "at": e.at, "who": names.get(e.actor_id, ""), "what": e.kind, "kind": e.entity, "fields": sorted(e.after), "state": e.state,
            "verdict": e.verdict, "reason": e.reason, "op": e.op_n, "acknowledged_at": e.ack_at,
            "standing": [{"field": s.field, "own": s.is_own, "waits": s.is_waiting, "other": s.other} for s in crossed],
        }
        for e, crossed in zip(entries, standing, strict=True)
    ])  # fmt: skip
    return 0


def _record_of(reader: Any, wanted: str) -> int | None:
    """The record with this number, else with this id."""
    from gridman.domain.household import Household
    from gridman.domain.incident import Incident

    for noun in (Incident, Household):
        found = reader.first(noun, number=wanted, with_retired=True)
        if found is not None:
            return int(found.id)
    return int(wanted) if wanted.isdecimal() and len(wanted) < 19 else None


def _standing(reader: Any, entries: list[Any]) -> list[Any]:
    """Of each step the own values that crossed another's; nothing of the steps of others."""
    from gridman.services.standing import crossings, standing_of

    crossed = crossings(reader, {e.record_id for e in entries})
    return [
        standing_of(reader, crossed.get(e.record_id, ()), e.entity, e.actor_id, e.after) if e.state else ()
        for e in entries
    ]


def _lines(entry: Any, names: dict[int | None, str], standing: Any) -> list[str]:
    """One step as the Sync page tells it, without the values: a terminal's history is no place for people's data."""
    from gridman.services.outbox import NOUN_WORDS, act_words, field_words
    from gridman.services.receipt_words import result_words, state_word

    parts = [
        show_instant(entry.at),
        names.get(entry.actor_id, "?"),
        _(NOUN_WORDS.get(entry.entity, entry.entity)),
        act_words(entry.kind, entry.after),
        field_words(entry.kind, entry.entity, entry.after),
        state_word(entry.state, standing) if entry.state else _(_NOT_OURS),
        show_instant(entry.ack_at) if entry.ack_at else "",
    ]
    told = [*result_words(entry.state or "", entry.verdict or "", standing), entry.reason or ""]
    return ["  ".join(part for part in parts if part), *(f"    {line}" for line in told if line)]


def _why_it_waits(desk: Any) -> list[str]:
    """What the Sync page says of work that is not sent: why, and what the last synchronisations brought."""
    from gridman.services.outbox import rounds
    from gridman.services.receipt_words import rounds_words

    tried = rounds(desk.store)
    reason = desk.status().reason
    said = reason.words() if reason is not None else (tried[0].problem if tried else "")
    return [line for line in (said, *rounds_words(tried, said)) if line]


def _names(reader: Any, ids: set[int | None]) -> dict[int | None, str]:
    from gridman.domain.user import User

    return {u.id: u.name for u in reader.page(User, id=ids, with_retired=True)} if ids else {}

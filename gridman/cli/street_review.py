"""`gridman street review`: the edits that wait for a decision, on the server. The administrator sees that they wait; what they say is shown
to those who may read the records, in whose name the decision is made.
"""

import argparse
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import add_data, opened_street
from gridman.cli.secrets import ask_secret
from gridman.cli.street_office import user_of
from gridman.kernel.clock import show_instant
from gridman.kernel.words import _

__all__ = ["fill"]

_PASSWORD = "GRIDMAN_PASSWORD"


def fill(parts: Any) -> None:
    """The arguments of `street review`."""
    text = _("list the edits that wait for a decision, and decide")
    made = parts.add_parser("review", help=text, description=text)
    made.set_defaults(work=_review)
    add_data(made, is_street=True)
    made.add_argument(
        "--login", metavar="LOGIN", help=_("in whose name; the password is asked. Without it no values are shown")
    )
    made.add_argument("--limit", type=int, default=200, metavar="N", help=_("at most so many lines (default: 200)"))
    choice = made.add_mutually_exclusive_group()
    choice.add_argument(
        "--keep", type=int, metavar="NUMBER", help=_("what stands stays; the number is the list's (needs --login)")
    )
    made.add_argument(
        "--alike",
        action="store_true",
        help=_("with --keep: also all else that the same computer handed over, for example one that was reported lost"),
    )
    choice.add_argument("--restore", type=int, metavar="NUMBER", help=_("the other value is put back (needs --login)"))


def _review(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.conflicts import keep_alike, resolve

    number, choice = (args.keep, "kept") if args.keep is not None else (args.restore, "restored")
    if number is not None and not args.login:
        console.warn(_("--keep and --restore need --login: somebody decides."))
        return 2
    if args.alike and args.keep is None:
        console.warn(_("--alike goes with --keep: what stands stays."))
        return 2
    with opened_street(args.data, args.database) as street:
        actor = _actor(street, args.login) if args.login else None
        if number is not None and actor is not None:
            count = 1
            with street.store.unit(actor) as unit:
                if args.alike:
                    count = keep_alike(unit, number)
                else:
                    resolve(unit, number, choice)
            console.say(_("Decided: {number}.").format(number=number))
            if args.alike:
                console.say(_("{count} in all.").format(count=count))
            console.give({"number": number, "decision": choice, "count": count})
            return 0
        return _list(street, actor, args.limit, console)


def _actor(street: Any, login: str) -> Any:
    from gridman.services.console_signin import require_password, sign_in_at_console

    with street.store.read() as reader:
        user = user_of(reader, login)
    require_password(street.store, user.login)
    password = ask_secret(_PASSWORD, _("Password of {login}").format(login=user.login))
    return sign_in_at_console(street.store, user.login, password, "conflict.resolve", hasher=street.hasher)


def _list(street: Any, actor: Any, limit: int, console: Console) -> int:
    from gridman.services.conflicts import DEEDS, open_conflicts

    with street.store.read() as reader:
        lines = open_conflicts(reader, limit, grid_ids=actor.grid_ids if actor is not None else None)
    answer = []
    for line in lines:
        conflict = line.conflict
        when = show_instant(conflict.lost_at or conflict.kept_at or 0)
        record = line.record_words if actor is not None else line.nameless_words
        console.say(f"{conflict.id}  {when}  {line.place_words}  {record}  {line.field_label}".rstrip())
        console.say(f"    {line.reason_words}")
        if line.source_words:
            console.say(f"    {line.source_words}")
        entry = {
            "number": conflict.id, "kind": conflict.record_kind, "id": conflict.record_id, "field": conflict.field,
            "reason": conflict.reason, "grid": line.place_words, "at": conflict.lost_at, "kept_by": line.kept_by,
            "lost_by": line.lost_by, "deed": line.deed, "computer": conflict.computer,
        }  # fmt: skip
        if actor is not None:
            console.say("    " + _told(_("stands: {value}"), line.kept_words, line.kept_by))
            console.say("    " + _told(_("other: {value}"), line.lost_words, line.lost_by))
            console.say(f"    --keep: {_(line.stay)}")
            if line.deed:
                console.say(f"    --restore: {_(DEEDS[line.deed])}")
            entry |= {"record": line.record_words, "kept": line.kept_words, "lost": line.lost_words}
        answer.append(entry)
    if not lines:
        console.say(_("Nothing waits for a decision."))
    console.give(answer)
    return 0


def _told(text: str, words: str, who: str) -> str:
    """A value in one line and who wrote it, where that is known."""
    value = "; ".join(words.splitlines()) or _("(nothing)")
    return text.format(value=_("{value} ({who})").format(value=value, who=who) if who else value)

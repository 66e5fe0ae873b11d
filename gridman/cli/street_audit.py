"""`gridman street audit`: who did what that the law wants remembered, here and at the desks."""

import argparse
from typing import Any

from gridman.cli.console import Console
from gridman.cli.folders import add_data, opened_street
from gridman.domain.access import SYSTEM
from gridman.kernel.clock import show_instant
from gridman.kernel.words import _

__all__ = ["fill"]


def fill(parts: Any) -> None:
    """The arguments of `street audit`."""
    text = _("list the audit log of the street and its desks, newest first")
    made = parts.add_parser("audit", help=text, description=text)
    made.set_defaults(work=_audit)
    add_data(made, is_street=True)
    made.add_argument("--act", metavar="ACT", help=_("only this act, for example export, print, reveal, sign_in"))
    made.add_argument("--device", type=int, metavar="NUMBER", help=_("only this computer's lines"))
    made.add_argument("--login", metavar="LOGIN", help=_("only of accounts with this in their sign-in name"))
    made.add_argument("--day", metavar="DAY", help=_("only this day, for example 2026-11-23"))
    made.add_argument("--limit", type=int, default=200, metavar="N", help=_("at most so many lines (default: 200)"))


def _audit(args: argparse.Namespace, console: Console) -> int:
    from gridman.services.audit_anchor import CHANGED_LOG, COPIED_LOG
    from gridman.services.audit_log import page_log, verify_log
    from gridman.services.audit_words import act_word, details_in_words, kind_word

    with opened_street(args.data, args.database) as street, street.store.read() as reader:
        acts = [args.act] if args.act else []
        lines = page_log(
            reader, SYSTEM, acts=acts, replica=args.device, login=args.login or "", day=args.day or "", limit=args.limit
        ).lines
        verdict = verify_log(reader, SYSTEM)
    for line in lines:
        r = line.row
        details = details_in_words(r.record_kind or "", line.details)
        kind = kind_word(r.record_kind) if r.record_kind else ""
        what = " ".join(str(part) for part in (kind, r.record_id, f"({line.record})" if line.record else "") if part)
        who = f"{r.replica or '':>4} {line.computer:<10} {line.login or '-':<12}"
        console.say(f"{show_instant(r.at)}  {who} {act_word(r.act):<14} {what}  {details}".rstrip())
    if verdict.broken_line is not None:
        console.warn(
            _("The street's own audit log was changed or cut at line {line}.").format(line=verdict.broken_line)
        )
    for broken in verdict.desks:
        text = COPIED_LOG if broken.is_copy else CHANGED_LOG
        device = broken.device
        console.warn(_(text).format(number=device.replica, name=device.name, line=broken.line))
    console.give([
        {
            "at": line.row.at, "device": line.row.replica, "login": line.login, "act": line.row.act, "kind": line.row.record_kind,
            "id": line.row.record_id, "details": line.row.details, "computer": line.computer, "record": line.record,
        }
        for line in lines
    ])  # fmt: skip
    changed = any(not broken.is_copy for broken in verdict.desks)
    return 1 if changed or verdict.broken_line is not None else 0

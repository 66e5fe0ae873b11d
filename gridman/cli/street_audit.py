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
    made.add_argument("--limit", type=int, default=200, metavar="N", help=_("at most so many lines (default: 200)"))


def _audit(args: argparse.Namespace, console: Console) -> int:
    from gridman.domain.user import User
    from gridman.services.audit import page_audit
    from gridman.services.audit_anchor import broken_desks, desk_lines

    with opened_street(args.data, args.database) as street, street.store.read() as reader:
        lines = desk_lines(reader, SYSTEM, replica=args.device, act=args.act, limit=args.limit)
        if args.device is None:
            lines += page_audit(reader, SYSTEM, act=args.act, limit=args.limit)
        lines = sorted(lines, key=lambda line: -line.at)[: args.limit]
        ids = {line.actor_id for line in lines if line.actor_id}
        names = {u.id: u.login for u in reader.page(User, id=ids, limit=len(ids) + 1, with_retired=True)} if ids else {}
        broken = broken_desks(reader)
    for line in lines:
        details = ", ".join(f"{name}={value}" for name, value in line.details.items())
        what = f"{line.record_kind} {line.record_id}" if line.record_kind else ""
        who = f"{line.replica or '':>4}  {names.get(line.actor_id or 0, '-'):<12}"
        console.say(f"{show_instant(line.at)}  {who} {line.act:<14} {what}  {details}".rstrip())
    for device in broken:
        console.warn(
            _("The audit log of computer {number} ({name}) was cut or changed after line {line}.").format(
                number=device.replica, name=device.name, line=device.audit_n
            )
        )
    console.give([
        {
            "at": line.at, "device": line.replica, "login": names.get(line.actor_id or 0, ""), "act": line.act, "kind": line.record_kind,
            "id": line.record_id, "details": line.details,
        }
        for line in lines
    ])  # fmt: skip
    return 1 if broken else 0

"""The audit log: who did what that the law wants remembered (domain reference DP-07, DP-13, DP-14), without personal values."""

import re
from typing import Any

from gridman.domain.access import Actor, require
from gridman.store.audit import AuditRow, append_audit, audit_head, first_broken
from gridman.store.audit import page_audit as _page
from gridman.store.store import Store
from gridman.store.unit import Reader, Unit

__all__ = ["ACTS", "AuditRow", "audit_head", "is_fit", "note", "note_alone", "page_audit", "verify_chain"]

ACTS = frozenset({
    "account", "assign", "audit_broken", "decide", "department", "differed", "enrol", "enrol_code", "enrol_failed", "export", "hand_over", "import",
    "map_edit", "move_server", "notice", "open", "password", "print", "restore", "reveal", "revoke", "rotate_keys", "sign_in", "sign_in_failed",
    "sign_out", "start", "suspend", "token",
})  # fmt: skip
"""What can be noted: a closed list, so that a misspelt act is found by the first test that makes it."""

_MAX_TEXT = 200
_PERSONAL = re.compile(r"(?<!\d)(\d{17}[\dXx]|\d{15}|1[3-9]\d{9})(?!\d)")


def note(unit: Unit, act: str, record_kind: str | None = None, record_id: int | None = None, **details: Any) -> int:
    """Add a line in the unit's own transaction: it is there exactly when the act was done.

    ``details``: counts, codes, names of fields or files. ValueError for an unknown act, a long text, or what looks like an identity
    or phone number: a caller's mistake.
    """
    if act not in ACTS:
        raise ValueError(f"unknown audit act {act!r}")
    for name, value in details.items():
        _check(name, value)
    return append_audit(unit, act, record_kind, record_id, **details)


def note_alone(
    store: Store, actor: Actor, act: str, record_kind: str | None = None, record_id: int | None = None, **details: Any
) -> int:
    """Add a line for an act that changes nothing else: a value revealed, a sheet printed, a refused sign-in."""
    with store.unit(actor) as unit:
        return note(unit, act, record_kind, record_id, **details)


def is_fit(text: str) -> bool:
    """Whether a text that a person typed may stand in the log: short, and nothing in it that looks like a personal number."""
    return len(text) <= _MAX_TEXT and not _PERSONAL.search(text)


def _check(name: str, value: Any) -> None:
    if not isinstance(value, str | int | bool | None):
        raise ValueError(f"audit detail {name} is a {type(value).__name__}")
    if isinstance(value, str) and not is_fit(value):
        raise ValueError(f"audit detail {name} is long or looks like a personal number")


def page_audit(
    reader: Reader, actor: Actor, *, act: str | None = None, before_id: int | None = None, limit: int = 200
) -> list[AuditRow]:
    """The newest lines, for those who may read the log."""
    require(actor, "audit.read")
    return _page(reader, act=act, before_id=before_id, limit=min(limit, 1_000))


def verify_chain(reader: Reader) -> int | None:
    """The number of the first line that was tampered with; None when the log is whole."""
    return first_broken(reader)

"""Does this desk hold what the street holds? Asked for one scope with the first request of a round, once a day each (sync design D13).

The street answers with counts and marks over its rows as of the number up to which the desk is then complete. Where the desk's differ,
something went wrong that nothing else has noticed: a fault of the disk, of another program, or of this one. It is told and everything is
received anew, own unsent work staying where it is; once a day at most, so that a fault which stays does not keep a line busy.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from enum import StrEnum

from gridman.domain.access import SYSTEM
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.audit import note
from gridman.store.checks import Mark, marks_of_scope
from gridman.store.replay import positions, receiving
from gridman.store.store import Store, get_meta, put_meta
from gridman.store.unit import Reader
from gridman.sync.protocol import ALL, KindCheck, ScopeCheck

__all__ = ["EVERY_MS", "Held", "ask_all_again", "check_of", "compare", "differing", "due_scope"]

EVERY_MS = 24 * 3_600_000
_SOON_MS = 3_600_000
"""A scope that has just come is checked an hour later, when its first exchanges are over."""

_CHECKED, _HEALED, _DIFFER = "scopes_checked", "scopes_healed_at", "scopes_differ"

log = logging.getLogger(__name__)


class Held(StrEnum):
    """What came of a check: as the street has it, received anew because it was not, or still different after that."""

    SAME = "same"
    ANEW = "anew"
    DIFFERENT = "different"


def check_of(reader: Reader, scope: str) -> ScopeCheck:
    """What the street holds of a scope, for a desk to compare."""
    marks = marks_of_scope(reader.connection, scope)
    return ScopeCheck(scope, [KindCheck(k, list(m.columns), m.rows, m.mark) for k, m in sorted(marks.items())])


def due_scope(reader: Reader) -> str:
    """The scope whose turn it is, "" when each was checked within the last day."""
    checked = _times(reader)
    now = reader.now
    due = [(checked[s], s) for s in positions(reader.connection) if s in checked and abs(now - checked[s]) >= EVERY_MS]
    return min(due)[1] if due else ""


def ask_all_again(store: Store) -> list[str]:
    """Have every scope be due now; returns them."""
    with store.read() as reader:
        scopes = sorted(positions(reader.connection))
    _keep(store, dict.fromkeys(scopes, 0))
    return scopes


def compare(store: Store, asked: str, check: ScopeCheck | None, seq: int) -> Held | None:
    """Hold this desk, complete up to number `seq` of the feed, against what the street said of scope `asked`. None: nothing was compared."""
    with store.read() as reader:
        checked = _times(reader)
        here = positions(reader.connection)
        differs = _differing(reader, check, seq) if check is not None and check.scope == asked else None
    times = {s: checked.get(s, reader.now - EVERY_MS + _SOON_MS) for s in here}
    if asked in times:
        times[asked] = reader.now  # also when an older street said nothing: it is asked again tomorrow, not each time
    held = None
    if differs is not None:
        held = _act_on(store, asked, differs, seq, healed_at=_healed_at(store)) if differs else Held.SAME
    if times != checked:
        _keep(store, times, sound=asked if held == Held.SAME else "")
    return held


def differing(reader: Reader) -> Iterator[Refusal]:
    """What was found to differ from the street's copy even after it had been received anew."""
    known = get_meta(reader, _DIFFER)
    if known:
        yield Refusal(
            "sync.differs",
            N_("Since {at} this computer does not hold what the street holds ({what}), though it was received anew."),
            N_(
                "Nothing unsent is lost. Look for a failing disk, then set this computer up again; gridman sync --check compares anew."
            ),
            **json.loads(known),
        )


def _differing(reader: Reader, check: ScopeCheck, seq: int) -> list[str] | None:
    """The kinds of which this desk does not hold the same; None when it has gone on meanwhile, so that nothing can be said."""
    if positions(reader.connection).get(check.scope) != (seq, ALL):
        return None
    theirs = {k.kind: k for k in check.kinds}
    ours = marks_of_scope(reader.connection, check.scope, {k.kind: k.columns for k in check.kinds})
    nothing = Mark((), 0, 0)
    return [
        kind for kind in sorted(theirs.keys() | ours.keys()) if not _is_same(theirs.get(kind), ours.get(kind, nothing))
    ]


def _is_same(theirs: KindCheck | None, ours: Mark) -> bool:
    if theirs is None or theirs.count != ours.rows:
        return False
    return theirs.mark == ours.mark or not ours.columns


def _act_on(store: Store, scope: str, kinds: Iterable[str], seq: int, *, healed_at: int | None) -> Held:
    told = ",".join(kinds)
    is_anew = healed_at is None or abs(store.clock() - healed_at) >= EVERY_MS
    log.error(
        "scope %s is not as the street has it at %d: %s; %s", scope, seq, told, "received anew" if is_anew else "again"
    )
    if is_anew:
        with receiving(store) as replay:
            if positions(replay.connection).get(scope) != (seq, ALL):
                return Held.SAME  # something came in between: it is asked again tomorrow
            replay.start_over()
            put_meta(replay.connection, _HEALED, str(store.clock()))
    else:
        with receiving(store) as replay:
            found = {"at": show_instant(store.clock()), "what": told, "scope": scope}
            put_meta(replay.connection, _DIFFER, json.dumps(found))
    with store.unit(SYSTEM) as unit:
        note(unit, "differed", scope=scope, kinds=told[:200], anew=is_anew)
    return Held.ANEW if is_anew else Held.DIFFERENT


def _healed_at(store: Store) -> int | None:
    with store.read() as reader:
        known = get_meta(reader, _HEALED)
    return int(known) if known else None


def _times(reader: Reader) -> dict[str, int]:
    return {str(s): int(at) for s, at in json.loads(get_meta(reader, _CHECKED) or "{}").items()}


def _keep(store: Store, times: dict[str, int], *, sound: str = "") -> None:
    with receiving(store) as replay:
        put_meta(replay.connection, _CHECKED, json.dumps(times, sort_keys=True))
        known = replay.note(_DIFFER)
        if sound and known and json.loads(known)["scope"] == sound:
            put_meta(replay.connection, _DIFFER, "")

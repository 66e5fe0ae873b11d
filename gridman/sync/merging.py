"""One edit of a desk meets the record as it is now: field by field (`domain.merge`), and delete against edit (sync design D8)."""

from collections.abc import Mapping
from typing import Any

from gridman.domain.catalog import Noun
from gridman.domain.conflict import Conflict
from gridman.domain.fields import Synced
from gridman.domain.household import Household
from gridman.domain.merge import Edit, decide
from gridman.services.moves import move_household
from gridman.store.feed_pages import cell_states
from gridman.store.journal import upsert_cells
from gridman.store.unit import Unit
from gridman.sync.facts import Facts
from gridman.sync.kept import grid_of, keep
from gridman.sync.protocol import Op

__all__ = ["merge"]

_Side = tuple[Any, int | None, int | None]
"""A value, who wrote it, when."""

_RETIRING = ("retired_at", "retired_reason")


def merge(
    unit: Unit, facts: Facts, op: Op, known: Noun, record: Synced, values: Mapping[str, Any], stamp: str
) -> int:  # fmt: skip
    """Write what wins of the edit's values, keep what loses; returns how many values lost."""
    written: dict[str, Any] = {}
    versions: dict[tuple[int, str], tuple[str, str | None]] = {}
    losers: list[tuple[str, str, _Side, _Side]] = []
    same: list[dict[str, Any]] = []
    cells = facts.cells(known.cls, record.id, list(values))
    is_retired = record.retired_at is not None and "retired_at" not in values
    for name, value in values.items():
        current = getattr(record, name)
        version, claimed, actor_id, at = cells.get(name, (None, None, None, None))
        if name == "retired_at" and value is not None and current is not None:
            continue  # two people took it out of use: that is no conflict, and the first moment stands
        base = op.base.get(name)
        if base is not None and base == claimed:
            base = version  # the desk knows its own edit under the stamp it gave it
        verdict = decide(Edit(value, base, stamp), current, version, known.fields[name].merge, is_retired)
        unit.see(verdict.version)
        if verdict.applies:
            written[name] = value
            versions[record.id, name] = (verdict.version, op.stamp if op.stamp != verdict.version else None)
        elif not verdict.loser and version is not None:
            # The same value from two desks: no conflict, and the second desk's next edit knows what it edits.
            same.append(
                {"record_id": record.id, "field": name, "version": version, "claimed": op.stamp, "actor_id": actor_id, "at": at}
            )  # fmt: skip
        if verdict.loser and known.cls is not Conflict:
            mine, theirs = (value, unit.actor.user_id, unit.at), (current, actor_id, at)
            kept, lost = (theirs, mine) if verdict.loser == "edit" else (mine, theirs)
            losers.append((name, verdict.reason, kept, lost))
    if written.get("retired_at") is not None:
        losers += _unknown_to_the_retirer(unit, op, known, record)
    if same:
        upsert_cells(unit.connection, same)
        unit.note_change(record)
    was_in = grid_of(record)
    unit.ledger.setdefault("versions", {}).update(versions)  # where the feed looks up what was decided
    unit.amend(record, **written)
    grid_id = grid_of(record)
    if isinstance(record, Household) and grid_id is not None and grid_id != was_in:
        unit.flush()
        move_household(unit, record, grid_id)
    for name, reason, kept, lost in losers:
        keep(unit, known, record.id, grid_of(record), name, reason, kept, lost)
    return len(losers)


def _unknown_to_the_retirer(unit: Unit, op: Op, known: Noun, record: Synced) -> list[tuple[str, str, _Side, _Side]]:
    """Edits that had arrived before the record was taken out of use, and that whoever did so had not seen: such an operation says which
    version of every edited field its author knew.
    """
    found: list[tuple[str, str, _Side, _Side]] = []
    for name, (version, claimed, actor_id, at) in cell_states(unit.connection, record.id, list(known.fields)).items():
        was_seen = name in op.base and op.base[name] in (version, claimed)
        if was_seen or name in _RETIRING or getattr(record, name) is None:
            continue
        found.append((name, "retired", (None, unit.actor.user_id, unit.at), (getattr(record, name), actor_id, at)))
    return found

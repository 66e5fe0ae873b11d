"""One search box for everything: people, households, addresses, buildings, incidents."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridman.store.search import look_up
from gridman.store.unit import Reader

__all__ = ["Hit", "search"]


@dataclass(frozen=True)
class Hit:
    """One line under the search box. `household_id`: where a person or an incident leads to."""

    kind: str
    record_id: int
    household_id: int | None
    title: str
    detail: str
    grid_id: int | None


def search(
    reader: Reader, text: str, *, kinds: Sequence[str] = (), grid_ids: Sequence[int] = (), limit: int = 30
) -> list[Hit]:
    """What matches all typed words: names, pinyin or its initials, tails of ID numbers and phones, parts of addresses, incident
    numbers. Hits in `grid_ids` come first.
    """
    found = look_up(reader, text, kinds=kinds, grid_ids=grid_ids, limit=limit)
    return [Hit(f.kind, f.record_id, f.household_id, f.title, f.detail, f.grid_id) for f in found]

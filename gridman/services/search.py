"""One search box for everything: people, households, addresses, buildings, incidents."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridman.domain.household import Household
from gridman.domain.person import Person
from gridman.store.search import Found, look_up
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
    by: str = ""
    """"phone" or "id": the typed digits are the tail of such a number, which the title does not show."""


def search(
    reader: Reader, text: str, *, kinds: Sequence[str] = (), grid_ids: Sequence[int] = (), limit: int = 30
) -> list[Hit]:
    """What matches all typed words: names, pinyin or its initials, tails of ID numbers and phones, parts of addresses, incident
    numbers. Hits in `grid_ids` come first.
    """
    found = look_up(reader, text, kinds=kinds, grid_ids=grid_ids, limit=limit)
    digits = typed if (typed := text.strip().casefold())[:-1].isdecimal() and len(typed) >= 4 else ""
    by = _matched(reader, found, digits) if digits else {}
    return [
        Hit(f.kind, f.record_id, f.household_id, f.title, f.detail, f.grid_id, by.get(f.record_id, "")) for f in found
    ]


def _matched(reader: Reader, found: Sequence[Found], digits: str) -> dict[int, str]:
    """Whether it was the ID number or a phone of each record that bore the digits."""
    by: dict[int, str] = {}
    ids = {kind: [f.record_id for f in found if f.kind == kind] for kind in ("person", "household")}
    people = reader.page(Person, id=ids["person"]) if ids["person"] else []
    homes = reader.page(Household, id=ids["household"]) if ids["household"] else []
    records: list[Person | Household] = [*people, *homes]
    for record in records:
        if digits in "".join(c for c in record.phones or "" if c.isdecimal() or c == ";"):
            by[record.id] = "phone"
        elif digits in (getattr(record, "id_number", None) or "").casefold():
            by[record.id] = "id"
    return by

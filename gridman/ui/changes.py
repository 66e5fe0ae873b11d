"""What a write changed, as the screens see it: the signal that makes pages ask their questions again."""

from collections.abc import Iterable, Mapping
from typing import Protocol

__all__ = ["Changed", "ids_of"]


class Changed(Protocol):
    """The shape of the store's `Changes`; the desk's window knows only this much of it."""

    @property
    def touched(self) -> Mapping[str, frozenset[int]]: ...

    def concerns(self, kinds: Iterable[str]) -> bool: ...


def ids_of(changes: Changed | None, kind: str) -> frozenset[int] | None:
    """The changed ids of one kind; None when many or unknown changed: ask anew."""
    if changes is None:
        return None
    ids = changes.touched.get(kind, frozenset({0}))
    return (ids - {0}) if ids else None

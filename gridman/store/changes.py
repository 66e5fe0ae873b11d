"""What a unit of work changed: a small value that tells screens which questions to ask again."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gridman.domain.catalog import NOUNS

__all__ = ["Changes", "everything"]


@dataclass(frozen=True)
class Changes:
    """Kinds of records touched, with their ids. An empty id set for a kind means "many: ask anew"."""

    touched: dict[str, frozenset[int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.touched)

    def concerns(self, kinds: Iterable[str]) -> bool:
        """Whether any of `kinds` changed."""
        return any(kind in self.touched for kind in kinds)

    def __or__(self, other: "Changes") -> "Changes":
        merged = dict(self.touched)
        for kind, ids in other.touched.items():
            mine = merged.get(kind)
            merged[kind] = ids if mine is None else (mine | ids if mine and ids else frozenset())
        return Changes(merged)


def everything() -> Changes:
    """Anything may have changed: every screen asks anew."""
    return Changes({known.kind: frozenset() for known in NOUNS})

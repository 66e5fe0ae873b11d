"""Working through many ids in statements of bounded size."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

__all__ = ["batches"]

SIZE = 500

T = TypeVar("T", int, str)


def batches(ids: Iterable[T], size: int = SIZE) -> Iterator[list[T]]:
    """`ids`, sorted, in lists of at most `size`."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]

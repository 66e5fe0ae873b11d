"""Working through many ids in statements of bounded size."""

from collections.abc import Iterable, Iterator

__all__ = ["batches"]

SIZE = 500


def batches(ids: Iterable[int], size: int = SIZE) -> Iterator[list[int]]:
    """`ids`, sorted, in lists of at most `size`."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]

"""Dividing blocks into groups of about equal weight, each in one piece, with borders along the best streets.

Recursive bisection: sweep a front across the area in many directions, take the cheapest border that halves the weight,
then move blocks over the border one by one while that makes it cheaper or the halves more equal (after Kernighan and Lin
1970, Fiduccia and Mattheyses 1982). Nothing is random: the same map gives the same groups.
"""

import heapq
import math
from collections.abc import Sequence

from gridman.geo.blocks import Block

__all__ = ["divide"]

_DIRECTIONS = 24
_PASSES = 12
_EVEN = 0.02
_UNEVEN_PRICE = 60.0


def divide(blocks: Sequence[Block], members: Sequence[int], parts: int) -> list[list[int]]:
    """Split `members` (numbers into `blocks`, in one piece) into `parts` lists, each in one piece."""
    if parts == 1:
        return [sorted(members)]
    few = parts // 2
    share = few / parts
    here, there = _bisect(blocks, set(members), share, few, parts - few)
    return divide(blocks, sorted(here), few) + divide(blocks, sorted(there), parts - few)


def _weight(blocks: Sequence[Block], members: set[int]) -> float:
    """Weight, with a little for every block so that empty ground is shared out as well."""
    return sum(blocks[number].weight for number in members) + 1e-6 * len(members)


def _pieces(blocks: Sequence[Block], members: set[int]) -> list[set[int]]:
    """The connected pieces of `members`, largest weight first."""
    left, pieces = set(members), []
    while left:
        seed = min(left)
        piece, edge = {seed}, [seed]
        left.discard(seed)
        while edge:
            for other in blocks[edge.pop()].beside:
                if other in left:
                    left.discard(other)
                    piece.add(other)
                    edge.append(other)
        pieces.append(piece)
    return sorted(pieces, key=lambda piece: (-_weight(blocks, piece), min(piece)))


def _bisect(
    blocks: Sequence[Block], members: set[int], share: float, least: int, rest: int
) -> tuple[set[int], set[int]]:
    total = _weight(blocks, members)
    best: tuple[float, set[int]] | None = None
    for step in range(_DIRECTIONS):
        angle = 2 * math.pi * step / _DIRECTIONS
        here = _swept(blocks, members, math.cos(angle), math.sin(angle), share * total)
        if len(here) < least or len(members) - len(here) < rest:
            continue
        here = _refined(blocks, members, here, share * total, total, least, rest)
        price = _price(blocks, members, here, share * total, total)
        if best is None or price < best[0] - 1e-9:
            best = price, here
    if best is None:
        raise ValueError(f"{len(members)} blocks cannot be divided into {least} + {rest} connected groups")
    return best[1], members - best[1]


def _swept(blocks: Sequence[Block], members: set[int], east: float, north: float, wanted: float) -> set[int]:
    """A connected part of about the `wanted` weight, grown from the side that lies back in the given direction."""
    ahead = {number: blocks[number].x * east + blocks[number].y * north for number in members}
    first = min(members, key=lambda number: (ahead[number], number))
    heap, seen, here, weight = [(ahead[first], first)], {first}, set[int](), 0.0
    while heap:
        _ahead, number = heapq.heappop(heap)
        if here and weight + blocks[number].weight / 2 > wanted:
            break
        here.add(number)
        weight += blocks[number].weight
        for other in blocks[number].beside:
            if other in members and other not in seen:
                seen.add(other)
                heapq.heappush(heap, (ahead[other], other))
    for cut_off in _pieces(blocks, members - here)[1:]:
        here |= cut_off
    return here


def _border(blocks: Sequence[Block], members: set[int], here: set[int]) -> float:
    return sum(
        cost
        for number in here
        for other, cost in blocks[number].beside.items()
        if other in members and other not in here
    )


def _price(blocks: Sequence[Block], members: set[int], here: set[int], wanted: float, total: float) -> float:
    return _border(blocks, members, here) * (1.0 + _uneven(_weight(blocks, here), wanted, total))


def _uneven(weight: float, wanted: float, total: float) -> float:
    off = abs(weight - wanted) / max(min(wanted, total - wanted), 1e-9)
    return _UNEVEN_PRICE * max(off - _EVEN, 0.0) ** 1.5 if off > _EVEN else 0.0


def _refined(
    blocks: Sequence[Block], members: set[int], here: set[int], wanted: float, total: float, least: int, rest: int
) -> set[int]:
    """`here` after moving blocks across its border while each move lowers the price and keeps both sides whole."""
    here = set(here)
    there = members - here
    border, weight = _border(blocks, members, here), _weight(blocks, here)
    for _pass in range(_PASSES):
        moved = False
        for number in _rim(blocks, here, there):
            is_here = number in here
            if blocks[number].beside.keys().isdisjoint(there if is_here else here):
                continue
            if (len(here) <= least) if is_here else (len(there) <= rest):
                continue
            new_border = border + _change(blocks, members, here, number)
            new_weight = weight + (-1 if is_here else 1) * (blocks[number].weight + 1e-6)
            before = border * (1 + _uneven(weight, wanted, total))
            after = new_border * (1 + _uneven(new_weight, wanted, total))
            if after < before - 1e-6 and _stays_whole(blocks, here if is_here else there, number):
                (here if is_here else there).discard(number)
                (there if is_here else here).add(number)
                border, weight, moved = new_border, new_weight, True
        if not moved:
            break
    return here


def _rim(blocks: Sequence[Block], here: set[int], there: set[int]) -> list[int]:
    """The blocks on both sides of the border, in order."""
    near = [number for number in here if not blocks[number].beside.keys().isdisjoint(there)]
    far = {other for number in near for other in blocks[number].beside if other in there}
    return sorted([*near, *far])


def _change(blocks: Sequence[Block], members: set[int], here: set[int], number: int) -> float:
    """By how much the border's cost grows when `number` changes sides."""
    side = number in here
    return sum(
        cost if (other in here) == side else -cost for other, cost in blocks[number].beside.items() if other in members
    )


def _stays_whole(blocks: Sequence[Block], side: set[int], number: int) -> bool:
    """Whether `side` without `number` is still in one piece."""
    left = side - {number}
    if not left:
        return False
    ring = [other for other in blocks[number].beside if other in left]
    if len(ring) < 2:
        return bool(ring)
    seen, edge, missing = {ring[0]}, [ring[0]], set(ring[1:])
    while edge and missing:
        for other in blocks[edge.pop()].beside:
            if other in left and other not in seen:
                seen.add(other)
                missing.discard(other)
                edge.append(other)
    return not missing

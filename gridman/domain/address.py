"""Addresses inside a community: compound, building, unit, room; their one written form, and their order on a worker's walk.

Source: domain reference 2.10 (order and wording of address elements; "无" where a level does not exist).
"""

import re
import unicodedata
import zlib
from dataclasses import dataclass

from gridman.domain.building import tidy_number

__all__ = [
    "Address", "compose_address", "floor_of_room", "tidy_compound", "tidy_door", "tidy_room", "walk_order",
]  # fmt: skip

_NONE = frozenset({"无", "-", "—", "/", "0", "没有", "none"})
_ROOM_WORD = re.compile(r"(?:室|户|房间|房|号)$")
_FLOOR_ROOM = re.compile(r"^(\d{1,3})(?:层|楼)(\d+)$")
_CHINESE_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_NUMBER = re.compile(r"^[零〇一二三四五六七八九十百两]+$")
_LETTERS = re.compile(r"[A-Za-z甲乙丙丁]")
_SUFFIX_RANK = {c: n for n, c in enumerate("甲乙丙丁", start=1)}


@dataclass(frozen=True)
class Address:
    """A place in a community, each part in its kept form ("" where there is none): 阳光花园, 12, 3, 501."""

    compound: str = ""
    building: str = ""
    unit: str = ""
    room: str = ""

    @property
    def text(self) -> str:
        """The full written form."""
        return compose_address(self.compound, self.building, self.unit, self.room)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def tidy_compound(text: str) -> str:
    """A compound's name without blanks, full-width letters made plain."""
    return _plain(text)


def tidy_door(text: str) -> str:
    """A building or unit number without its counter word and leading zeros ("12号楼", "012栋", "十二幢" -> "12"; "无" -> "")."""
    number = tidy_number(_plain(text).removesuffix(".0")).removeprefix("第").upper()
    if number.casefold() in _NONE:
        return ""
    if _CHINESE_NUMBER.match(number):
        number = str(_chinese_number(number))
    return number.lstrip("0") or number


def tidy_room(text: str) -> str:
    """A room without its counter word ("501室", "5层501", "5楼01" -> "501"; leading zeros stay: 0702 is written on the door)."""
    room = _plain(text).removesuffix(".0").upper()
    if room.casefold() in _NONE:
        return ""
    room = _ROOM_WORD.sub("", room) or room
    by_floor = _FLOOR_ROOM.match(room)
    if by_floor:
        floor, number = by_floor[1].lstrip("0"), by_floor[2]
        return number if len(number) > 2 else f"{floor}{number:0>2}"
    return room


def _chinese_number(text: str) -> int:
    """十二 -> 12, 二十 -> 20, 一百零三 -> 103."""
    total = digit = 0
    for character in text:
        if character == "十":
            total, digit = total + (digit or 1) * 10, 0
        elif character == "百":
            total, digit = total + (digit or 1) * 100, 0
        else:
            digit = _CHINESE_DIGITS[character]
    return total + digit


def compose_address(compound: str, building: str = "", unit: str = "", room: str = "") -> str:
    """The written form of tidy parts: 阳光花园12号楼3单元501室."""
    parts = [compound]
    parts += [f"{building}号楼"] if building else []
    parts += [f"{unit}单元"] if unit else []
    parts += [f"{room}室"] if room else []
    return "".join(parts)


def floor_of_room(room: str) -> int | None:
    """The floor a room number tells: 501 -> 5, 1203 -> 12, 0702 -> 7, B101 -> -1; None when it tells none."""
    digits = "".join(c for c in room if c.isdigit())
    is_below = room.startswith(("-", "B", "b", "负", "地下"))
    if len(digits) < 3 or len(digits) > 5:
        return -1 if is_below else None
    floor = int(digits[:-2])
    return -floor if is_below else floor or None


def walk_order(building: str, unit: str = "", floor: int | None = None, room: str = "", compound: str = "") -> int:
    """The place of a door on the round, to sort by: buildings of a compound stay together, then building, unit, floor, room.

    Fits 63 bits. Compounds are told apart by a checksum of their name: their own order does not matter, being together does.
    """
    storey = floor if floor is not None else floor_of_room(room) or 0
    parts = (
        (zlib.crc32(compound.encode()) & 0x7FFF, 1 << 15),
        (_number(building), 10_000),
        (_suffix(building), 30),
        (_number(unit) or _suffix(unit), 100),
        (storey + 10, 250),
        (_number(room), 10_000),
    )
    order = 0
    for value, size in parts:
        order = order * size + min(max(value, 0), size - 1)
    return order


def _number(text: str) -> int:
    digits = "".join(c for c in text if c.isascii() and c.isdigit())
    return int(digits[-6:]) if digits else 0


def _suffix(text: str) -> int:
    found = _LETTERS.search(text)
    if not found:
        return 0
    letter = found.group().upper()
    return _SUFFIX_RANK.get(letter) or ord(letter) - ord("A") + 1

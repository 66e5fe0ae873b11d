"""The words under which people and places are found as one types: names, pinyin, initials, tails of numbers, address
parts.

One normalisation serves the index and the query (`plain_words`), so what is stored is what is asked. Every term is
letters, digits and `TOKEN_CHARACTERS` only; the index must be told that those belong to words. A query term matches as
a prefix of an indexed term, therefore the index holds suffixes: of a name at each character, of its pinyin at each
syllable, of an address at each border. Design and figures: storage study section 2, design D; readings of surnames:
`resources/codes/pinyin_surname_overrides.csv`.
"""

import csv
import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

from gridman.kernel.paths import resource

__all__ = [
    "TOKEN_CHARACTERS",
    "address_terms",
    "door_terms",
    "person_terms",
    "plain_words",
    "query_terms",
    "readings_of",
    "word_terms",
]

TOKEN_CHARACTERS = "-"
"""Inside terms besides letters and digits (FTS5 unicode61: `tokenchars '-'`): a hyphen between digits (12-3-501)."""

MAX_TERM = 32
"""Longer terms are cut, in the index and in the query alike."""

_READINGS_BY_LENGTH = ((4, 16), (8, 4), (10_000, 1))
_BETWEEN_NAMES = re.compile("[·•・‧．'’`]")
# Private-use characters and those newer than this Python's tables occur in names and belong to words.
_BREAK = re.compile("[^\\w\\-\ue000-\uf8ff\U00020000-\U0010ffff]|_")
_NEVER_INDEXED = re.compile(
    "[\ufe00-\ufe0f\U000e0001\U000e0020-\U000e007f\U000e0100-\U000e01ef\u19b0-\u19c0\u19c8\u19c9\u1cf2\u1cf3]"
)
"""What FTS5 takes for the end of a word, and a question with two words in one cannot be asked: the marks for which of its shapes a character
has (葛 as in Japan), and letters that were marks when its tables were made (New Tai Lue)."""
_LOOSE_HYPHEN = re.compile(r"(?<![0-9])-|-(?![0-9])")
_LANDLINE = re.compile(r"(?<![0-9-])(0[0-9]{2,3})-([0-9]{5,8})(?![0-9-])")
_BUILDING_WORD = re.compile(r"(?<=[0-9])\s*(?:号楼|栋|幢|座)")
_HAN_RUN = re.compile(r"[^\x00-\x7f]+|[\x00-\x7f]+")
_TONED = re.compile("[\u00c0-\u036f]")
_HAN = re.compile("[\u4e00-\u9fff]+")
_U_UMLAUT = str.maketrans("üǖǘǚǜ", "vvvvv")
_RUN_TOGETHER = re.compile(r"(?P<place>[a-z]{2,})(?P<door>[0-9]+(?:(?:hl|d|z|dy|-)[0-9]+){0,3}(?:hl|dy|s|h)?)")
"""Initials of a compound, then a door as its initials and numbers stand in the address: 号楼, 栋, 幢/座, 单元, 室, 户."""
_BORDER = re.compile(
    r".+?(?:特别行政区|自治区|自治州|街道|社区|小区|花园|家园|新村|胡同|大道|单元|号楼|号院"
    r"|省|市|区|县|镇|乡|村|路|街|巷|弄|里|号|层|室|户)"
)
_DOOR = re.compile(
    r"(?P<building>[0-9a-z]+)号楼(?:(?P<unit>[0-9a-z]+)单元)?(?:[0-9]+层)?(?P<room>[0-9a-z]+)(?:室|户|号)?$"
)


def plain_words(text: str) -> list[str]:
    """The words of `text` in the one form that is indexed and asked for: compatibility forms and full-width letters
    made plain, lower case, ü as v, no tone marks, no name separators, cut at spaces and punctuation, 12栋 = 12号楼.
    """
    if (text.isascii() and text.isalnum()) or _HAN.fullmatch(text):  # most names and numbers are plain already
        return [text.lower()[:MAX_TERM]]
    text = _BETWEEN_NAMES.sub("", _NEVER_INDEXED.sub("", unicodedata.normalize("NFKC", text)).casefold())
    if not text.isascii():
        text = _BUILDING_WORD.sub("号楼", _without_tones(text))
    text = _LANDLINE.sub(r"\1\2", text)
    text = _BREAK.sub(" ", _LOOSE_HYPHEN.sub(" ", text))
    return [word[:MAX_TERM] for word in text.split()]


def _without_tones(text: str) -> str:
    text = text.translate(_U_UMLAUT)
    if not _TONED.search(text):
        return text
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFKC", bare)


def query_terms(text: str) -> list[str]:
    """What to look for, from what a person typed: all of these must begin some term of a record."""
    return list(dict.fromkeys(plain_words(text)))


def door_terms(text: str) -> list[str]:
    """What was typed without spaces, read as a place and its numbers: xfy1hl2dy301 as xfy and 1-2-301. The same as `query_terms` where there
    is nothing of the kind; to be asked when that finds nothing.
    """
    found: list[str] = []
    for word in query_terms(text):
        typed = _RUN_TOGETHER.fullmatch(word)
        found += [typed["place"], "-".join(re.findall("[0-9]+", typed["door"]))] if typed else [word]
    return list(dict.fromkeys(found))


def word_terms(text: str | None) -> list[str]:
    """Terms of a plain text, such as a household number or a title: its words."""
    return query_terms(text) if text else []


def person_terms(name: str, id_number: str | None = None, phones: str | None = None) -> list[str]:
    """Everything a resident is found by. `phones`: several numbers joined by ";"."""
    found: list[str] = [*_name_terms(name), *phone_terms(phones)]
    if id_number:
        number = id_number.strip().casefold()
        found += [number[:MAX_TERM], number[-6:], number[-4:]]
        if len(number) == 18:
            found.append(number[6:])
    return list(dict.fromkeys(found))


def phone_terms(phones: str | None) -> list[str]:
    """What telephone numbers (joined by ";") are found by: the whole, the last eight and the last four digits."""
    found: list[str] = []
    for number in phones.split(";") if phones else ():
        digits = "".join(c for c in number if c in "0123456789")
        if digits:
            found += (digits[:MAX_TERM], digits[-8:], digits[-4:])
    return list(dict.fromkeys(found))


@lru_cache(maxsize=32_768)
def _name_terms(name: str) -> tuple[str, ...]:
    words = plain_words(name)
    found: list[str] = []
    for word in words:
        if word.isascii():
            found.append(word)
        else:
            found += _suffixes([*word])
            found += _pinyin_terms(word)
    if len(words) > 1:  # a name typed with a space inside is also one name
        found += plain_words("".join(words))
    return tuple(dict.fromkeys(found))


def _suffixes(parts: Sequence[str], shortest: int = 1) -> list[str]:
    whole = "".join(parts)
    starts = itertools.accumulate((len(part) for part in parts), initial=0)
    return [whole[start : start + MAX_TERM] for start in starts if len(whole) - start >= shortest]


def _pinyin_terms(word: str) -> list[str]:
    """Full pinyin from each syllable on, initials, given name's initials, surname + initials; with second readings."""
    syllables = readings_of(word)
    if not syllables:
        return []
    limit = next(most for length, most in _READINGS_BY_LENGTH if len(syllables) <= length)
    combinations = _best_combinations(syllables, limit)
    found: list[str] = []
    for one in combinations:
        initials = "".join(s[0] for s in one)
        for spelled in _spellings(one):
            found += _suffixes(spelled)
            found.append((spelled[0] + initials[1:])[:MAX_TERM])
        found += (initials[:MAX_TERM], initials[1 : 1 + MAX_TERM])
    return [term for term in dict.fromkeys(found) if term]


def _spellings(syllables: Sequence[str]) -> Iterable[Sequence[str]]:
    """ü is typed v by most and u by some."""
    yield syllables
    if any("v" in s for s in syllables):
        yield [s.replace("v", "u") for s in syllables]


def _best_combinations(choices: Sequence[Sequence[str]], limit: int) -> list[tuple[str, ...]]:
    """At most `limit` ways to read the name, those with the fewest unusual readings first."""
    best: list[tuple[int, tuple[str, ...]]] = [(0, ())]
    for readings in choices:
        longer = [(cost + rank, (*head, r)) for cost, head in best for rank, r in enumerate(readings)]
        if len(longer) > limit:
            longer.sort(key=lambda one: one[0])
            del longer[limit:]
        best = longer
    return [one for _, one in best]


def readings_of(name: str) -> list[tuple[str, ...]]:
    """For each character of a Chinese name its readings without tones, the likeliest first and ü as v. The surname's
    own reading comes before the usual ones. A character without a reading is left out.
    """
    surnames = _surname_readings()
    found: list[tuple[str, ...]] = []
    rest = name
    for length in (2, 1):
        own = surnames.get(name[:length]) if len(name) >= length else None
        if own:
            for character, first in zip(name[:length], own, strict=True):
                found.append(tuple(dict.fromkeys((*first, *_readings(character)))))
            rest = name[length:]
            break
    for run in _HAN_RUN.findall(rest):
        if run.isascii():
            found.append((run,))
        else:
            found += [readings for character in run if (readings := _readings(character))]
    return found


@lru_cache(maxsize=16_384)
def _readings(character: str) -> tuple[str, ...]:
    from pypinyin import Style, pinyin

    said = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore", v_to_u=False)
    clean = (reading.replace("ü", "v") for reading in (said[0] if said else ()))
    return tuple(dict.fromkeys(r for r in clean if r.isascii() and r.isalpha()))


@cache
def _surname_readings() -> dict[str, tuple[tuple[str, ...], ...]]:
    """Surname -> for each of its characters the readings it has as a surname ("ge (also gai)": two)."""
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    with resource("codes", "pinyin_surname_overrides.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            spoken = re.findall(r"[a-z]+", line["reading"].replace("also", ""))
            if len(line["surname"]) == 1:
                found[line["surname"]] = (tuple(spoken),)
            else:
                found[line["surname"]] = tuple((s,) for s in _cut_in_two(spoken[0], line["initial"]))
    return found


def _cut_in_two(spoken: str, initials: str) -> tuple[str, str]:
    """A two-character surname's pinyin cut before its second initial: "yuchi", "yc" -> "yu", "chi"."""
    at = spoken.index(initials[1], 1)
    return spoken[:at], spoken[at:]


@lru_cache(maxsize=8_192)
def _place_terms(place: str) -> tuple[str, ...]:
    """A compound's or road's name: from each character on (two at least), its pinyin and its initials."""
    if place.isascii() or any(c in "0123456789" for c in place):
        return (place,)
    choices = readings_of(place)
    usual = [r[0] for r in choices]
    terms = _suffixes([*place], shortest=2)
    if usual:
        terms += ["".join(usual)[:MAX_TERM], "".join(s[0] for s in usual)[:MAX_TERM]]
    return tuple(terms)


def address_terms(text: str | None) -> list[str]:
    """What an address is found by: from each of its borders on (路, 号, 小区, 号楼, 单元, 室), the names of its places
    with their pinyin, and the short form building-unit-room (12-3-501).
    """
    found: list[str] = []
    for word in plain_words(text) if text else ():
        parts = _parts(word)
        found += _suffixes(parts)
        for part in parts:
            found += _place_terms(part)
        found += _short_door(word)
    return list(dict.fromkeys(found))


def _parts(word: str) -> list[str]:
    """An address cut after each border; a number after a name starts a part of its own (阳光花园, 12号楼, 501室)."""
    parts: list[str] = []
    for piece in re.findall(r"[0-9a-z-]+[^0-9a-z-]*|[^0-9a-z-]+", word):
        cut = _BORDER.findall(piece)
        rest = piece[sum(map(len, cut)) :]
        parts += [*cut, rest] if rest else cut
    return parts


def _short_door(word: str) -> list[str]:
    door = _DOOR.search(word)
    if not door:
        return []
    numbers = [n for n in (door["building"], door["unit"], door["room"]) if n]
    return ["-".join(numbers), "-".join(numbers[1:])] if len(numbers) > 2 else ["-".join(numbers)]

"""Searching as one types, against what plain SQLite offers on the same encrypted file.

`python -m tests.benchmarks.bench_search [--small]`: people are looked for by name, pinyin, initials, tails of phone and ID number, and
address, one key after another; some are not there. Yardsticks: `LIKE '%typed%'` over the same texts, and a bare FTS5 table of the same
texts asked for the typed prefix.
"""

import random
import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import text

from gridman.domain.person import Person
from gridman.domain.search_words import readings_of
from gridman.services.search import search
from tests.benchmarks.crowd import make_crowd
from tests.benchmarks.measures import Figure, arguments, percentile, print_figures, processor_ms, timed
from tests.support.desk import Desk

__all__ = ["measure"]

PEOPLE, KEYSTROKES = 150_000, 4_000
_LIKE_EVERY = 20
_SMALL = 100
_BARE = (
    "CREATE VIRTUAL TABLE bare_terms USING fts5(title, detail, more, tokenize='unicode61', prefix='1 2 3 4')",
    "INSERT INTO bare_terms(rowid, title, detail, more) SELECT e.record_id, e.title, e.detail, "
    "coalesce(p.phones,'') || ' ' || coalesce(p.id_number,'') FROM search_entry e LEFT JOIN person p ON p.id = e.record_id",
)
_LIKE_SQL = text(
    "SELECT e.record_id, e.title, e.detail FROM search_entry e LEFT JOIN person p ON p.id = e.record_id WHERE e.title LIKE :q "
    "OR e.detail LIKE :q OR p.phones LIKE :q OR p.id_number LIKE :q LIMIT 30"
)
_BARE_SQL = text(
    "SELECT e.record_id, e.title, e.detail FROM search_entry e WHERE e.record_id IN "
    "(SELECT rowid FROM bare_terms WHERE bare_terms MATCH :q LIMIT 30)"
)


def keystrokes(desk: Desk, count: int, seed: int = 11) -> list[tuple[str, str]]:
    """(kind, what stands in the box) after each key: `count` of them."""
    chance = random.Random(seed)
    with desk.store.read() as reader:
        sample = reader.page(Person, limit=4_000, offset=max(0, reader.count(Person) // 2 - 2_000))
    found: list[tuple[str, str]] = []
    while len(found) < count:
        kind, whole = chance.choice(_KINDS)
        typed = whole(chance.choice(sample), chance)
        found += [(kind, typed[: n + 1]) for n in range(len(typed))]
    return found[:count]


def _pinyin(person: Person) -> list[str]:
    return [readings[0] for readings in readings_of(person.name)]


_KINDS: tuple[tuple[str, Callable[[Person, random.Random], str]], ...] = (
    ("name", lambda p, r: p.name),
    ("name", lambda p, r: p.name[1:] or p.name),
    ("pinyin", lambda p, r: "".join(_pinyin(p))),
    ("initials", lambda p, r: "".join(s[0] for s in _pinyin(p))),
    ("phone tail", lambda p, r: (p.phones or "15400000000").split(";")[0][-4:]),
    ("ID tail", lambda p, r: (p.id_number or "0000")[-4:]),
    (
        "address",
        lambda p, r: (
            r.choice(("槐安里小区", "望河花园", "怡和花园2区")) + f"{r.randint(1, 40)}号楼{r.randint(1, 3)}单元"
        ),
    ),
    ("address", lambda p, r: f"{r.randint(1, 40)}-{r.randint(1, 3)}-{r.randint(1, 6)}0{r.randint(1, 2)}"),
    ("name and place", lambda p, r: f"{p.name[:2]} {r.randint(1, 40)}号楼"),
    ("miss", lambda p, r: r.choice(("龘龘龘", "zzqx", "00998877", "没有这个人"))),
)


def _ours(reader: Any, typed: str) -> object:
    return search(reader, typed)


def _like(reader: Any, typed: str) -> object:
    return reader.connection.execute(_LIKE_SQL, {"q": f"%{typed}%"}).all()


def _bare(reader: Any, typed: str) -> object:
    words = " ".join(f'"{word}"*' for word in typed.replace('"', " ").split())
    return reader.connection.execute(_BARE_SQL, {"q": words}).all() if words else []


def _durations(desk: Desk, typed: list[tuple[str, str]]) -> tuple[dict[str, list[float]], list[float], list[float]]:
    """Milliseconds of each keystroke, by kind; of the bare full text; of LIKE, which is asked every twentieth only."""
    ours: dict[str, list[float]] = {}
    bare: list[float] = []
    like: list[float] = []
    for n, (kind, query) in enumerate(typed):
        with desk.store.read() as reader:
            ours.setdefault(kind, []).append(timed(partial(_ours, reader, query)))
            bare.append(timed(partial(_bare, reader, query)))
            if n % _LIKE_EVERY == 0:
                like.append(timed(partial(_like, reader, query)))
    return ours, bare, like


def _processor_times(desk: Desk, typed: list[tuple[str, str]]) -> list[float]:
    found: list[float] = []
    for _kind, query in typed:
        with desk.store.read() as reader:
            found.append(processor_ms(partial(_ours, reader, query)))
    return found


def measure(desk: Desk, is_small: bool = False) -> list[Figure]:
    """The figures of a crowd's desk; adds the yardstick's table to its file."""
    with desk.store.database.writer.begin() as connection:
        for statement in _BARE:
            connection.exec_driver_sql(statement)
    typed = keystrokes(desk, KEYSTROKES // (10 if is_small else 1))
    _durations(desk, typed[:100])  # warm up: code and pages read once
    ours, bare, like = _durations(desk, typed)
    alone = _processor_times(desk, typed)
    everything = [ms for times in ours.values() for ms in times]
    middle = statistics.median
    return [
        Figure("search", "a keystroke, p50", middle(everything), yardstick=("LIKE", middle(like))),
        Figure("search", "a keystroke, p50", middle(everything), yardstick=("bare FTS5", middle(bare))),
        Figure("search", "a keystroke, p99", percentile(everything, 0.99), yardstick=("LIKE", percentile(like, 0.99))),
        Figure(
            "search", "a keystroke, p99", percentile(everything, 0.99), yardstick=("bare FTS5", percentile(bare, 0.99))
        ),
        Figure("search", "a keystroke, p50 of processor time", middle(alone)),
        Figure("search", "a keystroke, p99 of processor time", percentile(alone, 0.99)),
        *(Figure("search", f"{kind}, p99", percentile(times, 0.99)) for kind, times in _by_slowest(ours)),
    ]


def _by_slowest(ours: dict[str, list[float]]) -> Iterator[tuple[str, list[float]]]:
    yield from sorted(ours.items(), key=lambda one: -percentile(one[1], 0.99))


def main(is_small: bool) -> list[Figure]:
    """Make the crowd and measure."""
    with tempfile.TemporaryDirectory(prefix="gridman-bench-") as folder:
        desk = make_crowd(Path(folder), PEOPLE // (_SMALL if is_small else 1))
        try:
            return measure(desk, is_small)
        finally:
            desk.close()


if __name__ == "__main__":
    print_figures(main(arguments("Searching as one types")))

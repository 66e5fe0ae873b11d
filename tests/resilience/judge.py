"""What must be true when all is over: every save that was acknowledged is at the street once, and each desk holds what the street holds for it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from gridman.domain.attachment import Attachment
from gridman.domain.catalog import NOUNS, noun
from gridman.domain.conflict import Conflict
from gridman.domain.incident import Incident
from gridman.domain.visit import Visit
from gridman.services.access import scopes_of_user
from gridman.services.desk import Desk
from gridman.services.street import Street
from gridman.store import outbox, tables
from gridman.store.photo_queue import unsent_photos
from gridman.store.soundness import feed_flaws, follower_flaws, list_flaws, numbering_flaws, page_flaws
from gridman.store.store import Store
from gridman.store.values import unpack

__all__ = ["Saved", "Sums", "at_the_desk", "digest_of_desk", "digest_of_street", "judge", "read_saved"]


@dataclass
class Saved:
    """What the desks' processes wrote down: saves by kind as (record id, word), what they were told on the way, what went wrong."""

    saves: dict[str, dict[str, int]] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(len(words) for words in self.saves.values())


@dataclass
class Sums:
    """The verdict. `unclaimed`: saves that arrived though the kill came before they were written down."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unclaimed: int = 0
    operations: int = 0
    conflicts: int = 0
    photos: int = 0
    flaws: list[str] = field(default_factory=list)


def read_saved(files: list[Path]) -> Saved:
    """A last line that a kill cut off was not acknowledged."""
    found = Saved()
    for path in files:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for line in text.split("\n")[:-1]:
            if line.startswith("!"):
                found.faults.append(f"{path.stem}: {line[2:]}")
            elif line.startswith("- "):
                found.told[line[2:]] += 1
            else:
                kind, record_id, word = line.split(" ", 2)
                found.saves.setdefault(kind, {})[word] = int(record_id)
    return found


def judge(saved: Saved, street: Street) -> Sums:
    """Look for every save at the street."""
    sums = Sums()
    arrived = _arrived(street, sums)
    for kind, words in saved.saves.items():
        for word, record_id in words.items():
            places = arrived[kind].get(word, []) + (arrived["lost"].get(word, []) if kind == "remark" else [])
            if record_id not in places:
                sums.lost.append(f"{kind} {record_id} {word}")
    for kind, found in arrived.items():
        sums.doubled += [f"{kind} {word}" for word, places in found.items() if len(places) > 1]
    claimed = {word for words in saved.saves.values() for word in words}
    sums.unclaimed = len({word for found in arrived.values() for word in found} - claimed)
    with street.store.read() as reader:
        sums.flaws += [
            f"street: {flaw}" for flaw in (*feed_flaws(reader), *follower_flaws(reader), *list_flaws(reader))
        ]
    sums.flaws += [f"street: {flaw}" for flaw in page_flaws(street.store.database)]
    return sums


def _arrived(street: Street, sums: Sums) -> dict[str, dict[str, list[int]]]:
    """By kind and word: the records that carry it. A correction counts where it was written, and where it lost and was kept."""
    found: dict[str, dict[str, list[int]]] = {"visit": {}, "photo": {}, "incident": {}, "remark": {}, "lost": {}}

    def note(kind: str, word: object, record_id: int) -> None:
        found[kind].setdefault(str(word), []).append(record_id)

    with street.store.read() as reader:
        for visit in reader.page(Visit, limit=1_000_000, with_retired=True):
            note("visit", visit.note, visit.id)
        for incident in reader.page(Incident, limit=1_000_000, with_retired=True):
            note("incident", incident.description, incident.id)
        for photo in reader.page(Attachment, limit=1_000_000, with_retired=True):
            whole = street.photos.get(photo.sha256 or "")
            if whole is not None and hashlib.sha256(whole).hexdigest() == photo.sha256:
                note("photo", photo.sha256, photo.owner_id)
                sums.photos += 1
        j = tables.journal.c
        query = select(j.record_id, j.after).where(j.entity == "household", j.kind == "amend", j.after.is_not(None))
        for record_id, after in reader.connection.execute(query):
            if "remark" in (values := unpack(after)):
                note("remark", values["remark"], record_id)
        for lost in reader.page(Conflict, limit=1_000_000, with_retired=True):
            if lost.field == "remark":
                sums.conflicts += 1
                note("lost", json.loads(lost.lost or "null"), lost.record_id)
        p = tables.sync_op.c
        sums.operations = len(reader.connection.execute(select(p.replica, p.n)).all())
    return found


def at_the_desk(desk: Desk) -> Iterator[str]:
    """What is not in order at a desk that was synchronised to the end."""
    with desk.store.read() as reader:
        for receipt in outbox.receipts(reader, 1_000_000):
            if receipt.state != "settled":
                yield f"{desk.profile.login}: operation {receipt.n} is {receipt.state}: {receipt.reason}"
        for flaw in (*numbering_flaws(reader, desk.profile.replica), *list_flaws(reader)):
            yield f"{desk.profile.login}: {flaw}"
        if left := unsent_photos(reader, desk.profile.replica):
            yield f"{desk.profile.login}: {len(left)} photos are not sent"
    for flaw in page_flaws(desk.store.database):
        yield f"{desk.profile.login}: {flaw}"


def digest_of_desk(store: Store) -> tuple[int, str]:
    """How many rows a desk holds, and the SHA-256 of them all."""
    with store.read() as reader:
        rows = [
            (known.kind, *row)
            for known in NOUNS
            for row in reader.connection.execute(select(*(known.cls.__table__.c[c] for c in known.columns)))
        ]
    return len(rows), _digest(rows)


def digest_of_street(street: Street, user_id: int) -> tuple[int, str]:
    """The same of what the street holds in a user's scopes."""
    with street.store.read() as reader:
        e = tables.sync_row.c
        mine = select(e.entity, e.record_id).where(e.scope.in_(scopes_of_user(reader, user_id))).distinct()
        ids: dict[str, set[int]] = {}
        for kind, record_id in reader.connection.execute(mine):
            ids.setdefault(str(kind), set()).add(int(record_id))
        rows = []
        for kind, wanted in ids.items():
            known = noun(kind)
            assert known is not None
            columns = [known.cls.__table__.c[c] for c in known.columns]
            at = known.columns.index("id")
            rows += [(kind, *row) for row in reader.connection.execute(select(*columns)) if row[at] in wanted]
    return len(rows), _digest(rows)


def _digest(rows: list[tuple[object, ...]]) -> str:
    return hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()

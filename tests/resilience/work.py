"""A desk at work in a process of its own: visits, corrections, incidents, photos, synchronisations, bundles. It says of a save only what is
on the disk already, in a file of its own, so that whoever kills it knows what must not be lost.
"""

import io
import os
import random
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from PIL import Image

from gridman.domain.household import Household
from gridman.joining import sign_in_desk
from gridman.kernel.errors import Refusal
from gridman.services.desk import Desk
from gridman.services.households import amend_household
from gridman.services.incidents import IncidentDraft, report_incident
from gridman.services.photos import PhotoDraft, prepare_photo
from gridman.services.visits import VisitDraft, log_visit
from gridman.store.blobs import BlobStore
from gridman.sync.carrying import bring_back, carry
from gridman.sync.http import HttpStreet
from gridman.sync.session import DeskSync
from tests.resilience.town import CARRIED, PASSPHRASE

__all__ = ["ALONG_THE_WAY", "EDITING", "PACKING", "STARTING", "SYNCING", "Job", "picture", "work"]

STARTING, EDITING, SYNCING, PACKING = b"a", b"e", b"s", b"p"
ALONG_THE_WAY = ("sync.unreachable", "sync.cut_off", "server.trouble")
"""What a desk may be told while its server is killed and its line cut: each of them says that nothing was lost."""

_SYNC_EVERY = 4
_MOST_BUNDLES = 2
_PHOTO_PX = 480


@dataclass(frozen=True)
class Job:
    """One desk's work: its data, where it writes what it saved (`lines`) and what it does (`phase`), the stick, and when it is over (`end`)."""

    login: str
    data: Path
    lines: Path
    phase: Path
    stick: Path
    end: Path
    seed: int
    pause_s: float = 0.0


def picture(chance: random.Random, edge_px: int = _PHOTO_PX) -> bytes:
    """A PNG of noise: it does not compress, and no two are alike."""
    noise = Image.frombytes("RGB", (edge_px, edge_px), chance.randbytes(edge_px * edge_px * 3))
    made = io.BytesIO()
    noise.save(made, "PNG", compress_level=0)
    return made.getvalue()


def work(job: Job) -> None:
    """Work until `job.end` appears."""
    with job.phase.open("wb") as phase, job.lines.open("a", encoding="utf-8") as lines:
        at = _Phase(phase.fileno())
        at(STARTING)
        desk = sign_in_desk(job.data, job.login, PASSPHRASE)
        try:
            _Work(job, desk, lines, at).go_on()
        except Refusal as refusal:
            lines.write(f"! {refusal}\n")
            raise
        except Exception as error:
            lines.write(f"! {type(error).__name__}: {error}\n")
            raise
        finally:
            desk.close()


class _Phase:
    """Writes one letter in place: what the process does when it is killed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __call__(self, letter: bytes) -> None:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, letter)


class _Told(HttpStreet):
    """The product's connection; notes when a photo goes on where an earlier connection was cut."""

    resumed = 0

    def blob_size(self, sha256: str) -> int | None:
        known = super().blob_size(sha256)
        type(self).resumed += bool(known)
        return known


class _Work:
    def __init__(self, job: Job, desk: Desk, lines: TextIO, at: _Phase) -> None:
        self.job, self.desk, self.lines, self.at = job, desk, lines, at
        assert isinstance(desk.blobs, BlobStore)
        desk.synchroniser = DeskSync(desk.store, desk.blobs, desk.profile, _Told)
        self.chance = random.Random(f"{job.seed} {os.getpid()}")
        self.number = 0
        with desk.store.read() as reader:
            self.homes = [h.id for h in reader.page(Household, limit=1_000)]

    def go_on(self) -> None:
        while not self.job.end.exists():
            self.number += 1
            self.at(EDITING)
            self.edit()
            time.sleep(self.chance.uniform(0, 2 * self.job.pause_s))  # people think between two entries
            if self.number % _SYNC_EVERY == 0:
                self.exchange()

    def edit(self) -> None:
        word = f"{self.job.login} {os.getpid()} {self.number}"
        dice = self.chance.random()
        if dice < 0.45:
            self.visit(word, photo=False)
        elif dice < 0.55:
            self.visit(word, photo=True)
        elif dice < 0.9:
            self.correct(word)
        else:
            self.report(word)

    def visit(self, word: str, *, photo: bool) -> None:
        drafts = [PhotoDraft(picture(self.chance), "noise.png")] if photo else []
        with self.desk.store.unit(self.desk.actor) as unit:
            draft = VisitDraft(self.chance.choice(self.homes), "1", note=word, photos=drafts)
            made = log_visit(unit, draft, self.desk.blobs).id
        self.saved("visit", made, word)
        for one in drafts:
            self.saved("photo", made, prepare_photo(one).sha256)

    def correct(self, word: str) -> None:
        home = self.chance.choice(self.homes[:8])  # few, so that desks edit the same ones
        with self.desk.store.unit(self.desk.actor) as unit:
            amend_household(unit, home, {"remark": word})
        self.saved("remark", home, word)

    def report(self, word: str) -> None:
        with self.desk.store.unit(self.desk.actor) as unit:
            draft = IncidentDraft("A801", word, place="Long Lane", grid_id=max(self.desk.actor.grid_ids))
            made = report_incident(unit, draft, self.desk.blobs).id
        self.saved("incident", made, word)

    def saved(self, kind: str, record_id: int, word: str) -> None:
        self.lines.write(f"{kind} {record_id} {word}\n")
        self.lines.flush()
        os.fsync(self.lines.fileno())

    def exchange(self) -> None:
        if self.job.login == CARRIED and self.chance.random() < 0.7:
            self.at(PACKING)
            self.carry()
            return
        self.at(SYNCING)
        try:
            self.desk.synchronise()
        except Refusal as refusal:
            if refusal.code not in ALONG_THE_WAY:
                raise
            self.lines.write(f"- {refusal.code}\n")
        self.lines.writelines("- photo goes on\n" for _photo in range(_Told.resumed))
        _Told.resumed = 0

    def carry(self) -> None:
        """Take the answers back that lie on the stick, each twice; then leave another bundle there, unless two wait for the postman."""
        for answer in sorted(self.job.stick.glob("back-*.gridman")):
            bring_back(self.desk, answer)
            bring_back(self.desk, answer)
            with suppress(FileNotFoundError):
                answer.unlink()
        if len(list(self.job.stick.glob("out-*.gridman"))) >= _MOST_BUNDLES:
            return
        name = f"{os.getpid()}-{self.number}.gridman"
        done = carry(self.desk, self.job.stick / f"making-{name}")
        shutil.move(done.path, self.job.stick / f"out-{name}")
        self.lines.write("- bundle written\n")

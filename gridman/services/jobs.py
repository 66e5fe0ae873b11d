"""Long work that an administrator begins in a browser: one at a time, seen by every administrator, stopped by any of them, and its result kept
for a day. What is under way holds a lock of the operating system, so that work whose server was killed is known as lost, never as running.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gridman.domain.access import SYSTEM, Actor, may, require
from gridman.domain.user import User
from gridman.kernel.errors import Refusal
from gridman.kernel.files import take_away, take_away_folder
from gridman.kernel.words import N_
from gridman.services.street import Street
from gridman.services.uploads import sweep_uploads
from gridman.store import jobs as rows
from gridman.store.folder_lock import hold_folder
from gridman.store.jobs import CANCELLED, DONE, FAILED, LOST, REFUSED, RUNNING, JobRow
from gridman.store.unit import Reader

__all__ = [
    "CANCELLED", "DONE", "FAILED", "KINDS", "LOST", "REFUSED", "RUNNING", "Job", "begin_job", "cancel_job", "end_job", "hold_jobs", "hold_work",
    "is_asked_to_stop", "job_of", "page_jobs", "settle_jobs", "tell_job", "workplace_of",
]  # fmt: skip

KINDS = frozenset({"check", "import", "undo", "backup", "verify", "restore"})
FOLDER, _LOCK = "jobs", "jobs.lock"
_RESULT_MS, _ROW_MS = 86_400_000, 30 * 86_400_000
_NONCE = 12
_LOOK_S = 0.05


@dataclass(frozen=True)
class Job:
    """Work, who began it, and what came of it (`result`: plain values; None: nothing, or kept no longer)."""

    row: JobRow
    login: str
    result: dict[str, Any] | None = None


@contextmanager
def hold_jobs(street: Street) -> Iterator[None]:
    """The right to work, which ends with the process however it ends. Refuses with ``job.busy``."""
    with hold_work(street.data_dir):
        yield


@contextmanager
def hold_work(folder: Path, within_s: float = 0.0) -> Iterator[None]:
    """The same of a street that is not open: while the block lasts nothing works on it. Waits at most `within_s` seconds."""
    until = time.monotonic() + within_s
    while True:
        try:
            with ExitStack() as held:
                held.enter_context(hold_folder(folder, _LOCK))
                held = held.pop_all()
        except Refusal as refusal:
            if refusal.code != "folder.in_use":
                raise
            if time.monotonic() < until:
                time.sleep(_LOOK_S)
                continue
            raise Refusal(
                "job.busy",
                N_("Other long work is under way on this street."),
                N_("Wait until it has ended, or stop it: the overview shows it."),
            ) from refusal
        with held:
            yield
        return


def begin_job(street: Street, actor: Actor, kind: str, **about: str) -> int:
    """Note that work begins; the caller holds the lock. What an earlier server left half done is cleared away first."""
    assert kind in KINDS
    settle_held(street)
    with street.store.unit(actor) as unit:
        rows.sweep_jobs(unit, unit.at - _RESULT_MS, unit.at - _ROW_MS)
        return rows.add_job(unit, kind, actor.user_id, about)


def tell_job(street: Street, job_id: int, step: str, done: int, total: int) -> None:
    """How far it is."""
    with street.store.unit(SYSTEM) as unit:
        rows.amend_job(unit, job_id, step=step, done=done, total=total)


def is_asked_to_stop(street: Street, job_id: int) -> bool:
    """Whether somebody wants it to stop."""
    with street.store.read() as reader:
        row = rows.find_job(reader, job_id)
    return row is not None and bool(row.cancel_at)


def end_job(street: Street, job_id: int, state: str, result: dict[str, Any]) -> None:
    """It has ended, so or so; its workplace goes."""
    take_away_folder(workplace_of(street, job_id))
    sealed = _sealed(street.key, job_id, msgspec.json.encode(result))
    with street.store.unit(SYSTEM) as unit:
        rows.amend_job(unit, job_id, state=state, ended_at=unit.at, result=sealed)


def cancel_job(street: Street, actor: Actor, job_id: int) -> None:
    """Ask it to stop at its next step, whichever process does it. Refuses with ``job.missing``; of what has ended nothing changes."""
    job = job_of(street, actor, job_id)
    if job.row.is_running:
        with street.store.unit(actor) as unit:
            rows.amend_job(unit, job_id, cancel_at=unit.at)


def job_of(street: Street, actor: Actor, job_id: int) -> Job:
    """The work with this number, for those who look after the street and who began it, as long as they have work here. Refuses with
    ``job.missing``.
    """
    with street.store.read() as reader:
        row = rows.find_job(reader, job_id)
        if row is not None and row.is_running and settle_jobs(street):
            row = rows.find_job(reader, job_id)
        is_own = row is not None and row.user_id == actor.user_id and may(actor, "register.import")
        if row is None or not (may(actor, "account.manage") or is_own):
            raise Refusal(
                "job.missing",
                N_("There is no such work any more."),
                N_("What came of long work is kept for a day, that it was done for thirty."),
            )
        return Job(row, _login_of(reader, row.user_id), _opened(street.key, row))


def page_jobs(street: Street, actor: Actor, *, kinds: frozenset[str] = KINDS, limit: int = 10) -> list[Job]:
    """The newest work of these kinds, without results."""
    require(actor, "account.manage")
    with street.store.read() as reader:
        if rows.page_jobs(reader, state=rows.RUNNING):
            settle_jobs(street)
    with street.store.read() as reader:
        found = [row for row in rows.page_jobs(reader) if row.kind in kinds][:limit]
        return [Job(row, _login_of(reader, row.user_id)) for row in found]


def settle_jobs(street: Street) -> bool:
    """Where nobody works: note what is still called running as lost and clear away what it left; whether nobody does."""
    try:
        with hold_jobs(street):
            settle_held(street)
            return True
    except Refusal:
        return False


def settle_held(street: Street) -> None:
    """The same for who holds the lock: what is called running has no process. Registers that nobody decided about in time go, too."""
    sweep_uploads(street)
    with street.store.read() as reader:
        left = rows.page_jobs(reader, state=rows.RUNNING)
    take_away_folder(street.data_dir / FOLDER)
    for row in left:
        if makes := row.about.get("makes"):  # an archive that was being written
            take_away(street.data_dir / (makes + ".part"))
        with street.store.unit(SYSTEM) as unit:
            rows.amend_job(unit, row.id, state=rows.LOST, ended_at=unit.at)


def workplace_of(street: Street, job_id: int) -> Path:
    """A folder for what is half done: it goes when the work ends, and at the next look where the server was killed."""
    return street.data_dir / FOLDER / str(job_id)


def _login_of(reader: Reader, user_id: int) -> str:
    user = reader.find(User, user_id) if user_id else None
    return user.login if user is not None else "–"


def _sealer(key: bytes) -> AESGCM:
    return AESGCM(hashlib.blake2b(b"gridman job result", key=key, digest_size=32).digest())


def _sealed(key: bytes, job_id: int, content: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + _sealer(key).encrypt(nonce, content, str(job_id).encode())


def _opened(key: bytes, row: JobRow) -> dict[str, Any] | None:
    """What came of it; None also where the street's key was changed since."""
    if not row.result:
        return None
    try:
        content = _sealer(key).decrypt(row.result[:_NONCE], row.result[_NONCE:], str(row.id).encode())
    except (InvalidTag, ValueError):
        return None
    return msgspec.json.decode(content, type=dict[str, Any])

"""Real processes to be killed: a street server, and a desk that works and synchronises in a loop. They acknowledge a save only by a line
that is on the disk, so that a test knows what must not be lost.
"""

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx

from gridman.domain.access import SYSTEM
from gridman.domain.grid import Assignment
from gridman.domain.household import Household
from gridman.joining import join_desk, sign_in_desk
from gridman.kernel.errors import Refusal
from gridman.server.app import street_app
from gridman.server.limits import Limits
from gridman.server.run import serve
from gridman.services.signin import set_up_desk
from gridman.services.street import hold_street_folder, open_street
from gridman.services.visits import VisitDraft, log_visit
from gridman.store import first_rows, outbox
from gridman.store.keys import Cost
from gridman.sync import exchange, farewell
from gridman.sync.http import HttpStreet, enrol_over_http
from gridman.sync.snapshots import Snapshots
from tests.support.streets import CHEAP_HASHER, PASSWORD, STAFF, WORKER, Hands, town_street

__all__ = [
    "ALONG_THE_WAY",
    "PASSPHRASE",
    "Mortal",
    "acknowledged",
    "enrol",
    "found",
    "killed_handing_over",
    "killed_receiving",
    "open_again",
    "start_desk",
    "wait_for",
]

PASSPHRASE = "a passphrase of tests"
CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
ALONG_THE_WAY = ("sync.unreachable", "sync.cut_off")
"""What a desk may be told while its server is being killed."""

_LIMITS = Limits(enrolment_burst=10_000, call_burst=1_000_000)
_PATIENCE_S = 20.0

# Children start from a process that has the product loaded: a kill every second would else hit nothing but imports.
_processes: Any = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
if hasattr(_processes, "set_forkserver_preload"):
    _processes.set_forkserver_preload(["tests.journeys.mortal"])


def found(folder: Path, households: int = 40) -> None:
    """A street with a worker of its first grid, a colleague of the same community, and `households` in that grid."""
    with town_street(folder, clock=Hands(int(time.time() * 1_000))) as town, town.street.store.unit(SYSTEM) as unit:
        unit.create(Assignment(user_id=town.users[STAFF], grid_id=town.grids[0], from_on="2026-01-01"))
        for n in range(households):
            unit.create(Household(number=f"H{n}", grid_id=town.grids[0], address=f"Long Lane {n}", walk_order=n))


def _serve(folder: Path, port: int) -> None:
    street = open_street(folder, must_exist=True, hasher=CHEAP_HASHER)
    # Small segments, few to an answer: a first synchronisation that there is time to kill.
    few = Snapshots(folder / "snapshots", street.key, street.clock, segment_rows=600, least_bytes=1, row_bytes=1)
    with hold_street_folder(folder):
        serve(street_app(street, _LIMITS, snapshots=few), port=port, ready=lambda address: None)
    street.close()


@dataclass
class Mortal:
    """The street server in a process of its own, always at the same address."""

    folder: Path
    port: int = field(default_factory=lambda: _free_port())
    process: BaseProcess | None = None
    kills: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.process = _processes.Process(target=_serve, args=(self.folder, self.port), daemon=True)
        self.process.start()
        wait_for(self._answers)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.join()
        self.kills += 1

    def _answers(self) -> bool:
        try:
            return httpx.get(self.url + "/health", timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(is_so: Any, patience_s: float = _PATIENCE_S) -> None:
    """Until `is_so()`; fails when it takes too long."""
    until = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def enrol(data: Path, url: str, login: str = WORKER) -> None:
    """Set a desk up and leave it."""
    enrolled = enrol_over_http(url, login, "Counter", password=PASSWORD)
    join_desk(set_up_desk(data, enrolled, url, PASSPHRASE, cost=CHEAP)).close()


def open_again(data: Path, login: str = WORKER) -> Any:
    """The desk, as after a restart of the computer."""
    return sign_in_desk(data, login, PASSPHRASE)


def _work(data: Path, login: str, receipts: Path, end: Path) -> None:
    """Log visits, write each down once it is saved, synchronise now and then, until the file `end` appears."""
    desk = open_again(data, login)
    with desk.store.read() as reader:
        homes = [h.id for h in reader.page(Household, limit=1_000)]
    number = 0
    with receipts.open("a", encoding="utf-8") as lines:
        while not end.exists():
            number += 1
            word = f"{login} {os.getpid()} {number}"
            with desk.store.unit(desk.actor) as unit:
                made = log_visit(unit, VisitDraft(homes[number % len(homes)], "1", note=word), desk.blobs).id
            lines.write(f"{made} {word}\n")
            lines.flush()
            os.fsync(lines.fileno())
            if number % 5 == 0:
                try:
                    desk.synchronise()
                except Refusal as refusal:
                    if refusal.code not in ALONG_THE_WAY:
                        lines.write(f"! {refusal}\n")
                        raise
    desk.close()


def _receive(data: Path, moment: str, turn: int) -> None:
    """A first synchronisation in which this process kills itself the `turn`-th time it comes to `moment`: "within" a segment, when its rows
    are written and nothing else, or "between" two, before the next is begun.
    """
    module, name = {"within": (first_rows, "_place"), "between": (exchange, "take_segment")}[moment]
    inner, left = getattr(module, name), [turn]

    def mortal(*args: Any) -> Any:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return inner(*args)

    setattr(module, name, mortal)
    open_again(data).synchronise()


def killed_receiving(data: Path, moment: str, turn: int) -> bool:
    """Have a desk receive in a process of its own until it kills itself; whether it did, instead of coming to the end."""
    process: BaseProcess = _processes.Process(target=_receive, args=(data, moment, turn), daemon=True)
    process.start()
    process.join(60)
    return process.exitcode == -signal.SIGKILL


def _hand_over(data: Path, moment: str, turn: int) -> None:
    """A synchronisation of a copy in which this process kills itself the `turn`-th time it comes to `moment`: "before" the street has its words,
    "after" it answered, or "within" taking the answer down.
    """
    module, name = (outbox, "hand_over") if moment == "within" else (HttpStreet, "farewell")
    inner, left = getattr(module, name), [turn]

    def mortal(*args: Any) -> Any:
        left[0] -= 1
        if left[0] > 0 or moment != "before":
            answer = inner(*args)
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(module, name, mortal)
    few = farewell.last_words
    farewell.last_words = lambda store, **how: few(store, 400, **how)
    with suppress(Refusal):
        open_again(data).synchronise()


def killed_handing_over(data: Path, moment: str, turn: int) -> bool:
    """Have a copy hand its work over in a process of its own until it kills itself; whether it did, instead of coming to the end."""
    process: BaseProcess = _processes.Process(target=_hand_over, args=(data, moment, turn), daemon=True)
    process.start()
    process.join(60)
    return process.exitcode == -signal.SIGKILL


def start_desk(data: Path, receipts: Path, end: Path, login: str = WORKER) -> BaseProcess:
    """A desk at work in a process of its own."""
    process: BaseProcess = _processes.Process(target=_work, args=(data, login, receipts, end), daemon=True)
    process.start()
    return process


def acknowledged(receipts: Sequence[Path]) -> dict[int, str]:
    """Visits by id with their notes, as written down; a last line cut off by the kill was not acknowledged."""
    made: dict[int, str] = {}
    for path in receipts:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for line in text.split("\n")[:-1]:
            assert not line.startswith("!"), line
            number, word = line.split(" ", 1)
            made[int(number)] = word
    return made

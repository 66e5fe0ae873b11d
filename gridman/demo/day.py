"""One day in a street, end to end: the main job of the product, played on real input and checked at every step.

Killed at any moment, the next start goes on with the same folder: finished steps are kept in `state.json`, and within a step
what was saved is found again in the desks' own stores.
"""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from gridman.demo import desks as desk_steps
from gridman.demo import evening, offline, pictures, stage
from gridman.demo.account import Account, Failure
from gridman.demo.clock import DayClock
from gridman.demo.stage import CLERK, PASSWORDS, SUPERVISOR, WORKER
from gridman.demo.state import DayState
from gridman.geo.demo import DemoSize
from gridman.kernel.clock import Clock, day_of, show_day, system_clock
from gridman.kernel.files import require_free_space, write_whole
from gridman.kernel.words import _, language
from gridman.server.certificates import street_tls
from gridman.server.run import ServerThread
from gridman.services.desk import Desk
from gridman.services.street import Street, open_street
from gridman.services.trust import fingerprint_of
from gridman.store.outbox import receipts

__all__ = ["run"]

_SPACE = {"grid": 300_000_000, "community": 600_000_000, "street": 3_000_000_000}


Show = Callable[[Path, str, str, Clock], int]
"""Opens the window on a desk: data folder, sign-in name, passphrase, clock."""


@dataclass
class Stage:
    """What the steps of one run share."""

    out: Path
    size: DemoSize
    seed: int
    state: DayState
    clock: DayClock
    account: Account
    street: Street | None = None
    server: Any = None
    fingerprint: str = ""
    desks: dict[str, Desk] = field(default_factory=dict)

    @property
    def street_data(self) -> Path:
        return self.out / "data" / "street"

    def start_server(self) -> str:
        """Start the street server on 127.0.0.1, on the port desks know from before."""
        self.street = self.street or open_street(self.street_data, clock=self.clock)
        tls = street_tls(self.street)
        self.fingerprint = fingerprint_of(tls.authority)
        self.server = ServerThread(self.street, port=self.state.port, tls=tls)
        url = str(self.server.start())
        self.state.port = int(url.rsplit(":", 1)[1])
        self.state.save(self.clock())
        return url

    def stop_server(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    def close(self) -> None:
        desk_steps.close_all(self.desks)
        self.stop_server()
        if self.street is not None:
            self.street.close()
            self.street = None


def run(
    size: DemoSize = "community",
    out: Path = Path("out/demo"),
    seed: int = 1,
    *,
    opens_window: bool = True,
    show: Show | None = None,
) -> int:
    """Play the day into the folder `out`; returns the exit code: 0 only when every checked outcome held.

    ``show``: opens the window on a desk (data folder, sign-in name, passphrase, clock) where there is a screen.
    """
    started = time.monotonic()
    account = Account()
    require_free_space(out, _SPACE[size])
    yesterday = (date.fromisoformat(day_of(system_clock())) - timedelta(days=1)).isoformat()
    state = DayState.open(out / "state.json", yesterday, size, seed)
    # The whole day lies in the past: whatever hour it is now, no stamp of the story is ahead of the real clock.
    clock = DayClock(state.day, state.at)
    played = Stage(out, size, seed, state, clock, account)
    print(
        _("gridman: one day in a demonstration street, {day} ({size})").format(
            day=show_day(state.day, language()), size=size
        )
    )
    print(_("Real geometry, fictional names and people. Everything it makes lies in {folder}.").format(folder=out))
    try:
        _play(played)
    except Failure as failure:
        print(_("\nFAILED: {what}").format(what=failure))
        return 1
    finally:
        played.close()
    _tell_what_was_checked(played, time.monotonic() - started)
    for name in ("roster.pdf", "incidents.html", "register.xlsx", "receipts.json", "screenshots/"):
        print(f"   {name}")
    _tell_how_to_return(played)
    if opens_window and show is not None:
        return _open_window(played, show)
    return 0


@contextmanager
def _step(played: Stage, name: str, number: int, title: str) -> Iterator[bool]:
    """Yields whether the step is to be played; it is noted as finished when its block ends."""
    is_done = played.state.is_done(name)
    with played.account.step(number, title):
        if is_done:
            played.account.say(_("done by an earlier run"))
        yield not is_done
        if not is_done:
            played.state.finish(name, played.clock())


def _play(played: Stage) -> None:
    state, account, clock, out = played.state, played.account, played.clock, played.out
    with _step(played, "stage", 1, _("The street server starts; map and register are imported")) as is_new:
        url = played.start_server()
        account.say(_("street server at {url}, encrypted SQLite").format(url=url))
        account.say(_("its own certificate, fingerprint {fingerprint}").format(fingerprint=played.fingerprint))
        if is_new:
            assert played.street is not None
            plan = stage.lay_street(played.street, played.size, account)
            stage.employ(played.street, plan, account)
            stage.fill_register(played.street, plan, out / "register.xlsx", played.seed, state, account)
    with _step(played, "desks", 2, _("Four desks enrol; each receives what its user may see")) as is_new:
        played.desks = desk_steps.open_desks(out / "data", url, played.fingerprint, clock, account, is_first=is_new)
        if is_new:
            assert played.street is not None
            desk_steps.check_scopes(played.desks, played.street.store, account)
            state.facts["grid"] = min(played.desks[WORKER].actor.grid_ids)
    with _step(
        played, "offline", 3, _("The network goes away; work goes on; it comes back and the edits merge")
    ) as is_new:
        if is_new:
            _offline_hours(played)
    with _step(
        played, "evening", 4, _("The roster is printed; an incident is dispatched, handled, verified, closed")
    ) as is_new:
        if is_new:
            evening.handle_incident(played.desks, clock, state, account)
            evening.print_roster(played.desks[CLERK], out / "roster.pdf", clock, state, account)
            pictures.export_incident_map(played.desks[SUPERVISOR], out / "incidents.html", account)
            _write_receipts(played)
    with _step(played, "pictures", 5, _("The pages of the desk, photographed in both languages")) as is_new:
        if is_new:
            desk_steps.close_all(played.desks)
            played.desks = {}
            pictures.photograph(out, state, account)


def _offline_hours(played: Stage) -> None:
    desks, clock, state, account = played.desks, played.clock, played.state, played.account
    if "merged_from" not in state.facts:
        played.stop_server()
        offline.lose_network(desks[WORKER], account)
        offline.visit_round(desks[WORKER], clock, state, account, played.seed)
        offline.report_three(desks[WORKER], clock, state, account)
        offline.edit_apart(desks, clock, state, account)
        played.start_server()
        account.say(_("the network is back"))
        state.facts["merged_from"] = clock()
        state.save(clock())
    offline.check_merge(desks, clock, state, account)


def _write_receipts(played: Stage) -> None:
    """What became of each operation of each desk: sent, acknowledged when, under which number of the street's counter."""
    found = {}
    for login, desk in played.desks.items():
        with desk.store.read() as reader:
            found[login] = [
                {
                    "op": r.n,
                    "at": r.at,
                    "kind": r.kind,
                    "record": f"{r.entity} {r.record_id}",
                    "state": r.state,
                    "verdict": r.verdict,
                    "acknowledged_at": r.ack_at,
                }
                for r in receipts(reader, 10_000)
            ]
    unanswered = [r for lines in found.values() for r in lines if r["acknowledged_at"] is None]
    played.account.equal(
        len(unanswered),
        0,
        _("receipts.json: each of {n} operations has its receipt").format(n=sum(map(len, found.values()))),
    )
    write_whole(played.out / "receipts.json", json.dumps(found, ensure_ascii=False, indent=1).encode(), mode=0o644)


def _tell_what_was_checked(played: Stage, seconds: float) -> None:
    """How many outcomes held; what an earlier run checked is not checked again, and that is said."""
    checked, out = played.account.checks, played.out
    earlier = int(played.state.facts.get("checked", 0))
    played.state.facts["checked"] = earlier + checked
    played.state.save(played.clock())
    print(_("\n{n} outcomes checked in {seconds} s.").format(n=checked, seconds=f"{seconds:.0f}"))
    if earlier:
        print(_("{n} more were checked by earlier runs of this day.").format(n=earlier))
    if not checked:
        print(
            _("This day has been played already. To play it afresh, remove {folder} or choose another --out.").format(
                folder=out
            )
        )
    print(_("In {folder}:").format(folder=out))


def _tell_how_to_return(played: Stage) -> None:
    """Who may sign in, and the commands that open the street and a desk again."""
    data = played.out / "data"
    print(_("\nSign-in names and passphrases (fictional, of this demonstration only):"))
    for login, passphrase in PASSWORDS.items():
        print(f"   {login:<10} {passphrase}")
    print(_("To open it again, the server and then a desk, each in a terminal of its own:"))
    for command in (
        ("street", "--data", str(data / "street"), "--port", str(played.state.port)),
        ("desk", "--data", str(data / WORKER)),
    ):
        print(f"   gridman {subprocess.list2cmdline(command) if os.name == 'nt' else shlex.join(command)}")
    print(_("Without an installed gridman, type python3 build_scripts/run.py in its place."))


def _open_window(played: Stage, show: Show) -> int:
    """The desk on what the day left, with its street server running beside it."""
    # The evening of the day that was played goes on: by the real clock, hours later, the day's work would be yesterday's and all else late.
    played.start_server()
    print(
        _(
            "\nThe window opens on the desk of {login}, on the evening of {day}. Its street server stops when you close it."
        ).format(login=WORKER, day=show_day(played.state.day, language()))
    )
    try:
        return show(played.out / "data" / WORKER, WORKER, PASSWORDS[WORKER], played.clock)
    finally:
        played.close()

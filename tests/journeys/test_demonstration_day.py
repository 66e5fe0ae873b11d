"""The main job: one day in a street, as a stranger runs it, and killed again and again."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gridman.demo.stage import CLERK, PASSWORDS, WORKER
from gridman.domain.visit import Visit
from gridman.joining import sign_in_desk
from gridman.services.signin import desk_users
from gridman.store.outbox import receipts

pytestmark = pytest.mark.slow

_LEFT_BEHIND = ("roster.pdf", "incidents.html", "register.xlsx", "receipts.json")
_MOMENTS_S = (4.0, 7.0, 2.5, 5.5, 3.5)


def start(out: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "gridman", "demo", "--size", "grid", "--no-window", "--out", str(out)]
    with (out.parent / "log.txt").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End the whole session of the process at once, without asking."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def saved_work(out: Path) -> dict[str, dict[int, tuple[object, ...]]]:
    """Every operation that a desk had saved, by desk and number. Looked at by the story's clock: signing in leaves a stamp, and one of today
    in a desk of yesterday's story would decide the story's conflict.
    """
    found: dict[str, dict[int, tuple[object, ...]]] = {}
    at = json.loads((out / "state.json").read_text(encoding="utf-8"))["at"] if (out / "state.json").exists() else 0
    for login in (WORKER, CLERK):
        place = out / "data" / login
        if not (place / "desk.json").exists() or not desk_users(place):
            continue
        desk = sign_in_desk(place, login, PASSWORDS[login], clock=lambda: at)
        with desk.store.read() as reader:
            found[login] = {r.n: (r.at, r.kind, r.entity, r.record_id, r.fields) for r in receipts(reader, 10_000)}
        desk.close()
    return found


def test_the_day_goes_on_after_every_kill_and_loses_no_saved_edit(tmp_path: Path) -> None:
    out = tmp_path / "day"
    kills, kept = 0, saved_work(out)
    for moment in _MOMENTS_S:
        process = start(out)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            kill(process)
            kills += 1
        now = saved_work(out)
        for login, operations in kept.items():
            assert operations.items() <= now[login].items(), f"{login} lost saved work in a kill"
        kept = now
    process = start(out)
    code = process.wait(600)
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert code == 0, log[-3_000:]
    assert kills >= 3, "the machine was so fast that the day was hardly ever interrupted"
    final = saved_work(out)
    for login, operations in kept.items():
        assert operations.items() <= final[login].items()
    for name in _LEFT_BEHIND:
        assert (out / name).stat().st_size > 1_000, name
    assert len(list((out / "screenshots").rglob("*.png"))) >= 16
    told = json.loads((out / "receipts.json").read_text(encoding="utf-8"))
    assert {r["state"] for lines in told.values() for r in lines} <= {"acknowledged", "settled"}
    desk = sign_in_desk(out / "data" / WORKER, WORKER, PASSWORDS[WORKER])
    with desk.store.read() as reader:
        visits = reader.page(Visit, user_id=desk.actor.user_id, limit=1_000)
    desk.close()
    assert len(visits) == len({v.household_id for v in visits}) == 24, "a visit was lost or logged twice"

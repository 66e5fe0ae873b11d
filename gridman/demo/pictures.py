"""What the day leaves to look at: the incidents as a page for any browser, and photographs of the desk's pages."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from gridman.demo.account import Account
from gridman.demo.stage import CLERK, PASSWORDS, SUPERVISOR, WORKER
from gridman.demo.state import DayState
from gridman.joining import incident_page
from gridman.kernel.files import write_whole
from gridman.kernel.words import _, language
from gridman.services.desk import Desk

__all__ = ["export_incident_map", "photograph"]

_LONGEST_S = 300


def export_incident_map(desk: Desk, path: Path, account: Account) -> None:
    """The supervisor's incidents on the map, as one file that needs no network."""
    with desk.store.read() as reader:
        html, count = incident_page(reader, language(), account.progress)
    write_whole(path, html.encode(), mode=0o644)
    outside = [
        word
        for word in ("http://", "https://")
        if f'src="{word}' in html or f'href="{word}' in html or f'url("{word}' in html
    ]
    account.equal(
        outside,
        [],
        _("{file}: {n} incidents, {kb} kB, nothing in it asks the network").format(
            file=path.name, n=count, kb=len(html) // 1000
        ),
    )


def photograph(out: Path, state: DayState, account: Account) -> None:
    """Open each user's desk off-screen in a process of its own, save its pages, look at the map's requests and read the roster back."""
    wanted = {
        "day": state.day,
        "at": state.at,
        "folder": str(out / "screenshots"),
        "desks": [
            {"data": str(out / "data" / login), "login": login, "passphrase": PASSWORDS[login], "pages": pages}
            for login, pages in (
                (WORKER, []),
                (CLERK, ["households", "reports", "sync"]),
                (SUPERVISOR, ["incidents", "map"]),
            )
        ],
        "roster": str(out / "roster.pdf"),
        "numbers": state.facts["roster_numbers"],
        "incident": state.facts["incidents"][0],
        "household": state.facts["shared"],
    }
    answer = _in_process_of_its_own(wanted)
    account.check(
        len(answer["pictures"]) >= 16,
        _("{n} pictures of the window in {folder}").format(n=len(answer["pictures"]), folder="screenshots/"),
    )
    account.equal(
        answer["blocked"], [], _("the map made {n} requests, none of them to outside").format(n=answer["requests"])
    )
    account.check(answer["requests"] > 0, _("the map was really drawn"))
    _check_roster(answer["roster"], state, account)


def _check_roster(read: dict[str, Any], state: DayState, account: Account) -> None:
    account.equal(read["pages"], state.facts["roster_pages"], _("roster.pdf opens: {n} pages").format(n=read["pages"]))
    account.equal(
        read["households"],
        state.facts["roster_households"],
        _("read back from the PDF: {n} household numbers").format(n=read["households"]),
    )
    account.equal(read["whole_numbers"], 0, _("no ID number or phone in it is whole"))
    account.equal(
        read["pages_with_batch"],
        read["pages"],
        _("every page carries batch {batch}").format(batch=state.facts["roster_batch"]),
    )


def _in_process_of_its_own(wanted: dict[str, Any]) -> dict[str, Any]:
    """Qt can be started once per process and for one kind of screen: the window a person opens afterwards needs another."""
    environment = dict(
        os.environ, QT_QPA_PLATFORM="offscreen", QT_LOGGING_RULES="*.debug=false;qt.webenginecontext*=false"
    )
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Chromium refuses to start as root inside its sandbox; nobody but root is ever left without it.
        environment["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
    done = subprocess.run(
        [sys.executable, "-m", "gridman.demo.photographer"], input=json.dumps(wanted), capture_output=True, text=True,
        encoding="utf-8", env=environment, timeout=_LONGEST_S, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"the photographer ended with {done.returncode}: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer

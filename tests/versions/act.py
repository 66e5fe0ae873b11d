"""What a desk or a street of whichever version is on the path does, step by step: reads lines of JSON, `[verb, {arguments}]`, and answers each
with one, `["done", what came of it]` or `["failed", why]`. Imports nothing of the tests, which are today's.
"""

import contextlib
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gridman.__main__ import main
from gridman.domain.access import SYSTEM
from gridman.domain.catalog import noun
from gridman.domain.household import Household
from gridman.joining import join_desk, sign_in_desk
from gridman.server.run import ServerThread
from gridman.services.desk import Desk
from gridman.services.signin import set_up_desk
from gridman.services.street import Street, open_street
from gridman.store import outbox
from gridman.store.keys import Cost
from gridman.store.pushed import kept_for_later
from gridman.sync.http import enrol_over_http

PASSPHRASE = "a passphrase of tests"
_SERVED: list[tuple[ServerThread, Street]] = []


def enrol(data: str, url: str, login: str, password: str) -> int:
    """Set a desk up and synchronise it for the first time."""
    enrolled = enrol_over_http(url, login, "Counter", password=password)
    desk = join_desk(set_up_desk(Path(data), enrolled, url, PASSPHRASE, cost=Cost(64, 1, 1)))
    try:
        return int(desk.synchronise().received)
    finally:
        desk.close()


def amend(data: str, login: str, home: int, values: dict[str, Any]) -> None:
    """Amend a household."""
    with _opened(data, login) as desk, desk.store.unit(desk.actor) as unit:
        unit.amend(unit.get(Household, home), **values)


def petition(data: str, login: str, grid: int, words: str) -> int:
    """Make a record of the kind that only tomorrow knows."""
    with _opened(data, login) as desk, desk.store.unit(desk.actor) as unit:
        return int(_petition(unit, grid, words))


def write_at_street(data: str, home: int, values: dict[str, Any], grid: int = 0, words: str = "") -> None:
    """The same two at the street itself; without words the first alone."""
    street = open_street(Path(data), must_exist=True)
    with street.store.unit(SYSTEM) as unit:
        unit.amend(unit.get(Household, home), **values)
        if words:
            _petition(unit, grid, words)
    street.close()


def sync(data: str, login: str) -> dict[str, Any]:
    """One synchronisation over the network."""
    with _opened(data, login) as desk:
        result = desk.synchronise()
        return {"sent": result.sent, "complete": result.complete, "refused": [r.reason for r in result.refused]}


def show(data: str, login: str, home: int) -> dict[str, Any]:
    """What a desk knows."""
    with _opened(data, login) as desk:
        return _shown(desk.store, home)


def show_street(data: str, home: int) -> dict[str, Any]:
    """What the street knows."""
    street = open_street(Path(data), must_exist=True)
    try:
        return _shown(street.store, home)
    finally:
        street.close()


def command(arguments: list[str]) -> None:
    """A command of the program."""
    with contextlib.redirect_stdout(sys.stderr):
        code = main(arguments)
    if code:
        raise RuntimeError(f"gridman {' '.join(arguments)}: {code}")


def serve(data: str, port: int) -> str:
    """Serve the street until `stop`."""
    street = open_street(Path(data), must_exist=True)
    server = ServerThread(street, port=port)
    _SERVED.append((server, street))
    return server.start()


def stop() -> None:
    """Stop serving."""
    server, street = _SERVED.pop()
    server.stop()
    street.close()


class _opened:
    def __init__(self, data: str, login: str) -> None:
        self._desk = sign_in_desk(Path(data), login, PASSPHRASE)

    def __enter__(self) -> Desk:
        return self._desk

    def __exit__(self, *_error: object) -> None:
        self._desk.close()


def _petition(unit: Any, grid: int, words: str) -> int:
    known = noun("petition")
    assert known is not None
    return int(unit.create(known.cls(grid_id=grid, words=words)).id)


def _shown(store: Any, home: int) -> dict[str, Any]:
    known = noun("petition")
    with store.read() as reader:
        found = reader.get(Household, home)
        return {
            "remark": found.remark,
            "door_code": getattr(found, "door_code", None),
            "petitions": [p.words for p in reader.page(known.cls)] if known is not None else None,
            "kept": len(kept_for_later(reader.connection)),
            "waiting": outbox.waiting_count(reader),
            "receipts": {r.n: [r.state, r.verdict, r.reason] for r in outbox.receipts(reader)},
        }


VERBS: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (enrol, amend, petition, write_at_street, sync, show, show_street, command, serve, stop)
}

if __name__ == "__main__":
    for line in sys.stdin:
        verb, told = json.loads(line)
        try:
            answer = ["done", VERBS[verb](**told)]
        except Exception:
            answer = ["failed", traceback.format_exc()]
        print(json.dumps(answer), flush=True)

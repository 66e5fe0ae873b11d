"""Run as a process of its own (see `pictures`): opens desks off-screen, saves their pages, reads the printed roster back."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from gridman.demo.clock import DayClock
from gridman.joining import sign_in_desk
from gridman.ui.app import make_application
from gridman.ui.mapview.view import MapView
from gridman.ui.pdf_text import pages_of
from gridman.ui.shots import save_pages

_WHOLE = re.compile(r"(?<![\d*])(\d{17}[\dX]|1[3-9]\d{9})(?![\d*])")


def main() -> int:
    """Do what standard input asks (JSON), answer on the last line of standard output (JSON)."""
    wanted = json.loads(sys.stdin.read())
    make_application(["gridman"])
    clock = DayClock(wanted["day"], wanted["at"])
    answer: dict[str, Any] = {"pictures": [], "requests": 0, "blocked": []}
    for one in wanted["desks"]:
        desk = sign_in_desk(Path(one["data"]), one["login"], one["passphrase"], clock)
        records = {"households": ("household", wanted["household"]), "incidents": ("incident", wanted["incident"])}

        def count(page: Any) -> None:
            for view in page.findChildren(MapView):
                answer["requests"] += view.requests
                answer["blocked"] += view.blocked

        folder = Path(wanted["folder"]) / one["login"]
        made = save_pages(desk, folder, pages=one["pages"], record_ids=records, look=count)
        answer["pictures"] += [str(path) for path in made]
        desk.close()
    answer["roster"] = _read_roster(Path(wanted["roster"]), wanted["numbers"])
    print(json.dumps(answer), flush=True)
    sys.stderr.flush()
    os._exit(0)  # Chromium's own threads may outlive Python's teardown; everything is saved by now


def _read_roster(path: Path, numbers: list[str]) -> dict[str, int]:
    """What a reader finds in the printed roster: pages, how many of the household `numbers` stand on it, anything unmasked."""
    pages = pages_of(path)
    text = "\n".join(pages)
    squeezed = "".join(text.split())  # a narrow column breaks a number over two lines
    batches = re.findall(r"\d{8}-\d{3}-\d{4}", text)
    batch = max(set(batches), key=batches.count) if batches else "?"
    return {
        "pages": len(pages),
        "households": sum(number in squeezed for number in numbers),
        "whole_numbers": len(_WHOLE.findall(text)),
        "pages_with_batch": sum(batch in page for page in pages),
    }


if __name__ == "__main__":
    raise SystemExit(main())

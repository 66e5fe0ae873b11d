"""The report that a person sends to those who look after gridman: versions, findings by their codes, counts, the end of the log.

Nothing of what the records say, and no names: of a problem only its code, its text before anything is filled in, and its numbers.
"""

import json
import platform
import sys
import time
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from gridman import __version__
from gridman.cli.findings import Finding
from gridman.kernel.clock import show_instant, system_clock

__all__ = ["write_report"]

_LIBRARIES = (
    "PySide6-Essentials", "sqlalchemy", "sqlcipher3", "msgspec", "zstandard", "cryptography", "httpx", "starlette", "uvicorn", "shapely",
    "reportlab", "pillow",
)  # fmt: skip
_LOG_LINES = 300


def write_report(path: Path, folder: Path, findings: Sequence[Finding], counts: dict[str, dict[str, int]]) -> None:
    """Write the report to `path` (text, UTF-8). `counts`: what `gridman.store.figures` says, by desk number or "street"."""
    told: dict[str, Any] = {
        "report": "gridman doctor", "at": f"{show_instant(system_clock())} +0800", "log_times": time.strftime("%z"),
        "gridman": __version__, "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}", "frozen": bool(getattr(sys, "frozen", False)),
        "libraries": dict(_versions()), "looked_at": len(findings),
        "findings": [_plain(finding) for finding in findings if finding.problems], "counts": counts, "files": dict(_files(folder)),
    }  # fmt: skip
    text = json.dumps(told, ensure_ascii=False, indent=1)
    log = "\n".join(_log_of(folder))
    path.write_text(f"{text}\n\nlog:\n{log}\n", encoding="utf-8")


def _versions() -> Iterable[tuple[str, str]]:
    for name in _LIBRARIES:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, "-"


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "is_wrong": finding.is_wrong,
        "problems": [
            {"code": p.code, "text": p.text, "numbers": {k: v for k, v in p.params.items() if type(v) in (int, float, bool)}}
            for p in finding.problems
        ],
    }  # fmt: skip


def _files(folder: Path) -> Iterable[tuple[str, int]]:
    """Sizes of the data files in bytes, and how many photos there are; names of photos say nothing, so they are not listed."""
    for path in sorted(folder.glob("**/*.db*")):
        yield path.relative_to(folder).as_posix(), path.stat().st_size
    photos = [p for p in folder.glob("**/blobs/??/*") if p.is_file()]
    yield "photos", len(photos)
    yield "bytes of photos", sum(p.stat().st_size for p in photos)


def _log_of(folder: Path) -> list[str]:
    lines: list[str] = []
    for path in sorted(folder.glob("**/logs/gridman.log")):
        lines += path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    home = str(Path.home())
    return [line.replace(str(folder), "DATA").replace(home, "~") for line in lines]

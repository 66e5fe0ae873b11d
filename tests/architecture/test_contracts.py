"""The six contracts hold, and each would notice a breach."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

LINT = "from importlinter.cli import lint_imports_command as lint; lint()"


def lint(root: Path) -> "subprocess.CompletedProcess[str]":
    """Run the import contracts on the package in `root`."""
    env = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200", "NO_COLOR": "1"}
    command = [sys.executable, "-c", LINT, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)


def test_the_contracts_are_kept() -> None:
    made = lint(ROOT)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "0 broken" in made.stdout


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package to break."""
    root = tmp_path_factory.mktemp("breach")
    shutil.copytree(ROOT / "gridman", root / "gridman", ignore=shutil.ignore_patterns("__pycache__", "_shipped"))
    shutil.copyfile(ROOT / "pyproject.toml", root / "pyproject.toml")
    for storey in ("ui", "server", "services", "store", "domain", "reports", "geo"):
        (root / "gridman" / storey).mkdir(exist_ok=True)
        (root / "gridman" / storey / "__init__.py").touch()
    return root


BREACHES = {
    "a folder without a storey": ({"utils/__init__.py": ""}, "1. The stairs only go down"),
    "the kernel climbs": ({"kernel/breach.py": "import gridman.domain"}, "1. The stairs only go down"),
    "workshops meet": ({"geo/breach.py": "import gridman.reports"}, "1. The stairs only go down"),
    "Qt below": ({"services/breach.py": "from PySide6.QtCore import QObject"}, "2. Qt lives upstairs only"),
    "SQL in a verb": ({"services/breach.py": "from sqlalchemy import select"}, "3. SQL is spoken in the store"),
    "the desk opens the store": ({"ui/breach.py": "import gridman.store"}, "4. The front doors use verbs"),
    "pages know each other": (
        {
            "ui/pages/__init__.py": "",
            "ui/pages/one/__init__.py": "import gridman.ui.pages.two",
            "ui/pages/two/__init__.py": "",
        },
        "5. Pages do not know each other",
    ),
    "reports know each other": (
        {"reports/roster.py": "import gridman.reports.visit_record", "reports/visit_record.py": ""},
        "5. Reports do not know each other",
    ),
    "a cycle": (
        {
            "domain/breach_a.py": "import gridman.domain.breach_b",
            "domain/breach_b.py": "import gridman.domain.breach_a",
        },
        "6. No cycles",
    ),
    "HTTP in a verb": ({"services/breach.py": "import httpx"}, "7. One room per foreign library"),
}


@pytest.mark.slow
@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_noticed(copied: Path, breach: str) -> None:
    files, contract = BREACHES[breach]
    before: dict[Path, str | None] = {}
    for name, text in files.items():
        path = copied / "gridman" / name
        before[path] = path.read_text(encoding="utf-8") if path.exists() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{before[path] or ''}\n{text}\n", encoding="utf-8")
    try:
        made = lint(copied)
    finally:
        for path, text_before in before.items():
            if text_before is not None:
                path.write_text(text_before, encoding="utf-8")
            else:
                path.unlink()
                shutil.rmtree(path.parent) if path.parent.name in {"utils", "one", "two"} else None
    assert made.returncode == 1, made.stdout + made.stderr
    broken = [line for line in made.stdout.splitlines() if " BROKEN" in line]
    assert any(line.startswith(contract) for line in broken), made.stdout

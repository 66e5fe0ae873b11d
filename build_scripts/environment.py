"""The private environment in `.venv/`: made from a lock file with hashes, healed when a set-up was cut short.

The stamp `.venv/gridman-setup.json` is written before anything else ("building") and after everything ("ready"), so a
set-up that was killed at any moment is seen at the next start and done again from nothing.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from qt_libraries import apt_install
from steps import ROOT, SetupProblem, run_logged, say, step

HOME = ROOT / ".venv"
LOCKS = ROOT / "build_scripts" / "locks"
# Each profile holds everything of the ones after it, in the same versions (build_scripts/lock.py sees to it).
WIDER: dict[str, tuple[str, ...]] = {"dev": (), "desk": ("dev",), "street": ("desk", "dev")}


class FetchProblem(SetupProblem):
    """A package could not be fetched; what is installed was not touched."""


@dataclass
class Stamp:
    """What the environment is known to hold: the lock files installed in it, by hash."""

    state: str = "building"
    is_adopted: bool = False
    root: str = str(ROOT)
    locks: dict[str, str] = field(default_factory=dict)
    are_libraries_present: bool = False

    @classmethod
    def load(cls) -> "Stamp | None":
        """The stamp on disk, or None where there is none that can be read."""
        try:
            return cls(**json.loads((HOME / "gridman-setup.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def save(self) -> None:
        """Write the stamp whole or not at all."""
        part = HOME / "gridman-setup.part"
        part.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        part.replace(HOME / "gridman-setup.json")


def python() -> Path:
    """The interpreter of the environment."""
    return HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def lock_hash(profile: str) -> str:
    """The hash of a profile's lock file, without regard to line ends."""
    return hashlib.sha256((LOCKS / f"{profile}.txt").read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def clean_environ() -> dict[str, str]:
    """The process's environment without what would send pip or Python elsewhere than `.venv/`."""
    dropped = {"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIREMENT", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in dropped}
    return kept | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1", "PIP_NO_INPUT": "1"}


def ensure(profile: str) -> Stamp:
    """Make `.venv/` hold the profile's lock file; return its stamp. SetupProblem names what is missing."""
    stamp = _usable_stamp()
    if stamp is None:
        stamp = _create()
    if any(stamp.locks.get(known) == lock_hash(known) for known in (profile, *WIDER[profile])):
        return stamp
    is_repair = stamp.state == "building" and stamp.is_adopted
    stamp.state = "building"
    stamp.save()
    with step(f"Python packages ({profile})"):
        try:
            install(profile, extra=["--force-reinstall"] if is_repair else [])
        except FetchProblem:
            stamp.state = "building" if is_repair else "ready"  # nothing was unpacked: the next start need not heal
            stamp.save()
            raise
    stamp.state = "ready"
    stamp.locks[profile] = lock_hash(profile)
    _point_at_root()
    stamp.save()
    return stamp


def _usable_stamp() -> Stamp | None:
    """The stamp of an environment that works; what a killed set-up left behind is thrown away."""
    for rest in ROOT.glob(".venv.broken-*"):
        shutil.rmtree(rest, ignore_errors=True)
    if not HOME.exists():
        return None
    stamp = Stamp.load()
    works = _works()
    if stamp is None and works:
        return Stamp(state="ready", is_adopted=True)  # made by hand: install into it, never throw it away
    if stamp is None and (HOME / "pyvenv.cfg").exists() and not any(HOME.glob("gridman-setup.*")):
        raise SetupProblem(
            f"{HOME} was made by hand and its Python does not start", f"remove the folder {HOME} and start again"
        )
    if stamp is not None and works and (stamp.state == "ready" or stamp.is_adopted):
        if stamp.root != str(ROOT):
            stamp.root = str(ROOT)
            _point_at_root()
            stamp.save()
        return stamp
    say("[set-up] an earlier set-up was cut short or its Python is gone: starting it afresh")
    broken = ROOT / f".venv.broken-{os.getpid()}"
    HOME.rename(broken)
    shutil.rmtree(broken, ignore_errors=True)
    return None


def _works() -> bool:
    """Whether the environment's interpreter starts and is new enough."""
    test = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        found = subprocess.run([str(python()), "-I", "-c", test], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0


def _create() -> Stamp:
    """Make an empty environment, with the Debian package for it fetched where it is missing and may be."""
    HOME.mkdir()
    stamp = Stamp()
    stamp.save()
    base = getattr(sys, "_base_executable", None) or sys.executable
    with step(f"private environment .venv (Python {sys.version.split()[0]})"):
        _need_ensurepip(base)
        code, tail = run_logged(
            [base, "-m", "venv", str(HOME)], HOME / "setup.log", env=clean_environ(), keeps_lock=True
        )
    if code:
        raise SetupProblem(f"Python could not make {HOME}:\n{tail}", "read the lines above; is the folder writable?")
    return stamp


def _need_ensurepip(base: str) -> None:
    """Debian and Ubuntu keep what makes environments in a package of its own."""
    question = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ('venv', 'ensurepip'))))"
    if subprocess.run([base, "-I", "-c", question], check=False).returncode == 0:
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if shutil.which("apt-get") is None:
        raise SetupProblem(
            "this Python has no ensurepip and cannot make environments", "install Python from python.org"
        )
    apt_install([package], HOME / "setup.log")


def install(profile: str, extra: list[str]) -> None:
    """Install the profile's lock file (wheels only, hashes checked); SetupProblem says what could not be fetched."""
    lock = LOCKS / f"{profile}.txt"
    total = sum(1 for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line)
    seen: set[str] = set()

    def progress(line: str) -> None:
        words = line.split()
        if len(words) > 1 and words[0] in {"Collecting", "Requirement"}:
            seen.add(line)
            if len(seen) % 10 == 0:
                say(f"[set-up]   {len(seen)} of about {total} packages found")
        elif line.startswith("Installing collected"):
            say("[set-up]   unpacking (Qt is large: this takes the longest)")

    command = [str(python()), "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += ["--progress-bar", "off", *extra, "-r", str(lock)]
    code, tail = run_logged(command, HOME / "setup.log", env=clean_environ(), on_line=progress, keeps_lock=True)
    if code:
        raise pip_problem(tail)


def pip_problem(tail: str) -> SetupProblem:
    """Turn pip's last words into what is missing and what to do."""
    errors = [line.strip() for line in tail.splitlines() if line.startswith(("ERROR", "error"))] or [tail.strip()]
    said = "\n  ".join(dict.fromkeys(errors))
    log = HOME / "setup.log"
    if "No module named pip" in tail:
        return SetupProblem(f"{HOME} has no pip", f"remove the folder {HOME} and start again")
    if "No space left" in tail:
        return SetupProblem(f"the disk is full:\n  {said}", "free about 2 GB on this folder's disk and start again")
    if "Long Path support" in tail:  # Qt's own files need some 180 of the 260 characters
        return SetupProblem(
            f"the name of the folder {ROOT} is too long: with it, names of files are longer than Windows allows",
            "move gridman into a folder with a short name, for example C:\\gridman, and start again",
        )
    if "Installing collected packages" in tail:
        return SetupProblem(f"a Python package could not be unpacked:\n  {said}", f"read {log} and start again")
    if "DO NOT MATCH THE HASHES" in tail:
        return FetchProblem(
            f"a downloaded package is not the one that was locked:\n  {said}",
            "do not go on with this package source; choose another (PIP_INDEX_URL) and start again",
        )
    if "CERTIFICATE_VERIFY_FAILED" in tail:
        return FetchProblem(
            f"the package source's certificate is not trusted here, so nothing was fetched:\n  {said}",
            "set PIP_CERT to the file with your network's own certificate authority and start again",
        )
    if any(word in tail for word in ("No matching distribution", "ConnectionError", "Max retries", "timed out")):
        machine = f"Python {sys.version.split()[0]}, {sysconfig.get_platform()}"
        return FetchProblem(
            f"a Python package could not be fetched:\n  {said}",
            "connect to the network and start again; behind a mirror set PIP_INDEX_URL to it; without any network put "
            f"the wheels of build_scripts/locks/ into a folder and set PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER. "
            f"(If the network is there: no wheel may exist for {machine}.)",
        )
    return SetupProblem(f"pip failed:\n  {said}", f"read {log}")


def _point_at_root() -> None:
    """Let the environment's Python find the package from any folder, without an installation that could go stale.

    As a statement in plain ASCII: Python before 3.13 reads this file in the computer's own encoding, and where that cannot read a
    folder's Chinese name (Windows) it does not start at all.
    """
    where = HOME / ("Lib/site-packages" if os.name == "nt" else f"lib/python{_version()}/site-packages")
    with suppress(OSError):
        line = f"import sys; sys.path.append({str(ROOT)!a})\n"
        (where / "gridman-source.pth").write_text(line, encoding="ascii", newline="\n")


def _version() -> str:
    asked = [str(python()), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()

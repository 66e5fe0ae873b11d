"""What is checked in says nothing about the machines it was made on, and the lock files agree with pyproject.toml."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

# Written in pieces so that this file does not offend itself.
HOSTS = ["pypi" + ".org", "python" + "hosted.org", "registry" + ".npmjs", "npmmirror" + ".com", "mirrors" + ".aliyun"]
FOLDERS = ["work", "root", "opt/pypi", "opt/wheels", "home/[a-z]+", "Users/[A-Za-z]+", "tmp/[a-z]+"]
SECRETS = re.compile("|".join(map(re.escape, HOSTS)) + r"|(?<![\w.~}/-])/(?:" + "|".join(FOLDERS) + r")(?:/|\b)")
LOCKS = ROOT / "build_scripts" / "locks"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.+?))? *\\?$")


def tracked() -> list[Path]:
    """Every file of the repository that git knows."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def offences(text: str) -> list[str]:
    """The lines of a text that name a machine's folder or a package registry's host."""
    return [
        f"{number}: {line.strip()[:120]}" for number, line in enumerate(text.splitlines(), 1) if SECRETS.search(line)
    ]


def test_no_file_names_a_machine_or_a_registry() -> None:
    found: list[str] = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data[:8000]:
            text = data.decode("utf-8", errors="replace")
            found += [f"{path.relative_to(ROOT)}:{offence}" for offence in offences(text)]
    assert not found, "\n".join(found[:40])


@pytest.mark.parametrize(
    "line",
    ["see /" + "work/main/x", "index https://pypi" + ".org/simple", "cd /" + "root/gridman", "x = Path(/" + "tmp/abc)"],
)
def test_a_machine_named_is_noticed(line: str) -> None:
    assert offences(line)


@pytest.mark.parametrize("line", ["GET /incidents/work", "a homework/root/cause", "https://example.test/root/x"])
def test_an_ordinary_path_is_left_alone(line: str) -> None:
    assert not offences(line)


def test_there_is_no_other_top_level_folder() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if len(path.relative_to(ROOT).parts) > 1}
    assert folders <= {"gridman", "resources", "maps", "build_scripts", "tests", ".ci"}


def pins(profile: str) -> dict[tuple[str, str], str]:
    """(name, marker) to version of a lock file."""
    lines = (LOCKS / f"{profile}.txt").read_text(encoding="utf-8").splitlines()
    found = [match for line in lines if (match := PIN.match(line))]
    return {(match[1].lower().replace("_", "-"), match[3] or ""): match[2] for match in found}


@pytest.mark.parametrize("profile", ["dev", "desk", "street", "node"])
def test_a_lock_has_a_hash_for_every_package_and_no_address(profile: str) -> None:
    text = (LOCKS / f"{profile}.txt").read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text
    entries = [part for part in re.split(r"\n(?=\S)", text) if "==" in part]
    assert entries and all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize(("wide", "narrow"), [("dev", "desk"), ("desk", "street")])
def test_a_wider_lock_holds_the_narrower_in_the_same_versions(wide: str, narrow: str) -> None:
    assert pins(narrow).items() <= pins(wide).items()


def test_the_locks_answer_to_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for profile, names in {"dev": ("desk", "street", "dev"), "desk": ("desk", "street"), "street": ("street",)}.items():
        wanted = [*project["dependencies"], *(requirement for name in names for requirement in extras[name])]
        locked = {name for name, _marker in pins(profile)}
        missing = {re.split(r"[\[<>=;! ]", one)[0].lower().replace("_", "-") for one in wanted} - locked
        assert not missing, f"{profile}.txt lacks {missing}: run build_scripts/lock.py"


def test_the_street_server_needs_no_qt() -> None:
    assert not [name for name, _marker in pins("street") if name.startswith(("pyside", "shiboken"))]


def test_npm_lock_has_hashes_and_no_address() -> None:
    text = (ROOT / "resources" / "leaflet" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert text.count('"integrity"') == text.count('"node_modules/')


def test_continuous_integration_runs_the_one_test_command() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["exec python3 build_scripts/test.py"]

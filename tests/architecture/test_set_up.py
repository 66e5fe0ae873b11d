"""The set-up heals what was cut short, keeps what a person made, and names what is missing with its remedy."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

sys.path.insert(0, str(ROOT / "build_scripts"))
import environment
import fetch_leaflet
import qt_libraries
from steps import SetupProblem

# Packages without a licence file of their own; package.json states MIT.
LICENCE_ELSEWHERE: set[str] = set()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for an environment, with a real interpreter in it."""
    folder = tmp_path / ".venv"
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "HOME", folder)
    yield folder


def make(home: Path, *, stamp: environment.Stamp | None) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    if stamp is not None:
        stamp.save()


def test_an_environment_that_was_finished_is_kept(home: Path) -> None:
    make(home, stamp=None)
    environment.Stamp(state="ready", root=str(home.parent), locks={"desk": "x"}).save()
    stamp = environment._usable_stamp()
    assert stamp is not None and stamp.locks == {"desk": "x"}


def test_an_environment_cut_short_is_thrown_away(home: Path) -> None:
    make(home, stamp=None)
    environment.Stamp(state="building", locks={"desk": "x"}).save()
    assert environment._usable_stamp() is None
    assert not home.exists()
    assert not list(home.parent.glob(".venv.broken-*"))


def test_an_environment_whose_python_is_gone_is_thrown_away(home: Path) -> None:
    home.mkdir()
    environment.Stamp(state="ready").save()
    assert environment._usable_stamp() is None
    assert not home.exists()


def test_an_environment_made_by_hand_is_never_thrown_away(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(home, stamp=None)
    (home / "mine.txt").write_text("mine", encoding="utf-8")
    asked: list[list[str]] = []

    def install(profile: str, extra: list[str]) -> None:
        asked.append(extra)
        if len(asked) == 1:
            raise KeyboardInterrupt  # cut short while installing into it

    monkeypatch.setattr(environment, "install", install)
    with pytest.raises(KeyboardInterrupt):
        environment.ensure("street")
    assert environment.ensure("street").is_adopted
    assert asked == [[], ["--force-reinstall"]]
    assert (home / "mine.txt").exists()


def test_a_folder_that_moved_points_to_its_new_place(home: Path) -> None:
    make(home, stamp=None)
    environment.Stamp(state="ready", root="elsewhere").save()
    stamp = environment._usable_stamp()
    assert stamp is not None and stamp.root == str(home.parent)
    asked = "import sys; print(sys.path)"
    told = subprocess.run([str(environment.python()), "-c", asked], capture_output=True, text=True, check=True, cwd="/")
    assert repr(str(home.parent)) in told.stdout


def test_a_folder_with_a_chinese_name_is_found_whatever_the_computer_writes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python would not even start: its own path files are read in the computer's encoding."""
    root = tmp_path / "海晏 'gridman'"
    root.mkdir()
    (root / "found_here.py").touch()
    monkeypatch.setattr(environment, "ROOT", root)
    monkeypatch.setattr(environment, "HOME", root / ".venv")
    make(root / ".venv", stamp=None)
    environment._point_at_root()
    plain = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    subprocess.run([str(environment.python()), "-c", "pass"], env=plain, cwd=tmp_path, check=True)
    utf8 = {**os.environ, "PYTHONUTF8": "1"}
    subprocess.run([str(environment.python()), "-c", "import found_here"], env=utf8, cwd=tmp_path, check=True)


def test_a_wider_set_up_serves_the_narrower_command(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(home, stamp=None)
    environment.Stamp(state="ready", root=str(home.parent), locks={"dev": environment.lock_hash("dev")}).save()
    monkeypatch.setattr(environment, "install", lambda *args, **kwargs: pytest.fail("installed again"))
    assert environment.ensure("street").locks.keys() == {"dev"}


def test_a_changed_lock_is_installed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(home, stamp=None)
    environment.Stamp(state="ready", root=str(home.parent), locks={"desk": "an older one"}).save()
    installed: list[str] = []
    monkeypatch.setattr(environment, "install", lambda profile, extra: installed.append(profile))
    environment.ensure("desk")
    assert installed == ["desk"]
    environment.ensure("desk")
    assert installed == ["desk"]


@pytest.mark.slow
def test_without_a_network_the_environment_stays_and_the_package_is_named(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    environment.Stamp(state="ready", root=str(home.parent)).save()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(environment.FetchProblem) as caught:
        environment.ensure("street")
    assert "alembic" in caught.value.what
    assert "PIP_INDEX_URL" in caught.value.remedy
    stamp = environment.Stamp.load()
    assert stamp is not None and stamp.state == "ready" and stamp.locks == {}


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "2 GB"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "do not go on"),
        ("SSL: CERTIFICATE_VERIFY_FAILED\nERROR: No matching distribution found for x==1", "PIP_CERT"),
        ("ERROR: No matching distribution found for x==1", "PIP_INDEX_URL"),
        (
            "Installing collected packages: x\nERROR: Could not install packages due to an OSError: [Errno 2] No such file\n"
            "HINT: This error might have occurred since this system does not have Windows Long Path support enabled.",
            "short name",
        ),
    ],
)
def test_what_pip_said_becomes_a_remedy(said: str, remedy: str) -> None:
    assert remedy in environment.pip_problem(said).remedy


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="system packages are a matter of Linux")
def test_without_root_the_line_to_type_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(qt_libraries, "LIBRARIES", {"libgridman-is-not-here.so.1": "libgridman1"})
    monkeypatch.setattr(qt_libraries.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(SetupProblem) as caught:
        qt_libraries.ensure(tmp_path / "log")
    assert "apt-get install -y --no-install-recommends libgridman1" in caught.value.remedy


@pytest.mark.skipif(os.name == "nt", reason="POSIX locks are inherited; Windows has none to inherit")
def test_a_second_set_up_waits_for_the_children_of_a_killed_one(tmp_path: Path) -> None:
    # The first is killed while its child still works in the folder; the lock must outlive the parent.
    shared = f"import sys; sys.path.insert(0, {str(ROOT / 'build_scripts')!r}); import pathlib, prepare, steps\n"
    shared += (
        f"root = pathlib.Path({str(tmp_path)!r}); (root / 'build_scripts').mkdir(exist_ok=True); prepare.ROOT = root\n"
    )
    child = "import time; time.sleep(1.5)"
    first = (
        shared
        + f"with prepare._alone():\n    steps.run_logged([sys.executable, '-c', {child!r}], root / 'log', keeps_lock=True)"
    )
    second = shared + "with prepare._alone():\n    pass"
    with subprocess.Popen([sys.executable, "-c", first]) as process:
        while not (tmp_path / "log").exists():
            time.sleep(0.02)
        time.sleep(0.2)
        process.kill()
    began = time.monotonic()
    waited = subprocess.run([sys.executable, "-c", second], capture_output=True, text=True, check=True)
    assert "another set-up is at work" in waited.stderr
    assert time.monotonic() - began > 0.5


def test_leaflet_is_whole_and_comes_with_its_licences() -> None:
    if not fetch_leaflet.is_fresh():
        pytest.skip("resources/leaflet/vendor was not made by the set-up")
    for target in json.loads((fetch_leaflet.HOME / "vendor.json").read_text(encoding="utf-8")):
        found = fetch_leaflet.VENDOR / target
        assert any(found.iterdir()) if target.endswith("/") else found.stat().st_size > 0, target
    locked = json.loads((fetch_leaflet.HOME / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    names = {path.removeprefix("node_modules/").replace("/", "__").lstrip("@") for path in locked if path}
    texts = [path.name for path in (fetch_leaflet.VENDOR / "licences").iterdir()]
    unlicensed = {name for name in names if not any(text.startswith(f"{name}.") for text in texts)}
    assert unlicensed <= LICENCE_ELSEWHERE, unlicensed

"""The wheel carries what ships beside the code, and finds it again where it is installed."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

pytestmark = pytest.mark.slow

ASK = """
import pathlib, gridman
from gridman.kernel import paths, words
here = pathlib.Path(gridman.__file__).parent
assert here.is_relative_to({folder!r}), here
assert (paths.resource("codes") / "roles_scopes.csv").is_relative_to({folder!r})
assert (paths.resource("codes") / "roles_scopes.csv").is_file()
assert paths.resource("leaflet", "vendor", "leaflet", "leaflet.js").is_file()
assert any(paths.maps_dir().rglob("*.pbf"))
words.use("zh_CN")
assert words._("Visit record") != "Visit record"
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, as pip lays it into site-packages."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    made = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    (wheel,) = (folder / "dist").glob("gridman-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_an_installed_wheel_finds_its_resources(unpacked: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(unpacked)}
    command = [sys.executable, "-c", ASK.format(folder=str(unpacked))]
    made = subprocess.run(command, cwd=unpacked, env=env, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr


def test_the_wheel_states_its_licence_and_its_command(unpacked: Path) -> None:
    (metadata,) = unpacked.glob("gridman-*.dist-info/METADATA")
    assert "License-Expression: Apache-2.0" in metadata.read_text(encoding="utf-8")
    assert "gridman = gridman.__main__:main" in (metadata.parent / "entry_points.txt").read_text(encoding="utf-8")
    (licence,) = metadata.parent.rglob("LICENSE")
    assert "Apache License" in licence.read_text(encoding="utf-8")

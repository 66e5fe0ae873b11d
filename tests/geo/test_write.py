"""Writing shapes: whole or not at all, also where the disk takes no more."""

import multiprocessing
import sys
from pathlib import Path

import pytest
import shapely

from gridman.geo.write import ShapeLayer, write_layers
from gridman.kernel.errors import Refusal


def many(count: int = 3_000) -> list[ShapeLayer]:
    shapes = [shapely.Point(117 + n / 10_000, 36) for n in range(count)]
    return [ShapeLayer("incidents", shapes, [{"number": f"N{n}"} for n in range(count)])]


def _write_on_a_small_disk(path: Path) -> None:
    """In a process that may write 20 kB to a file: the system then refuses as it does on a full disk."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        write_layers(path, many())
    except Refusal as refusal:
        sys.exit(7 if refusal.code in ("file.cannot_write", "disk.full") and len(refusal.words()) < 500 else 8)
    sys.exit(0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of files")
@pytest.mark.parametrize("name", ["map.geojson", "map.gpkg"])
def test_a_disk_that_takes_no_more_is_told_and_leaves_the_old_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("what was there before")
    process = multiprocessing.get_context("spawn").Process(target=_write_on_a_small_disk, args=(path,))
    process.start()
    process.join(60)
    assert process.exitcode == 7
    assert path.read_text() == "what was there before"
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["map.geojson", "map.gpkg"])
def test_what_is_written_can_be_read_again(tmp_path: Path, name: str) -> None:
    from pyogrio import read_info

    assert write_layers(tmp_path / name, many(25)) == 25
    assert read_info(tmp_path / name, force_feature_count=True)["features"] == 25

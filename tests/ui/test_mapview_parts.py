"""The map's address space and gate, without a page."""

import pytest

from gridman.ui.mapview.bridge import Bridge, channel_script, read_message
from gridman.ui.mapview.scheme import LocalFiles, TileAddress, read_tile_address, register_scheme

pytestmark = pytest.mark.gui


@pytest.mark.parametrize(
    ("path", "query", "wanted"),
    [
        ("/tile/16/54321/2", "layers=base,grids", TileAddress(16, 54321, 2, ("base", "grids"))),
        ("/tile/0/0/0", "", TileAddress(0, 0, 0, ())),
        ("/tile/2/4/0", "layers=base", None),
        ("/tile/99/1/1", "layers=base", None),
        ("/tile/16/-1/2", "", None),
        ("/tile/16/1", "", None),
        ("/tile/16/1/2/3", "", None),
        ("/tile/a/b/c", "", None),
        ("/tile/16/²/2", "", None),
        ("/tile/16/999999999999999999999/2", "", None),
    ],
)
def test_a_tile_address_is_read_or_refused(path: str, query: str, wanted: TileAddress | None) -> None:
    assert read_tile_address(path, query) == wanted


@pytest.mark.parametrize(
    "path",
    [
        "/leaflet/../codes/gridman_lists.csv",
        "/leaflet/../../pyproject.toml",
        "/fonts//etc/passwd",
        "/etc/passwd",
        "/leaflet",
        "/leaflet/",
        "/leaflet/package.json\0.js",
        "/",
    ],
)
def test_no_path_leads_out_of_the_served_folders(qapp: object, path: str) -> None:
    files = LocalFiles(str, lambda address, answer: None)
    assert files.find_file(path) is None


def test_shipped_files_are_found(qapp: object) -> None:
    files = LocalFiles(str, lambda address, answer: None)
    found = files.find_file("/fonts/NotoSansSC-Regular.ttf")
    assert found is not None and found.stat().st_size > 1_000_000


def test_the_scheme_may_be_registered_twice() -> None:
    register_scheme()
    register_scheme()


def test_a_message_from_the_page_must_be_a_json_object(qapp: object) -> None:
    assert read_message("[1]") is None
    assert read_message("{") is None
    assert read_message('{"kind": "incident"}') == {"kind": "incident"}
    bridge = Bridge()
    heard: list[object] = []
    bridge.was_picked.connect(heard.append)
    bridge.picked("nonsense")
    bridge.picked('{"kind": "incident", "id": "9223372036854775807", "1": 2}')
    assert heard == [{"kind": "incident", "id": "9223372036854775807", "1": 2}]


def test_the_channel_code_comes_from_qt_itself(qapp: object) -> None:
    assert "QWebChannel" in channel_script().sourceCode()

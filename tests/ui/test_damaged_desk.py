"""A desk whose files were spoilt: the window opens, says what is wrong and what helps, and a damaged profile can be replaced by setting up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gridman.joining import DeskDoor, join_desk
from gridman.kernel.errors import Refusal
from gridman.services.enrolment import Enrolled
from gridman.services.signin import desk_users, set_up_desk, sign_in
from gridman.store.keys import Cost
from gridman.ui.app import _Program, make_application
from gridman.ui.background import Background
from gridman.ui.signin import SignInWindow
from gridman.ui.theme import theme_of

PASSPHRASE = "seven grey herons"
_PAGE = 4_096


def make_desk(data: Path, replica: int = 7, *, again: bool = False) -> Path:
    enrolled = Enrolled(
        replica, f"gm1.{replica}.x", 70, "worker", "周小兰", "grid_worker", 3, "street", "epoch", (), False
    )
    parts = set_up_desk(data, enrolled, "http://127.0.0.1:1", PASSPHRASE, cost=Cost(1_024, 1, 1), again=again)
    join_desk(parts).close()
    return data / f"desk-{replica}" / "desk.db"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    make_desk(tmp_path)
    return tmp_path


def root_page(data: Path, table: str) -> int:
    desk = join_desk(sign_in(data, "worker", PASSPHRASE))
    with desk.store.database.reader.connect() as connection:
        page = connection.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).scalar_one()
    desk.close()
    return int(page)


def spoil_page(file: Path, page: int) -> None:
    content = bytearray(file.read_bytes())
    start = (page - 1) * _PAGE
    content[start + 100 : start + 200] = bytes(byte ^ 0xFF for byte in content[start + 100 : start + 200])
    file.write_bytes(content)


@pytest.fixture
def program(data: Path) -> Iterator[_Program]:
    made = _Program(make_application([]), DeskDoor(data), "en", "light")
    yield made
    made.end()


def test_a_damaged_profile_is_told_in_the_window_which_offers_to_set_up(qtbot: QtBot, data: Path) -> None:
    (data / "desk.json").write_bytes(b"{")
    window = SignInWindow(DeskDoor(data), theme_of())
    qtbot.addWidget(window)
    assert window._forms.currentWidget() is window._setup
    assert "desk.json" in window._problem.text() and "enrol this computer again" in window._problem.text()


def test_setting_up_puts_a_damaged_profile_aside_and_keeps_the_data(data: Path) -> None:
    (data / "desk.json").write_bytes(b"{")
    with pytest.raises(Refusal):
        desk_users(data)
    make_desk(data, 8, again=True)
    assert [user.replica for user in desk_users(data)] == [8]
    assert (data / "desk.json.damaged").read_bytes() == b"{"
    assert (data / "desk-7" / "desk.db").exists()


def test_a_data_file_damaged_further_in_is_told_at_the_sign_in(qtbot: QtBot, data: Path, program: _Program) -> None:
    file = data / "desk-7" / "desk.db"
    pages = [root_page(data, name) for name in ("setting", "sqlite_autoindex_setting_1")]
    program.begin()
    window = program._signin
    assert window is not None
    qtbot.addWidget(window)
    desk = DeskDoor(data).open("worker", PASSPHRASE)
    for page in pages:
        spoil_page(file, page)  # after the sign-in, as a disk fails
    for engine in (desk.store.database.reader, desk.store.database.writer):
        engine.dispose()
    program._opened(desk)
    assert program._session is None and program._signin is window
    assert "damaged" in window._problem.text() and "gridman doctor" in window._problem.text()


def test_damage_met_while_working_is_a_refusal_and_no_bug(qtbot: QtBot, data: Path) -> None:
    file = data / "desk-7" / "desk.db"
    page = root_page(data, "person")
    desk = DeskDoor(data).open("worker", PASSPHRASE)
    spoil_page(file, page)
    for engine in (desk.store.database.reader, desk.store.database.writer):
        engine.dispose()
    background = Background(desk)
    failures: list[object] = []
    background.failed.connect(failures.append)
    with qtbot.waitSignal(background.refused, timeout=5_000) as told:
        background.ask(lambda reader: reader.connection.exec_driver_sql("SELECT * FROM person").all())
    background.close()
    desk.close()
    assert told.args is not None and told.args[0].code == "store.damaged"
    assert not failures


def test_setting_up_again_leads_to_the_form_with_what_is_known(qtbot: QtBot, data: Path, program: _Program) -> None:
    program.begin()
    program._opened(DeskDoor(data).open("worker", PASSPHRASE))
    session = program._session
    assert session is not None
    session.shell.ask_window("set_up_again")
    window = program._signin
    assert program._session is None and window is not None
    qtbot.addWidget(window)
    user = desk_users(data)[0]
    assert window._forms.currentWidget() is window._setup
    assert (window._server.text(), window._login.text()) == (user.server_url, user.login)
    assert (data / f"desk-{user.replica}" / "desk.db").exists(), "the old desk stays aside"

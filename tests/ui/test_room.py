"""Nothing is cut: panes hold what is in them in both languages and both sizes of text, at the width of an old computer's screen."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QApplication,
    QHeaderView,
    QLabel,
    QScrollArea,
    QStyle,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gridman.services.incidents import perform
from gridman.ui.combo import Combo
from gridman.ui.session import DeskSession
from tests.support.desk import Desk
from tests.support.keys import Keys

Open = Callable[..., Any]


@pytest.fixture
def opened(
    qapp: QApplication, qtbot: QtBot, ground_desk: Desk
) -> Iterator[Callable[[str, str, str, bool], tuple[DeskSession, Any, Keys]]]:
    """`opened(role, page, language, is_large)`: the window as it is on 1366 x 768 pixels at 125 %."""
    sessions: list[DeskSession] = []

    def make(role: str, page: str, language: str, is_large: bool) -> tuple[DeskSession, Any, Keys]:
        session = DeskSession(
            qapp, ground_desk.as_user(role), language, "light", is_large=is_large, is_remembered=False
        )
        sessions.append(session)
        session.window.resize(1093, 614)
        with qtbot.waitActive(session.window, timeout=5_000):
            session.window.show()
            session.window.activateWindow()
        session.window.open_page(page)
        keys = Keys(qtbot, session)
        keys.rest()
        return session, session.window.current_page, keys

    yield make
    for session in sessions:
        session.close()
    qapp.processEvents()


def cut(area: QScrollArea) -> list[str]:
    """What in the area is wider than the area, or taller than its own place."""
    inside, room = area.widget(), area.viewport().width()
    found: list[str] = []
    for part in inside.findChildren(QWidget):
        if not part.isVisible() or part.isWindow():
            continue
        right = part.mapTo(inside, QPoint(part.width(), 0)).x()
        if right > room:
            found.append(f"{type(part).__name__} {part.accessibleName()} ends at {right} of {room}")
        if isinstance(part, QLabel) and part.text():
            needed = part.heightForWidth(part.width()) if part.wordWrap() else part.sizeHint().height()
            if part.height() < needed or (not part.wordWrap() and part.width() < part.sizeHint().width()):
                found.append(f"label {part.text()!r} in {part.size().toTuple()}")
    return found


def drawn(view: QTableView, column: int) -> str:
    """What the view draws into the first cell of a column."""
    index = view.model().index(0, column)
    option = QStyleOptionViewItem()
    option.initFrom(view)
    option.textElideMode = view.textElideMode()
    view.itemDelegateForIndex(index).initStyleOption(option, index)
    room = view.columnWidth(column) - 2 * (view.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin) + 1)
    return option.fontMetrics.elidedText(option.text, option.textElideMode, room)


@pytest.mark.parametrize("page_name", ["today", "households", "visits", "map"])
def test_of_an_address_the_room_stays(opened: Any, ground_desk: Desk, page_name: str) -> None:
    """In large text all addresses of a house looked alike: what was cut is what tells them apart."""
    _session, page, keys = opened("grid_worker", page_name, "zh_CN", True)
    if page_name == "map":
        page.map.picked.emit("building", ground_desk.ids["buildings"][0])
        keys.rest()
    views = [v for v in page.findChildren(QTableView) if v.isVisible() and v.model().rowCount()]
    assert len(views) == 1
    view = views[0]
    titles = [view.model().headerData(n, Qt.Orientation.Horizontal) for n in range(view.model().columnCount())]
    column = titles.index("地址")
    view.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
    view.setColumnWidth(column, 120)
    whole, shown = view.model().index(0, column).data(), drawn(view, column)
    assert whole.endswith("室") or whole[-1].isdigit(), whole
    assert shown != whole and shown.startswith("…") and shown.endswith(whole[-3:])


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("is_large", [False, True])
def test_an_incident_and_the_report_fit_their_pane(
    opened: Any, ground_desk: Desk, qtbot: QtBot, language: str, is_large: bool
) -> None:
    """The hint below the actions was one long line: it made the record wider than its pane, which cut the log's times and long results."""
    wanted = ground_desk.ids["incidents"][0]
    with ground_desk.store.unit(ground_desk.users["community_staff"]) as unit:
        perform(unit, wanted, "escalate", note="需要城管部门处理")
    with ground_desk.store.unit(ground_desk.users["street_supervisor"]) as unit:
        perform(unit, wanted, "accept")
        perform(
            unit,
            wanted,
            "finish",
            result="已会同城管、物业现场更换井盖并回填路面，三日后复查；周边另有两处松动一并处理。",
        )
    _session, page, keys = opened("street_supervisor", "incidents", language, is_large)
    page.open_record("incident", wanted)
    keys.rest()
    assert cut(page.record._scroll) == []
    page.do_report()
    keys.rest()
    for area in page.panel.findChildren(QScrollArea):
        assert area.verticalScrollBar().isVisible()
        assert cut(area) == []


@pytest.mark.parametrize(
    ("role", "page_name", "name"), [("community_staff", "households", "_grid"), ("community_staff", "reports", "_grid")]
)
def test_a_grids_name_that_does_not_fit_ends_in_dots(
    opened: Any, ground_desk: Desk, role: str, page_name: str, name: str
) -> None:
    _session, page, _keys = opened(role, page_name, "zh_CN", True)
    box = next(b for b in page.findChildren(Combo) if b.accessibleName() == "网格")
    box.addItem("槐荫街道望河社区第十一网格（望河公园以北）")
    box.setCurrentIndex(box.count() - 1)
    box.setFixedWidth(160)
    whole, shown = box.currentText(), box.shown_text()
    assert shown.endswith("…") and whole.startswith(shown[:-1]) and box.toolTip() == whole


@pytest.mark.parametrize("is_large", [False, True])
def test_a_row_of_the_review_is_read_without_a_scroll_bar(opened: Any, ground_desk: Desk, is_large: bool) -> None:
    _session, page, keys = opened("grid_worker", "sync", "en", is_large)
    page.do_review()
    keys.rest()
    view = page.review.list
    assert view.count()
    view.item(0).setText(
        "槐荫街道望河社区望河路18号槐安里小区1号楼1单元301室 王伟伟\nPhone · third grid · handed over by a computer"
    )
    keys.rest()
    area = view.visualItemRect(view.item(0))
    assert not view.horizontalScrollBar().isVisible() and area.width() <= view.viewport().width()
    words = view.fontMetrics().boundingRect(
        0, 0, area.width() - 24, 10_000, int(Qt.TextFlag.TextWrapAnywhere), view.item(0).text()
    )
    assert area.height() >= words.height() > 2 * view.fontMetrics().lineSpacing()


@pytest.mark.parametrize(("is_large", "size"), [(False, "13px"), (True, "16px")])
def test_the_maps_legend_follows_the_size_of_the_text(
    opened: Any, ground_desk: Desk, qtbot: QtBot, is_large: bool, size: str
) -> None:
    _session, page, _keys = opened("grid_worker", "map", "en", is_large)
    qtbot.waitUntil(lambda: page.map.is_ready, timeout=30_000)
    heard: list[Any] = []
    page.map.engine.page.runJavaScript(
        "getComputedStyle(document.querySelector('.gridman-panel-head')).fontSize", 0, heard.append
    )
    qtbot.waitUntil(lambda: bool(heard), timeout=5_000)
    assert heard == [size]

"""The widths of a list's columns: nothing that is no use when cut is cut, at either size of text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QTableView
from pytestqt.qtbot import QtBot

from gridman.ui.column_fit import MAIN_SHARE, Room, shared
from gridman.ui.session import DeskSession
from gridman.ui.tables import RowsModel
from tests.support.desk import Desk

Open = Callable[..., DeskSession]

DAY, NAME, WORDS = Room(92, 108, 108), Room(72, 60, 60), Room(140, 130, 80)


def test_with_room_for_all_columns_have_their_planned_width() -> None:
    assert shared([DAY, NAME, WORDS], 300, 1_000) == [108, 72, 140]


def test_spare_width_goes_before_anything_is_cut() -> None:
    day, name, words = shared([DAY, NAME, WORDS], 300, 599)
    assert day == 108 and 60 <= name < 72 and 130 <= words < 140


def test_words_give_way_to_the_main_column_and_days_and_names_do_not() -> None:
    day, name, words = shared([DAY, NAME, WORDS], 300, 400)
    assert (day, name) == (108, 60) and 80 <= words < 130
    assert shared([DAY, NAME, WORDS], 300, 300) == [108, 60, 80]
    assert 400 - day - name - words >= int(400 * MAIN_SHARE) - 1


def test_a_short_main_column_takes_no_more_than_it_needs() -> None:
    assert shared([DAY, WORDS], 90, 335) == [108, 137]


def test_in_a_list_too_narrow_for_anything_all_give_way() -> None:
    widths = shared([DAY, NAME], 300, 150)
    assert 150 - sum(widths) >= int(150 * MAIN_SHARE) // 2 - 1


def whole(view: QTableView, columns: list[int]) -> list[str]:
    """The texts in sight of these columns that are cut."""
    metrics = QFontMetrics(view.font())
    model, header = view.model(), view.horizontalHeader()
    cut = []
    for i in columns:
        for row in range(min(model.rowCount(), 12)):
            text = str(model.index(row, i).data() or "")
            if metrics.horizontalAdvance(text) + 14 > header.sectionSize(i):
                cut.append(f"{model.headerData(i, Qt.Orientation.Horizontal)}: {text}")
    return cut


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("is_large", [False, True])
def test_days_times_names_and_states_are_whole_on_an_old_screen(
    qtbot: QtBot, desk: Desk, open_session: Open, tmp_path: Path, language: str, is_large: bool
) -> None:
    session = open_session(desk, language, is_large=is_large)
    session.window.resize(1093, 566)  # 1366 x 768 at 125 %, less the frame and the task bar
    found: list[str] = []
    for name in ("today", "households", "visits", "incidents", "sync"):
        page: Any = session.window.open_page(name)
        qtbot.waitUntil(session.background.is_idle)
        qtbot.wait(60)
        qtbot.waitUntil(session.background.is_idle)
        for view in page.findChildren(QTableView):
            model = view.model()
            shown = [i for i in range(model.columnCount()) if not view.isColumnHidden(i)]
            if isinstance(model, RowsModel):
                shown = [i for i in shown if not (model.columns[i].cuts or model.columns[i].stretches)]
            elif name == "today":
                shown = shown[1:]
            assert model.rowCount() and shown, name
            assert view.horizontalScrollBar().maximum() == 0, f"{name} scrolls sideways"
            found += [f"{name}: {text}" for text in whole(view, shown)]
    assert found == []

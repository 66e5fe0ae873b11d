"""Lists of any length."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from gridman.kernel.errors import Refusal
from gridman.services.households import HouseholdQuery, household_ids, household_rows
from gridman.ui.background import Background
from gridman.ui.shell import Shell
from gridman.ui.table_pane import Nothing, TablePane
from gridman.ui.tables import PAGE_ROWS, Column, RowsModel
from gridman.ui.theme import theme_of
from tests.support.desk import Desk


@dataclass
class Line:
    id: int
    name: str


COLUMNS = (
    Column("name", "Name", 100, lambda row: row.name, "name", stretches=True),
    Column("id", "Number", 80, lambda row: str(row.id), is_right=True, tone=lambda row: "danger" if row.id % 2 else ""),
)
MANY = 150_000


@pytest.fixture
def shell(qtbot: QtBot, desk: Desk) -> Iterator[Shell]:
    background = Background(desk)
    yield Shell(desk, background, theme_of())
    background.close()


class Numbers:
    """Rows made from their numbers, noting which were read."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def rows(self, reader: Any, ids: list[int]) -> list[Line]:
        self.asked += ids
        return [Line(i, f"row {i}") for i in reversed(ids)]


def shown(model: RowsModel, row: int, column: int = 0) -> Any:
    return model.data(model.index(row, column))


def test_the_model_keeps_qts_laws(qtbot: QtBot, shell: Shell) -> None:
    model = RowsModel(shell.background, shell.theme, COLUMNS, Numbers().rows)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_ids(range(1, 1_001))
    shown(model, 0), shown(model, 999)
    qtbot.waitUntil(shell.background.is_idle)
    model.renew(frozenset({1}))
    model.set_ids([])
    qtbot.waitUntil(shell.background.is_idle)
    assert tester.model() is model and model.rowCount() == 0


def test_only_the_pages_that_are_looked_at_are_read(qtbot: QtBot, shell: Shell) -> None:
    numbers = Numbers()
    model = RowsModel(shell.background, shell.theme, COLUMNS, numbers.rows)
    model.set_ids(array("q", range(MANY)))
    assert shown(model, 70_123) == "…"
    qtbot.waitUntil(lambda: shown(model, 70_123) == "row 70123")
    assert len(numbers.asked) == PAGE_ROWS and model.rowCount() == MANY
    assert shown(model, 70_123, 1) == "× 70123" and shown(model, 70_124, 1) == "70124"


def test_rows_of_a_list_that_is_no_longer_shown_are_not_taken(qtbot: QtBot, shell: Shell) -> None:
    model = RowsModel(shell.background, shell.theme, COLUMNS, Numbers().rows)
    model.set_ids([1, 2, 3])
    shown(model, 0)
    model.set_ids([7, 8])
    assert shown(model, 0) == "…"
    qtbot.waitUntil(shell.background.is_idle)
    assert shown(model, 0) == "row 7"


def test_pages_read_long_ago_are_let_go(qtbot: QtBot, shell: Shell) -> None:
    numbers = Numbers()
    model = RowsModel(shell.background, shell.theme, COLUMNS, numbers.rows)
    model.set_ids(array("q", range(MANY)))
    for page in range(40):
        shown(model, page * PAGE_ROWS)
        qtbot.waitUntil(shell.background.is_idle)
    before = len(numbers.asked)
    shown(model, 39 * PAGE_ROWS)
    qtbot.waitUntil(shell.background.is_idle)
    assert len(numbers.asked) == before, "a page just read is kept"
    shown(model, 0)
    qtbot.waitUntil(shell.background.is_idle)
    assert len(numbers.asked) == before + PAGE_ROWS, "a page read long ago is read again"


@pytest.fixture
def pane(qtbot: QtBot, shell: Shell) -> Iterator[TablePane]:
    from gridman.ui.pages.households.list_columns import COLUMNS as HOUSEHOLD_COLUMNS

    made = TablePane(shell, "t", HOUSEHOLD_COLUMNS, household_ids, household_rows, Nothing("Nobody", "Try again."))
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show()
    yield made


def settle(qtbot: QtBot, shell: Shell) -> None:
    qtbot.waitUntil(shell.background.is_idle)
    qtbot.wait(20)
    qtbot.waitUntil(shell.background.is_idle)


def test_reading_again_stays_at_the_same_record(qtbot: QtBot, pane: TablePane, shell: Shell, desk: Desk) -> None:
    pane.show_query(HouseholdQuery())
    settle(qtbot, shell)
    home = desk.ids["households"][20]
    assert pane.select(home)
    chosen: list[Any] = []
    pane.chosen.connect(chosen.append)
    pane.show_query(HouseholdQuery(order="head", descending=True))
    settle(qtbot, shell)
    assert pane.current_id() == home and chosen == []


def test_a_record_asked_for_before_the_list_is_there_is_chosen_when_it_comes(
    qtbot: QtBot, pane: TablePane, shell: Shell, desk: Desk
) -> None:
    home = desk.ids["households"][5]
    pane.show_query(HouseholdQuery())
    assert not pane.select(home)
    settle(qtbot, shell)
    assert pane.current_id() == home


def test_the_header_sorts_and_sorts_back(qtbot: QtBot, pane: TablePane) -> None:
    asked: list[tuple[str, bool]] = []
    pane.sorted_by.connect(lambda order, down: asked.append((order, down)))
    header = pane.view.horizontalHeader()
    for section in (1, 1, 2):
        header.sectionClicked.emit(section)
    assert asked == [("head", False), ("head", True)], "the people column has no order"


def test_selected_rows_are_copied_as_a_sheet(qtbot: QtBot, pane: TablePane, shell: Shell) -> None:
    pane.show_query(HouseholdQuery())
    settle(qtbot, shell)
    pane.view.selectAll()
    pane.copy_rows()
    settle(qtbot, shell)
    lines = QGuiApplication.clipboard().text().strip().split("\n")
    assert len(lines) == 41 and lines[0].split("\t")[:2] == ["Address", "Head"]
    assert all(len(line.split("\t")) == 4 for line in lines)


def test_an_empty_list_says_what_to_do_and_a_refused_one_why(qtbot: QtBot, pane: TablePane, shell: Shell) -> None:
    pane.show_query(HouseholdQuery(text="nobody is called that"))
    settle(qtbot, shell)
    assert pane._stack.currentWidget() is pane._nothing and pane._nothing.title.text() == "Nobody"

    def refuses(reader: Any, query: Any) -> Any:
        raise Refusal("t.no", "Not today.", "Come tomorrow.")

    pane._ids = refuses
    pane.reload()
    settle(qtbot, shell)
    assert pane._stack.currentWidget() is pane._error and pane._error.text.text() == "Not today. Come tomorrow."


def test_enter_opens_the_row(qtbot: QtBot, pane: TablePane, shell: Shell) -> None:
    pane.show_query(HouseholdQuery())
    settle(qtbot, shell)
    pane.select_first()
    opened: list[Any] = []
    pane.opened.connect(opened.append)
    QTest.keyClick(pane.view, Qt.Key.Key_Return)
    assert opened == [pane.current_id()]


def test_a_column_of_words_is_wide_enough_for_the_longest_within_reason(qtbot: QtBot, shell: Shell) -> None:
    metrics = QFontMetrics(shell.theme.font())
    plain = Column("state", "State", 100, lambda row: row.name)
    longer, endless = "Not at home today", "Nobody at home, a note was left at the door and the neighbour told"
    assert plain.width_px(metrics, 1.0) == 100
    fitted = replace(plain, words=lambda: ["Seen", longer]).width_px(metrics, 1.0)
    assert metrics.horizontalAdvance(longer) < fitted
    assert replace(plain, words=lambda: ["Seen"]).width_px(metrics, 1.0) == 100
    assert replace(plain, words=lambda: [endless]).width_px(metrics, 1.0) == 170


def test_in_a_narrow_list_the_main_column_stays_readable(qtbot: QtBot, pane: TablePane) -> None:
    main = next(i for i, column in enumerate(pane.model.columns) if column.stretches)
    side = next(i for i, column in enumerate(pane.model.columns) if not column.stretches)
    pane.resize(1_200, 300)
    qtbot.waitUntil(lambda: pane.view.viewport().width() > 1_000)
    natural = pane.view.columnWidth(side)
    others = sum(pane.view.columnWidth(i) for i in range(len(pane.model.columns)) if i != main)
    pane.resize(others + 20, 300)
    qtbot.waitUntil(lambda: pane.view.viewport().width() < others + 40)
    assert pane.view.columnWidth(main) >= pane.view.viewport().width() * 0.3, "no rows, nothing to cut"
    assert pane.view.columnWidth(side) < natural
    pane.resize(1_200, 300)
    qtbot.waitUntil(lambda: pane.view.columnWidth(side) == natural)

"""Reports: the pages stand beside the choice at once; what is printed or saved carries a batch number and is noted."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from reportlab.pdfgen import canvas
from sqlalchemy import select

from gridman.store import tables
from gridman.ui.pages.reports.page import ReportsPage
from tests.support.desk import Desk
from tests.support.keys import Keys
from tests.ui.conftest import unnamed

pytestmark = pytest.mark.gui
Open = Callable[..., Any]


def page_of(session: Any) -> ReportsPage:
    return session.window.current_page  # type: ignore[no-any-return]


def prints(desk: Desk) -> int:
    with desk.store.read() as reader:
        rows = reader.connection.execute(select(tables.audit.c.id).where(tables.audit.c.act == "print"))
        return len(rows.all())


def text_of(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def settle(qtbot: QtBot, session: Any) -> None:
    page = page_of(session)
    qtbot.waitUntil(lambda: page.is_settled() and session.background.is_idle(), timeout=15_000)


def test_the_roster_stands_there_at_once_and_is_not_noted_yet(
    open_window: Open, ground_desk: Desk, qtbot: QtBot
) -> None:
    session = open_window("community_staff", "reports")
    settle(qtbot, session)
    page = page_of(session)
    assert page.preview.message == "" and page.preview.document.pageCount() >= 2
    assert prints(ground_desk) == 0


def test_saving_needs_a_purpose_and_gives_a_batch_number(
    open_window: Open, ground_desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    session = open_window("community_staff", "reports")
    settle(qtbot, session)
    page, path = page_of(session), tmp_path / "roster.pdf"
    page.save_to(path)
    assert "purpose" in page._problem.text() and not path.exists() and prints(ground_desk) == 0
    page.purpose.setText("人口核对")
    page.save_to(path)
    qtbot.waitUntil(path.exists, timeout=15_000)
    text = text_of(path)
    assert "20261123-012-" in text and "人口核对" in text
    assert "990101********" in text, "ID numbers are masked"
    assert prints(ground_desk) == 1


def test_the_same_pages_go_to_a_printer(open_window: Open, ground_desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    session = open_window("community_staff", "reports")
    settle(qtbot, session)
    page, path = page_of(session), tmp_path / "printed.pdf"
    page.purpose.setText("走访")
    printer = QPrinter(QPrinter.PrinterMode.ScreenResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(path))
    page.print_on(printer)
    qtbot.waitUntil(
        lambda: path.exists() and path.stat().st_size > 1_000 and session.background.is_idle(), timeout=20_000
    )
    document = pypdfium2.PdfDocument(path)
    wide = document[0].get_size()
    assert len(document) == page.preview.document.pageCount()
    document.close()
    assert wide[0] > wide[1], "the roster is printed across"


def test_a_record_opens_as_its_report(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("community_staff", "reports")
    page = page_of(session)
    for kind, record_id, report in (
        ("incident", ground_desk.ids["incidents"][0], "F05"),
        ("household", ground_desk.ids["households"][0], "F02"),
        ("visit", ground_desk.ids["visits"][0], "F06"),
    ):
        page.open_record(kind, record_id)
        settle(qtbot, session)
        assert page.report_id == report
        assert page.preview.message == "" and page.preview.document.pageCount() >= 1, kind


def test_a_record_of_another_grid_is_refused_in_words(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("grid_worker", "reports")
    page = page_of(session)
    page.open_record("household", ground_desk.ids["households"][1])  # the second grid's
    settle(qtbot, session)
    assert "not yours" in page.preview.message


def test_a_role_sees_only_the_reports_it_may_print(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("street_supervisor", "reports")
    page = page_of(session)
    assert [page.reports.item(row).text()[-3:] for row in range(page.reports.count())] == ["F05"]


def test_every_control_has_a_name(open_window: Open, qtbot: QtBot) -> None:
    session = open_window("community_staff", "reports")
    settle(qtbot, session)
    Keys(qtbot, session).rest()
    assert unnamed(session.window.current_page) == []


def test_pictures_wait_until_there_is_ink_on_the_page(open_window: Open, ground_desk: Desk, qtbot: QtBot) -> None:
    session = open_window("community_staff", "reports")
    settle(qtbot, session)
    page = page_of(session)
    assert page.preview.is_painted()
    bare = io.BytesIO()
    sheet = canvas.Canvas(bare, pagesize=(842, 595))
    sheet.showPage()
    sheet.save()
    page.preview.show_pdf(bare.getvalue())
    qtbot.wait(300)
    assert not page.is_settled()
    page.preview.show_pdf(page._made.pdf)
    qtbot.waitUntil(page.is_settled, timeout=15_000)


def test_what_was_chosen_before_is_not_printed_for_what_is_chosen_now(
    open_window: Open, ground_desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    session = open_window("community_staff", "reports")
    settle(qtbot, session)
    page, path = page_of(session), tmp_path / "roster.pdf"
    page.purpose.setText("人口核对")
    assert page.building.count() > 1
    page.building.setCurrentIndex(1)
    page.save_to(path)
    settle(qtbot, session)
    assert not path.exists() and prints(ground_desk) == 0
    assert page._made is not None and page._made.wish.building_id == page.building.currentData()


def test_pages_are_saved_though_they_were_laid_out_anew_while_the_file_was_chosen(
    open_window: Open, ground_desk: Desk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_window("community_staff", "reports")
    settle(qtbot, session)
    page, path = page_of(session), tmp_path / "roster.pdf"
    page.purpose.setText("人口核对")

    def choose(*_args: Any) -> tuple[str, str]:
        page._ask()
        return str(path), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    page.do_save()
    qtbot.waitUntil(path.exists, timeout=15_000)
    settle(qtbot, session)
    assert prints(ground_desk) == 1


def test_pages_shown_anew_stay_where_one_was(open_window: Open, qtbot: QtBot) -> None:
    session = open_window("community_staff", "reports")
    settle(qtbot, session)
    page = page_of(session)
    preview, pdf = page.preview, page._made.pdf
    preview.view.verticalScrollBar().setValue(200)
    for turn in range(60):  # one after the other: each is to be painted though the one before was not yet
        qtbot.wait(turn % 12)
        preview.show_pdf(pdf)
    qtbot.waitUntil(preview.is_painted, timeout=15_000)
    assert preview.view.verticalScrollBar().value() == 200

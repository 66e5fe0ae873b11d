"""Every form of the catalogue: golden text in both languages, the fields of the office's form, masks, empty sheets."""

import csv
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gridman.domain.sheets import HouseholdSheet, IncidentSheet, RosterSheet, SheetStamp, VisitSheet
from gridman.kernel import words
from gridman.kernel.paths import resource
from gridman.reports.catalogue import REPORTS, get_report
from gridman.reports.document import Paper
from gridman.reports.visit_record import visit_record
from tests.reports import sheets
from tests.reports.paper import printed

GOLDEN = Path(__file__).parents[1] / "golden"
_IDS = [report.id for report in REPORTS]


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("report_id", _IDS)
def test_the_sheet_reads_as_it_did(report_id: str, language: str) -> None:
    """GRIDMAN_WRITE_GOLDEN=1 writes the files anew; look at the difference before committing it."""
    words.use(language)
    sheet = sheets.roster(9) if report_id == "F01" else sheets.SAMPLES[report_id]()
    _, paper = printed(get_report(report_id).build(sheet, sheets.STAMP))
    text = "\n-- page --\n".join(paper.texts()) + "\n"
    golden = GOLDEN / f"reports_{report_id}_{language}.txt"
    if os.environ.get("GRIDMAN_WRITE_GOLDEN"):
        golden.write_text(text, encoding="utf-8", newline="\n")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("report_id", _IDS)
def test_every_field_of_the_office_form_is_on_the_sheet(report_id: str) -> None:
    words.use("zh_CN")
    text = printed(get_report(report_id).build(sheets.SAMPLES[report_id](), sheets.STAMP))[1].joined()
    rows = csv.DictReader(resource("codes", "forms_ledgers.csv").read_text(encoding="utf-8-sig").splitlines())
    fields = [row["column_zh"] for row in rows if row["form_id"] == report_id]
    assert fields
    for field in fields:
        name = re.split(r"[(（]", field)[0]
        assert name in text or all(part in text for part in name.split("/")), field


@pytest.mark.parametrize("report_id", _IDS)
def test_a_masked_sheet_shows_no_whole_number(report_id: str) -> None:
    text = printed(get_report(report_id).build(sheets.SAMPLES[report_id](), sheets.STAMP))[1].joined()
    assert not re.search(r"990101(19|20)\d{9}[\dX]", text)
    assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", text)
    assert "****" in text or report_id == "F06"


@pytest.mark.parametrize("report_id", _IDS)
def test_the_foot_says_basis_purpose_omissions_who_when_device_and_batch(report_id: str) -> None:
    words.use("zh_CN")
    document = get_report(report_id).build(sheets.SAMPLES[report_id](), sheets.STAMP)
    text = printed(document)[1].joined(0)
    for said in (
        "《个人信息保护法》第十三条第一款第三项、第三十四条",
        "用途：入户走访核对",
        "本表不含：",
        "打印人：王芳·望江街道办事处·2026-11-2314:32",
        "设备：desk-03",
        "批号：B-20261123-0007",
    ):
        assert said in text
    for said in ("王芳", "2026-11-23 14:32", "望江街道办事处", "B-20261123-0007", "desk-03"):
        assert said in document.watermark


def test_a_card_hides_owner_plate_and_title_number() -> None:
    words.use("zh_CN")
    text = printed(get_report("F02").build(sheets.household(), sheets.STAMP))[1].joined()
    assert "欧阳**" in text and "欧阳修远" not in text
    assert "京A***45" in text and "京A12345" not in text


_EMPTY = {
    "F01": RosterSheet(community="", grid_name="", grid_code=""),
    "F02": HouseholdSheet(file_no="1"),
    "F05": IncidentSheet(number="1"),
    "F06": VisitSheet(on=""),
}


@pytest.mark.parametrize("report_id", _IDS)
def test_an_empty_sheet_in_english_is_one_page_without_a_chinese_word(report_id: str) -> None:
    stamp = SheetStamp(who="A", organisation="B", printed_at=0, batch="C")
    receipt, paper = printed(get_report(report_id).build(_EMPTY[report_id], stamp))
    assert receipt.pages == 1
    assert not re.search(r"[\u4e00-\u9fff]", paper.joined())
    assert "Page1of1" in paper.joined()


def test_a_visit_record_fits_a5_and_nothing_runs_off_the_paper() -> None:
    words.use("zh_CN")
    _, paper = printed(visit_record(sheets.visit(), sheets.STAMP, paper=Paper.A5_PORTRAIT))
    width, height = paper.size()
    assert round(width) == 420
    assert len(paper) == 1
    for page in range(len(paper)):
        assert all(b[0] > 0 and b[2] < width and b[1] > 0 and b[3] < height for _, b in paper.boxes(page))


def test_a_preview_says_so_and_carries_no_code() -> None:
    words.use("zh_CN")
    preview = replace(sheets.STAMP, batch="")
    document = get_report("F01").build(sheets.roster(2), preview)
    assert "预览" in document.watermark and document.qr == ""
    assert "预览，未登记打印·打印人：王芳" in printed(document)[1].joined()


def test_an_unknown_report_is_a_key_error_naming_the_known_ones() -> None:
    with pytest.raises(KeyError, match="F05"):
        get_report("F99")

"""Files of many makes are read cell by cell with their types; what cannot be read is refused with a remedy."""

import codecs
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from gridman.exchange.spreadsheet import Cell, cell_text, open_sheets
from gridman.exchange.workbook import Column, Table, write_workbook
from gridman.kernel.errors import Refusal
from tests.support.old_workbook import compound_file, write_old_workbook


def rows_of(path: Path) -> list[tuple[int, list[Cell]]]:
    (sheet,) = open_sheets(path)
    return list(sheet.rows())


def test_cells_keep_their_types_and_places(tmp_path: Path) -> None:
    path = tmp_path / "typed.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("台账")
        sheet.write_number(2, 1, 360102193909095680)
        sheet.write_datetime(2, 2, datetime(1980, 1, 3), book.add_format({"num_format": "yyyy-mm-dd"}))  # noqa: DTZ001
        sheet.write_string(2, 3, "0102")
        sheet.write_boolean(4, 1, True)
        sheet.merge_range(5, 1, 6, 2, "合")
    (sheet,) = open_sheets(path)
    found = dict(sheet.rows())
    assert found[3] == [None, 3.601021939090957e17, date(1980, 1, 3), "0102"]
    assert found[4] == [None, None, None, None]
    assert found[5][1] is True
    assert sheet.merged == ((6, 2, 7, 3),)
    assert sheet.name == "台账"


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [("utf-8", b""), ("utf-8", codecs.BOM_UTF8), ("gb18030", b""), ("utf-16-le", codecs.BOM_UTF16_LE)],
)
def test_csv_encodings_are_recognised(tmp_path: Path, encoding: str, bom: bytes) -> None:
    path = tmp_path / "居民.csv"
    path.write_bytes(bom + '姓名,备注\r\n㛃䶮𬭎𠀀,"两行\n文字"\r\n'.encode(encoding))
    assert rows_of(path) == [(1, ["姓名", "备注"]), (2, ["㛃䶮𬭎𠀀", "两行\n文字"])]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_delimiters_are_recognised(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"姓名{mark}电话\n张三{mark}1\n", encoding="utf-8")
    assert rows_of(path)[1] == (2, ["张三", "1"])


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("none.xlsx", None, "sheet.missing"),
        ("cut.xlsx", b"PK\x03\x04 and then nothing", "sheet.unreadable"),
        ("empty.xlsx", b"", "sheet.unreadable"),
        ("text.xls", "不是表格".encode(), "sheet.unreadable"),
        ("noise.csv", b"\xff\x00\xff\xfe\x00\x80\xff", "sheet.encoding"),
    ],
)
def test_what_is_no_spreadsheet_is_refused(tmp_path: Path, name: str, content: bytes | None, code: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refusal) as refused:
        for sheet in open_sheets(path):
            list(sheet.rows())
    assert refused.value.code == code
    assert name in refused.value.words() and "detect" not in refused.value.words(), "no words of the library"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""), ("  a ", "a"), (3.0, "3"), (3.5, "3.5"), (13800000000.0, "13800000000"), (True, "是"),
        (date(2026, 1, 2), "2026-01-02"), (datetime(2026, 1, 2), "2026-01-02"), (1e17, "1e+17"),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_cells_as_text(cell: Cell, text: str) -> None:
    assert cell_text(cell) == text


_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn")), min_size=1, max_size=20).filter(
    lambda t: t.strip() == t and "_x" not in t
)


@given(st.lists(st.lists(_TEXT, min_size=2, max_size=2), min_size=1, max_size=5))
def test_text_comes_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    path = tmp_path_factory.mktemp("round") / "t.xlsx"
    write_workbook(path, [Table("表", [Column("甲"), Column("乙")], rows)])
    assert [cells for _, cells in rows_of(path)[1:]] == rows


def test_a_workbook_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    write_workbook(path, [Table("表", [Column("甲")], [["旧"]])])

    def broken() -> object:
        yield ["新"]
        raise RuntimeError("the reader of the records failed")

    with pytest.raises(RuntimeError):
        write_workbook(path, [Table("表", [Column("甲")], broken())])  # type: ignore[arg-type]
    assert rows_of(path)[1] == (2, ["旧"])
    assert [file.name for file in tmp_path.iterdir()] == ["t.xlsx"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal) as refused:
        write_workbook(tmp_path / "file" / "t.xlsx", [Table("表", [Column("甲")])])
    assert refused.value.code == "file.cannot_write"


def test_old_workbooks_are_read_with_their_types(tmp_path: Path) -> None:
    rows = [["姓名", "公民身份号码"], ["㛃𬭚", 360102193909095680.0], [None, "11010519491231002X"]]
    path = write_old_workbook(tmp_path / "old.xls", "居民", rows)
    (sheet,) = open_sheets(path)
    assert sheet.name == "居民"
    assert [cells for _, cells in sheet.rows()] == rows


def test_a_workbook_with_a_password_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "secret.xlsx"
    path.write_bytes(compound_file({"EncryptedPackage": bytes(100)}))
    with pytest.raises(Refusal) as refused:
        open_sheets(path)
    assert refused.value.code == "sheet.protected" and "secret.xlsx" in refused.value.words()

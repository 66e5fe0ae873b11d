"""An office's register is read however it was typed, and every cell that cannot be used is named."""

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from gridman.domain import codes
from gridman.domain.address import Address
from gridman.domain.register_row import RegisterRow
from gridman.exchange.register_columns import FIELDS, register_columns
from gridman.exchange.register_sheet import RegisterSheet, read_register
from gridman.exchange.register_write import ERRORS_HEADING, write_errors_copy, write_register
from gridman.kernel import words
from gridman.kernel.errors import Refusal
from tests.support.registers import id_number

GOLDEN = Path(__file__).parents[1] / "golden"
GOOD = {
    "姓名": "张三", "身份证号": id_number("1980-01-03"), "小区": "幸福里", "楼号": "1", "单元": "1", "房号": "101",
    "人口类型": "户籍", "与户主关系": "户主",
}  # fmt: skip


def write_sheet(
    path: Path, rows: Sequence[Sequence[Any]], merged: Sequence[tuple[int, int, int, int, str]] = ()
) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("第一网格")
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, column, cell)
        for first, left, last, right, text in merged:
            sheet.merge_range(first, left, last, right, text)
    return path


def read_one(tmp_path: Path, **cells: Any) -> RegisterRow:
    """One row of good cells, some of them replaced."""
    row = {**GOOD, **cells}
    sheet = read_register(write_sheet(tmp_path / "one.xlsx", [list(row), list(row.values())]))
    (found,) = sheet.rows
    return found


def codes_of(row: RegisterRow) -> list[str]:
    return [problem.code for problem in row.problems]


def test_a_good_row_becomes_typed_values(tmp_path: Path) -> None:
    row = read_one(
        tmp_path, 民族="汉", 政治面貌="党员", 婚姻状况="离异", 文化程度="大专", 关爱类别="残疾人，低保", 备注=" 二楼 "
    )
    assert row.problems == () and row.row == 2 and row.sheet == "第一网格"
    assert row.address == Address("幸福里", "1", "1", "101")
    assert row.care == ("V12", "V13")
    assert row.person == {
        "name": "张三", "id_number": id_number("1980-01-03"), "id_kind": "111", "sex": "1", "birth_on": "1980-01-03",
        "population_type": "01", "relation": "02", "ethnic": "01", "political": "01", "marital": "40", "education": "31",
        "remark": "二楼",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ({"姓名": ""}, ["name.missing"]),
        ({"姓名": "张?"}, ["name.lost"]),
        ({"姓名": "张" * 101}, ["name.long"]),
        ({"姓名": "张三2"}, ["name.digits"]),
        ({"姓名": "——！"}, ["name.characters"]),
        ({"身份证号": 360102193909095680}, ["id_number.number"]),
        ({"身份证号": "3.60102E+17"}, ["id_number.number"]),
        ({"身份证号": "11010519491231002"}, ["id_number.length"]),
        ({"身份证号": "1" * 31}, ["id_number.length"]),
        ({"身份证号": "11010519491231A02X"}, ["id_number.characters"]),
        ({"身份证号": "110105194913310020"}, ["id_number.date"]),
        ({"身份证号": "110105194912310021"}, ["id_number.check"]),
        ({"身份证号": None}, ["id_number.missing"]),
        ({"性别": "女"}, ["sex.conflict"]),
        ({"性别": "雄"}, ["sex.unknown"]),
        ({"出生日期": "1980-01-04"}, ["birth_on.conflict"]),
        ({"出生日期": "1980年1月"}, ["day.wrong"]),
        ({"联系电话": "138123"}, ["phones.wrong"]),
        ({"小区": None}, ["compound.missing"]),
        ({"房号": None}, ["room.missing"]),
        ({"人口类型": None}, ["population_type.missing"]),
        ({"人口类型": "外星"}, ["population_type.unknown"]),
        ({"与户主关系": None}, ["relation.missing"]),
        ({"与户主关系": "路人"}, ["relation.unknown"]),
        ({"民族": "火星族"}, ["ethnic.unknown"]),
        ({"关爱类别": "社区矫正对象"}, ["care.restricted"]),
        ({"关爱类别": "残疾人，K03"}, ["care.restricted"]),
        ({"关爱类别": "懒人"}, ["care.unknown"]),
        ({"迁出日期": "是"}, ["day.missing"]),
        ({"死亡日期": "不知"}, ["day.wrong"]),
        ({"备注": "长" * 1001}, ["text.long"]),
    ],
)
def test_each_wrong_cell_has_its_code_and_place(tmp_path: Path, cells: dict[str, Any], codes: list[str]) -> None:
    row = read_one(tmp_path, **cells)
    assert codes_of(row) == codes
    assert not row.is_sound
    problem = row.problems[0]
    assert (problem.sheet, problem.row, problem.column) == ("第一网格", 2, next(iter(cells)))
    assert problem.remedy and "第一网格" in problem.words() and "{" not in problem.words()


def test_an_id_number_stored_as_a_number_is_refused_and_never_kept(tmp_path: Path) -> None:
    row = read_one(tmp_path, 身份证号=360102193909095680)
    assert "id_number" not in row.person
    assert "9095680" not in row.problems[0].words() and "360102********5680" in row.problems[0].words()


def test_a_restricted_category_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    (problem,) = read_one(tmp_path, 关爱类别="吸毒人员").problems
    assert "吸毒" not in problem.words() and problem.value == "***"


@pytest.mark.parametrize(
    ("cells", "field", "value"),
    [
        ({"身份证号": "１１０１０５１９４９１２３１００２ｘ", "姓名": "李四"}, "id_number", "11010519491231002X"),
        ({"身份证号": "'" + id_number("1980-01-03")}, "id_number", id_number("1980-01-03")),
        ({"身份证号": 110105491231002.0}, "id_number", "11010519491231002X"),
        ({"身份证号": None, "出生日期": 19800103}, "birth_on", "1980-01-03"),
        ({"身份证号": None, "出生日期": 29223.0}, "birth_on", "1980-01-03"),
        ({"出生日期": "1980.1.3"}, "birth_on", "1980-01-03"),
        ({"联系电话": 13800000000}, "phones", "13800000000"),
        ({"联系电话": "13812345678；010-65431234"}, "phones", "13812345678;010-65431234"),
        ({"姓名": "张 三"}, "name", "张三"),
        ({"姓名": "阿依古丽•买买提"}, "name", "阿依古丽·买买提"),
        ({"姓名": "𬭚𠀀"}, "name", "𬭚𠀀"),
        ({"迁出日期": "是，2026年1月2日"}, "moved_out_on", "2026-01-02"),
        ({"死亡日期": "2026/01/02"}, "died_on", "2026-01-02"),
        ({"证件类型": "护照", "身份证号": "e1234567"}, "id_number", "E1234567"),
    ],
)
def test_what_people_type_is_understood(tmp_path: Path, cells: dict[str, Any], field: str, value: str) -> None:
    row = read_one(tmp_path, **cells)
    assert row.problems == () and row.person[field] == value


@pytest.mark.parametrize("blank", ["", "无", "/", "—", "  "])
def test_blank_cells_say_nothing(tmp_path: Path, blank: str) -> None:
    row = read_one(tmp_path, 联系电话=blank, 户籍地址=blank, 迁出日期=blank, 关爱类别=blank, 民族=blank)
    assert row.problems == ()
    assert not {"phones", "registered_address", "moved_out_on", "ethnic"} & row.person.keys() and row.care == ()


def test_a_house_without_rooms_may_say_so(tmp_path: Path) -> None:
    row = read_one(tmp_path, 房号="无", 楼号="无")
    assert row.problems == () and row.address == Address("幸福里", "", "1", "")


def test_newborns_are_known_by_birth_date_and_the_reason_is_kept(tmp_path: Path) -> None:
    row = read_one(tmp_path, 身份证号=None, 出生日期="2026-11-01", 备注="新生儿，未落户")
    assert row.problems == () and row.person["id_unverified_reason"] == "新生儿，未落户"
    assert "id_kind" not in row.person


def test_headings_are_found_below_titles_beside_other_columns_and_in_other_words(tmp_path: Path) -> None:
    path = write_sheet(
        tmp_path / "a.xlsx",
        [
            ["和平社区居民花名册"],
            [None, "基本信息", None, None, "住址"],
            [
                "序号",
                "姓 名",
                "公民身份号码\n(必填)",
                "人员类型*",
                "Compound",
                "栋号",
                "室号",
                "与户主的关系：",
                "爱好",
            ],
            [1, "张三", id_number(), "流动人口", "幸福里", "1栋", "101室", "本人", "下棋"],
            [None] * 9,
            ["合计", 1],
        ],
    )
    sheet = read_register(path)
    assert [(r.row, r.person["name"], r.address) for r in sheet.rows] == [
        (4, "张三", Address("幸福里", "1", "", "101"))
    ]
    assert sheet.unknown == ["序号", "爱好"] and sheet.problems == []


def test_cells_merged_over_a_household_count_for_each_of_its_rows(tmp_path: Path) -> None:
    heads = ["小区", "楼号", "房号", "姓名", "身份证号", "人口类型", "与户主关系"]
    rows = [
        heads,
        ["幸福里", "1", "101", "张三", id_number(sequence=1), "户籍", "户主"],
        [None, None, None, "李四", id_number(sequence=2), "户籍", "妻"],
        ["同上", "同上", "102", "王五", id_number(sequence=3), "户籍", "户主"],
        [None, "1", "103", "赵六", id_number(sequence=5), "户籍", "户主"],
    ]
    merged = [(1, column, 2, column, text) for column, text in enumerate(("幸福里", "1", "101"))]
    sheet = read_register(write_sheet(tmp_path / "m.xlsx", rows, merged))
    assert [r.address.text for r in sheet.rows[:3]] == ["幸福里1号楼101室", "幸福里1号楼101室", "幸福里1号楼102室"]
    assert [codes_of(r) for r in sheet.rows] == [[], [], [], ["compound.missing"]]  # an empty cell is not guessed


def test_several_sheets_are_read_and_others_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for number, name in enumerate(("一网格", "二网格")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, list(GOOD))
            sheet.write_row(1, 0, list({**GOOD, "身份证号": id_number(sequence=number * 2 + 1)}.values()))
        book.add_worksheet("说明").write(0, 0, "填写说明")
        book.add_worksheet("通讯录").write_row(0, 0, ["姓名", "电话", "性别"])
    sheet_ = read_register(path)
    assert sheet_.sheets == ["一网格", "二网格"] and len(sheet_.rows) == 2
    assert [skipped.params["sheet"] for skipped in sheet_.skipped] == ["通讯录"]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([["社区", "户数"], ["和平", 300]], "register.no_headings"),
        ([list(GOOD)], "register.empty"),
        ([["姓名", "性别", "电话"], ["张三", "男", "13812345678"]], "register.no_column"),
    ],
)
def test_a_file_that_is_no_register_is_refused(tmp_path: Path, rows: list[list[Any]], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_register(write_sheet(tmp_path / "x.xlsx", rows))
    assert refused.value.code == code and refused.value.remedy


def test_a_csv_with_an_id_number_that_the_program_shortened_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([list(GOOD), list({**GOOD, "身份证号": "9.90101E+17", "姓名": "㛃䶮"}.values())])
    (row,) = read_register(path).rows
    assert codes_of(row) == ["id_number.number"] and row.person["name"] == "㛃䶮"


def test_the_template_has_the_offices_columns_lists_and_text_cells(tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    write_register(path, ())
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    headings = [str(cell.value).rstrip("*") for cell in sheet[2]]
    assert headings == [column.zh for column in register_columns()] and len(headings) == 25
    assert sheet.freeze_panes == "B4" and "说明" in book.sheetnames
    assert sheet.column_dimensions["C"].width > 18
    lists = {str(rule.sqref).split(":")[0]: rule.formula1 for rule in sheet.data_validations.dataValidation}
    source = book["选项"]
    column = lists["N4"].split("!$")[1][0]
    offered = [cell.value for cell in source[column] if cell.value]
    assert offered == [code.zh for code in codes.table("family_relation")]
    assert source.sheet_state == "hidden"
    written = tmp_path / "one.xlsx"
    write_register(written, [["0张", "", id_number()]])
    cell = openpyxl.load_workbook(written).worksheets[0]["C4"]
    assert (cell.value, cell.number_format, cell.data_type) == (id_number(), "@", "s")


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    write_register(path, [["=1+1", "", "+86", "@SUM(A1)", "http://a.example"]])
    cells = openpyxl.load_workbook(path).worksheets[0][4]
    assert [cell.value for cell in cells[:5]] == ["=1+1", None, "+86", "@SUM(A1)", "http://a.example"]
    assert {cell.data_type for cell in cells[:5] if cell.value} == {"s"}


_names = st.text(st.sampled_from("张王李䶮㛃㸆𬭚𪣻𫗧𠀀伟芳"), min_size=2, max_size=4)
_births = st.dates(min_value=date(1930, 1, 1), max_value=date(2026, 1, 1))


@st.composite
def register_lines(draw: st.DrawFn) -> dict[str, str]:
    born, sequence = draw(_births).isoformat(), draw(st.integers(1, 999))

    def zh(table: str) -> str:
        return draw(st.sampled_from([code.zh for code in codes.table(table)]))

    return {
        "name": draw(_names), "id_kind": "居民身份证", "id_number": id_number(born, sequence),
        "sex": "男" if sequence % 2 else "女", "birth_on": born, "phones": draw(st.sampled_from(["", "13812345678"])),
        "compound": "幸福里", "building": "1号楼", "unit": draw(st.sampled_from(["", "1单元"])),
        "room": str(draw(st.integers(101, 3304))), "population_type": zh("population_type"),
        "relation": zh("family_relation"), "ethnic": zh("ethnic"), "political": zh("political"), "marital": zh("marital"),
        "education": zh("education"), "care": "，".join({zh("care_group"), zh("care_group")}),
        "moved_out_on": draw(st.sampled_from(["", "2026-01-02"])),
    }  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(register_lines(), min_size=1, max_size=4))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, lines: list[dict[str, str]]) -> None:
    path = tmp_path_factory.mktemp("r") / "r.xlsx"
    write_register(path, [[line.get(field, "") for field in FIELDS] for line in lines])
    sheet = read_register(path)
    assert sheet.problems == [] and len(sheet.rows) == len(lines)
    for row, line in zip(sheet.rows, lines, strict=True):
        for field in ("name", "id_number", "birth_on"):
            assert row.person[field] == line[field]
        for field, table in (("relation", "family_relation"), ("ethnic", "ethnic"), ("education", "education")):
            assert codes.table(table).rows[row.person[field]].zh == line[field]
        assert "，".join(codes.table("care_group").rows[code].zh for code in row.care) == line["care"]


def _messy(tmp_path: Path) -> tuple[Path, RegisterSheet]:
    path = write_sheet(
        tmp_path / "messy.xlsx",
        [
            ["某社区花名册"],
            ["序号", "姓 名", "身份证号码(必填)", "性别", "出生年月日", "小区", "楼栋", "室号", "与户主的关系", "人员类型", "联系方式", "关爱类别"],
            [1, "张 三", 360102193909095680, "男", "1980.1.3", "幸福里", "1栋", "501室", "户主", "户籍", 13800000000, "刑满释放人员"],
            [2, "李四?", "110105194912310021", "男", "19491231", None, None, None, "妻", "户籍", "138000", "空巢,奇怪"],
            [3, "王五", None, "女", 43832, "同上", "同上", "503", "某关系", "外星"],
            [4, "赵六", "１１０１０５１９４９１２３１００２ｘ", "男", "1949-12-30", "幸福里", "1", "101", "女", "户籍"],
            [5, "钱七", id_number(), "男", "1980年1月3日", "幸福里", "1", "102", "户主", "户籍"],
        ],
        [(0, 0, 0, 11, "某社区花名册"), *((2, c, 3, c, t) for c, t in ((5, "幸福里"), (6, "1栋"), (7, "501室")))],
    )  # fmt: skip
    return path, read_register(path)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_list_of_errors_reads_as_agreed(tmp_path: Path, language: str) -> None:
    words.use(language)
    _, sheet = _messy(tmp_path)
    listed = "\n".join(problem.words() for problem in sheet.problems) + "\n"
    golden = GOLDEN / f"register_errors_{language}.txt"
    assert listed == golden.read_text(encoding="utf-8")


def test_the_copy_with_errors_says_why_in_the_row_marks_the_cells_and_keeps_the_rest(tmp_path: Path) -> None:
    source, sheet = _messy(tmp_path)
    target = tmp_path / "errors.xlsx"
    write_errors_copy(source, target, sheet.problems)
    before, after = openpyxl.load_workbook(source).active, openpyxl.load_workbook(target).active
    assert before is not None and after is not None
    assert [[c.value for c in row[:12]] for row in after.iter_rows()] == [
        [c.value for c in row] for row in before.iter_rows()
    ]
    assert {str(r) for r in after.merged_cells.ranges} == {str(r) for r in before.merged_cells.ranges}
    assert after["M2"].value == ERRORS_HEADING
    reasons = [after.cell(row, 13).value for row in range(3, 8)]
    assert [len(str(r).split("\n")) if r else 0 for r in reasons] == [2, 4, 2, 2, 0]
    assert "last digits are lost" in str(reasons[0])
    marked = {
        c.coordinate for row in after.iter_rows(min_row=3, max_col=12) for c in row if c.fill.fgColor.rgb == "FFFCE4E4"
    }
    assert marked == {"C3", "L3", "B4", "C4", "K4", "L4", "I5", "J5", "D6", "E6"}
    again = read_register(target)
    assert [p.code for p in again.problems] == [p.code for p in sheet.problems]
    second = tmp_path / "again.xlsx"
    write_errors_copy(target, second, again.problems)
    assert openpyxl.load_workbook(second).active.max_column == 13  # type: ignore[union-attr]


def test_a_corrected_copy_has_no_errors_left(tmp_path: Path) -> None:
    source, sheet = _messy(tmp_path)
    target = tmp_path / "errors.xlsx"
    write_errors_copy(source, target, sheet.problems)
    book = openpyxl.load_workbook(target)
    page = book.active
    assert page is not None
    for place, value in {
        "C3": id_number("1980-01-03", 11), "L3": "", "B4": "李四", "C4": "11010519491231002X", "D4": "女", "K4": "", "L4": "空巢",
        "I5": "女", "J5": "流动", "D6": "女", "E6": "1949-12-31",
    }.items():  # fmt: skip
        page[place] = value
    book.save(target)
    corrected = read_register(target)
    assert corrected.problems == [] and len(corrected.rows) == 5


def test_the_copy_never_replaces_the_offices_file(tmp_path: Path) -> None:
    source, sheet = _messy(tmp_path)
    before = source.read_bytes()
    with pytest.raises(Refusal) as refused:
        write_errors_copy(source, tmp_path / "." / "messy.xlsx", sheet.problems)
    assert refused.value.code == "register.copy_over_source" and source.read_bytes() == before


def test_a_registered_address_that_is_merged_or_as_above_is_everybodys(tmp_path: Path) -> None:
    heads = ["现住小区/建筑", "房号", "姓名", "公民身份号码", "人口类型", "与户主关系", "户籍地址"]
    rows: list[list[Any]] = [
        heads,
        ["幸福里", "101", "张三", id_number(sequence=1), "户籍", "户主", "和平路1号"],
        ["幸福里", "101", "李四", id_number(sequence=2), "户籍", "配偶", None],
        ["幸福里", "102", "王五", id_number(sequence=3), "户籍", "户主", "同上"],
    ]
    sheet = read_register(write_sheet(tmp_path / "m.xlsx", rows, [(1, 6, 2, 6, "和平路1号")]))
    assert [row.person["registered_address"] for row in sheet.rows] == ["和平路1号"] * 3


def test_a_formula_without_a_result_says_nothing_in_a_csv_file_too(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(
        "现住小区/建筑,房号,姓名,公民身份号码,人口类型,与户主关系,工作单位\n"
        f"幸福里,101,张三,{id_number(sequence=1)},户籍,户主,#N/A\n"
        f"幸福里,101,#REF!,{id_number(sequence=2)},户籍,配偶,\n",
        encoding="utf-8",
    )
    first, second = read_register(path).rows
    assert first.is_sound and "workplace" not in first.person
    assert codes_of(second) == ["name.missing"]

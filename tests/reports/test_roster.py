"""The household roster on paper (F01)."""

import csv
import re
from dataclasses import replace

import pytest

from gridman.domain import codes
from gridman.domain.printed_words import printed_word
from gridman.domain.sheets import PersonLine, RosterHousehold, RosterSheet
from gridman.kernel import words
from gridman.kernel.errors import Refusal
from gridman.kernel.paths import resource
from gridman.reports.roster import COMPACT, FULL, household_roster
from tests.reports import sheets
from tests.reports.paper import printed


@pytest.fixture(autouse=True)
def _chinese() -> None:
    words.use("zh_CN")


def _titles() -> list[str]:
    rows = csv.DictReader(resource("codes", "forms_ledgers.csv").read_text(encoding="utf-8-sig").splitlines())
    return [row["column_zh"] for row in rows if row["form_id"] == "F01"]


def test_columns_are_those_of_the_form_in_its_order() -> None:
    table = household_roster(sheets.roster(1), sheets.STAMP).blocks[0]
    assert [column.title for column in table.columns] == _titles()  # type: ignore[union-attr]


def test_every_page_has_the_header_row_its_number_and_the_batch() -> None:
    _, paper = printed(household_roster(sheets.roster(), sheets.STAMP))
    assert len(paper) > 3
    for page in range(len(paper)):
        text = paper.joined(page)
        assert all(title in text for title in _titles())
        assert f"第{page + 1}页共{len(paper)}页" in text
        assert "批号：B-20261123-0007" in text
        assert "住户花名册" in text


def test_every_person_is_on_the_page_of_the_household_and_no_household_is_split() -> None:
    sheet = sheets.roster(60)
    document = household_roster(sheet, sheets.STAMP, columns=("no", "household_no", "id_number"))
    _, paper = printed(document)
    pages = paper.texts()
    number = 0
    for household in sheet.households:
        (page,) = (n for n, text in enumerate(pages) if household.number in text)
        rows = set(re.findall(r"(?m)^(\d+)(?= |$)", pages[page]))
        for person in household.people:
            number += 1
            assert str(number) in rows
            assert person.id_number[-4:] in pages[page]
    assert len(pages) > 3


def test_numbers_are_masked_in_columns_and_in_remarks() -> None:
    sheet = sheets.roster()
    _, paper = printed(household_roster(sheet, sheets.STAMP))
    text = paper.joined()
    assert not re.search(r"990101\d{11}[\dX]", text)
    assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", text)
    for household in sheet.households:
        for person in household.people:
            assert f"990101********{person.id_number[-4:]}" in text


def test_an_unmasked_roster_says_so_in_footer_and_watermark() -> None:
    sheet = sheets.roster(2)
    document = household_roster(sheet, replace(sheets.STAMP, masked=False))
    _, paper = printed(document)
    assert sheet.households[0].people[0].id_number in paper.joined()
    assert "未脱敏" in paper.joined()
    assert "未脱敏" in document.watermark


def test_a_name_of_a_hundred_characters_is_printed_whole() -> None:
    person = PersonLine(name=sheets.LONG_NAME, relation="户主")
    household = RosterHousehold(number="H1", door="1-1-101", head_name="", people=(person,))
    sheet = RosterSheet(community="柳荫社区", grid_name="", grid_code="", households=(household,))
    for columns in (COMPACT, tuple(column for column in COMPACT if column != "head")):
        _, paper = printed(household_roster(sheet, sheets.STAMP, columns=columns))
        assert len(paper) == 1
        assert sheets.LONG_NAME in paper.joined()


def test_a_household_larger_than_a_page_goes_on_with_its_head_repeated() -> None:
    people = tuple(PersonLine(name=f"员{n:03d}") for n in range(90))
    household = RosterHousehold(number="H1", door="1-1-101", head_name="集体户主", people=people)
    sheet = replace(sheets.roster(5), households=(*sheets.roster(5).households, household))
    _, paper = printed(household_roster(sheet, sheets.STAMP))
    text = paper.joined()
    assert all(text.count(person.name) == 1 for person in people)
    pages = [n for n in range(len(paper)) if "集体户主" in paper.joined(n)]
    assert len(pages) > 2
    assert all("（续）" in paper.joined(n) for n in pages[1:])


def test_a_remark_longer_than_a_page_loses_nothing() -> None:
    remark = "".join(chr(0x4E00 + n) for n in range(2000))
    person = PersonLine(name="吴芳", remark=remark)
    household = RosterHousehold(number="H1", door="1-1-101", head_name="吴芳", people=(person,))
    sheet = replace(sheets.roster(3), households=(household,))
    _, paper = printed(household_roster(sheet, sheets.STAMP, columns=("no", "member", "remark", "id_number", "phone")))
    _, narrow = printed(household_roster(sheet, sheets.STAMP))
    assert len(narrow) > 1
    for printed_sheet in (paper, narrow):
        text = printed_sheet.joined()
        assert all(char in text for char in remark)


def test_an_empty_area_says_so() -> None:
    _, paper = printed(household_roster(replace(sheets.roster(1), households=()), sheets.STAMP))
    assert len(paper) == 1
    assert "本区域没有住户。" in paper.text(0)


def test_a_household_without_people_still_stands_on_the_roster() -> None:
    household = RosterHousehold(number="H77", door="9-9-909", head_name="")
    _, paper = printed(household_roster(replace(sheets.roster(1), households=(household,)), sheets.STAMP))
    assert "9-9-909" in paper.text(0)


def test_the_compact_roster_names_what_it_leaves_out() -> None:
    document = household_roster(sheets.roster(3), sheets.STAMP, columns=COMPACT)
    _, paper = printed(document)
    assert "本表不含：户号；民族；文化程度" in paper.joined()
    assert len(document.blocks[0].columns) == len(COMPACT)  # type: ignore[union-attr]


def test_registered_addresses_are_masked_on_request() -> None:
    sheet = sheets.roster(10)
    assert "501室" in printed(household_roster(sheet, sheets.STAMP))[1].joined()
    masked = printed(household_roster(sheet, sheets.STAMP, masks_addresses=True))[1].joined()
    assert "501室" not in masked and "3号楼***" in masked


def test_an_unknown_column_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refusal) as refused:
        household_roster(sheets.roster(1), sheets.STAMP, columns=("no", "shoe_size"))
    assert refused.value.code == "roster.unknown_column"
    assert "shoe_size" in str(refused.value) and "household_no" in str(refused.value)


def test_codes_are_not_taken_for_identity_numbers() -> None:
    household = RosterHousehold(number="990101001001001", door="1-1-101", head_name="", people=(PersonLine(name="李"),))
    sheet = replace(sheets.roster(1), households=(household,))
    text = printed(household_roster(sheet, sheets.STAMP))[1].joined()
    assert text.count("990101001001001") == 2  # the grid's code above, the household's number in the table


def test_a_masked_roster_prints_birth_years_and_says_so_an_unmasked_one_days() -> None:
    sheet = sheets.roster(3)
    person = sheet.households[0].people[0]
    masked = printed(household_roster(sheet, sheets.STAMP))[1].joined()
    assert person.born_on[:4] in masked and person.born_on[:7] not in masked
    assert "本表不含：出生月日（只印出生年份）" in masked
    whole = printed(household_roster(sheet, replace(sheets.STAMP, masked=False)))[1].joined()
    assert person.born_on in whole
    assert "出生月日（只印出生年份）" not in whole


def _in_english() -> RosterSheet:
    """Every short word of every printed code table, and the longest names, on one roster."""
    words.use("en")
    tables = {
        "relation": "family_relation", "sex": "sex", "education": "education", "political_status": "political",
        "marital_status": "marital", "residence_state": "household_match", "ethnic_group": "ethnic",
    }  # fmt: skip
    columns = {field: [printed_word(table, row.code) for row in codes.table(table)] for field, table in tables.items()}
    care = [printed_word("care_group", row.code) for row in codes.table("care_group")]
    people = tuple(
        PersonLine(
            name="张三丰",
            born_on="1988-09-03",
            id_number="990101198809030018",
            registered_address="云岭省清河市东山县179号",
            workplace="清江中学",
            phones=("15412345678",),
            care=(care[n % len(care)],),
            **{field: wordings[n % len(wordings)] for field, wordings in columns.items()},
        )
        for n in range(max(map(len, columns.values())))
    )
    households = tuple(
        RosterHousehold(number="004001-1-05489", door="幸福苑1-1-101", head_name="张三丰", people=people[n : n + 4])
        for n in range(0, len(people), 4)
    )
    return replace(sheets.roster(1), households=households)


@pytest.mark.parametrize("columns", [FULL, (*COMPACT, "code")], ids=["full", "compact"])
def test_no_english_word_is_cut_and_none_is_too_small_to_read(columns: tuple[str, ...]) -> None:
    sheet = _in_english()
    (table, _) = household_roster(sheet, sheets.STAMP, columns=columns).blocks
    _, paper = printed(household_roster(sheet, sheets.STAMP, columns=columns))
    printed_words = set(" ".join(paper.texts()).split())
    wanted = {
        part
        for group in table.groups  # type: ignore[union-attr]
        for row in group.rows
        for text, column in zip(row, table.columns, strict=True)  # type: ignore[union-attr]
        if not column.is_code
        for word in text.split()
        for part in re.findall(r"[A-Za-z']{4,}", word)
    }
    assert len(wanted) > 40
    missing = sorted(word for word in wanted if not any(word in found for found in printed_words))
    assert not missing
    heights = [box[3] - box[1] for page in range(len(paper)) for char, box in paper.boxes(page) if char in "MFH"]
    assert min(heights) > 3.0  # capitals of 7.5 points at 64 % are 3.5 high


def test_every_short_word_is_of_a_code_that_exists_and_shorter() -> None:
    for row in csv.DictReader(resource("codes", "printed_words.csv").read_text(encoding="utf-8").splitlines()):
        whole = codes.table(row["table"]).get(row["code"])
        assert whole is not None, row
        assert row["short_zh"] or row["short_en"], row
        assert not row["short_zh"] or len(row["short_zh"]) <= max(4, len(whole.zh)), row

"""Code tables and the words offices use for them."""

import csv

import pytest

from gridman.domain import codes
from gridman.kernel import words
from gridman.kernel.paths import resource


@pytest.mark.parametrize(
    ("table", "typed", "code"),
    [
        ("sex", "男", "1"),
        ("sex", "1", "1"),
        ("sex", "Female", "2"),
        ("ethnic", "汉", "01"),
        ("ethnic", "汉族", "01"),
        ("marital", "离异", "40"),
        ("political", "党员", "01"),
        ("political", "群众", "13"),
        ("education", "大专", "31"),
        ("education", "无", "90"),
        ("family_relation", "爱人", "10"),
        ("family_relation", "女", "30"),
        ("family_relation", "户主", "02"),
        ("population_type", "户籍", "01"),
        ("care_group", "残疾", "V12"),
        ("care_group", "新就业群体(骑手、快递)", "V25"),
        ("id_document", "身份证", "111"),
    ],
)
def test_offices_words_are_understood(table: str, typed: str, code: str) -> None:
    assert codes.table(table).read(typed) == code


def test_unknown_words_are_not_guessed() -> None:
    assert codes.table("ethnic").read("火星族") is None
    assert codes.table("sex").read("") is None


def test_restricted_care_groups_are_not_in_the_table() -> None:
    assert not any(code.code.startswith("K") for code in codes.table("care_group"))
    assert codes.table("care_group").read("社区矫正对象") is None


def test_every_alias_names_a_code_and_says_nothing_else_twice() -> None:
    with resource("codes", "aliases.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    pairs = [(line["table"], line["alias"]) for line in lines]
    assert len(pairs) == len(set(pairs))
    from gridman.exchange.register_columns import FIELDS

    for line in lines:
        known = FIELDS if line["table"] == "register_column" else codes.table(line["table"])
        assert line["code"] in known, line
        if line["table"] != "register_column":
            named = next((c.code for c in codes.table(line["table"]) if line["alias"] == c.zh), line["code"])
            assert named == line["code"], line


def test_words_follow_the_language_in_use() -> None:
    assert codes.word("sex", "2") == "Female"
    words.use("zh_CN")
    assert codes.word("sex", "2") == "女性"
    assert codes.word("sex", "7") == "7"
    assert codes.word("sex", None) == ""

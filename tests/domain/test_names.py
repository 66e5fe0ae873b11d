"""Names keep every character and lose what typing adds."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridman.domain.names import name_problem, tidy_name


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("张 三", "张三"),
        ("张　三丰", "张三丰"),
        ("  张三\n", "张三"),
        ("\ufeff王五\u200b", "王五"),
        ("欧阳 娜", "欧阳娜"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("阿依古丽・买买提", "阿依古丽·买买提"),
        ("阿依古丽．买买提", "阿依古丽·买买提"),
        ("阿依古丽.买买提", "阿依古丽·买买提"),
        ("阿依古丽 · 买买提", "阿依古丽·买买提"),
        ("阿依古丽 买买提", "阿依古丽·买买提"),
        ("John  Smith", "John Smith"),
        ("J. Smith", "J. Smith"),
    ],
)
def test_what_typing_adds_is_taken_away(typed: str, kept: str) -> None:
    assert tidy_name(typed) == kept


@pytest.mark.parametrize("name", ["䶮", "㛃㸆", "𬭚𪣻𫗧", "𠀀", "\uf9d1", "\ue123王", "葛\U000e0100城", "\U00031350"])
def test_rare_characters_stay_byte_for_byte(name: str) -> None:
    assert tidy_name(name) == name
    assert name_problem(name) is None


def test_a_compatibility_ideograph_is_not_rewritten_though_unicode_would() -> None:
    assert unicodedata.normalize("NFC", "\uf9d1") != "\uf9d1"
    assert tidy_name("\uf9d1") == "\uf9d1"


@given(st.text(max_size=120))
def test_tidying_twice_changes_nothing(text: str) -> None:
    assert tidy_name(tidy_name(text)) == tidy_name(text)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "empty"),
        ("张" * 100, None),
        ("张" * 101, "long"),
        ("张?", "lost"),
        ("王□", "lost"),
        ("李*", "lost"),
        ("张三2", "digits"),
        ("13812345678", "digits"),
        ("——", "characters"),
        ("张\x07三", "characters"),
        ("阿卜杜热合曼·阿布都克里木·买买提吐尔逊·艾合麦提尼亚孜·吐尔地阿吉", None),
    ],
)
def test_what_is_no_name_is_told_apart(name: str, problem: str | None) -> None:
    assert name_problem(name) == problem

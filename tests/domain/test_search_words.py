"""Whatever a person reasonably types must find the resident: the query's terms are prefixes of the indexed ones."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridman.domain.search_words import MAX_TERM, address_terms, person_terms, plain_words, query_terms, word_terms


def finds(query: str, terms: list[str]) -> bool:
    asked = query_terms(query)
    return bool(asked) and all(any(term.startswith(one) for term in terms) for one in asked)


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        (
            "张三丰",
            ["张", "张三丰", "三丰", "丰", "zhangsf", "zsf", "zhangsanfeng", "sanfeng", "sf", "张 三", "ZSF", "ｚｓｆ"],
        ),
        ("单田芳", ["stf", "shantianfang", "dtf"]),
        ("曾国强", ["zgq", "zengguo", "cgq"]),
        ("万俟雪", ["mqx", "moqixue"]),
        ("欧阳娜", ["oyn", "ouyang", "yangna"]),
        ("吕乐", ["lv", "lu", "lü", "lǚ", "lvle", "lvyue", "ly", "ll"]),
        ("覃一", ["qinyi", "tanyi"]),
        ("阿依古丽·买买提", ["阿依古丽·买买提", "阿依古丽买买提", "阿依古丽•买买提", "买买提", "ayglmmt"]),
        ("𬭚㛃", ["𬭚㛃", "㛃"]),
        ("王\U00031350\ue123", ["王\U00031350", "\ue123"]),
        ("John O'Brien", ["john", "obrien", "O'Brien John"]),
        ("张　三", ["张三", "三", "张 三"]),
    ],
)
def test_a_name_is_found_however_it_is_typed(name: str, queries: list[str]) -> None:
    terms = person_terms(name)
    missed = [query for query in queries if not finds(query, terms)]
    assert not missed


@pytest.mark.parametrize("query", ["王", "zsg", "ang", "三张", "hang"])
def test_a_name_is_not_found_by_what_it_does_not_begin_with(query: str) -> None:
    assert not finds(query, person_terms("张三丰"))


@pytest.mark.parametrize(
    "query", ["13812345678", "138123", "12345678", "5678", "010-65431234", "65431234", "１３８１２３４"]
)
def test_phones_are_found_whole_from_the_front_and_by_their_tails(query: str) -> None:
    assert finds(query, person_terms("王五", None, "13812345678;010-65431234"))


@pytest.mark.parametrize("query", ["11010519491231002X", "19491231", "31002x", "002X", "1101051949"])
def test_an_id_number_is_found_by_its_front_birth_date_and_tails(query: str) -> None:
    assert finds(query, person_terms("王五", "11010519491231002X", None))


@pytest.mark.parametrize(
    "query",
    [
        "阳光",
        "花园",
        "yghy",
        "yangguang",
        "12栋",
        "12号楼3单元",
        "12幢3单元501",
        "12-3-501",
        "3-501",
        "501",
        "3单元501室",
        "阳光花园 501",
    ],
)
def test_an_address_is_found_from_each_of_its_borders(query: str) -> None:
    assert finds(query, address_terms("阳光花园12号楼3单元501室"))


def test_the_short_door_does_not_begin_in_the_middle_of_a_number() -> None:
    assert not finds("2-3-501", address_terms("阳光花园12号楼3单元501室"))


def test_a_name_is_not_an_address() -> None:
    assert not finds("zhangsan", address_terms("阳光花园12号楼3单元501室"))


def test_empty_texts_have_no_terms() -> None:
    assert person_terms("") == address_terms(None) == word_terms("") == query_terms(" ·- ") == []


@given(st.text(max_size=60))
def test_terms_are_words_of_the_index_and_bounded(text: str) -> None:
    for term in [*person_terms(text), *address_terms(text), *query_terms(text)]:
        assert 0 < len(term) <= MAX_TERM
        assert not any(c.isspace() or c in "\"'*():^" for c in term)


@given(st.text(max_size=60))
def test_making_words_plain_twice_changes_nothing(text: str) -> None:
    once = plain_words(text)
    assert [word for one in once for word in plain_words(one)] == once


@given(st.text(alphabet="张王李买提古丽阿依𬭚㛃䶮·", min_size=1, max_size=20))
def test_every_suffix_of_a_name_finds_it(name: str) -> None:
    terms = person_terms(name)
    for start in range(len(name)):
        assert finds(name[start:], terms) or not query_terms(name[start:])


def test_a_street_of_names_is_indexed_in_seconds() -> None:
    surnames, given_names = "王李张刘陈杨黄赵吴周", "伟芳娜敏静丽强磊军洋乐行重长中和"
    names = [s + a + b for s in surnames for a in given_names for b in given_names]
    started = time.process_time()
    for number in range(10_000):
        person_terms(names[number % len(names)], f"99010119900307{number:04d}", f"138{number:08d}")
    assert time.process_time() - started < 3.0  # 0.2 s on an idle machine; the reading tables take most of it

"""What may be written into a record: one check for forms, imports and pushed work."""

import pytest

from gridman.domain.building import Building
from gridman.domain.fields import Synced
from gridman.domain.household import Household
from gridman.domain.id_number import check_character
from gridman.domain.incident import Incident
from gridman.domain.person import Person
from gridman.domain.rules import check, tidy
from gridman.domain.visit import Visit


@pytest.mark.parametrize(
    "number", ["13800990101", "010-12345678", "0571-87654321-12", "62345678", "12345", "110", "95588", "4001234567"]
)
def test_numbers_that_can_be_dialled_are_taken(number: str) -> None:
    assert check(Incident, {"reporter_phone": number}, is_new=False) == {}


@pytest.mark.parametrize("number", ["123", "110", "12345", "95588", "13800990101;120"])
@pytest.mark.parametrize("cls", [Person, Household])
def test_nobody_lives_at_a_service_line(cls: type[Synced], number: str) -> None:
    assert check(cls, {"phones": number}, is_new=False)["phones"].code == "field.phone"


@pytest.mark.parametrize(("name", "day"), [("birth_on", "2030-01-01"), ("died_on", "2026-11-24")])
def test_nobody_is_born_or_dies_tomorrow(name: str, day: str) -> None:
    assert check(Person, {name: day}, is_new=False, today="2026-11-23")[name].code == "field.future"
    assert check(Person, {name: "2026-11-23"}, is_new=False, today="2026-11-23") == {}


def test_the_birth_date_within_an_id_number_does_not_lie_ahead() -> None:
    first = "99010120300101001"
    whole = {"id_number": first + check_character(first)}
    assert check(Person, whole, is_new=False, today="2026-11-23")["id_number"].code == "id_number.future"


@pytest.mark.parametrize("number", ["139", "1380099010", "138009901011", "abc", "12", "0571"])
def test_a_number_that_cannot_be_dialled_is_named(number: str) -> None:
    assert check(Household, {"phones": number}, is_new=False)["phones"].code == "field.phone"


def test_values_are_tidied_but_names_keep_every_character() -> None:
    kept = tidy(
        Person,
        {
            "name": " 郎凉 ",
            "id_number": "１１０１０５１９４９１２３１００２ｘ",
            "phones": "１３８００９９０１０１、 010-12345678",
            "remark": " ",
        },
    )
    assert kept == {
        "name": "郎凉",
        "id_number": "11010519491231002X",
        "phones": "13800990101;010-12345678",
        "remark": None,
    }


def test_a_new_record_names_what_is_missing_and_an_edit_only_what_it_changes() -> None:
    assert set(check(Person, {}, is_new=True)) == {"name", "relation", "population_type"}
    assert check(Person, {"workplace": "x"}, is_new=False) == {}
    assert check(Person, {"name": None}, is_new=False)["name"].code == "field.required"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"outcome": "9"}, "field.code"),
        ({"needs": "a;z"}, "field.code"),
        ({"visited_at": "today"}, "field.number"),
        ({"visited_at": ""}, "field.number"),
        ({"visited_at": 1 << 60}, "field.instant"),
        ({"outcome": ["1"]}, "field.code"),
        ({"needs": ["1"]}, "field.type"),
        ({"note": "x" * 2_001}, "field.too_long"),
        ({"note": "a\x07b"}, "field.characters"),
    ],
)
def test_a_wrong_value_has_a_stable_code(values: dict[str, object], code: str) -> None:
    assert [p.code for p in check(Visit, values, is_new=False).values()] == [code]


@pytest.mark.parametrize("day", ["2026-02-30", "20261123", "2026-1-1", "x"])
def test_a_day_must_be_in_the_calendar(day: str) -> None:
    assert check(Person, {"birth_on": day}, is_new=False)["birth_on"].code == "field.day"


def test_values_of_the_wrong_type_are_told_of_whatever_other_rules_would_make_of_them() -> None:
    for odd in (["111"], {"a": 1}, 7, 1.5, float("inf"), b"x", True):
        values = {
            "id_number": odd,
            "id_kind": odd,
            "birth_on": odd,
            "phones": odd,
            "sex": odd,
            "id_unverified_reason": odd,
        }
        assert check(Person, values, is_new=False, today="2026-11-23").keys() >= {
            "id_number",
            "phones",
            "sex",
            "birth_on",
        }
        assert check(Building, {"lng": float("inf"), "number": odd}, is_new=False)["lng"].code == "field.measure"


@pytest.mark.parametrize("day", ["2026-W48-1", "2026-11-31", "20261123", 20261123, "2026-11-23 "])
def test_a_day_is_written_in_one_way(day: object) -> None:
    assert check(Person, {"birth_on": day}, is_new=False)["birth_on"].code == "field.day"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("138 1234 5678", "13812345678"),
        ("+86 138-1234-5678", "13812345678"),
        ("010-65431234转801", "010-65431234-801"),
        ("（010）65431234、13812345678", "010-65431234;13812345678"),
        ("01065431234 13812345678", "01065431234;13812345678"),
        ("12345", "12345"),
        ("138 12", "138;12"),
    ],
)
def test_telephone_numbers_are_kept_however_they_are_typed(typed: str, kept: str) -> None:
    assert tidy(Person, {"phones": typed}) == {"phones": kept}

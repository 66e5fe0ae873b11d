"""The demonstration's people: plausible, fictional, the same for the same seed, and read by the importer like anyone's file."""

from collections import Counter
from pathlib import Path

import pytest

from gridman.demo.naming import LONG_NAME
from gridman.demo.people import COUNTY, DemoCounts, Door, demo_rows, write_demo_register
from gridman.domain.id_number import IdNumber, read_id_number
from gridman.domain.names import name_problem, tidy_name
from gridman.exchange.register_columns import FIELDS
from gridman.exchange.register_sheet import read_register

TODAY = "2026-11-23"
DOORS = [
    Door(
        f"990101001001{1 + n // 400:03d}",
        f"幸福里{n // 400}区",
        f"{n // 100 % 4 + 1}号楼",
        n // 50 % 2 + 1,
        n // 5 % 10 + 1,
        n % 5 + 1,
    )
    for n in range(4_000)
]


@pytest.fixture(scope="module")
def made() -> tuple[list[dict[str, str]], DemoCounts]:
    counts = DemoCounts()
    rows = [dict(zip(FIELDS, row, strict=True)) for row in demo_rows(DOORS, 7, TODAY, counts, is_untidy=False)]
    return rows, counts


def test_the_shares_are_those_of_a_street(made: tuple[list[dict[str, str]], DemoCounts]) -> None:
    _, counts = made
    people = counts.people
    assert counts.doors == 4_000 and 0.92 < counts.households / counts.doors < 0.96
    assert 2.7 < people / counts.households < 2.95
    for share, low, high in (
        (counts.floating, 0.27, 0.33), (counts.aged_60, 0.20, 0.24), (counts.alone_60, 0.02, 0.03),
        (counts.disabled, 0.018, 0.031), (counts.allowance, 0.006, 0.014), (counts.rare_names, 0.014, 0.026),
        (counts.overseas, 0.0005, 0.005), (counts.without_id, 0.001, 0.01),
    ):  # fmt: skip
        assert low < share / people < high


def test_every_number_is_fictional_valid_unique_and_fits_birth_and_sex(
    made: tuple[list[dict[str, str]], DemoCounts],
) -> None:
    rows, _ = made
    numbers = Counter(row["id_number"] for row in rows if row["id_number"])
    assert max(numbers.values()) == 1
    for row in rows:
        if row["id_kind"] == "居民身份证":
            read = read_id_number(row["id_number"])
            assert isinstance(read, IdNumber) and read.county == COUNTY
            assert (read.birth_on, read.sex) == (row["birth_on"], "1" if row["sex"] == "男" else "2")
        elif not row["id_number"]:
            assert row["remark"] and row["birth_on"] > "2025-11-01"
        assert row["birth_on"] <= TODAY


def test_families_hold_together(made: tuple[list[dict[str, str]], DemoCounts]) -> None:
    rows, _ = made
    homes: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        homes.setdefault(tuple(row[f] for f in ("compound", "building", "unit", "room")), []).append(row)
    sizes = Counter(len(home) for home in homes.values())
    assert set(sizes) <= set(range(1, 8)) and sizes[2] + sizes[3] > len(homes) * 0.4
    for home in homes.values():
        assert [row["relation"] for row in home].count("户主") == 1 and home[0]["relation"] == "户主"
        head = home[0]
        for row in home[1:]:
            years = int(row["birth_on"][:4]) - int(head["birth_on"][:4])
            if row["relation"] in ("子", "女"):
                assert 16 <= years <= 48
            elif row["relation"] in ("父亲", "母亲"):
                assert -38 <= years <= -19
            elif row["relation"] == "配偶":
                assert row["sex"] != head["sex"] and abs(years) <= 6
        assert len({row["registered_address"] for row in home}) == 1


def test_names_are_storable_and_some_of_them_hard(made: tuple[list[dict[str, str]], DemoCounts]) -> None:
    rows, _ = made
    names = [row["name"] for row in rows]
    assert all(name_problem(name) is None and tidy_name(name) == name for name in names)
    assert names.count(LONG_NAME) == 1 and len(LONG_NAME) > 30
    assert any(ord(c) > 0xFFFF for name in names for c in name)
    assert len(set(names)) > len(names) * 0.5


def test_the_same_seed_gives_the_same_people_and_another_gives_others() -> None:
    def rows(seed: int) -> list[list[str]]:
        return list(demo_rows(DOORS[:200], seed, TODAY, DemoCounts()))

    assert rows(7) == rows(7) != rows(8)


def test_untidy_cells_mean_the_same_to_the_importer(tmp_path: Path) -> None:
    doors = DOORS[:600]
    tidy, untidy = tmp_path / "tidy.xlsx", tmp_path / "untidy.xlsx"
    write_demo_register(doors, tidy, 7, TODAY, is_untidy=False)
    counts = write_demo_register(doors, untidy, 7, TODAY)
    assert counts.untidy_cells > counts.people * 0.2
    first, second = read_register(tidy), read_register(untidy)
    assert first.problems == second.problems == []
    assert len(second.rows) == counts.people
    for one, other in zip(first.rows, second.rows, strict=True):
        assert (one.person, one.address, one.care) == (other.person, other.address, other.care)

"""Fictional names: Chinese, stable, unlike each other, and nothing of the source's own names left."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from gridman.geo.demo import demo_names_path
from gridman.geo.features import MapData, is_carriageway
from gridman.geo.naming import NameBook, load_names, with_fictional_names
from gridman.kernel.errors import Refusal
from tests.geo.places import shipped_map


@pytest.fixture(scope="module")
def book() -> NameBook:
    return load_names(demo_names_path())


def test_every_street_has_a_chinese_name_and_no_source_name_is_left(book: NameBook) -> None:
    named = with_fictional_names(shipped_map(), book)
    streets = [road for road in named.of("road") if is_carriageway(road.kind)]
    assert len(streets) > 500
    assert all(re.fullmatch(r"[\u4e00-\u9fff]+(大道|路|街|巷|径)", road.name) for road in streets)
    source = {feature.name for feature in shipped_map().features if feature.name}
    assert not {feature.name for feature in named.features if feature.name} & source
    assert not any(key.startswith("addr:") for feature in named.features for key in feature.attrs)


def test_one_street_keeps_one_name_and_two_streets_have_two(book: NameBook) -> None:
    new = {road.key: road.name for road in with_fictional_names(shipped_map(), book).of("road")}
    pairs = {(old.name, new[old.key]) for old in shipped_map().of("road") if old.name}
    assert len({old for old, _new in pairs}) == len({new for _old, new in pairs}) == len(pairs) > 100


def test_names_do_not_depend_on_the_order_of_the_file(book: NameBook) -> None:
    turned = MapData(tuple(reversed(shipped_map().features)))
    one = {f.key: f.name for f in with_fictional_names(shipped_map(), book).features}
    other = {f.key: f.name for f in with_fictional_names(turned, book).features}
    assert one == other


def test_in_english_the_same_streets_are_spelled_out(book: NameBook) -> None:
    named = with_fictional_names(shipped_map(), book, "en")
    endings = {road.name.rstrip(" 0123456789").split(" ")[-1] for road in named.of("road") if road.name}
    assert endings == {"Avenue", "Road", "Street", "Lane", "Path"}


def test_three_hundred_compounds_have_three_hundred_names(book: NameBook) -> None:
    names = [book.compound(number) for number in range(300)]
    assert len({name.zh for name in names}) == len({name.en for name in names}) == 300
    assert all(one.zh[:2] != other.zh[:2] for one, other in pairwise(names))


def test_a_broken_name_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text("what,zh\nroad,建设\n", encoding="utf-8")
    for path in (tmp_path / "names.csv", tmp_path / "none.csv"):
        with pytest.raises(Refusal) as caught:
            load_names(path)
        assert caught.value.code == "names.damaged"

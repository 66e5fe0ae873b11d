"""Coordinates: the published offsets, their inverse to the millimetre, measures on the ground."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon, box

from gridman.geo.crs import (
    Coordinates,
    Plane,
    area_m2,
    convert,
    plane_of,
    to_mercator,
    to_wgs84,
)
from tests.geo.places import distance_m

# In the middle of the box that the offsets apply in, so that no offset crosses its edge.
CHINESE = st.tuples(st.floats(73.0, 136.0), st.floats(4.0, 54.0))
OFFSET: list[Coordinates] = ["gcj02", "bd09"]


@pytest.mark.parametrize(
    ("true", "offset"),
    [
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ],
)
def test_gcj02_is_the_published_offset(true: tuple[float, float], offset: tuple[float, float]) -> None:
    assert convert(np.array([true]), "wgs84", "gcj02")[0] == pytest.approx(offset, abs=1e-9)


@pytest.mark.parametrize("coordinates", OFFSET)
@given(place=CHINESE)
def test_there_and_back_is_the_same_place_to_two_millimetres(
    place: tuple[float, float], coordinates: Coordinates
) -> None:
    there = convert(np.array([place]), "wgs84", coordinates)
    back = convert(there, coordinates, "wgs84")
    assert distance_m(Point(place), Point(back[0])) < 0.002
    assert 50 < distance_m(Point(place), Point(there[0])) < 3000


@given(place=CHINESE)
def test_the_two_offset_systems_agree_with_each_other(place: tuple[float, float]) -> None:
    gcj = convert(np.array([place]), "wgs84", "gcj02")
    assert convert(gcj, "gcj02", "bd09") == pytest.approx(convert(np.array([place]), "wgs84", "bd09"), abs=2e-8)


@pytest.mark.parametrize("place", [(7.42, 43.73), (-0.1, 51.5), (139.7, 35.7), (151.2, -33.9)])
@pytest.mark.parametrize("coordinates", OFFSET)
def test_outside_china_nothing_moves(place: tuple[float, float], coordinates: Coordinates) -> None:
    points = np.array([place])
    assert convert(points, "wgs84", coordinates).tolist() == points.tolist()
    assert convert(points, coordinates, "wgs84").tolist() == points.tolist()


def test_a_geometry_is_moved_corner_by_corner_and_arrays_too() -> None:
    shape = Polygon(
        [(116.3, 39.9), (116.4, 39.9), (116.4, 40.0)], [[(116.37, 39.92), (116.38, 39.92), (116.38, 39.93)]]
    )
    moved = shapely.transform(shape, lambda points: convert(points, "wgs84", "gcj02"))
    assert not moved.equals_exact(shape, 1e-4)
    assert to_wgs84(moved, "gcj02").equals_exact(shape, 1e-8)
    one, nothing = to_wgs84(np.array([moved, None], dtype=object), "gcj02")
    assert nothing is None and one.equals_exact(shape, 1e-8)


def test_measures_on_the_ground_are_right_to_a_tenth_of_a_percent() -> None:
    # Lengths of a degree on WGS-84 (NIMA TR8350.2 series) at 0, 40 and 60 degrees.
    assert distance_m(Point(10, 40), Point(10.01, 40)) == pytest.approx(853.94, rel=1e-3)
    assert distance_m(Point(10, 0), Point(10.01, 0)) == pytest.approx(1113.195, rel=1e-3)
    assert distance_m(Point(10, 59.995), Point(10, 60.005)) == pytest.approx(1114.12, rel=1e-3)
    assert area_m2(box(10, 40, 10.01, 40.01)) == pytest.approx(853.87 * 1110.35, rel=1e-3)


@given(st.tuples(st.floats(-170, 170), st.floats(-70, 70)), st.tuples(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05)))
def test_a_plane_gives_back_what_it_was_given(origin: tuple[float, float], step: tuple[float, float]) -> None:
    plane = Plane(*origin)
    place = Point(origin[0] + step[0], origin[1] + step[1])
    assert plane.to_degrees(plane.to_metres(place)).distance(place) < 1e-12


def test_the_plane_of_nothing_still_measures() -> None:
    assert plane_of(Polygon()).scale[0] > 111_000


@pytest.mark.parametrize(
    ("place", "metres"),
    [((0, 0), (0, 0)), ((180, 85.05112878), (20037508.343, 20037508.343)), ((-90, -45), (-10018754.171, -5621521.486))],
)
def test_mercator_is_that_of_the_web_maps(place: tuple[float, float], metres: tuple[float, float]) -> None:
    # EPSG:3857: half the equator of a sphere of 6,378,137 m is the edge of the square.
    assert to_mercator(np.array([place]))[0] == pytest.approx(metres, abs=1e-3)

"""Reading maps: what offices have, and what goes wrong with it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyogrio.raw import write
from shapely.geometry import LineString, Point, Polygon, box

from gridman.geo.crs import convert
from gridman.geo.demo import demo_map_path
from gridman.geo.read import OSM_ATTRIBUTION, read_map
from gridman.kernel import words
from gridman.kernel.errors import Refusal
from tests.geo.places import distance_m, shipped_map

HOUSE = Polygon([(116.40, 39.90), (116.401, 39.90), (116.401, 39.901), (116.40, 39.901)])


def geojson(path: Path, *features: tuple[Any, dict[str, Any]]) -> Path:
    rows = [
        {"type": "Feature", "properties": tags, "geometry": json.loads(shapely.to_geojson(shape))}
        for shape, tags in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), encoding="utf-8")
    return path


def geopackage(path: Path, layer: str, shapes: list[Any], names: list[str], crs: str | None = "EPSG:4490") -> Path:
    kind = shapes[0].geom_type
    write(
        path,
        shapely.to_wkb(np.array(shapes)),
        [np.array(names, dtype=object)],
        ["名称"],
        layer=layer,
        crs=crs,
        geometry_type=kind,
    )
    return path


def refusal(path: Path, **kwargs: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_map(path, **kwargs)
    return caught.value


def test_an_openstreetmap_extract_becomes_typed_features() -> None:
    data = shipped_map()
    counts = {layer: len(list(data.of(layer))) for layer in ("road", "building", "green", "water", "rail", "boundary")}
    assert counts["road"] > 2500 and counts["building"] > 1300 and min(counts.values()) > 5
    assert data.attribution == OSM_ATTRIBUTION
    assert len({feature.key for feature in data.features}) == len(data.features)
    assert all(feature.geometry.is_valid for feature in data.features)


def test_tags_that_are_not_ours_to_keep_are_left_behind() -> None:
    kept = {key for feature in shipped_map().features for key in feature.attrs}
    assert "building:levels" in kept
    assert not {"phone", "website", "email", "opening_hours", "shop"} & kept


def test_the_sea_is_on_the_other_side_of_the_shore() -> None:
    (sea,) = (feature.geometry for feature in shipped_map().of("water") if feature.kind == "sea")
    assert sea.covers(Point(7.44, 43.73)) and sea.covers(Point(7.426, 43.7345)), "the open sea and the harbour"
    assert not sea.covers(Point(7.4205, 43.7385)) and not sea.covers(Point(7.4255, 43.7312)), "the town and the rock"


def test_reading_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    read_map(demo_map_path(), progress=lambda done, total, step="": told.append((done, total)))
    assert told == sorted(told) and told[-1][0] == told[-1][1]


def test_a_geopackage_with_chinese_layers(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "底图.gpkg", "道路", [LineString([(116.4, 39.9), (116.41, 39.9)])], ["建设路"])
    write(path, shapely.to_wkb(np.array([HOUSE])), [np.array(["1号楼"], dtype=object)], ["名称"], layer="建筑物",
          crs="EPSG:4490", geometry_type="Polygon", append=True)  # fmt: skip
    data = read_map(path)
    assert {(feature.layer, feature.name) for feature in data.features} == {("road", "建设路"), ("building", "1号楼")}
    assert {feature.key for feature in data.features} == {"道路/1", "建筑物/1"}


def test_offset_coordinates_are_brought_back(tmp_path: Path) -> None:
    shifted = shapely.transform(HOUSE, lambda points: convert(points, "wgs84", "bd09"))
    (house,) = read_map(geojson(tmp_path / "m.geojson", (shifted, {"building": "yes"})), "bd09").features
    assert distance_m(house.geometry.centroid, HOUSE.centroid) < 0.01
    (wrong,) = read_map(tmp_path / "m.geojson").features
    assert distance_m(wrong.geometry.centroid, HOUSE.centroid) > 500


def test_a_gauss_krueger_map_is_brought_to_degrees_and_said_so(tmp_path: Path) -> None:
    # EPSG:4548: CGCS2000, 3-degree zone on 117 E; 500 km false easting: its central meridian at 4 420 km north.
    path = geopackage(
        tmp_path / "m.gpkg", "buildings", [box(500_000, 4_420_000, 500_030, 4_420_020)], ["a"], crs="EPSG:4548"
    )
    data = read_map(path)
    west, south, east, north = data.bounds
    assert west == pytest.approx(117.0, abs=1e-7) and 39.9 < south < north < 40.0
    assert distance_m(Point(west, south), Point(east, south)) == pytest.approx(30, rel=2e-3)
    assert data.count("reprojected") == 1


def test_a_map_without_coordinate_system_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="crs"):
        path = geopackage(tmp_path / "m.gpkg", "houses", [HOUSE], ["a"], crs=None)
    problem = refusal(path)
    assert problem.code == "map.unknown_crs" and "houses" in problem.words() and "4490" in problem.words()


def test_metres_under_the_name_of_degrees_are_refused_by_feature(tmp_path: Path) -> None:
    path = geojson(
        tmp_path / "m.geojson", (box(500_000, 4_420_000, 500_030, 4_420_020), {"building": "yes", "name": "粮库"})
    )
    problem = refusal(path)
    assert problem.code == "map.not_degrees" and "粮库" in problem.words()


def test_one_corner_gone_astray_names_its_feature(tmp_path: Path) -> None:
    astray = Polygon([(116.4, 39.9), (116.401, 39.9), (1164.01, 39.901)])
    rows = [(HOUSE, {"building": "yes"})] * 4 + [(astray, {"building": "yes", "name": "东楼"})]
    problem = refusal(geojson(tmp_path / "m.geojson", *rows))
    assert problem.code == "map.bad_feature" and "东楼" in problem.words()


def test_latitude_first_is_turned_and_counted(tmp_path: Path) -> None:
    swapped = shapely.transform(HOUSE, lambda points: points[:, ::-1])
    data = read_map(geojson(tmp_path / "m.geojson", (swapped, {"building": "yes"})))
    assert data.features[0].geometry.equals(HOUSE) and data.count("swapped") == 1


def test_a_crossed_outline_is_mended_and_counted(tmp_path: Path) -> None:
    crossed = Polygon([(116.4, 39.9), (116.401, 39.901), (116.401, 39.9), (116.4, 39.901)])
    data = read_map(geojson(tmp_path / "m.geojson", (crossed, {"building": "yes", "name": "斜楼"})))
    assert data.features[0].geometry.is_valid and data.features[0].geometry.area > 0
    (note,) = (note for note in data.notes if note.code == "repaired")
    assert "斜楼" in note.words() and "1" in note.words()
    words.use("zh_CN")
    assert "修复" in note.words()


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    whole = demo_map_path().read_bytes()
    for length in (0, 100, 300_000):
        (tmp_path / "cut.osm.pbf").write_bytes(whole[:length])
        assert refusal(tmp_path / "cut.osm.pbf").code == "map.damaged"
    (tmp_path / "cut.geojson").write_text('{"type":"FeatureCollection","features":[{"type":', encoding="utf-8")
    assert refusal(tmp_path / "cut.geojson").code == "map.damaged"


def test_other_files_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.geojson").code == "map.not_found"
    (tmp_path / "plan.dwg").write_bytes(b"AC1015")
    assert refusal(tmp_path / "plan.dwg").code == "map.unknown_format"
    assert refusal(geojson(tmp_path / "nothing.geojson")).code == "map.empty"
    bench = geojson(tmp_path / "bench.geojson", (Point(116.4, 39.9), {"osm_id": "1", "amenity": "bench"}))
    assert refusal(bench).code == "map.empty"

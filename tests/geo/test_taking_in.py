"""What an import does to the base map that is there."""

from pathlib import Path

import shapely

from gridman.domain.building import MapFeature
from gridman.geo.features import MapData
from gridman.geo.features import MapFeature as Drawn
from gridman.intake import import_base_map
from tests.support.world import make_world


def road(name: str, north: float) -> Drawn:
    return Drawn("road", "residential", name, shapely.LineString([(114, north), (114.001, north)]))


def test_a_newer_base_map_replaces_the_old_one_and_an_empty_one_does_not(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    assert import_base_map(world.store, MapData([road("East", 30.0), road("West", 30.001)])).added == 2
    newer = import_base_map(world.store, MapData([road("East", 30.0), road("North", 30.002)]))
    assert (newer.added, newer.kept, newer.retired) == (1, 1, 1)
    # A file of boundaries alone, or of another place's plan, holds no base map: the one in use stays.
    empty = import_base_map(world.store, MapData([]))
    assert (empty.added, empty.retired) == (0, 0)
    with world.store.read() as reader:
        assert {f.name for f in reader.page(MapFeature)} == {"East", "North"}
    world.store.close()

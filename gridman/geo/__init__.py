"""Everything about places: coordinates, base maps, boundaries, tiles and the map page. Plain values in, plain values out."""

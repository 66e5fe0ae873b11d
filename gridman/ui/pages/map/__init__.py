"""The whole street on the map: grids, buildings, incidents; drawing grid boundaries."""

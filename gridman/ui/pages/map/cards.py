"""What stands beside the map: the building, grid or incident that was clicked."""

from dataclasses import dataclass, field
from typing import Any

from gridman.domain import codes
from gridman.domain.building import Building
from gridman.domain.grid import Grid
from gridman.domain.region import Region
from gridman.kernel.clock import show_instant
from gridman.kernel.words import _, listed
from gridman.services.households import HouseholdQuery, household_ids
from gridman.services.incidents import IncidentQuery, counts_by_state, incident_rows
from gridman.services.rosters import worker_of
from gridman.ui.mapview.symbols import state_word

__all__ = ["Facts", "read_facts"]


@dataclass(frozen=True)
class Facts:
    """A clicked record in words. `place`: its middle (lng, lat), when known."""

    kind: str
    record_id: int
    title: str
    lines: list[tuple[str, str]] = field(default_factory=list)
    place: tuple[float, float] | None = None


def read_facts(reader: Any, kind: str, record_id: int) -> Facts:
    """The facts of a building, grid or incident."""
    if kind == "building":
        return _building(reader, reader.get(Building, record_id))
    if kind == "grid":
        return _grid(reader, reader.get(Grid, record_id))
    return _incident(incident_rows(reader, [record_id])[0])


def _building(reader: Any, building: Building) -> Facts:
    number = f"{building.number}号楼" if (building.number or "").isdigit() else (building.number or "")
    grid = reader.find(Grid, building.grid_id)
    lines = [
        (_("Grid"), grid.name if grid else ""),
        (_("Road"), " ".join(part for part in (building.road, building.door_plate) if part)),
        (_("Units"), str(building.units or "")),
        (_("Floors"), str(building.floors or "")),
    ]
    place = (building.lng, building.lat) if building.lng is not None and building.lat is not None else None
    return Facts("building", building.id, f"{building.compound}{number}", lines, place)


def _grid(reader: Any, grid: Grid) -> Facts:
    import shapely

    community = reader.find(Region, grid.community_id)
    counts = counts_by_state(reader, IncidentQuery(grid_ids=(grid.id,)))
    households = len(household_ids(reader, HouseholdQuery(grid_ids=(grid.id,))))
    lines = [
        (_("Grid code"), grid.code),
        (_("Community"), community.name if community else ""),
        (_("Grid worker"), worker_of(reader, grid.id)),
        (_("Households here"), f"{households:,}" if households else ""),
        (_("Incidents"), listed(f"{state_word(state)} {n}" for state, n in counts.items())),
    ]
    middle = shapely.from_wkb(grid.shape).representative_point() if grid.shape else None
    return Facts("grid", grid.id, grid.name, lines, (middle.x, middle.y) if middle is not None else None)


def _incident(row: Any) -> Facts:
    lines = [
        (_("State"), state_word(row.state)),
        (_("Number"), row.number),
        (_("Place"), row.place),
        (_("Held by"), row.holder_name),
        (_("Reported at"), show_instant(row.reported_at)),
        (_("Due"), show_instant(row.due_at) if row.due_at else ""),
        (_("Description"), row.description),
    ]
    place = (row.lng, row.lat) if row.lng is not None else None
    return Facts("incident", row.id, codes.word("incident_category", row.category), lines, place)

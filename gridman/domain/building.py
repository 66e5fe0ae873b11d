"""Buildings (楼栋), dwellings (房屋) and the geometry of the base map."""

from sqlalchemy.orm import Mapped

from gridman.domain.fields import Kind, Merge, Privacy, Synced, column
from gridman.kernel.words import N_

__all__ = ["Building", "Dwelling", "MapFeature", "tidy_number"]


class Building(Synced):
    """A building with its outline; holds no personal data, so every desk of the street may have it."""

    __tablename__ = "building"

    community_id: Mapped[int] = column(N_("Community"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    grid_id: Mapped[int | None] = column(N_("Grid"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    compound: Mapped[str] = column(N_("Compound"), is_required=True)
    number: Mapped[str] = column(N_("Building"), hint=N_("12 or 12号楼"))
    road: Mapped[str | None] = column(N_("Road"))
    door_plate: Mapped[str | None] = column(N_("Door plate"))
    units: Mapped[int | None] = column(N_("Units"), Kind.NUMBER)
    floors: Mapped[int | None] = column(N_("Floors"), Kind.NUMBER)
    lng: Mapped[float | None] = column(N_("Longitude"), Kind.MEASURE, is_shown=False)
    lat: Mapped[float | None] = column(N_("Latitude"), Kind.MEASURE, is_shown=False)
    shape: Mapped[bytes | None] = column(N_("Outline"), Kind.SHAPE, is_shown=False)


class Dwelling(Synced):
    """A dwelling (room, flat) in a building."""

    __tablename__ = "dwelling"

    building_id: Mapped[int] = column(N_("Building"), Kind.REFERENCE, index=True, is_required=True)
    grid_id: Mapped[int | None] = column(N_("Grid"), Kind.REFERENCE, index=True, merge=Merge.STREET)
    unit: Mapped[str | None] = column(N_("Unit"))
    floor: Mapped[int | None] = column(N_("Floor"), Kind.NUMBER)
    room: Mapped[str] = column(N_("Room"), is_required=True)
    dwelling_type: Mapped[str | None] = column(N_("House type"), Kind.CODE, code_table="dwelling_type")
    rental_use: Mapped[str | None] = column(N_("Use"), Kind.CODE, code_table="dwelling_use")
    area_m2: Mapped[float | None] = column(N_("Area (m²)"), Kind.MEASURE)
    owner_name: Mapped[str | None] = column(N_("Owner"), Kind.NAME, privacy=Privacy.PERSONAL, max_length=100)


class MapFeature(Synced):
    """One piece of the base map: a road, a water or green surface. From the street's own map file, never from the internet."""

    __tablename__ = "map_feature"

    layer: Mapped[str] = column(N_("Layer"), merge=Merge.STREET)
    kind: Mapped[str | None] = column(N_("Kind"), merge=Merge.STREET)
    name: Mapped[str | None] = column(N_("Name"), merge=Merge.STREET)
    shape: Mapped[bytes | None] = column(N_("Shape"), Kind.SHAPE, merge=Merge.STREET)


def tidy_number(text: str) -> str:
    """A building or unit number without its counter word: "12号楼", "12栋", "12幢" -> "12"."""
    stripped = text.strip()
    for word in ("号楼", "号院", "单元", "栋", "幢", "座", "号", "楼"):
        if stripped.endswith(word) and len(stripped) > len(word):
            return stripped[: -len(word)].strip()
    return stripped

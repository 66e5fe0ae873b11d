"""What goes onto paper: plain values that services fill and reports lay out.

Codes are already words of the language in use; days are "YYYY-MM-DD" and instants milliseconds. Numbers and phones come
whole: whether they are masked is the stamp's word, and the report masks. An empty text prints as an empty cell, to be
written by hand.
"""

from dataclasses import dataclass

__all__ = [
    "HouseholdSheet",
    "IncidentSheet",
    "IncidentStep",
    "PersonLine",
    "Photo",
    "RosterHousehold",
    "RosterSheet",
    "SheetStamp",
    "VehicleLine",
    "VisitLine",
    "VisitSheet",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetStamp:
    """Who prints, when and why: on every page of every sheet, and in its watermark."""

    who: str
    organisation: str
    printed_at: int
    batch: str
    """Number of this print, unique within the street; the register remembers what it held."""
    purpose: str = ""
    device: str = ""
    masked: bool = True
    legal_basis: str = ""
    """Overrides the form's own line of duty and legal basis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    """One resident as a row of a roster or card."""

    name: str
    relation: str = ""
    sex: str = ""
    ethnic_group: str = ""
    born_on: str = ""
    id_number: str = ""
    education: str = ""
    political_status: str = ""
    marital_status: str = ""
    registered_address: str = ""
    residence_state: str = ""
    """Whether the person lives where registered (人户状态)."""
    workplace: str = ""
    phones: tuple[str, ...] = ()
    care: tuple[str, ...] = ()
    """Care categories; restricted categories are never put here."""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterHousehold:
    """One household of a roster; its people stay together on paper."""

    number: str
    door: str
    """Building-unit-room."""
    head_name: str
    people: tuple[PersonLine, ...] = ()
    token: str = ""
    """Opaque reference for the household's QR code; never personal data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterSheet:
    """The households of one area, in the order to print."""

    community: str
    grid_name: str
    grid_code: str
    worker: str = ""
    """The grid worker responsible."""
    households: tuple[RosterHousehold, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleLine:
    """A vehicle kept at a dwelling."""

    plate: str
    colour: str = ""
    brand: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLine:
    """One past visit on a household card."""

    on: str
    visitor: str = ""
    content: str = ""
    handling: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A picture (JPEG or PNG bytes) with its caption."""

    image: bytes
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdSheet:
    """Everything on one household's card (一户一档)."""

    file_no: str
    community: str = ""
    grid: str = ""
    compound: str = ""
    building: str = ""
    unit: str = ""
    room: str = ""
    house_type: str = ""
    use: str = ""
    area_m2: str = ""
    owner: str = ""
    head_name: str = ""
    head_phone: str = ""
    people: tuple[PersonLine, ...] = ()
    vehicles: tuple[VehicleLine, ...] = ()
    economy: str = ""
    needs: str = ""
    visits: tuple[VisitLine, ...] = ()
    token: str = ""
    """Opaque reference for the QR code; never personal data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentStep:
    """One step of an incident's way: who did what when."""

    organisation: str = ""
    person: str = ""
    at: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSheet:
    """Everything on one incident's slip."""

    number: str
    source: str = ""
    reporter: str = ""
    reporter_phone: str = ""
    reported_at: int | None = None
    grid: str = ""
    category: str = ""
    level: str = ""
    happened_at: int | None = None
    place: str = ""
    longitude_deg: float | None = None
    latitude_deg: float | None = None
    description: str = ""
    involved: str = ""
    """People and units concerned; numbers inside are masked."""
    photos: tuple[Photo, ...] = ()
    accepted: IncidentStep = IncidentStep()
    dispatched_to: str = ""
    deadline_at: int | None = None
    measures: str = ""
    handled: IncidentStep = IncidentStep()
    after_photos: tuple[Photo, ...] = ()
    verification: IncidentStep = IncidentStep()
    satisfaction: str = ""
    instruction: str = ""
    archive_no: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSheet:
    """Everything on one visit's record."""

    on: str
    started_at: int | None = None
    ended_at: int | None = None
    visitor: str = ""
    grid: str = ""
    household: str = ""
    person: str = ""
    address: str = ""
    way: str = ""
    kind: str = ""
    situation: str = ""
    needs: str = ""
    done: str = ""
    to_route: str = ""
    follow_up_on: str = ""
    unsigned_reason: str = ""
    photos: tuple[Photo, ...] = ()
    token: str = ""

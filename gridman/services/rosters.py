"""What goes onto paper: sheets filled from the register, with codes turned to words, and the note that something was printed."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeVar

from gridman.domain import access, codes
from gridman.domain.attachment import Attachment
from gridman.domain.building import Building, Dwelling
from gridman.domain.fields import Synced
from gridman.domain.grid import Assignment, Grid
from gridman.domain.household import Household
from gridman.domain.incident import Incident, IncidentStep
from gridman.domain.masking import mask_within
from gridman.domain.organisation import Organisation
from gridman.domain.person import CareTag, Person
from gridman.domain.printed_words import printed_word
from gridman.domain.region import Region
from gridman.domain.sheets import (
    HouseholdSheet,
    PersonLine,
    Photo,
    RosterHousehold,
    RosterSheet,
    SheetStamp,
    VehicleLine,
    VisitLine,
    VisitSheet,
)
from gridman.domain.sheets import IncidentSheet as Slip
from gridman.domain.sheets import IncidentStep as SlipStep
from gridman.domain.user import User
from gridman.domain.visit import Visit
from gridman.kernel.clock import day_of
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_, _
from gridman.services import audit
from gridman.services.access import organisation_for
from gridman.services.photos import Blobs
from gridman.services.settings import DEVICE_NAME
from gridman.store.accounts import device_of
from gridman.store.queries import households as query
from gridman.store.settings import get_setting
from gridman.store.unit import Reader, Unit

__all__ = [
    "household_sheet",
    "incident_sheet",
    "make_stamp",
    "next_batch",
    "roster_sheet",
    "stamp_preview",
    "visit_sheet",
]

_ALL = 100_000
_BY_TELEPHONE, _PREMISES = "10", "05"
"""Kinds of visit (code table visit_kind) that are not made at somebody's home."""
K = TypeVar("K", bound=Synced)


def next_batch(unit: Unit, report: str, purpose: str, rows: int) -> str:
    """The number of a new print, unique in the street (day, device, running number of the audit), and its line in the audit."""
    serial = audit.note(unit, "print", report=report, purpose=mask_within(purpose)[:100], rows=rows)
    return f"{day_of(unit.at).replace('-', '')}-{unit.replica:03d}-{serial:04d}"


def make_stamp(
    unit: Unit, report: str, purpose: str, rows: int, *, record_id: int | None = None, masked: bool = True
) -> SheetStamp:
    """The stamp of a sheet that is really printed or saved: batch number, and a line in the audit. `record_id`: what the sheet is about; a
    worker of several grids prints it for the team of its grid.
    """
    access.require(unit.actor, "report.incident" if report == "F05" else "roster.print")
    return _stamp(unit, next_batch(unit, report, purpose, rows), purpose, masked, unit.actor, record_id)


def stamp_preview(reader: Reader, actor: access.Actor, purpose: str, *, record_id: int | None = None) -> SheetStamp:
    """The stamp of a preview: no batch number yet, nothing noted."""
    return _stamp(reader, "", purpose, True, actor, record_id)


def _stamp(
    reader: Reader, batch: str, purpose: str, masked: bool, actor: access.Actor, record_id: int | None
) -> SheetStamp:
    organisation = organisation_for(reader, actor, _grid_of(reader, record_id))
    return SheetStamp(
        who=actor.name,
        organisation=organisation.name if organisation else "",
        printed_at=reader.now,
        batch=batch,
        purpose=purpose,
        device=_device_words(reader, actor.replica),
        masked=masked,
    )


def _grid_of(reader: Reader, record_id: int | None) -> int | None:
    """The grid that a sheet's grid, household, visit or incident lies in: no two records share a number, whatever their kind."""
    if reader.find(Grid, record_id) is not None:
        return record_id
    found = reader.find(Household, record_id) or reader.find(Visit, record_id) or reader.find(Incident, record_id)
    return found.grid_id if found is not None else None


def _device_words(reader: Reader, replica: int) -> str:
    """The computer's number, after its name where one was given when it was set up."""
    device = device_of(reader, replica)
    name = device.name if device else get_setting(reader, DEVICE_NAME)
    return f"{name} ({replica:03d})" if name else f"{replica:03d}"


def roster_sheet(reader: Reader, actor: access.Actor, grid_id: int, building_id: int | None = None) -> RosterSheet:
    """The households of a grid (or of one building) in walking order, with their people."""
    access.require(actor, "roster.print", grid_id)
    grid = reader.get(Grid, grid_id)
    ids = query.ids(reader, grid_ids=[grid_id], building_id=building_id, order="walk")
    if not ids:
        raise Refusal(
            "roster.empty",
            N_("{grid} has no household to print."),
            N_("Import the register, or synchronise."),
            grid=grid.name,
        )
    households = _each(reader, Household, "id", ids)
    people, tags = _grouped(reader, Person, ids), _grouped(reader, CareTag, ids)
    dwellings = {d.id: d for d in _each(reader, Dwelling, "id", [h.dwelling_id for h in households if h.dwelling_id])}
    buildings = {b.id: b for b in _each(reader, Building, "id", [h.building_id for h in households if h.building_id])}
    by_id = {h.id: h for h in households}
    community = reader.find(Region, grid.community_id)
    return RosterSheet(
        community=community.name if community else "",
        grid_name=grid.name,
        grid_code=grid.code,
        worker=worker_of(reader, grid_id),
        households=tuple(
            _roster_household(by_id[i], people[i], tags[i], dwellings, buildings) for i in ids if i in by_id
        ),
    )


def worker_of(reader: Reader, grid_id: int) -> str:
    """Names of the workers assigned to a grid."""
    open_ones = reader.page(Assignment, grid_id=grid_id, until_on=None)
    users = reader.page(User, id=[a.user_id for a in open_ones]) if open_ones else []
    return _(", ").join(u.name for u in users)


def _each(reader: Reader, cls: type[K], field: str, ids: Sequence[int]) -> list[K]:
    found: list[K] = []
    unique = sorted(set(ids))
    for start in range(0, len(unique), 500):
        wanted: dict[str, Any] = {field: unique[start : start + 500]}
        found += reader.page(cls, limit=_ALL, **wanted)
    return found


def _grouped(reader: Reader, cls: type[K], household_ids: Sequence[int]) -> defaultdict[int, list[K]]:
    found: defaultdict[int, list[K]] = defaultdict(list)
    for record in _each(reader, cls, "household_id", household_ids):
        found[record.household_id].append(record)  # type: ignore[attr-defined]
    return found


def _roster_household(
    household: Household,
    people: Sequence[Person],
    tags: Sequence[CareTag],
    dwellings: dict[int, Dwelling],
    buildings: dict[int, Building],
) -> RosterHousehold:
    living = _living(people)
    return RosterHousehold(
        number=household.number or "",
        door=_door(household, dwellings.get(household.dwelling_id or 0), buildings.get(household.building_id or 0)),
        head_name=_head(household, living),
        people=tuple(_person_line(p, tags) for p in living),
        token=f"H{household.id:x}",
    )


def _living(people: Sequence[Person]) -> list[Person]:
    """Those who live there now, the head first, then by relation."""
    here = [p for p in people if not p.moved_out_on and not p.died_on]
    return sorted(here, key=lambda p: (p.relation not in ("01", "02"), p.relation or "99", p.birth_on or "", p.id))


def _head(household: Household, people: Sequence[Person]) -> str:
    head = next((p for p in people if p.id == household.head_person_id), people[0] if people else None)
    return head.name if head else ""


def _door(household: Household, dwelling: Dwelling | None, building: Building | None) -> str:
    if dwelling is None or building is None:
        return household.address or ""
    return "-".join(part for part in (f"{building.compound}{building.number}", dwelling.unit, dwelling.room) if part)


def _person_line(person: Person, tags: Sequence[CareTag]) -> PersonLine:
    own = list(dict.fromkeys(t.care_group for t in tags if t.person_id == person.id and not t.until_on))
    return PersonLine(
        name=person.name,
        relation=printed_word("family_relation", person.relation),
        sex=printed_word("sex", person.sex),
        ethnic_group=codes.word("ethnic", person.ethnic),
        born_on=person.birth_on or "",
        id_number=person.id_number or "",
        education=printed_word("education", person.education),
        political_status=printed_word("political", person.political),
        marital_status=printed_word("marital", person.marital),
        registered_address=person.registered_address or "",
        residence_state=printed_word("household_match", person.household_match),
        workplace=person.workplace or "",
        phones=tuple(p for p in (person.phones or "").split(";") if p),
        care=tuple(printed_word("care_group", code) for code in own),
        remark=person.remark or "",
    )


def household_sheet(reader: Reader, actor: access.Actor, household_id: int) -> HouseholdSheet:
    """One household's card."""
    household = reader.get(Household, household_id)
    access.require(actor, "roster.print", household.grid_id)
    grid, building = reader.find(Grid, household.grid_id), reader.find(Building, household.building_id)
    dwelling = reader.find(Dwelling, household.dwelling_id)
    community = reader.find(Region, grid.community_id) if grid else None
    people = _living(reader.page(Person, household_id=household_id))
    tags = reader.page(CareTag, household_id=household_id, until_on=None)
    head = next((p for p in people if p.id == household.head_person_id), people[0] if people else None)
    visits = reader.page(Visit, household_id=household_id, order_by=("-visited_at",), limit=8)
    names = _user_names(reader, [v.user_id for v in visits])
    return HouseholdSheet(
        file_no=household.number or "",
        community=community.name if community else "",
        grid=grid.name if grid else "",
        compound=building.compound if building else "",
        building=building.number if building else "",
        unit=(dwelling.unit or "") if dwelling else "",
        room=dwelling.room if dwelling else "",
        house_type=codes.word("dwelling_type", dwelling.dwelling_type) if dwelling else "",
        use=codes.word("dwelling_use", dwelling.rental_use) if dwelling else "",
        area_m2=f"{dwelling.area_m2:g}" if dwelling and dwelling.area_m2 else "",
        owner=(dwelling.owner_name or "") if dwelling else "",
        head_name=head.name if head else "",
        head_phone=(head.phones if head and head.phones else household.phones) or "",
        people=tuple(_person_line(p, tags) for p in people),
        vehicles=tuple(VehicleLine(plate=p.strip()) for p in (household.plate_numbers or "").split(";") if p.strip()),
        economy=household.protection or "",
        needs=household.needs_note or "",
        visits=tuple(_visit_line(v, names) for v in visits),
        token=f"H{household.id:x}",
    )


def _user_names(reader: Reader, ids: Sequence[int | None]) -> dict[int, str]:
    wanted = sorted({i for i in ids if i})
    return {u.id: u.name for u in reader.page(User, id=wanted, with_retired=True)} if wanted else {}


def _visit_line(visit: Visit, names: dict[int, str]) -> VisitLine:
    said = [codes.word("visit_outcome", visit.outcome), _needs(visit), visit.note or ""]
    return VisitLine(
        on=day_of(visit.visited_at),
        visitor=names.get(visit.user_id, ""),
        content=_("; ").join(part for part in said if part),
        handling=visit.measure or "",
    )


def _needs(visit: Visit) -> str:
    return _(", ").join(codes.word("visit_need", letter) for letter in (visit.needs or "").split(";") if letter)


def visit_sheet(reader: Reader, actor: access.Actor, visit_id: int, blobs: Blobs | None = None) -> VisitSheet:
    """One visit's record."""
    visit = reader.get(Visit, visit_id)
    access.require(actor, "roster.print", visit.grid_id)
    household, grid = reader.find(Household, visit.household_id), reader.find(Grid, visit.grid_id)
    people = _living(reader.page(Person, household_id=visit.household_id))
    on = day_of(visit.visited_at)
    return VisitSheet(
        on=on,
        started_at=visit.visited_at,
        visitor=_user_names(reader, [visit.user_id]).get(visit.user_id, ""),
        grid=grid.name if grid else "",
        household=(household.number or "") if household else "",
        person=_head(household, people) if household else "",
        address=(household.address or "") if household else "",
        way=_way(visit.kind),
        kind=codes.word("visit_kind", visit.kind),
        situation=_("; ").join(p for p in (codes.word("visit_outcome", visit.outcome), visit.note) if p),
        needs=_needs(visit),
        done=visit.measure or "",
        to_route=_to_route(visit),
        follow_up_on=_follow_up(reader, visit.household_id, on),
        photos=_photos(reader.page(Attachment, owner_id=visit_id, limit=4), blobs),
        token=f"V{visit.id:x}",
    )


def _way(kind: str | None) -> str:
    """How the household was met: only the kind of the visit tells."""
    if kind == _BY_TELEPHONE:
        return _("By telephone or video")
    return _("On the premises") if kind == _PREMISES else _("At home")


def _to_route(visit: Visit) -> str:
    """The office's category of each need, once, that is to be passed on."""
    needs = codes.table("visit_need")
    rows = [needs.get(letter) for letter in (visit.needs or "").split(";")]
    return _(", ").join(dict.fromkeys(codes.word("incident_category", row.extra) for row in rows if row and row.extra))


def _follow_up(reader: Reader, household_id: int, on: str) -> str:
    """The household's next due day; open when it is not after this visit (nobody was met, or a later visit moved nothing)."""
    lines = query.line_rows(reader, [household_id])
    due_on = lines[0].due_on if lines else None
    return due_on if due_on and due_on > on else ""


def _photos(attachments: Sequence[Attachment], blobs: Blobs | None) -> tuple[Photo, ...]:
    """Whole pictures where they are on this computer, else their thumbnails."""
    found = []
    for attachment in attachments:
        image = (blobs.get(attachment.sha256) if blobs else None) or attachment.thumbnail
        if image:
            found.append(Photo(image=image, caption=attachment.caption or ""))
    return tuple(found)


def incident_sheet(reader: Reader, actor: access.Actor, incident_id: int, blobs: Blobs | None = None) -> Slip:
    """One incident's slip."""
    access.require(actor, "report.incident")
    incident = reader.get(Incident, incident_id)
    grid = reader.find(Grid, incident.grid_id)
    steps = reader.page(IncidentStep, incident_id=incident_id, order_by=("at", "id"))
    organisations = {i for s in steps for i in (s.organisation_id, s.target_id) if i}
    found = reader.page(Organisation, id=organisations, with_retired=True) if organisations else []
    names = {o.id: o.name for o in found}
    people = _user_names(reader, [s.user_id for s in steps])
    dispatched = [s for s in steps if s.action == "assign"]
    return Slip(
        number=incident.number or "",
        source=codes.word("incident_source", incident.source),
        reporter=incident.reporter_name or "",
        reporter_phone=incident.reporter_phone or "",
        reported_at=incident.reported_at,
        grid=grid.name if grid else "",
        category=codes.word("incident_category", incident.category),
        level=codes.word("incident_level", incident.level),
        happened_at=incident.happened_at,
        place=incident.place or "",
        longitude_deg=incident.lng,
        latitude_deg=incident.lat,
        description=incident.description or "",
        involved=_involved(reader, incident.household_id),
        photos=_photos(reader.page(Attachment, owner_id=incident_id, limit=4), blobs),
        accepted=_slip_step(steps, ("accept",), names, people),
        dispatched_to=names.get(dispatched[-1].target_id or 0, "") if dispatched else "",
        deadline_at=incident.due_at,
        measures=incident.result or "",
        handled=_slip_step(steps, ("finish", "self_close"), names, people),
        verification=_slip_step(steps, ("verify_pass", "verify_fail"), names, people),
        satisfaction=f"{incident.satisfaction} / 5" if incident.satisfaction else "",
        instruction=_("; ").join(s.note or "" for s in steps if s.action == "instruct"),
        token=f"I{incident.id:x}",
    )


def _involved(reader: Reader, household_id: int | None) -> str:
    """The household an incident is about: who heads it and where it lives."""
    lines = query.line_rows(reader, [household_id]) if household_id is not None else []
    return _(", ").join(part for line in lines for part in (line.head_name, line.address) if part)


def _slip_step(
    steps: Sequence[IncidentStep], actions: tuple[str, ...], names: dict[int, str], people: dict[int, str]
) -> SlipStep:
    """The latest step of these actions, empty when there was none."""
    found = [s for s in steps if s.action in actions]
    if not found:
        return SlipStep()
    last = found[-1]
    return SlipStep(
        organisation=names.get(last.organisation_id or 0, ""),
        person=people.get(last.user_id or 0, ""),
        at=last.at,
        text=last.note or "",
    )

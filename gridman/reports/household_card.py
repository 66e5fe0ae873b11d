"""F02 一户一档卡: one household on one sheet. Fields follow `forms_ledgers.csv`."""

from gridman.domain.sheets import HouseholdSheet, PersonLine, SheetStamp
from gridman.kernel.words import _, language
from gridman.reports.document import Cell, Column, Document, Fact, Form, Group, Paper, Signatures, Table
from gridman.reports.imprint import footer_of, mask, organisation_day, page_words, watermark_of

__all__ = ["household_card"]

_EMPTY_VEHICLES, _EMPTY_VISITS = 2, 3


def household_card(sheet: HouseholdSheet, stamp: SheetStamp) -> Document:
    """The card as a document; what is not held stays empty, to be filled in by hand."""
    return Document(
        title=_("One-household-one-file card"),
        paper=Paper.A4_PORTRAIT,
        words=page_words(),
        facts=(
            Fact(_("File no."), sheet.file_no),
            Fact(_("Reporting unit"), stamp.organisation),
            Fact(_("Day"), organisation_day(stamp)),
        ),
        blocks=(
            _house(sheet, stamp),
            _people(sheet, stamp),
            _vehicles(sheet, stamp),
            _situation(sheet, stamp),
            _visits(sheet, stamp),
            Signatures((_("Grid worker"), _("Resident"), _("Date"))),
        ),
        footer=footer_of(stamp, _("title deed number; restricted categories; people who moved out or died.")),
        watermark=watermark_of(stamp),
        batch=f"{_('Batch')}{_(': ')}{stamp.batch}",
        author=f"{stamp.who} ({stamp.organisation})",
        subject=stamp.purpose,
        language=language(),
        printed_at=stamp.printed_at,
        qr=f"gridman:F02:{sheet.token or stamp.batch}",
    )


def _house(sheet: HouseholdSheet, stamp: SheetStamp) -> Form:
    head = "  ".join(part for part in (sheet.head_name, mask(sheet.head_phone, "mask_phone", stamp)) if part)
    place = " / ".join(part for part in (sheet.community, sheet.grid) if part)
    return Form(
        title=_("House"),
        label_mm=22,
        rows=(
            (Cell(label=_("Community / grid"), value=place), Cell(label=_("Compound"), value=sheet.compound)),
            (
                Cell(label=_("Building"), value=sheet.building),
                Cell(label=_("Unit"), value=sheet.unit),
                Cell(label=_("Room"), value=sheet.room),
            ),
            (
                Cell(label=_("House type"), value=sheet.house_type),
                Cell(label=_("Use"), value=sheet.use),
                Cell(label=_("Area m²"), value=sheet.area_m2),
            ),
            (
                Cell(label=_("Owner"), value=mask(sheet.owner, "mask_name", stamp)),
                Cell(label=_("Title no."), value=mask("", "hide", stamp)),
            ),
            (Cell(label=_("Head and phone"), value=head),),
        ),
    )


def _people(sheet: HouseholdSheet, stamp: SheetStamp) -> Table:
    return Table(
        title=_("People"),
        columns=(
            Column(_("No."), 9, "center"),
            Column(_("Name"), 26, "center"),
            Column(_("Relation to head"), 18, "center"),
            Column(_("Sex"), 10, "center"),
            Column(_("ID number"), 40, "center"),
            Column(_("Lives as registered"), 19, "center"),
            Column(_("Phone"), 27, "center"),
            Column(_("Workplace or school"), 30),
        ),
        groups=tuple(Group((_person(n, person, stamp),)) for n, person in enumerate(sheet.people, 1)),
        empty_text=_("Nobody is registered in this household."),
        row_mm=7.5,
    )


def _person(number: int, person: PersonLine, stamp: SheetStamp) -> tuple[str, ...]:
    return (
        str(number),
        person.name,
        person.relation,
        person.sex,
        mask(person.id_number, "mask_id", stamp),
        person.residence_state,
        "\n".join(mask(phone, "mask_phone", stamp) for phone in person.phones),
        mask(person.workplace, "none", stamp),
    )


def _vehicles(sheet: HouseholdSheet, stamp: SheetStamp) -> Table:
    held = [(mask(car.plate, "mask_plate", stamp), car.colour, car.brand, "") for car in sheet.vehicles]
    rows = held or [("", "", "", "")] * _EMPTY_VEHICLES
    return Table(
        title=_("Vehicles"),
        columns=(
            Column(_("Plate"), 40, "center"),
            Column(_("Colour"), 30, "center"),
            Column(_("Brand"), 40, "center"),
            Column(_("Remark"), 65),
        ),
        groups=tuple(Group((row,)) for row in rows),
        row_mm=7,
    )


def _situation(sheet: HouseholdSheet, stamp: SheetStamp) -> Form:
    care = _("; ").join(dict.fromkeys(word for person in sheet.people for word in person.care))
    economy = "\n".join(part for part in (sheet.economy, f"{_('Care category')}{_(': ')}{care}" if care else "") if part)
    return Form(
        title=_("Situation"),
        label_mm=28,
        rows=(
            (Cell(label=_("Economy and protection"), value=mask(economy, "none", stamp), height_mm=14),),
            (Cell(label=_("Hardship and needs"), value=mask(sheet.needs, "none", stamp), height_mm=14),),
        ),
    )


def _visits(sheet: HouseholdSheet, stamp: SheetStamp) -> Table:
    held = [
        (visit.on, visit.visitor, mask(visit.content, "none", stamp), mask(visit.handling, "none", stamp))
        for visit in sheet.visits
    ]
    rows = [*held, *[("", "", "", "")] * max(0, _EMPTY_VISITS - len(held))]
    return Table(
        title=_("Visit log"),
        columns=(
            Column(_("Date"), 24, "center"),
            Column(_("Visitor"), 24, "center"),
            Column(_("What was found"), 78),
            Column(_("What was done"), 49),
        ),
        groups=tuple(Group((row,)) for row in rows),
        row_mm=8,
    )

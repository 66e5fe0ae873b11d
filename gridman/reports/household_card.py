"""F02 一户一档卡: one household on one sheet. Fields follow `forms_ledgers.csv`."""

from gridman.domain.sheets import HouseholdSheet, PersonLine, SheetStamp
from gridman.reports.document import Cell, Column, Document, Fact, Form, Group, Signatures, Table
from gridman.reports.imprint import imprinted, mask
from gridman.reports.wording import on_form

__all__ = ["household_card"]

_EMPTY_VEHICLES, _EMPTY_VISITS = 2, 5


def household_card(sheet: HouseholdSheet, stamp: SheetStamp) -> Document:
    """The card as a document; what is not held stays empty, to be filled in by hand."""
    return imprinted(
        stamp,
        "F02",
        title=on_form("One-household-one-file card"),
        facts=(Fact(on_form("File no."), sheet.file_no),),
        blocks=(
            _house(sheet, stamp),
            _people(sheet, stamp),
            _vehicles(sheet, stamp),
            _situation(sheet, stamp),
            _visits(sheet, stamp),
            Signatures((on_form("Signed by the grid worker"), on_form("Confirmed by the resident"), on_form("Date"))),
        ),
        leaves_out=on_form("title deed number; restricted categories; people who moved out or died."),
        token=sheet.token,
    )


def _house(sheet: HouseholdSheet, stamp: SheetStamp) -> Form:
    head = "  ".join(part for part in (sheet.head_name, mask(sheet.head_phone, "mask_phone", stamp)) if part)
    place = " / ".join(part for part in (sheet.community, sheet.grid) if part)
    return Form(
        title=on_form("House"),
        label_mm=22,
        rows=(
            (
                Cell(label=on_form("Community / grid"), value=place),
                Cell(label=on_form("Compound"), value=sheet.compound),
            ),
            (
                Cell(label=on_form("Building"), value=sheet.building),
                Cell(label=on_form("Unit"), value=sheet.unit),
                Cell(label=on_form("Room"), value=sheet.room),
            ),
            (
                Cell(label=on_form("House type"), value=sheet.house_type),
                Cell(label=on_form("Use"), value=sheet.use),
                Cell(label=on_form("Area m²"), value=sheet.area_m2),
            ),
            (
                Cell(label=on_form("Owner"), value=mask(sheet.owner, "mask_name", stamp)),
                Cell(label=on_form("Title no."), value=mask("", "hide", stamp)),
            ),
            (Cell(label=on_form("Head and phone"), value=head),),
        ),
    )


def _people(sheet: HouseholdSheet, stamp: SheetStamp) -> Table:
    return Table(
        title=on_form("People of this household"),
        columns=(
            Column(on_form("No."), 9, "center"),
            Column(on_form("Name"), 26, "center"),
            Column(on_form("Relation to head"), 18, "center"),
            Column(on_form("Sex"), 10, "center"),
            Column(on_form("ID number"), 40, "center"),
            Column(on_form("Lives as registered"), 19, "center"),
            Column(on_form("Phone"), 27, "center"),
            Column(on_form("Workplace or school"), 30),
        ),
        groups=tuple(Group((_person(n, person, stamp),)) for n, person in enumerate(sheet.people, 1)),
        empty_text=on_form("Nobody is registered in this household."),
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
        mask(person.workplace, "text", stamp),
    )


def _vehicles(sheet: HouseholdSheet, stamp: SheetStamp) -> Table:
    held = [(mask(car.plate, "mask_plate", stamp), car.colour, car.brand, "") for car in sheet.vehicles]
    rows = held or [("", "", "", "")] * _EMPTY_VEHICLES
    return Table(
        title=on_form("Vehicles"),
        columns=(
            Column(on_form("Plate"), 40, "center"),
            Column(on_form("Colour"), 30, "center"),
            Column(on_form("Brand"), 40, "center"),
            Column(on_form("Remark"), 65),
        ),
        groups=tuple(Group((row,)) for row in rows),
        row_mm=7,
    )


def _situation(sheet: HouseholdSheet, stamp: SheetStamp) -> Form:
    care = on_form("; ").join(dict.fromkeys(word for person in sheet.people for word in person.care))
    economy = "\n".join(
        part for part in (sheet.economy, f"{on_form('Care category')}{on_form(': ')}{care}" if care else "") if part
    )
    return Form(
        title=on_form("Situation"),
        label_mm=28,
        rows=(
            (Cell(label=on_form("Economy and protection"), value=mask(economy, "text", stamp), height_mm=14),),
            (Cell(label=on_form("Hardship and needs"), value=mask(sheet.needs, "text", stamp), height_mm=14),),
        ),
    )


def _visits(sheet: HouseholdSheet, stamp: SheetStamp) -> Table:
    held = [
        (visit.on, visit.visitor, mask(visit.content, "text", stamp), mask(visit.handling, "text", stamp))
        for visit in sheet.visits
    ]
    rows = [*held, *[("", "", "", "")] * max(0, _EMPTY_VISITS - len(held))]
    return Table(
        title=on_form("Visit log"),
        columns=(
            Column(on_form("Date"), 24, "center"),
            Column(on_form("Visitor"), 24, "center"),
            Column(on_form("What was found"), 78),
            Column(on_form("What was done"), 49),
        ),
        groups=tuple(Group((row,)) for row in rows),
        row_mm=8,
    )

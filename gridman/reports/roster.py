"""F01 住户花名册: the household roster of an area, people grouped by household. Columns follow `forms_ledgers.csv`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gridman.domain.sheets import PersonLine, RosterHousehold, RosterSheet, SheetStamp
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.reports.document import Align, Column, Document, Fact, Group, Paper, Signatures, Table
from gridman.reports.imprint import imprinted, mask
from gridman.reports.wording import on_form

__all__ = ["CODE", "COLUMNS", "COMPACT", "FULL", "RosterColumn", "household_roster"]

_Value = Callable[[RosterHousehold, PersonLine], str]
_NOBODY = PersonLine(name="")


@dataclass(frozen=True, slots=True)
class RosterColumn:
    """A column of the roster: its key, title, width, mask rule and where its text comes from."""

    key: str
    title: str
    width_mm: float
    value: _Value
    align: Align = "center"
    is_merged: bool = False
    mask_rule: str = "none"
    is_code: bool = False


def _number(household: RosterHousehold, person: PersonLine) -> str:
    return ""  # the running number is filled in while the rows are made


COLUMNS: tuple[RosterColumn, ...] = (
    RosterColumn("no", N_("No."), 8.5, _number),
    RosterColumn("household_no", N_("Household no."), 14, lambda h, p: h.number, is_merged=True),
    RosterColumn("door", N_("Building-unit-room"), 16, lambda h, p: h.door, is_merged=True),
    RosterColumn("head", N_("Head of household"), 14, lambda h, p: h.head_name, is_merged=True),
    RosterColumn("member", N_("Member"), 15, lambda h, p: p.name),
    RosterColumn("relation", N_("Relation to head"), 11.5, lambda h, p: p.relation),
    RosterColumn("sex", N_("Sex"), 7.5, lambda h, p: p.sex),
    RosterColumn("ethnic_group", N_("Ethnic group"), 10, lambda h, p: p.ethnic_group),
    RosterColumn("born_on", N_("Birth date"), 16.5, lambda h, p: p.born_on, mask_rule="mask_birth"),
    RosterColumn("id_number", N_("ID number"), 27, lambda h, p: p.id_number, mask_rule="mask_id"),
    RosterColumn("education", N_("Education"), 12, lambda h, p: p.education),
    RosterColumn("political_status", N_("Political status"), 12, lambda h, p: p.political_status),
    RosterColumn("marital_status", N_("Marital status"), 10, lambda h, p: p.marital_status),
    RosterColumn(
        "registered_address",
        N_("Registered address"),
        34.5,
        lambda h, p: p.registered_address,
        align="left",
        mask_rule="mask_addr_optional",
    ),
    RosterColumn("residence_state", N_("Lives as registered"), 12, lambda h, p: p.residence_state),
    RosterColumn("workplace", N_("Workplace or school"), 17, lambda h, p: p.workplace, align="left", mask_rule="text"),
    RosterColumn("phone", N_("Phone"), 17.5, lambda h, p: "\n".join(p.phones)),
    RosterColumn("care", N_("Special group or care"), 16, lambda h, p: on_form("; ").join(p.care)),
    RosterColumn("remark", N_("Remark"), 11, lambda h, p: p.remark, align="left", mask_rule="text"),
)
"""The nineteen columns of the form, in its order; titles are shown through `on_form`."""

CODE = RosterColumn(
    "code", N_("Scan"), 14, lambda h, p: f"GM:{h.token}" if h.token else "", is_merged=True, is_code=True
)
"""A QR code per household, so that what is found at the door is entered by scanning; not part of the form."""

FULL: tuple[str, ...] = tuple(column.key for column in COLUMNS)
COMPACT: tuple[str, ...] = (
    "no", "door", "head", "member", "relation", "sex", "born_on", "id_number", "phone", "care", "remark",
)  # fmt: skip
"""Columns for a roster carried on a round: larger type, room for remarks by hand."""


def household_roster(
    sheet: RosterSheet, stamp: SheetStamp, *, columns: Sequence[str] = FULL, masks_addresses: bool = False
) -> Document:
    """The roster as a document. `columns` are keys of COLUMNS (and CODE), in the form's order.

    Raises Refusal `roster.unknown_column` for a key that is not a column, `roster.no_columns` for none at all.
    """
    chosen = _choose(columns)
    households = sheet.households
    n_people = sum(len(household.people) for household in households)
    return imprinted(
        stamp,
        "F01",
        title=on_form("Household roster"),
        paper=Paper.A4_LANDSCAPE,
        facts=(
            Fact(on_form("Community"), sheet.community),
            Fact(on_form("Grid"), " ".join(part for part in (sheet.grid_name, sheet.grid_code) if part)),
            Fact(on_form("Grid worker"), sheet.worker),
            Fact(on_form("Household count"), str(len(households))),
            Fact(on_form("Number of people"), str(n_people)),
        ),
        blocks=(
            _table(chosen, households, stamp, masks_addresses),
            Signatures((on_form("Filled in by"), on_form("Checked by"), on_form("Date"), on_form("Seal"))),
        ),
        leaves_out=_leaves_out(chosen, stamp),
    )


def _choose(keys: Sequence[str]) -> tuple[RosterColumn, ...]:
    unknown = [key for key in keys if key not in FULL and key != CODE.key]
    if unknown:
        raise Refusal(
            "roster.unknown_column",
            N_("The roster has no column {column}."),
            N_("Choose among: {columns}."),
            column=unknown[0],
            columns=", ".join((*FULL, CODE.key)),
        )
    chosen = tuple(column for column in (*COLUMNS, CODE) if column.key in keys)
    if not chosen:
        raise Refusal("roster.no_columns", N_("No column is chosen for the roster."), N_("Choose at least one column."))
    return chosen


def _table(
    chosen: tuple[RosterColumn, ...], households: Sequence[RosterHousehold], stamp: SheetStamp, masks_addresses: bool
) -> Table:
    wide = len(chosen) <= 12
    rules = ["mask_phone_lines" if column.key == "phone" else column.mask_rule for column in chosen]
    if masks_addresses:
        rules = ["mask_addr" if rule == "mask_addr_optional" else rule for rule in rules]
    return Table(
        columns=tuple(
            Column(on_form(column.title), column.width_mm, column.align, column.is_merged, column.is_code)
            for column in chosen
        ),
        groups=tuple(_groups(chosen, rules, households, stamp)),
        size_pt=9.5 if wide else 7.5,
        row_mm=7.5 if wide else 6.4,
        empty_text=on_form("There are no households in this area."),
    )


def _groups(
    chosen: tuple[RosterColumn, ...], rules: list[str], households: Iterable[RosterHousehold], stamp: SheetStamp
) -> Iterable[Group]:
    number = 0
    for household in households:
        rows = []
        for person in household.people or (_NOBODY,):
            number += 1
            rows.append(tuple(_text(column, rule, household, person, stamp, number)
                              for column, rule in zip(chosen, rules, strict=True)))  # fmt: skip
        yield Group(tuple(rows))


def _text(
    column: RosterColumn, rule: str, household: RosterHousehold, person: PersonLine, stamp: SheetStamp, number: int
) -> str:
    if column.key == "no":
        return str(number)
    text = column.value(household, person)
    if not text:
        return ""
    if rule == "mask_phone_lines":
        return "\n".join(mask(phone, "mask_phone", stamp) for phone in text.split("\n"))
    return mask(text, rule, stamp)


def _leaves_out(chosen: tuple[RosterColumn, ...], stamp: SheetStamp) -> str:
    """What a reader might expect on a roster and does not get."""
    left = [on_form(column.title) for column in COLUMNS if column not in chosen]
    if stamp.masked and any(column.mask_rule == "mask_birth" for column in chosen):
        left.append(on_form("month and day of birth (year only)"))
    left += [on_form("restricted categories"), on_form("visits and incidents"), on_form("people who moved out or died")]
    return on_form("; ").join(left) + on_form(".")

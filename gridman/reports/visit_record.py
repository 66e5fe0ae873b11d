"""F06 走访记录表: one visit on one sheet. Fields follow `forms_ledgers.csv`."""

from dataclasses import replace

from gridman.domain.sheets import SheetStamp, VisitSheet
from gridman.kernel.clock import show_instant
from gridman.reports.document import Cell, Document, Fact, Form, Paper
from gridman.reports.imprint import imprinted, mask, pictures
from gridman.reports.wording import on_form

__all__ = ["visit_record"]


def visit_record(sheet: VisitSheet, stamp: SheetStamp, *, paper: Paper = Paper.A4_PORTRAIT) -> Document:
    """The record as a document, on A4 or A5."""
    return imprinted(
        stamp,
        "F06",
        title=on_form("Visit record"),
        paper=paper,
        facts=(Fact(on_form("Grid"), sheet.grid),),
        blocks=(_form(sheet, stamp, is_small=paper is Paper.A5_PORTRAIT),),
        leaves_out=on_form("other visits to this household; restricted categories."),
        token=sheet.token,
    )


def _form(sheet: VisitSheet, stamp: SheetStamp, is_small: bool) -> Form:
    rows = (*_who(sheet, stamp), *_what(sheet, stamp))
    if not is_small:
        return Form(rows=rows, label_mm=27)
    low = tuple(tuple(replace(cell, height_mm=max(7.0, cell.height_mm * 0.55)) for cell in row) for row in rows)
    return Form(rows=low, label_mm=22, size_pt=9.5, picture_mm=22)


def _who(sheet: VisitSheet, stamp: SheetStamp) -> tuple[tuple[Cell, ...], ...]:
    whom = "  ".join(part for part in (sheet.person, sheet.household) if part)
    return (
        (Cell(label=on_form("Date"), value=sheet.on), Cell(label=on_form("From - to"), value=_span(sheet))),
        (Cell(label=on_form("Visitor"), value=sheet.visitor), Cell(label=on_form("Person or household"), value=whom)),
        (Cell(label=on_form("Address"), value=mask(sheet.address, "text", stamp)),),
        (
            Cell(label=on_form("Way of visiting"), value=sheet.way),
            Cell(label=on_form("Kind of visit"), value=sheet.kind),
        ),
    )


def _what(sheet: VisitSheet, stamp: SheetStamp) -> tuple[tuple[Cell, ...], ...]:
    sign = on_form("Signature: __________________  Date: ______________")
    return (
        (Cell(label=on_form("Family, health, safety"), value=mask(sheet.situation, "text", stamp), height_mm=34),),
        (Cell(label=on_form("Needs and problems"), value=mask(sheet.needs, "text", stamp), height_mm=34),),
        (Cell(label=on_form("Done on the spot"), value=mask(sheet.done, "text", stamp), height_mm=26),),
        (Cell(label=on_form("To be routed"), value=mask(sheet.to_route, "text", stamp), height_mm=18),),
        (Cell(label=on_form("Follow-up on"), value=sheet.follow_up_on),),
        (
            Cell(
                label=on_form("Signed by the visited, or why not"),
                value=sheet.unsigned_reason,
                height_mm=16,
                signature=sign,
            ),
        ),
        (Cell(label=on_form("Photo"), pictures=pictures(sheet.photos), height_mm=14),),
    )


def _span(sheet: VisitSheet) -> str:
    """ "09:10 - 09:35"; an open end stays open."""
    start, end = (("" if at is None else show_instant(at)[-5:]) for at in (sheet.started_at, sheet.ended_at))
    return f"{start} - {end}" if start or end else ""

"""F06 走访记录表: one visit on one sheet. Fields follow `forms_ledgers.csv`."""

from gridman.domain.sheets import SheetStamp, VisitSheet
from gridman.kernel.clock import show_instant
from gridman.kernel.words import _, language
from gridman.reports.document import Cell, Document, Fact, Form, Paper
from gridman.reports.imprint import footer_of, mask, organisation_day, page_words, pictures, watermark_of

__all__ = ["visit_record"]


def visit_record(sheet: VisitSheet, stamp: SheetStamp, *, paper: Paper = Paper.A4_PORTRAIT) -> Document:
    """The record as a document, on A4 or A5."""
    return Document(
        title=_("Visit record"),
        paper=paper,
        words=page_words(),
        facts=(
            Fact(_("Grid"), sheet.grid),
            Fact(_("Reporting unit"), stamp.organisation),
            Fact(_("Day"), organisation_day(stamp)),
        ),
        blocks=(Form(rows=(*_who(sheet, stamp), *_what(sheet, stamp)), label_mm=27 if paper is Paper.A4_PORTRAIT else 22),),
        footer=footer_of(stamp, _("other visits to this household; restricted categories.")),
        watermark=watermark_of(stamp),
        batch=f"{_('Batch')}{_(': ')}{stamp.batch}",
        author=f"{stamp.who} ({stamp.organisation})",
        subject=stamp.purpose,
        language=language(),
        printed_at=stamp.printed_at,
        qr=f"gridman:F06:{sheet.token or stamp.batch}",
    )


def _who(sheet: VisitSheet, stamp: SheetStamp) -> tuple[tuple[Cell, ...], ...]:
    whom = "  ".join(part for part in (sheet.person, sheet.household) if part)
    return (
        (Cell(label=_("Date"), value=sheet.on), Cell(label=_("From - to"), value=_span(sheet))),
        (Cell(label=_("Visitor"), value=sheet.visitor), Cell(label=_("Person or household"), value=whom)),
        (Cell(label=_("Address"), value=mask(sheet.address, "none", stamp)),),
        (Cell(label=_("Way of visiting"), value=sheet.way), Cell(label=_("Kind of visit"), value=sheet.kind)),
    )


def _what(sheet: VisitSheet, stamp: SheetStamp) -> tuple[tuple[Cell, ...], ...]:
    sign = _("Signature:                    Date:                  ")
    return (
        (Cell(label=_("Family, health, safety"), value=mask(sheet.situation, "none", stamp), height_mm=34),),
        (Cell(label=_("Needs and problems"), value=mask(sheet.needs, "none", stamp), height_mm=34),),
        (Cell(label=_("Done on the spot"), value=mask(sheet.done, "none", stamp), height_mm=26),),
        (Cell(label=_("To be routed"), value=mask(sheet.to_route, "none", stamp), height_mm=18),),
        (Cell(label=_("Follow-up on"), value=sheet.follow_up_on),),
        (Cell(label=_("Signed by the visited, or why not"), value=sheet.unsigned_reason, height_mm=16, signature=sign),),
        (Cell(label=_("Photo"), pictures=pictures(sheet.photos), height_mm=14),),
    )


def _span(sheet: VisitSheet) -> str:
    """"09:10 - 09:35"; an open end stays open."""
    start, end = (("" if at is None else show_instant(at)[-5:]) for at in (sheet.started_at, sheet.ended_at))
    return f"{start} - {end}" if start or end else ""

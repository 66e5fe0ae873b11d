"""F05 事件处理单: one incident from report to archive, with room for opinions and signatures. Follows `forms_ledgers.csv`."""

from gridman.domain.sheets import IncidentSheet, IncidentStep, SheetStamp
from gridman.kernel.words import _, language
from gridman.reports.document import Cell, Document, Fact, Form, Paper
from gridman.reports.imprint import (
    footer_of,
    instant_words,
    mask,
    organisation_day,
    page_words,
    pictures,
    signed_words,
    watermark_of,
)

__all__ = ["incident_slip"]


def incident_slip(sheet: IncidentSheet, stamp: SheetStamp) -> Document:
    """The slip as a document; steps not yet taken stay empty, to be filled in by hand."""
    return Document(
        title=_("Incident slip"),
        subtitle=_("In three copies: reporting unit, handling unit, archive"),
        paper=Paper.A4_PORTRAIT,
        words=page_words(),
        facts=(
            Fact(_("Incident no."), sheet.number),
            Fact(_("Reporting unit"), stamp.organisation),
            Fact(_("Day"), organisation_day(stamp)),
        ),
        blocks=(Form(rows=(*_reported(sheet, stamp), *_handled(sheet, stamp)), label_mm=25),),
        footer=footer_of(stamp, _("internal notes; the record of each change of hands; restricted categories.")),
        watermark=watermark_of(stamp),
        batch=f"{_('Batch')}{_(': ')}{stamp.batch}",
        author=f"{stamp.who} ({stamp.organisation})",
        subject=stamp.purpose,
        language=language(),
        printed_at=stamp.printed_at,
        qr=f"gridman:F05:{sheet.token or stamp.batch}",
    )


def _reported(sheet: IncidentSheet, stamp: SheetStamp) -> tuple[tuple[Cell, ...], ...]:
    reporter = "  ".join(part for part in (sheet.reporter, mask(sheet.reporter_phone, "mask_phone", stamp)) if part)
    return (
        (Cell(label=_("Incident no."), value=sheet.number), Cell(label=_("Source"), value=sheet.source)),
        (
            Cell(label=_("Reporter / phone"), value=reporter),
            Cell(label=_("Reported at"), value=instant_words(sheet.reported_at)),
        ),
        (Cell(label=_("Grid"), value=sheet.grid), Cell(label=_("Category"), value=sheet.category)),
        (
            Cell(label=_("Level"), value=sheet.level),
            Cell(label=_("Happened at"), value=instant_words(sheet.happened_at)),
        ),
        (
            Cell(label=_("Place"), value=mask(sheet.place, "none", stamp)),
            Cell(label=_("Longitude, latitude"), value=_position(sheet)),
        ),
        (Cell(label=_("Description"), value=mask(sheet.description, "none", stamp), height_mm=26),),
        (Cell(label=_("People and units concerned"), value=mask(sheet.involved, "none", stamp), height_mm=10),),
        (Cell(label=_("Photos on the spot"), pictures=pictures(sheet.photos), height_mm=12),),
    )


def _handled(sheet: IncidentSheet, stamp: SheetStamp) -> tuple[tuple[Cell, ...], ...]:
    sign = _("Signature:                    Date:                  ")
    deadline = instant_words(sheet.deadline_at)
    return (
        (Cell(label=_("Accepted by"), value=signed_words(sheet.accepted)),),
        (Cell(label=_("Dispatched to"), value=sheet.dispatched_to), Cell(label=_("Deadline"), value=deadline)),
        (
            Cell(
                label=_("Measures and result"),
                value=mask(sheet.measures, "none", stamp),
                height_mm=24,
                signature="" if sheet.measures else sign,
            ),
        ),
        (Cell(label=_("Handled by, when"), value=signed_words(sheet.handled)),),
        (Cell(label=_("Photos afterwards"), pictures=pictures(sheet.after_photos), height_mm=12),),
        (_opinion(_("Verification"), sheet.verification, stamp, sign),),
        (
            Cell(label=_("Visit-back, satisfaction"), value=mask(sheet.satisfaction, "none", stamp)),
            Cell(label=_("Archive no."), value=sheet.archive_no),
        ),
        (
            Cell(
                label=_("Instruction of the leader"),
                value=mask(sheet.instruction, "none", stamp),
                height_mm=18,
                signature=sign,
            ),
        ),
    )


def _opinion(label: str, step: IncidentStep, stamp: SheetStamp, sign: str) -> Cell:
    text = "\n".join(part for part in (mask(step.text, "none", stamp), signed_words(step)) if part)
    return Cell(label=label, value=text, height_mm=18, signature=sign)


def _position(sheet: IncidentSheet) -> str:
    if sheet.longitude_deg is None or sheet.latitude_deg is None:
        return ""
    return f"{sheet.longitude_deg:.6f}, {sheet.latitude_deg:.6f}"

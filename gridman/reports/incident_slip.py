"""F05 事件处理单: one incident from report to archive, with room for opinions and signatures; follows
`forms_ledgers.csv`.
"""

from gridman.domain.sheets import IncidentSheet, IncidentStep, SheetStamp
from gridman.reports.document import Cell, Document, Fact, Form
from gridman.reports.imprint import imprinted, instant_words, mask, pictures, signed_words
from gridman.reports.wording import on_form

__all__ = ["incident_slip"]


def incident_slip(sheet: IncidentSheet, stamp: SheetStamp) -> Document:
    """The slip as a document; steps not yet taken stay empty, to be filled in by hand."""
    return imprinted(
        stamp,
        "F05",
        title=on_form("Incident slip"),
        subtitle=on_form("In three copies: reporting unit, handling unit, archive"),
        facts=(Fact(on_form("Incident no."), sheet.number),),
        blocks=(Form(rows=(*_reported(sheet, stamp), *_handled(sheet, stamp)), label_mm=25),),
        leaves_out=on_form("internal notes; the record of each change of hands; restricted categories."),
        token=sheet.token,
    )


def _reported(sheet: IncidentSheet, stamp: SheetStamp) -> tuple[tuple[Cell, ...], ...]:
    reporter = "  ".join(part for part in (sheet.reporter, mask(sheet.reporter_phone, "mask_phone", stamp)) if part)
    return (
        (Cell(label=on_form("Incident no."), value=sheet.number), Cell(label=on_form("Source"), value=sheet.source)),
        (
            Cell(label=on_form("Reporter / phone"), value=reporter),
            Cell(label=on_form("Reported at"), value=instant_words(sheet.reported_at)),
        ),
        (Cell(label=on_form("Grid"), value=sheet.grid), Cell(label=on_form("Category"), value=sheet.category)),
        (
            Cell(label=on_form("Level"), value=sheet.level),
            Cell(label=on_form("Happened at"), value=instant_words(sheet.happened_at)),
        ),
        (
            Cell(label=on_form("Place"), value=mask(sheet.place, "text", stamp)),
            Cell(label=on_form("Longitude, latitude"), value=_position(sheet)),
        ),
        (Cell(label=on_form("Description"), value=mask(sheet.description, "text", stamp), height_mm=26),),
        (Cell(label=on_form("People and units concerned"), value=mask(sheet.involved, "text", stamp), height_mm=10),),
        (Cell(label=on_form("Photos on the spot"), pictures=pictures(sheet.photos), height_mm=12),),
    )


def _handled(sheet: IncidentSheet, stamp: SheetStamp) -> tuple[tuple[Cell, ...], ...]:
    sign = on_form("Signature: __________________  Date: ______________")
    deadline = instant_words(sheet.deadline_at)
    return (
        (Cell(label=on_form("Accepted by"), value=signed_words(sheet.accepted)),),
        (
            Cell(label=on_form("Dispatched to"), value=sheet.dispatched_to),
            Cell(label=on_form("Deadline"), value=deadline),
        ),
        (
            Cell(
                label=on_form("Measures and result"),
                value=mask(sheet.measures, "text", stamp),
                height_mm=24,
                signature="" if sheet.measures else sign,
            ),
        ),
        (Cell(label=on_form("Handled by, when"), value=signed_words(sheet.handled)),),
        (Cell(label=on_form("Photos afterwards"), pictures=pictures(sheet.after_photos), height_mm=12),),
        (_opinion(on_form("Verification"), sheet.verification, stamp, sign),),
        (
            Cell(label=on_form("Visit-back, satisfaction"), value=mask(sheet.satisfaction, "text", stamp)),
            Cell(label=on_form("Archive no."), value=sheet.archive_no),
        ),
        (
            Cell(
                label=on_form("Instruction of the leader"),
                value=mask(sheet.instruction, "text", stamp),
                height_mm=18,
                signature=sign,
            ),
        ),
    )


def _opinion(label: str, step: IncidentStep, stamp: SheetStamp, sign: str) -> Cell:
    text = "\n".join(part for part in (mask(step.text, "text", stamp), signed_words(step)) if part)
    return Cell(label=label, value=text, height_mm=18, signature=sign)


def _position(sheet: IncidentSheet) -> str:
    if sheet.longitude_deg is None or sheet.latitude_deg is None:
        return ""
    return f"{sheet.longitude_deg:.6f}, {sheet.latitude_deg:.6f}"

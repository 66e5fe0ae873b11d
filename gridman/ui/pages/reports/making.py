"""A report made from the register: the sheet read, stamped, laid out as PDF. Runs outside the window's thread."""

import io
from dataclasses import dataclass
from typing import Any

from gridman.domain.access import Actor
from gridman.domain.sheets import RosterSheet, SheetStamp
from gridman.kernel.progress import Progress, Ticket, quiet
from gridman.kernel.words import N_
from gridman.services import rosters
from gridman.services.photos import Blobs

__all__ = ["Made", "Wish", "draw", "make_preview", "read_sheet", "rows_of", "stamp_name"]

_LAYING_OUT = N_("Laying out the pages")


@dataclass(frozen=True)
class Wish:
    """Which report about what. `record_id`: the grid of a roster, else the household, incident or visit."""

    report_id: str
    record_id: int
    building_id: int | None = None
    purpose: str = ""


@dataclass(frozen=True)
class Made:
    """A finished document: PDF bytes, pages, and texts with a character no font has."""

    wish: Wish
    sheet: Any
    pdf: bytes
    pages: int
    undrawable: tuple[str, ...]
    batch: str = ""


def read_sheet(reader: Any, actor: Actor, wish: Wish, blobs: Blobs | None) -> Any:
    """The values of the sheet."""
    if wish.report_id == "F01":
        return rosters.roster_sheet(reader, actor, wish.record_id, wish.building_id)
    if wish.report_id == "F02":
        return rosters.household_sheet(reader, actor, wish.record_id)
    if wish.report_id == "F05":
        return rosters.incident_sheet(reader, actor, wish.record_id, blobs)
    return rosters.visit_sheet(reader, actor, wish.record_id, blobs)


def make_preview(reader: Any, actor: Actor, wish: Wish, blobs: Blobs | None) -> Made:
    """The document as it would be printed now, without a batch number: nothing is noted."""
    sheet = read_sheet(reader, actor, wish, blobs)
    return draw(wish, sheet, rosters.stamp_preview(reader, actor, wish.purpose, record_id=wish.record_id))


def draw(wish: Wish, sheet: Any, stamp: SheetStamp, progress: Progress = quiet, ticket: Ticket | None = None) -> Made:
    """Lay the sheet out under this stamp."""
    from gridman.reports.catalogue import get_report
    from gridman.reports.typeset import typeset

    def told(done: int, total: int, step: str = "") -> None:
        if ticket is not None:
            ticket.check()
        progress(done, total, step or _LAYING_OUT)

    out = io.BytesIO()
    printed = typeset(get_report(wish.report_id).build(sheet, stamp), out, told)
    return Made(wish, sheet, out.getvalue(), printed.pages, printed.undrawable, stamp.batch)


def rows_of(sheet: Any) -> int:
    """How many households the sheet names, for the audit."""
    return len(sheet.households) if isinstance(sheet, RosterSheet) else 1


def stamp_name(report_id: str) -> str:
    """The report's name in the audit and in the rule about who may print it."""
    return "incident_slip" if report_id == "F05" else report_id

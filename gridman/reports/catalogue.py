"""The list of reports: one line each. The desk's menu, the command line and the tests read it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gridman.kernel.words import N_
from gridman.reports.document import Document, Paper
from gridman.reports.household_card import household_card
from gridman.reports.incident_slip import incident_slip
from gridman.reports.roster import household_roster
from gridman.reports.visit_record import visit_record

__all__ = ["REPORTS", "Report", "get_report"]


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its form number, English title (translate when shown), builder `(sheet, stamp) -> Document`, paper."""

    id: str
    title: str
    build: Callable[[Any, Any], Document]
    paper: Paper


REPORTS: tuple[Report, ...] = (
    Report("F01", N_("Household roster"), household_roster, Paper.A4_LANDSCAPE),
    Report("F02", N_("One-household-one-file card"), household_card, Paper.A4_PORTRAIT),
    Report("F05", N_("Incident slip"), incident_slip, Paper.A4_PORTRAIT),
    Report("F06", N_("Visit record"), visit_record, Paper.A4_PORTRAIT),
)


def get_report(report_id: str) -> Report:
    """The report with this form number; KeyError when there is none."""
    for report in REPORTS:
        if report.id == report_id:
            return report
    raise KeyError(f"no report {report_id!r}; known: {', '.join(report.id for report in REPORTS)}")

"""What every sheet says about itself: duty and legal basis, what it leaves out, who printed it when, its watermark."""

from collections.abc import Iterable

from gridman.domain.masking import MASKS
from gridman.domain.sheets import IncidentStep, Photo, SheetStamp
from gridman.kernel.clock import day_of, show_instant
from gridman.kernel.words import N_, language
from gridman.reports.document import Block, Document, Fact, PageWords, Paper, Picture
from gridman.reports.wording import on_form

__all__ = [
    "BASIS",
    "batch_words",
    "footer_of",
    "imprinted",
    "instant_words",
    "mask",
    "organisation_day",
    "page_words",
    "pictures",
    "qr_text",
    "signed_words",
    "watermark_of",
]

BASIS = N_(
    "Duty: grid services and community governance. "
    "Legal basis: Personal Information Protection Law, art. 13(1)(3) and 34."
)
"""Articles 13(1)(3) and 34: what state organs need for statutory duties; from memory, no copy of the law was at hand."""


def imprinted(
    stamp: SheetStamp,
    form_id: str,
    *,
    title: str,
    leaves_out: str,
    facts: tuple[Fact, ...],
    blocks: tuple[Block, ...],
    subtitle: str = "",
    paper: Paper = Paper.A4_PORTRAIT,
    token: str = "",
) -> Document:
    """A sheet with its imprint. The facts are followed by who reports and the day; `token`: what the QR code refers to (the batch)."""
    own = (Fact(on_form("Reporting unit"), stamp.organisation), Fact(on_form("Day"), organisation_day(stamp)))
    return Document(
        title=title,
        subtitle=subtitle,
        paper=paper,
        words=page_words(),
        facts=(*facts, *own),
        blocks=blocks,
        footer=footer_of(stamp, leaves_out),
        watermark=watermark_of(stamp),
        batch=batch_words(stamp),
        author=f"{stamp.who} ({stamp.organisation})",
        subject=stamp.purpose,
        language=language(),
        printed_at=stamp.printed_at,
        qr=qr_text(form_id, token or stamp.batch),
    )


def page_words() -> PageWords:
    """The page's own words in the language in use."""
    return PageWords(
        page_of=on_form("Page {page} of {pages}"),
        continued=on_form("(continued)"),
        undrawable=on_form("No font has these characters; their code points are printed instead: {names}"),
        colon=on_form(": "),
        bad_picture=on_form("This photo is damaged and cannot be printed."),
        step=on_form("Drawing pages"),
    )


def footer_of(stamp: SheetStamp, leaves_out: str) -> tuple[str, ...]:
    """The lines at the foot of every page. `leaves_out` is already in the language in use."""
    colon = on_form(": ")
    basis = stamp.legal_basis or on_form(BASIS)
    if stamp.purpose:
        basis = f"{basis} {on_form('Purpose')}{colon}{stamp.purpose}"
    mask_words = (
        on_form("Identity and phone numbers are masked.")
        if stamp.masked
        else on_form("NOT MASKED: keep under lock, do not copy, destroy after use.")
    )
    printed = f"{on_form('Printed by')}{colon}{stamp.who} · {stamp.organisation} · {show_instant(stamp.printed_at)}"
    if stamp.device:
        printed = f"{printed} · {on_form('Device')}{colon}{stamp.device}"
    return (basis, f"{on_form('This sheet leaves out')}{colon}{leaves_out} {mask_words}", printed)


def batch_words(stamp: SheetStamp) -> str:
    """The number of this print, named; a preview has none and says so."""
    if not stamp.batch:
        return on_form("PREVIEW, not registered as a print")
    return f"{on_form('Batch')}{on_form(': ')}{stamp.batch}"


def qr_text(form_id: str, token: str) -> str:
    """What the sheet's QR code says: form and an opaque reference; nothing when there is none to refer to."""
    return f"gridman:{form_id}:{token}" if token else ""


def watermark_of(stamp: SheetStamp) -> str:
    """Who, where, when and which print, repeated across each page."""
    batch = stamp.batch or on_form("PREVIEW")
    parts = [stamp.organisation, stamp.who, show_instant(stamp.printed_at), batch, stamp.device]
    if not stamp.masked:
        parts.append(on_form("NOT MASKED"))
    return "  ".join(part for part in parts if part)


def mask(text: str, rule: str, stamp: SheetStamp) -> str:
    """`text` by the form's rule for its column (`text` sweeps numbers out of free text); whole when the stamp says so.

    Rules that hide a value for good (`restricted`, `hide`) hold for unmasked sheets too.
    """
    if not stamp.masked and rule not in ("restricted", "hide"):
        return text
    return MASKS[rule](text)


def organisation_day(stamp: SheetStamp) -> str:
    """The day of printing."""
    return day_of(stamp.printed_at)


def instant_words(at: int | None) -> str:
    """An instant for people, or nothing."""
    return "" if at is None else show_instant(at)


def signed_words(step: IncidentStep) -> str:
    """Organisation, person and time of a step on one line."""
    return "  ".join(part for part in (step.organisation, step.person, instant_words(step.at)) if part)


def pictures(photos: Iterable[Photo]) -> tuple[Picture, ...]:
    """Photos as pictures of a document."""
    return tuple(Picture(photo.image, photo.caption) for photo in photos)

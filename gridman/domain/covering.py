"""Personal values as they are shown before anybody has asked for them."""

from collections.abc import Callable
from typing import Any

from gridman.domain.fields import Field, Kind, Privacy
from gridman.domain.masking import mask_id, mask_phone

__all__ = ["mask_for", "masked"]


def mask_for(field: Field) -> Callable[[str], str] | None:
    """How this field is masked on the screen; None when it is shown as it is. Names, addresses and birth dates are what the work is
    about; numbers and sensitive values are hidden until a deliberate, logged act.
    """
    if field.kind is Kind.ID_NUMBER:
        return mask_id
    if field.kind is Kind.PHONES and field.privacy is not Privacy.NONE:
        return mask_phone
    if field.privacy is Privacy.SENSITIVE and field.kind is not Kind.CODE:
        return _hidden
    return None


def masked(field: Field, value: Any) -> str:
    """The value as it is shown at first."""
    if value is None or value == "":
        return ""
    mask = mask_for(field)
    return mask(str(value)) if mask else str(value)


def _hidden(value: str) -> str:
    return "••••••" if value else ""

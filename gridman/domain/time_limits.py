"""How long an incident may take (domain reference 4.4, recommended defaults)."""

__all__ = ["EMERGENCY", "time_limit_ms"]

EMERGENCY = "B1"
"""What the codes of emergency categories begin with."""

_HAZARDS = ("A701", "A702", "A709", "A710", "A805", "A810")
_DAY_MS = 86_400_000


def time_limit_ms(category: str, urgency: str | None) -> int:
    """From the report to the close: 24 h for emergencies, utilities and hazards, else 7 days."""
    is_quick = category.startswith(EMERGENCY) or category in _HAZARDS or urgency == "1"
    return _DAY_MS if is_quick else 7 * _DAY_MS

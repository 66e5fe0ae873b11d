"""Two people before the same form: who saves second changes only what they changed, and nothing they have not seen.

A desk's edits carry what they knew (`gridman.domain.merge`). A form of the street's own pages carries what it showed, for the same reason: without it
the second administrator would put back whatever the first one changed.
"""

from collections.abc import Mapping
from typing import Any

from gridman.domain.rules import Invalid
from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["CHANGED", "edits_against"]

CHANGED = "record.changed_meanwhile"


def edits_against(
    kind: str, current: Mapping[str, Any], wanted: Mapping[str, Any], seen: Mapping[str, Any]
) -> dict[str, Any]:
    """Those of the values `wanted` that differ from what the form had shown (`seen`). Refuses with a problem ``record.changed_meanwhile`` beside each
    field that somebody else has given another value since; the problem's place ``value`` is that value.
    """
    edited = {name: value for name, value in wanted.items() if value != seen.get(name)}
    crossed = {
        name: Refusal(
            CHANGED,
            N_("Meanwhile somebody else changed this to {value}."),
            N_("Save again if yours is to stand in its place."),
            value=current[name] if current[name] is not None else "–",
        )
        for name, value in edited.items()
        if current[name] not in (seen.get(name), value)
    }
    if crossed:
        raise Invalid(kind, crossed)
    return edited

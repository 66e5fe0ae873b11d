"""How each incident state looks on a map: a shape, a colour for light and for dark ground, and a mark inside.

Shape and mark differ wherever colours could be confused, so that a map printed in grey can still be read.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from gridman.kernel.paths import resource

__all__ = ["Symbol", "incident_symbols"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """The sign of one state. `shape` and `mark` are names the page's script knows; a hollow one is only outlined."""

    code: str
    zh: str
    en: str
    shape: str
    mark: str
    light: str
    dark: str
    is_hollow: bool = False

    def name(self, language: str) -> str:
        """The state's name in a language of the program."""
        return self.en if language == "en" else self.zh


# shape, mark, colour on light ground, colour on dark ground, hollow
_LOOKS: Mapping[str, tuple[str, str, str, str, bool]] = {
    "draft": ("circle", "", "#5c6870", "#9ca8ae", True),
    "reported": ("triangle", "alert", "#d9480f", "#ff922b", False),
    "handling": ("diamond", "bar", "#1d5a94", "#74b3f0", False),
    "dispatched": ("pentagon", "arrow", "#6741a8", "#b197fc", False),
    "suspended": ("square", "pause", "#845000", "#e0b04f", False),
    "feedback": ("hexagon", "alert", "#0d6569", "#4fc3c0", False),
    "returned": ("down", "alert", "#b0261e", "#ff8a80", False),
    "closed": ("circle", "check", "#1b6b37", "#7fce97", False),
    "rated": ("star", "", "#2b8a3e", "#a9e34b", False),
    "voided": ("cross", "", "#6b757c", "#89949b", False),
    "self_handled": ("square", "check", "#2b7a4b", "#8ce0a8", False),
}
_SHORT: Mapping[str, str] = {
    "draft": "Draft",
    "reported": "Reported",
    "handling": "In handling",
    "dispatched": "Dispatched",
    "suspended": "Suspended",
    "feedback": "Handled, to verify",
    "returned": "Returned",
    "closed": "Closed",
    "rated": "Rated",
    "voided": "Voided",
    "self_handled": "Handled on the spot",
}
_UNKNOWN = ("octagon", "", "#48545b", "#b7c2c7", False)


@cache
def incident_symbols() -> Mapping[str, Symbol]:
    """The symbols of all workflow states in the workflow's order, by code; the last, with an empty code, stands for any other."""
    symbols: dict[str, Symbol] = {}
    with resource("codes", "event_states.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            look = _LOOKS.get(row["code"], _UNKNOWN)
            short = _SHORT.get(row["code"], row["name_en"])
            symbols[row["code"]] = Symbol(row["code"], row["name_zh"], short, *look)
    symbols[""] = Symbol("", "", "", *_UNKNOWN)
    return symbols

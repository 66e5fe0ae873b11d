"""Two kinds of trouble: a Refusal is expected and told to the person in words; anything else is a bug."""

import re
from collections.abc import Mapping

from gridman.kernel.words import _

__all__ = ["Refusal", "Trouble"]

_PLACE = re.compile(r"\{(\w+)\}")
_WIDE_STOPS = ("。", "！", "？", "；")


class Refusal(Exception):
    """The program will not do what was asked, says of which record and why, and what helps.

    ``code`` is stable across versions and languages (``household.room_taken``); ``text`` and ``remedy`` are
    English message ids marked with ``N_`` and may hold ``{name}`` places filled from ``params``. Translation happens
    when the words are shown, so a refusal may cross threads, the wire and languages.
    """

    def __init__(self, code: str, text: str, remedy: str = "", /, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.remedy = remedy
        self.params = params

    def words(self) -> str:
        """The whole message in the language in use: what, and what to do."""
        what = _filled(_(self.text), self.params) if self.text else self.code
        if not self.remedy:
            return what
        # A Chinese full stop is as wide as a letter and brings its own gap.
        gap = "" if what.endswith(_WIDE_STOPS) else " "
        return f"{what}{gap}{_filled(_(self.remedy), self.params)}"

    def __str__(self) -> str:
        return f"{self.words()} [{self.code}]"


class Trouble(Refusal):
    """The machine cannot go on (disk full, data file damaged, database gone). It says nothing about the work that was under way, which
    may be right and succeed later: so it must never be taken for the answer to that work.
    """


def _filled(text: str, params: Mapping[str, object]) -> str:
    """Nothing but names between braces is a place: the text may have come over the wire, where `str.format` would reach into values. A
    place nobody filled is shown as it is: a message must never fail while telling of a failure.
    """
    return _PLACE.sub(lambda place: str(params.get(place[1], place[0])), text)

"""The words a person reads, in English or Chinese: gettext catalogues of `resources/i18n`.

The language is a property of the running program, like its locale: the one piece of state that belongs to the process
and not to an object. The front door sets it (`use`); it is read wherever words are shown. A server that answers people of both
languages at once sets it for one piece of work (`speaking`). Message ids are the English text.
"""

import gettext
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from gridman.kernel.paths import resource

__all__ = [
    "LANGUAGES",
    "N_",
    "_",
    "language",
    "listed",
    "ngettext",
    "pgettext",
    "said_in",
    "shortened",
    "speaking",
    "use",
]

LANGUAGES: dict[str, str] = {"en": "English", "zh_CN": "简体中文"}

_chosen: list[str] = ["en"]
_here: ContextVar[str] = ContextVar("language", default="")


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    if code == "en":
        return gettext.NullTranslations()
    return gettext.translation("gridman", localedir=str(resource("i18n")), languages=[code], fallback=True)


def use(code: str) -> None:
    """Speak `code` (a key of LANGUAGES) from now on, in every thread."""
    if code not in LANGUAGES:
        raise ValueError(f"no such language: {code!r}; known: {', '.join(LANGUAGES)}")
    _chosen[0] = code


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak `code` within this block and this thread only."""
    if code not in LANGUAGES:
        raise ValueError(f"no such language: {code!r}; known: {', '.join(LANGUAGES)}")
    before = _here.set(code)
    try:
        yield
    finally:
        _here.reset(before)


def language() -> str:
    """The code of the language in use."""
    return _here.get() or _chosen[0]


def _(text: str) -> str:
    """`text` in the language in use."""
    return _catalogue(language()).gettext(text) if text else ""


def ngettext(one: str, many: str, n: int) -> str:
    """`one` or `many` in the language in use, by the count `n`."""
    return _catalogue(language()).ngettext(one, many, n)


def pgettext(context: str, text: str) -> str:
    """`text` in the language in use, as it is said in `context`: a form's label is worded otherwise than a menu's."""
    return _catalogue(language()).pgettext(context, text) if text else ""


def listed(words: Iterable[str]) -> str:
    """Words one after the other, divided as the language in use divides them."""
    return _(", ").join(words)


def shortened(text: str, most: int) -> str:
    """The beginning of `text`, `most` characters with the mark that says that there is more; line ends become blanks."""
    whole = " ".join(text.split())
    return whole if len(whole) <= most else whole[: most - 1].rstrip() + "…"


def said_in(code: str, text: str) -> str:
    """`text` in the language `code`, whatever is in use: for a page or sheet that keeps a language of its own."""
    return _catalogue(code).gettext(text) if text else ""


def N_(text: str) -> str:
    """Mark `text` for translation where it is defined; it is translated where it is shown."""
    return text

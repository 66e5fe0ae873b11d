"""HTML from Python values: whatever is not markup already is escaped, so a name can never become a tag."""

import html
import re
from functools import cache

from gridman.kernel.paths import resource

__all__ = ["Html", "Part", "el", "icon", "join"]

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class Html(str):
    """Markup that is sent as it is. Only `el`, `join` and `icon` make it."""


Part = str | Html | int | None
"""What may stand in an element: text and numbers (escaped), markup, or nothing."""


def _safe(part: Part) -> str:
    if part is None:
        return ""
    return part if isinstance(part, Html) else html.escape(str(part))


def join(*parts: Part) -> Html:
    """Parts one after the other."""
    return Html("".join(_safe(part) for part in parts))


def el(tag: str, /, *parts: Part, **attributes: str | int | bool | None) -> Html:
    """An element. Attributes: a trailing underscore is dropped (`class_`), others become hyphens (`aria_label`); True stands alone, False
    and None are left out.
    """
    said = ""
    for key, value in attributes.items():
        attribute = key.rstrip("_").replace("_", "-")
        if value is True:
            said += f" {attribute}"
        elif value is not None and value is not False:
            said += f' {attribute}="{html.escape(str(value))}"'
    return Html(f"<{tag}{said}>" if tag in _VOID else f"<{tag}{said}>{join(*parts)}</{tag}>")


@cache
def icon(name: str) -> Html:
    """One of the program's icons, drawn in the colour of the text; it says nothing that the words beside it do not say."""
    drawn = _COMMENT.sub("", resource("icons", f"{name}.svg").read_text(encoding="utf-8"))
    return Html(" ".join(drawn.split()).replace("<svg", '<svg aria-hidden="true"', 1))

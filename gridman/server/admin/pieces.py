"""What pages are put together from: fields with their labels and errors, tables, cards, chips, notes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.admin.ask import Ask
from gridman.server.admin.frame import BASE, csrf_field
from gridman.server.admin.markup import Html, Part, el, join

__all__ = [
    "Fields", "actions", "as_shown", "card", "chip", "empty", "facts", "filter_bar", "fold", "form", "labelled", "link", "note", "press",
    "refused", "search_box", "seen_in", "table", "toned",
]  # fmt: skip


def link(text: Part, path: str, *, is_button: bool = False, is_main: bool = False) -> Html:
    """A link within the pages."""
    style = ("button main" if is_main else "button") if is_button else None
    return el("a", text, href=BASE + path, class_=style)


def card(*parts: Part, title: str = "") -> Html:
    """A group of things."""
    return el("section", el("h2", title) if title else None, *parts, class_="card")


def chip(text: str, tone: str = "") -> Html:
    """A state in a word; the colour only repeats it."""
    return el("span", text, class_=f"chip {tone}".strip())


def toned(is_wrong: bool, tone: str = "attention") -> str:
    """The tone of a figure."""
    return tone if is_wrong else "good"


def note(*parts: Part, tone: str = "") -> Html:
    """A few sentences that matter here."""
    return el("div", *(el("p", part) for part in parts if part), class_=f"note {tone}".strip())


def refused(ask: Ask, refusal: Refusal) -> Html:
    """Why something was not done, and what helps."""
    what, remedy = ask.told(refusal)
    return el(
        "div", el("p", el("strong", what)), el("p", remedy) if remedy else None, class_="note danger", role="alert"
    )


def empty(ask: Ask, what: str, advice: str = "", *doing: Part) -> Html:
    """Where there is nothing yet: says so, and what to do."""
    return el("div", el("p", ask.say(what)), el("p", ask.say(advice)) if advice else None, *doing, class_="card empty")


def facts(pairs: Iterable[tuple[str, Part]]) -> Html:
    """Names and values."""
    return el("dl", *(join(el("dt", name), el("dd", value)) for name, value in pairs))


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[Part]],
    *,
    caption: str = "",
    numbers: Sequence[int] = (),
    whole: Sequence[int] = (),
) -> Html:
    """A table; `numbers`: columns that stand to the right; `whole`: columns whose words are not broken over lines."""
    styles = dict.fromkeys(whole, "nowrap") | dict.fromkeys(numbers, "number")
    head = el("tr", *(el("th", text, scope="col", class_=styles.get(n)) for n, text in enumerate(heads)))
    body = [el("tr", *(el("td", cell, class_=styles.get(n)) for n, cell in enumerate(row))) for row in rows]
    return el("table", el("caption", caption) if caption else None, el("thead", head), el("tbody", *body))


def form(ask: Ask, path: str, *parts: Part, is_upload: bool = False) -> Html:
    """A form that changes something."""
    kind = "multipart/form-data" if is_upload else None
    return el("form", csrf_field(ask), *parts, method="post", action=BASE + path, enctype=kind)


def press(ask: Ask, path: str, text: str, *, tone: str = "", values: Mapping[str, object] | None = None) -> Html:
    """One button that does one thing."""
    hidden = [el("input", type="hidden", name=name, value=str(value)) for name, value in (values or {}).items()]
    return form(ask, path, *hidden, el("button", ask.say(text), class_=tone or None))


_SEEN = "seen."


def as_shown(values: Mapping[str, object]) -> Html:
    """Hidden in a form: the values that it shows, so that what somebody else changes meanwhile is noticed; `seen_in` reads them."""
    return join(*(el("input", type="hidden", name=_SEEN + n, value=_text(v)) for n, v in values.items()))


def seen_in(typed: Mapping[str, str]) -> dict[str, str]:
    """What `as_shown` hid in the form that was sent."""
    return {name.removeprefix(_SEEN): value for name, value in typed.items() if name.startswith(_SEEN)}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def actions(*parts: Part) -> Html:
    """What can be done here, side by side."""
    return el("div", *parts, class_="actions")


def filter_bar(ask: Ask, path: str, *parts: Part) -> Html:
    """A form that only looks: its values stand in the address."""
    button = el("button", ask.say(N_("Show")))
    return el("form", *parts, button, method="get", action=BASE + path, class_="bar", role="search")


def search_box(ask: Ask, path: str, label: str) -> Html:
    """A filter with one field, `q`."""
    typed = el("input", type="search", name="q", id="q", value=ask.query.get("q", ""))
    return filter_bar(ask, path, labelled(ask, label, "q", typed))


def labelled(ask: Ask, label: str, name: str, control: Html) -> Html:
    """A control of a filter under its label."""
    return el("div", el("label", ask.say(label), for_=name), control)


def fold(text: str, *parts: Part, is_open: bool = False) -> Html:
    """A button that opens what is seldom needed; no script is needed for it."""
    return el("details", el("summary", text, class_="button main"), *parts, open=is_open)


@dataclass
class Fields:
    """The fields of one form: values typed so far, and what is wrong with which."""

    ask: Ask
    values: Mapping[str, object] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def line(
        self, name: str, label: str, *, kind: str = "text", hint: str = "", required: bool = False, complete: str = "off",
        is_first: bool = False,
    ) -> Html:  # fmt: skip
        """A field of one line. Passwords are never sent back."""
        value = "" if kind in ("password", "file") else str(self.values.get(name) or "")
        control = el(
            "input", type=kind, name=name, id=name, value=value if kind != "file" else None, required=required, autocomplete=complete,
            autofocus=is_first, **self._marks(name, hint),
        )  # fmt: skip
        return self._field(name, label, control, hint, required)

    def text(self, name: str, label: str, *, hint: str = "") -> Html:
        """A field of several lines."""
        control = el("textarea", str(self.values.get(name) or ""), name=name, id=name, **self._marks(name, hint))
        return self._field(name, label, control, hint, False)

    def choice(
        self, name: str, label: str, options: Iterable[tuple[object, str]], *, hint: str = "", required: bool = False
    ) -> Html:
        """One of a list."""
        chosen = str(self.values.get(name) or "")
        made = [el("option", text, value=str(value), selected=str(value) == chosen) for value, text in options]
        control = el("select", *made, name=name, id=name, required=required, **self._marks(name, hint))
        return self._field(name, label, control, hint, required)

    def tick(self, name: str, label: str, *, hint: str = "") -> Html:
        """Yes or no."""
        box = el("input", type="checkbox", name=name, id=name, value="1", checked=bool(self.values.get(name)))
        below = el("p", self.ask.say(hint), class_="hint") if hint else None
        return el("div", el("label", box, self.ask.say(label), for_=name), below, class_="field")

    def _marks(self, name: str, hint: str) -> dict[str, str | None]:
        described = [
            f"{name}-{what}" for what, there in (("error", name in self.errors), ("hint", bool(hint))) if there
        ]
        invalid = "true" if name in self.errors else None
        return {"aria_invalid": invalid, "aria_describedby": " ".join(described) or None}

    def _field(self, name: str, label: str, control: Html, hint: str, required: bool) -> Html:
        mark = el("span", " *", class_="mark", aria_hidden="true") if required else None
        return el(
            "div",
            el("label", self.ask.say(label), mark, for_=name),
            control,
            el("p", self.errors[name], class_="error", id=f"{name}-error") if name in self.errors else None,
            el("p", self.ask.say(hint), class_="hint", id=f"{name}-hint") if hint else None,
            class_="field",
        )

"""What a page is told and what it answers: the words in the asker's language, the form's values, and a page, a file or another address."""

import email.parser
import email.policy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request

from gridman.domain.access import Actor
from gridman.domain.codes import table
from gridman.domain.fields import fields_of
from gridman.domain.organisation import Organisation
from gridman.domain.rules import Invalid
from gridman.kernel.clock import show_instant
from gridman.kernel.errors import Refusal
from gridman.kernel.words import said_in
from gridman.server.admin.markup import Html
from gridman.server.limits import malformed
from gridman.server.parts import StreetParts
from gridman.services.web_signin import SignedIn

__all__ = ["Answer", "Ask", "File", "Go", "Page", "Upload", "Work", "read_form", "whole"]


@dataclass(frozen=True)
class Upload:
    """A file that came with a form."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Page:
    """A page to show. `nav`: the place in the rail it belongs to; `again`: an address (below BASE) that the browser asks for by itself after
    a few seconds, for what goes on meanwhile.
    """

    title: str
    body: Html
    nav: str = ""
    status: int = 200
    again: str = ""


@dataclass(frozen=True)
class Go:
    """Another address to ask for, after something was done; `done` names what to say there (`gridman.server.admin.frame.DONE`)."""

    path: str
    done: str = ""


@dataclass(frozen=True)
class File:
    """A file to download. `name` is ASCII."""

    path: Path
    name: str


Answer = Page | Go | File


@dataclass
class Ask:
    """One call of a page."""

    parts: StreetParts
    language: str
    signed_in: SignedIn | None = None
    secret: str = field(default="", repr=False)
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict, repr=False)
    uploads: dict[str, Upload] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    host: str = ""
    path: str = ""
    url: str = ""

    @property
    def actor(self) -> Actor:
        """Who asks; only where somebody is signed in."""
        assert self.signed_in is not None
        return self.signed_in.actor

    @property
    def street(self) -> Any:
        """The open street (`gridman.services.street.Street`)."""
        return self.parts.street

    def say(self, text: str, **places: object) -> str:
        """A text in the asker's language."""
        said = said_in(self.language, text)
        for name, value in places.items():
            said = said.replace("{" + name + "}", str(value))
        return said

    def word(self, table_name: str, code: str | None) -> str:
        """A code's name in the asker's language."""
        found = table(table_name).get(code)
        if found is None:
            return code or ""
        return found.zh if self.language == "zh_CN" or not found.en else found.en

    def told(self, refusal: Refusal) -> tuple[str, str]:
        """A refusal's words and its remedy."""
        places = dict(refusal.params)
        return self.say(refusal.text, **places), self.say(refusal.remedy, **places)

    def invalid(self, refusal: Invalid, cls: Any) -> dict[str, str]:
        """What is wrong with each field of a form, with the field's name in the asker's language."""
        declared = fields_of(cls)
        found = {}
        for name, problem in refusal.problems.items():
            places = {**problem.params, "label": self.say(declared[name].label)} if name in declared else problem.params
            found[name] = self.say(problem.text, **places) + " " + self.say(problem.remedy, **places)
        return found

    def when(self, instant_ms: int) -> str:
        """An instant for people; a dash for none."""
        return show_instant(instant_ms) if instant_ms else "–"

    def number(self, name: str) -> int:
        """The whole number in the address; refuses what is none."""
        found = whole(self.params.get(name, ""))
        if found is None:
            raise malformed(name)
        return found

    def chosen(self, name: str) -> int | None:
        """The id chosen in a list of the form; None for none."""
        return whole(self.form.get(name, ""))

    def organisation(self, found: Organisation) -> str:
        """An organisation with its level."""
        return f"{found.name} ({self.word('organisation_level', found.level)})"


Work = Callable[[Ask], Answer]


def whole(text: str) -> int | None:
    """A whole number that a database can hold; None for whatever else stands there."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def read_form(request: Request, body: bytes) -> tuple[dict[str, str], dict[str, Upload]]:
    """The values and the files of a form. Refuses with ``http.malformed``."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        try:
            pairs = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=100, errors="strict")
        except ValueError as error:
            raise malformed("form") from error
        return {name: _plain(values[-1]) for name, values in pairs.items()}, {}
    if kind.startswith("multipart/form-data"):
        try:
            return _multipart(kind, body)
        except (
            ValueError,
            LookupError,
        ) as error:  # names in character sets that are none: the reader stumbles over some of them
            raise malformed("form") from error
    raise malformed("content-type")


def _multipart(kind: str, body: bytes) -> tuple[dict[str, str], dict[str, Upload]]:
    """RFC 7578 by the standard library's reader of MIME."""
    head = f"Content-Type: {kind}\r\n\r\n".encode("ascii", "replace")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise malformed("form")
    values: dict[str, str] = {}
    uploads: dict[str, Upload] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        if (filename := part.get_filename()) is not None:
            uploads[name] = Upload(Path(_plain(filename).replace("\\", "/")).name[:120], content)
        else:
            values[name] = _plain(content.decode("utf-8", "replace"))
    return values, uploads


def _plain(text: str) -> str:
    """Without characters that no keyboard types and PostgreSQL cannot keep; lines end as everywhere else here."""
    return "".join(c for c in text.replace("\r\n", "\n") if c in "\n\t" or c.isprintable())

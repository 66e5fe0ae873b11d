"""A browser without a screen for the street's pages: real TLS, cookies, forms as they stand on the page; each page is looked over on arrival."""

import html.parser
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

__all__ = ["Browser", "Form", "Seen"]

_FIELDS = ("input", "select", "textarea")


@dataclass
class Form:
    """One form of a page."""

    action: str
    method: str
    is_upload: bool = False
    values: dict[str, str] = field(default_factory=dict)
    options: dict[str, dict[str, str]] = field(default_factory=dict)
    button: str = ""


class _Reader(html.parser.HTMLParser):
    """Forms, links, labels and text of a page; notes what should not be there."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._select = ""
        self._option: str | None = None
        self._area = ""
        self._in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        self.tags.append((tag, have))
        if tag == "form":
            self._form = Form(have.get("action") or "", have.get("method") or "get", bool(have.get("enctype")))
            self.forms.append(self._form)
        if self._form is None:
            return
        name = have.get("name") or ""
        if tag == "input" and name and have.get("type") not in ("checkbox", "file"):
            self._form.values[name] = have.get("value") or ""
        if tag == "input" and have.get("type") == "checkbox" and "checked" in have:
            self._form.values[name] = have.get("value") or ""
        if tag == "textarea":
            self._area = name
            self._form.values[name] = ""
        if tag == "select":
            self._select = name
            self._form.options[name] = {}
        if tag == "option":
            self._option = have.get("value") or ""
            self._form.options[self._select][self._option] = ""
            if "selected" in have or self._select not in self._form.values:
                self._form.values[self._select] = self._option
        self._in_button = tag == "button"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "option":
            self._option = None
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._form is None:
            return
        if self._area:
            self._form.values[self._area] += data
        elif self._option is not None:
            self._form.options[self._select][self._option] += data
        elif self._in_button:
            self._form.button += data


@dataclass
class Seen:
    """A page that arrived."""

    answer: httpx.Response
    forms: list[Form]
    tags: list[tuple[str, dict[str, str | None]]]
    text: str

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def path(self) -> str:
        return self.answer.url.path

    @property
    def again(self) -> str:
        """The address that the page asks for by itself; empty where it stands still."""
        content = next(
            (have.get("content") or "" for tag, have in self.tags if tag == "meta" and have.get("http-equiv")), ""
        )
        return content.partition("url=")[2]

    def form(self, action: str, button: str = "") -> Form:
        """The form that goes to `action`, by the button's words where there are several."""
        fit = [f for f in self.forms if f.action == action and button in f.button]
        assert fit, f"no form to {action} on {self.path}: {[f.action for f in self.forms]}"
        return fit[0]

    def links(self) -> set[str]:
        return {have.get("href") or "" for tag, have in self.tags if tag == "a"}


class Browser:
    """One person's browser; `secret` is its cookie."""

    def __init__(self, url: str, authority: bytes, language: str = "en") -> None:
        context = ssl.create_default_context(cadata=authority.decode())
        self.url = url
        self.client = httpx.Client(
            base_url=url, verify=context, timeout=30, trust_env=False, follow_redirects=True,
            headers={"Accept-Language": language, "Sec-Fetch-Site": "same-origin"},
        )  # fmt: skip

    def close(self) -> None:
        self.client.close()

    @property
    def secret(self) -> str:
        return self.client.cookies.get("__Host-gridman-admin") or ""

    def open(self, path: str) -> Seen:
        """Ask for a page."""
        return self._seen(self.client.get(path))

    def send(self, form: Form, **values: str) -> Seen:
        """Send a form as it stands, with some fields filled in."""
        content = {**form.values, **values}
        if form.method == "get":
            return self._seen(self.client.get(form.action, params=content))
        return self._seen(self.client.post(form.action, data=content, headers={"Origin": self.url}))

    def upload(self, form: Form, name: str, filename: str, content: bytes) -> Seen:
        """Send a form with a file."""
        assert form.is_upload
        sent = self.client.post(
            form.action, data=form.values, files={name: (filename, content)}, headers={"Origin": self.url}
        )
        return self._seen(sent)

    def wait_for(self, seen: Seen, seconds: float = 60) -> Seen:
        """As a browser does: ask for the page again while it says so."""
        until = time.monotonic() + seconds
        while (again := seen.again) and time.monotonic() < until:
            time.sleep(0.1)
            seen = self.open(again)
        assert not seen.again, f"{seen.path} goes on and on: {seen.text}"
        return seen

    def sign_in(self, login: str, password: str) -> Seen:
        """Through the form of the sign-in page."""
        return self.send(self.open("/admin/sign-in").form("/admin/sign-in"), login=login, password=password)

    def _seen(self, answer: httpx.Response) -> Seen:
        if not answer.headers.get("content-type", "").startswith("text/html"):
            return Seen(answer, [], [], "")
        reader = _Reader()
        reader.feed(answer.text)
        seen = Seen(answer, reader.forms, reader.tags, " ".join("".join(reader.words).split()))
        look_over(seen)
        return seen


def look_over(seen: Seen) -> None:
    """What must hold of every page: nothing that runs, nothing from elsewhere, every control with a label, a language and one heading."""
    tags: list[tuple[str, dict[str, Any]]] = seen.tags
    names = [tag for tag, _ in tags]
    assert not {"script", "style", "iframe", "object", "embed", "img"} & set(names), seen.path
    for _tag, have in tags:
        assert not any(name.startswith("on") or name == "style" for name in have), have
        for name in ("href", "src", "action"):
            assert have.get(name) is None or re.match(r"/admin|#", have[name]), have
    ids = [have["id"] for _tag, have in tags if have.get("id")]
    assert len(ids) == len(set(ids)), f"{seen.path}: an id is there twice: {ids}"
    labelled = {have.get("for") for tag, have in tags if tag == "label"}
    for tag, have in tags:
        if tag in _FIELDS and have.get("type") != "hidden":
            assert have.get("id") in labelled, f"{seen.path}: {have.get('name')} has no label"
    assert names.count("h1") == 1 and next(have for tag, have in tags if tag == "html").get("lang") in ("en", "zh-CN")
    policy = seen.answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script" not in policy and "unsafe" not in policy
    assert seen.answer.headers["cache-control"] == "no-store"

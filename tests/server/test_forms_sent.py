"""Forms as no browser sends them: whatever a stranger puts into one is refused, never a mistake of the program."""

import pytest
from starlette.requests import Request

from gridman.kernel.errors import Refusal
from gridman.server.admin.ask import read_form

CHARSETS = ("undefined", "idna", "punycode", "utf-7", "raw_unicode_escape", "hex", "rot13", "utf-8\0", "", "x" * 99)
VALUES = ("%ff%00", "+2AA-", r"\ud800", r"%5cud800", "..", "%e0", "x" * 80)
PLACES = ("name*={c}''{v}", "name=a; filename*={c}''{v}", "name*0*={c}''{v}; name*1*={v}", 'name="=?{c}?q?{v}?="')


def sent(kind: str) -> Request:
    return Request({"type": "http", "headers": [(b"content-type", kind.encode("latin-1"))]})


@pytest.mark.parametrize("charset", CHARSETS)
def test_names_in_odd_character_sets_are_refused_or_read(charset: str) -> None:
    for value in VALUES:
        for place in PLACES:
            for head in ("Content-Disposition: form-data; ", "Content-Type: text/plain; "):
                part = head + place.format(c=charset, v=value)
                try:
                    values, uploads = read_form(
                        sent("multipart/form-data; boundary=b"),
                        f"--b\r\n{part}\r\n\r\nx\r\n--b--\r\n".encode("latin-1"),
                    )
                except Refusal as refusal:
                    assert refusal.code == "http.malformed"
                else:
                    assert all(v.isprintable() for v in values.values())
                    assert all(u.name.isprintable() for u in uploads.values()), "a name that no database keeps"
        with pytest.raises(Refusal) as refused:
            read_form(sent(f"multipart/form-data; boundary*={charset}''{value}"), b"--q\r\n\r\n--q--")
        assert refused.value.code == "http.malformed"

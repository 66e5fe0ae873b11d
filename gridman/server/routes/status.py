"""For people: GET / (a page) and GET /version. No personal data, no token needed."""

import html
import time

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gridman import __version__
from gridman.kernel.clock import show_instant
from gridman.kernel.words import N_, said_in
from gridman.server.answers import json_answer, language_of
from gridman.server.api import Caller, Param, Said, address
from gridman.server.parts import in_thread, parts_of
from gridman.services.street import StreetPicture, street_picture
from gridman.sync.protocol import SPOKEN

__all__ = ["get_status", "get_version"]

_STYLE = """
body{font:16px/1.5 "Noto Sans SC","Microsoft YaHei",system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#1c2733}
h1{font-size:1.4rem}h2{font-size:1.1rem}table{border-collapse:collapse;width:100%;margin:1rem 0}td,th{text-align:left;padding:.35rem .5rem;
border-bottom:1px solid #d5dbe1;font-variant-numeric:tabular-nums}th{width:45%;font-weight:500;color:#55636f}a{color:#0b5cad}
@media(prefers-color-scheme:dark){body{background:#15191d;color:#e4e9ee}td,th{border-color:#333c45}th{color:#9fadb9}a{color:#7db7f2}}
"""


class Version(Struct, frozen=True):
    """What runs here: the program, the versions of the sync that it speaks, and which street it is."""

    version: str
    protocol: int
    lowest_protocol: int
    street_id: str


@address("GET", "/version", Said(200, "What runs here.", Version), caller=Caller.ANYONE)
async def get_version(request: Request) -> Response:
    """What runs here, for a desk that is about to enrol and for monitors."""
    picture = await in_thread(lambda: street_picture(parts_of(request).street.store, 0))
    return json_answer(Version(__version__, SPOKEN.highest, SPOKEN.lowest, picture.street_id))


@address(
    "GET", "/", Said(200, "A page.", media_type="text/html"), caller=Caller.ANYONE,
    params=(Param("lang", "query", "The language; otherwise the browser's.", {"type": "string"}),),
)  # fmt: skip
async def get_status(request: Request) -> Response:
    """The page an administrator opens to see that all is well."""
    parts = parts_of(request)
    picture = await in_thread(lambda: street_picture(parts.street.store))
    up_s = int(time.monotonic() - parts.started)
    page = _page(language_of(request), picture, parts.street.database_kind, up_s)
    return HTMLResponse(page, headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})


def _page(language: str, picture: StreetPicture, database: str, up_s: int) -> str:
    def say(text: str, **places: object) -> str:
        return html.escape(said_in(language, text).format(**places))

    title = say(N_("Street server"))
    facts = [
        (say(N_("Version")), html.escape(__version__)),
        (say(N_("Running for")), say(N_("{days} d {hours} h {minutes} min"), **_parts_of_time(up_s))),
        (say(N_("Database")), html.escape(database)),
        (say(N_("Enrolled computers")), str(picture.device_count)),
        (say(N_("Accounts")), str(picture.account_count)),
    ]
    contacts = [
        (say(N_("Computer no. {number}"), number=c.replica), html.escape(show_instant(c.last_seen_at))
         + (f" ({say(N_('removed'))})" if c.is_revoked else ""))
        for c in picture.last_contacts
    ]  # fmt: skip
    nobody = [(say(N_("No computer has called yet.")), "")]
    other = ("zh_CN", "中文") if language == "en" else ("en", "English")
    return (
        f'<!doctype html><html lang="{language.replace("_", "-")}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><h1>gridman · {title}</h1>'
        f"{_table(facts)}<h2>{say(N_('Last calls'))}</h2>{_table(contacts or nobody)}"
        f'<p><a href="/?lang={other[0]}">{other[1]}</a></p></body></html>'
    )


def _parts_of_time(seconds: int) -> dict[str, int]:
    return {"days": seconds // 86_400, "hours": seconds // 3_600 % 24, "minutes": seconds // 60 % 60}


def _table(rows: list[tuple[str, str]]) -> str:
    return (
        "<table>" + "".join(f"<tr><th scope=row>{name}</th><td>{value}</td></tr>" for name, value in rows) + "</table>"
    )

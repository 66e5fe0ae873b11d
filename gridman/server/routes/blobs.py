"""/blobs/v1/SHA256: photos by content, in pieces that survive a cut line (offsets as in the tus protocol 1.0, without its extensions).

HEAD tells how much is here (`Upload-Offset`, `Upload-Length`), PATCH adds a piece at `Upload-Offset`, GET reads (with `Range` a piece).
A content may be read by those who have the record of it, and sent by those and by the desk that made a record of it, wherever that record is
now. A computer that was removed from the street's list sends its own and reads nothing.
"""

import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gridman.domain.access import Actor
from gridman.kernel.errors import Refusal
from gridman.server.api import BINARY, Body, Caller, Param, Said, address
from gridman.server.auth import caller_of
from gridman.server.limits import malformed, read_body, too_large
from gridman.server.parts import StreetParts, in_thread, parts_of
from gridman.services.handover import LOST, take_photo_bytes
from gridman.services.scoped import require_blob, require_own_blob, require_sendable_blob

__all__ = ["get_blob", "head_blob", "patch_blob"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")
_PATH = "/blobs/v1/{sha256}"
_NAME = Param(
    "sha256", "path", "SHA-256 of the content.", {"type": "string", "pattern": "^[0-9a-f]{64}$"}, is_required=True
)
_BYTES = {"type": "integer", "minimum": 0, "maximum": 999_999_999_999}
_OFFSETS = {"Upload-Offset": "How many bytes are here.", "Upload-Length": "The size of the whole content."}


async def _reader(request: Request) -> tuple[StreetParts, str]:
    """A desk that wants to see a photo, when it has the photo's record."""
    actor = await caller_of(request)
    parts, name, _numbers = await _checked(request, actor, require_blob)
    return parts, name


async def _sender(request: Request, *headers: str) -> tuple[StreetParts, str, list[int], Actor | None]:
    """A desk that brings a photo it has a record of or made one of; one that was removed may still bring its own. `headers`: those that hold
    numbers, looked at before whether the photo may be brought. The actor of a computer that was reported lost comes too, else None.
    """
    lost: Actor | None = None
    try:
        actor, require = await caller_of(request), require_sendable_blob
    except Refusal as refusal:
        if refusal.code != "auth.device_revoked":
            raise
        actor, require = await caller_of(request, is_farewell=True), require_own_blob
        lost = actor if refusal.params.get("revoked_as") == LOST else None
    return *await _checked(request, actor, require, *headers), lost


async def _checked(
    request: Request, actor: Actor, require: Callable[[Any, Actor, str], None], *headers: str
) -> tuple[StreetParts, str, list[int]]:
    parts, name = parts_of(request), request.path_params["sha256"]
    if not _SHA256.fullmatch(name):
        raise malformed("sha256")
    numbers = [_number(request, header) for header in headers]

    def check() -> None:
        with parts.street.store.read() as reader:
            require(reader, actor, name)

    await in_thread(check)
    return parts, name, numbers


@address(
    "HEAD",
    _PATH,
    Said(200, "How much is here.", headers=_OFFSETS),
    params=(_NAME,),
    caller=Caller.LEAVING,
    refuses=("http.malformed", "blob.missing"),
)
async def head_blob(request: Request) -> Response:
    """How many bytes are here; an offset of 0 for a content that is still to come."""
    parts, name, _numbers, _lost = await _sender(request)
    known = await in_thread(lambda: parts.blobs.received(name), parts.receiving)
    offset, total = known or (0, 0)
    return Response(headers={"Upload-Offset": str(offset), "Upload-Length": str(total)})


@address(
    "PATCH", _PATH, Said(204, "The piece was taken.", headers={"Upload-Offset": _OFFSETS["Upload-Offset"]}),
    caller=Caller.LEAVING, body=Body("chunk_bytes", media_type=BINARY, meaning="A piece of the content."),
    params=(
        _NAME,
        Param("Upload-Offset", "header", "Where in the content the piece begins.", _BYTES, is_required=True),
        Param("Upload-Length", "header", "The size of the whole content.", _BYTES, is_required=True),
    ),
    refuses=("http.malformed", "blob.missing", "blob.offset", "blob.damaged", "handover.full"),
)  # fmt: skip
async def patch_blob(request: Request) -> Response:
    """Add a piece; answers 204 with the new `Upload-Offset`, or 409 with the one expected."""
    parts, name, (offset, total), lost = await _sender(request, "upload-offset", "upload-length")
    if not 0 < total <= parts.limits.blob_bytes:
        raise too_large(parts.limits.blob_bytes)
    chunk = await read_body(request, parts.limits.chunk_bytes, parts.limits.body_s)
    if offset + len(chunk) > total:
        raise malformed("upload-length")
    if lost is not None:
        await in_thread(lambda: take_photo_bytes(parts.street.store, lost, len(chunk)), parts.receiving)
    now = await in_thread(lambda: parts.blobs.append(name, offset, total, chunk), parts.receiving)
    return Response(status_code=204, headers={"Upload-Offset": str(now)})


@address(
    "GET", _PATH, Said(200, "The whole content.", media_type=BINARY),
    Said(206, "A piece of it.", media_type=BINARY, headers={"Content-Range": "Which bytes of how many."}),
    Said(416, "It ends before that.", headers={"Content-Range": "Of how many bytes."}),
    params=(_NAME, Param("Range", "header", "The piece that is asked for.", {"type": "string", "pattern": "^bytes=[0-9]{1,12}-[0-9]{0,12}$"})),
    refuses=("http.malformed", "blob.missing"),
)  # fmt: skip
async def get_blob(request: Request) -> Response:
    """The content, at most one piece of the server's size at a time: 206 with `Content-Range`, 200 when that is all."""
    parts, name = await _reader(request)
    first, limit = _range(request, parts.limits.chunk_bytes)
    piece, total = await in_thread(lambda: parts.blobs.read(name, first, limit))
    if first >= total:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{total}"})
    headers = {"Content-Range": f"bytes {first}-{first + len(piece) - 1}/{total}", "Accept-Ranges": "bytes"}
    return Response(piece, 206 if len(piece) < total else 200, headers, "application/octet-stream")


def _range(request: Request, most: int) -> tuple[int, int]:
    asked = request.headers.get("range")
    if asked is None:
        return 0, most
    found = _RANGE.fullmatch(asked.strip()) if asked.isascii() else None
    if found is None:
        raise malformed("range")
    first = int(found[1])
    last = int(found[2]) if found[2] else first + most - 1
    if last < first:
        raise malformed("range")
    return first, min(most, last - first + 1)


def _number(request: Request, header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise malformed(header)
    return int(text)

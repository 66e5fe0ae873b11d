"""GET /ca: the certificate of the street's authority, for a computer that is about to enrol. It is public; what makes it believed is the
fingerprint, which goes another way (`gridman.services.trust`).
"""

from starlette.requests import Request
from starlette.responses import Response

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.server.api import Caller, Said, address
from gridman.server.parts import parts_of

__all__ = ["get_authority"]

PEM = "application/x-pem-file"


@address(
    "GET",
    "/ca",
    Said(200, "The certificate as PEM.", media_type=PEM),
    caller=Caller.ANYONE,
    refuses=("http.no_authority",),
)
async def get_authority(request: Request) -> Response:
    """The certificate of the street's authority; ``http.no_authority`` where the street is served without TLS."""
    authority = parts_of(request).authority
    if not authority:
        raise Refusal(
            "http.no_authority",
            N_("This street server has no certificate of its own."),
            N_("Start it without --insecure-http, then try again."),
        )
    return Response(authority, media_type=PEM)

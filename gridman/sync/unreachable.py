"""What to tell of a street that cannot be spoken with: away, behind a certificate that is not believed, or another program."""

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_

__all__ = ["no_street", "unreachable"]


def unreachable(url: str, why: str) -> Refusal:
    """Nobody answers at the address, or not the one whose certificate this desk believes; `why`: the library's words."""
    if "CERTIFICATE" in why.upper():
        return _untrusted(url, why.lower())
    return Refusal(
        "sync.unreachable",
        N_("The street server at {url} cannot be reached."),
        N_(
            "Go on working: everything is kept and sent when it is there again. If it lasts, check network and address. If the server moved, "
            "tell its new address in Settings or with gridman desk server URL."
        ),
        url=url,
    )


def _untrusted(url: str, why: str) -> Refusal:
    """What is wrong with the certificate decides what helps; nothing was sent in any case."""
    if "expired" in why or "not yet valid" in why:
        return Refusal(
            "sync.untrusted",
            N_("The certificate of the server at {url} has ended or is not valid yet, by this computer's clock."),
            N_(
                "Set this computer's clock if it is wrong; otherwise the administrator starts the street server anew, which renews it."
            ),
            url=url,
        )
    if "mismatch" in why or "not valid for" in why:
        return Refusal(
            "sync.untrusted",
            N_("The server at {url} is the street's, but its certificate does not know that name."),
            N_(
                "Use the address the administrator gave; or the administrator adds this one: gridman street certificate --host."
            ),
            url=url,
        )
    return Refusal(
        "sync.untrusted",
        N_("The server at {url} shows a certificate that is not trusted here."),
        N_("Do not go on; ask the office that looks after gridman whether the certificate was changed."),
        url=url,
    )


def no_street(url: str) -> Refusal:
    """Something answers, but no street server."""
    return Refusal(
        "sync.no_street",
        N_("What answers at {url} is not a gridman street server of this version."),
        N_("Check the address, or ask which version the street runs."),
        url=url,
    )

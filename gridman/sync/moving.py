"""The street server moved: is it the same street that answers at the new address?"""

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.services.signin import DeskUser
from gridman.sync.http import is_plain, street_at
from gridman.sync.retry import AWAY

__all__ = ["check_address"]


def check_address(user: DeskUser, authority: bytes, url: str) -> None:
    """Refuse unless the street of `user` answers at `url` with a certificate of the `authority` this desk believes (PEM; empty where it was
    enrolled within one computer). Nothing secret is sent. Refuses with ``desk.address_plain``, ``desk.nobody_there``, ``desk.other_street``,
    ``sync.untrusted``, ``sync.no_street``, ``sync.bad_address``.
    """
    if authority and is_plain(url):
        raise Refusal(
            "desk.address_plain",
            N_("{url} is an address without encryption; this computer keeps {old}."),
            N_("Type the address with https:// as the administrator gave it."),
            url=url,
            old=user.server_url,
        )
    try:
        found = street_at(url, authority)
    except Refusal as refusal:
        if refusal.code not in AWAY:
            raise
        raise Refusal(
            "desk.nobody_there",
            N_("No street server answers at {url}; this computer keeps {old}."),
            N_(
                "Check the address letter by letter, and the network. The street server shows its address when it starts."
            ),
            url=url,
            old=user.server_url,
        ) from refusal
    if found != user.street_id:
        raise Refusal(
            "desk.other_street",
            N_("Another street answers at {url}; this computer keeps {old}."),
            N_(
                "Ask the administrator for the address of your own street. For another street this computer is set up anew, with a code."
            ),
            url=url,
            old=user.server_url,
        )

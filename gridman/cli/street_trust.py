"""How new computers come to trust the street: its certificate, its fingerprint, and the code or QR that carries it."""

import argparse
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gridman.cli.console import Console
from gridman.cli.folders import add_data, opened_street
from gridman.kernel.clock import day_of
from gridman.kernel.files import write_whole
from gridman.kernel.words import _
from gridman.services.street import Street

__all__ = ["add_invitation", "announce", "fill", "invite", "say_fingerprint", "tls_of"]

_PORT = 8750


def fill(parts: Any) -> None:
    """The arguments of `street certificate`."""
    text = _("make or renew the certificate, and show its fingerprint")
    made = parts.add_parser("certificate", help=text, description=text)
    made.set_defaults(work=_certificate)
    add_data(made, is_street=True)
    made.add_argument(
        "--host",
        dest="hosts",
        action="append",
        default=[],
        metavar="NAME",
        help=_("name or address under which computers find the server; may be repeated"),
    )


def add_invitation(parser: argparse.ArgumentParser) -> None:
    """The arguments of what prints an enrolment code."""
    parser.add_argument(
        "--server", metavar="URL", help=_("address in the QR (default: where the street was served last)")
    )
    parser.add_argument("--qr", type=Path, metavar="FILE", help=_("write the QR as a PNG picture"))


def tls_of(street: Street, args: argparse.Namespace, hosts: tuple[str, ...] = ()) -> Any:
    """The certificate to serve with: the office's own where told, else the street's, made and renewed by itself, for `hosts` too."""
    from gridman.server.certificates import hosts_here, street_tls, tls_of_files

    if args.certificate:
        return tls_of_files(args.certificate, args.key)
    return street_tls(street, [*hosts_here(args.host), *hosts])


def announce(street: Street, tls: Any, host: str, address: str, console: Console) -> str:
    """Once the server listens: remember the address for invitations, show the fingerprint; returns it."""
    from gridman.services.trust import note_served

    if tls is None:
        console.warn(_("Without encryption: for this computer only."))
        return ""
    reached = [h for h in _outward(tls.hosts) if h] if host in ("0.0.0.0", "::") else []
    port = urlsplit(address).port
    note_served(street.store, tls.authority, f"https://{_bracketed(reached[0])}:{port}" if reached else address)
    return say_fingerprint(console, tls.authority)


def _outward(hosts: tuple[str, ...]) -> list[str]:
    """The names other computers may use, plain addresses first: they work without a name server."""
    from gridman.server.certificates import is_loopback

    far = [h for h in hosts if not is_loopback(h)]
    return sorted(far, key=lambda h: (not h.replace(".", "").isdigit(), ":" in h))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def say_fingerprint(console: Console, authority: bytes) -> str:
    """Show the fingerprint that people compare; returns it."""
    from gridman.services.trust import fingerprint_of

    found = fingerprint_of(authority)
    console.say(_("The street's fingerprint: {fingerprint}").format(fingerprint=found))
    return found


def _certificate(args: argparse.Namespace, console: Console) -> int:
    from gridman.server.certificates import street_tls
    from gridman.services.trust import browser_fingerprint

    with opened_street(args.data, args.database) as street:
        tls = street_tls(street, args.hosts)
    console.say(
        _("The server's certificate holds until {day} for: {hosts}").format(
            day=day_of(tls.ends_at), hosts=", ".join(tls.hosts)
        )
    )
    fingerprint = say_fingerprint(console, tls.authority)
    sha256 = browser_fingerprint(tls.authority)
    console.say(_("For browsers, the SHA-256 of the same certificate: {sha256}").format(sha256=sha256))
    console.give({"sha256": sha256, "fingerprint": fingerprint, "hosts": list(tls.hosts), "ends_at": tls.ends_at})
    return 0


def invite(street: Street, login: str, code: str, args: argparse.Namespace, console: Console) -> dict[str, str]:
    """Show an enrolment code with the street's fingerprint, to be typed and as a QR; returns both for a script."""
    from gridman.server.certificates import street_tls
    from gridman.services.trust import Invitation, fingerprint_of, served

    with street.store.read() as reader:
        authority, url = served(reader)
    if not authority:
        authority = street_tls(street).authority
    url = (args.server or url or f"https://127.0.0.1:{_PORT}").rstrip("/")
    invitation = Invitation(code, fingerprint_of(authority), url)
    link = invitation.link(authority)
    console.say(
        _("Enrolment code of {login}: {code} (works once, for 24 hours)").format(login=login, code=invitation.words)
    )
    _show_qr(link, args.qr, console)
    return {"code": invitation.words, "link": link}


def _show_qr(link: str, file: Path | None, console: Console) -> None:
    import segno

    qr = segno.make(link, error="m", micro=False)
    if not console.is_json and console.out.isatty():
        qr.terminal(out=console.out, compact=True)
    if file is not None:
        picture = BytesIO()
        qr.save(picture, kind="png", scale=6)
        write_whole(file, picture.getvalue())
        console.say(_("{file}: the code as a QR; delete it when it is used").format(file=file))

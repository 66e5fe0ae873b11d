"""The street's certificates: an authority of its own (ten years) and the server's certificate (two years), renewed by itself.

X.509 after RFC 5280: ECDSA on P-256, the authority with path length 0 and for signing certificates only, so that it can vouch for servers
and for nothing else. The authority lies in the street's data, its key sealed with the street's key; the server's certificate and key lie
in one file, DATA/tls/server.pem, so that a power cut never leaves one without the other.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gridman.kernel.clock import Clock, system_clock
from gridman.kernel.errors import Refusal
from gridman.kernel.files import write_whole
from gridman.kernel.words import N_
from gridman.services.street import Street
from gridman.services.trust import Authority, keep_authority, kept_authority, sealing_password

__all__ = ["Tls", "hosts_here", "is_loopback", "make_authority", "make_leaf", "street_tls", "tls_of_files"]

_AUTHORITY_DAYS, _LEAF_DAYS, _RENEW_DAYS = 3_652, 730, 30
_ALWAYS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Tls:
    """What a server needs: the file with its certificate (and key, unless `key` names another file), the key's password, and the
    authority's certificate (PEM) that it hands to desks.
    """

    certificate: Path
    key: Path | None = None
    password: str | None = field(default=None, repr=False)
    authority: bytes = b""
    hosts: tuple[str, ...] = ()
    ends_at: int = 0


def street_tls(street: Street, hosts: Iterable[str] = (), clock: Clock = system_clock) -> Tls:
    """The street's authority and server certificate, made when there are none; the server's is made anew when less than 30 days are left,
    when `hosts` (names or addresses that desks use) has one that it does not know, or when it cannot be used.

    The clock is the machine's: certificates are checked by other machines, whatever story the street's own clock tells.
    Refuses with ``certificate.bad_host``.
    """
    password = sealing_password(street.key)
    with street.store.read() as reader:
        authority = kept_authority(reader)
    if authority is None:
        authority = keep_authority(street.store, make_authority(password, clock()))
    file = street.data_dir / "tls" / "server.pem"
    wanted = [*_ALWAYS, *(_checked_host(h) for h in hosts)]
    known = _known_leaf(file, authority, password)
    known_hosts = _hosts_of(known) if known else ()
    missing = [h for h in wanted if h not in known_hosts]
    if known is None or missing or _days_left(known, clock()) < _RENEW_DAYS:
        write_whole(file, make_leaf(authority, password, tuple(dict.fromkeys([*known_hosts, *wanted])), clock()))
        known = _known_leaf(file, authority, password)
        assert known is not None
    ends_at = int(known.not_valid_after_utc.timestamp() * 1000)
    return Tls(file, None, password.decode(), authority.certificate, _hosts_of(known), ends_at)


def tls_of_files(certificate: Path, key: Path) -> Tls:
    """A certificate of the office's own. Desks believe the last certificate of its file: the issuer's, where it is a chain."""
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise Refusal(
            "server.bad_certificate",
            N_("The certificate cannot be used: {why}."),
            N_("Check the files given with --certificate and --key: both PEM, and made for each other."),
            why=getattr(error, "strerror", None) or error,
        ) from error
    anchor = chain[-1]
    return Tls(
        certificate, key, None, _pem(anchor), _hosts_of(chain[0]), int(chain[0].not_valid_after_utc.timestamp() * 1000)
    )


def make_authority(password: bytes, now: int) -> Authority:
    """A new authority, valid from a day ago (desks' clocks differ) for ten years; its key encrypted with `password`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "gridman"), x509.NameAttribute(NameOID.COMMON_NAME, "gridman street authority"),
    ])  # fmt: skip
    usage = _usage(digital_signature=False, key_cert_sign=True, crl_sign=True)
    made = (
        _builder(name, name, key.public_key(), now, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(_pem(made), _sealed(key, password))


def make_leaf(authority: Authority, password: bytes, hosts: tuple[str, ...], now: int, days: int = _LEAF_DAYS) -> bytes:
    """A server's certificate for `hosts`, followed by the authority's and by its own key, encrypted with `password` (PEM)."""
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    issuer_key = serialization.load_pem_private_key(authority.sealed_key, password)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gridman street server")])
    made = (
        _builder(name, issuer.subject, key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_general_name(h) for h in hosts]), critical=False)
        .add_extension(_usage(digital_signature=True, key_cert_sign=False, crl_sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    return _pem(made) + authority.certificate + _sealed(key, password)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: int, days: int
) -> x509.CertificateBuilder:
    moment = datetime.fromtimestamp(now // 1000, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=days))
    )


def _usage(*, digital_signature: bool, key_cert_sign: bool, crl_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=key_cert_sign, crl_sign=crl_sign, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _sealed(key: ec.EllipticCurvePrivateKey, password: bytes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(password)
    )


def _known_leaf(file: Path, authority: Authority, password: bytes) -> x509.Certificate | None:
    """The certificate in the file, if it is whole, of this authority, and its key opens; else None, and another is made."""
    with suppress(OSError, ValueError, TypeError, x509.InvalidVersion):
        content = file.read_bytes()
        leaf = x509.load_pem_x509_certificate(content)
        key = serialization.load_pem_private_key(content, password)
        is_pair = isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == leaf.public_key()
        if is_pair and _is_issued_by(leaf, authority.certificate):
            return leaf
    return None


def _is_issued_by(leaf: x509.Certificate, authority: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _days_left(leaf: x509.Certificate, now: int) -> float:
    return (leaf.not_valid_after_utc.timestamp() - now / 1000) / 86_400


def _hosts_of(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (*names.get_values_for_type(x509.DNSName), *(str(a) for a in names.get_values_for_type(x509.IPAddress)))


def _general_name(host: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(host))
    return x509.DNSName(host)


def _checked_host(host: str) -> str:
    """A name as certificates have it: lower case, foreign letters in their ASCII form (RFC 5890)."""
    with suppress(ValueError):
        return str(ipaddress.ip_address(host.strip("[]")))
    try:
        name = host.rstrip(".").lower().encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if name and all(c.isalnum() or c in "-." for c in name) and not name.startswith(("-", ".")):
        return name
    raise Refusal(
        "certificate.bad_host",
        N_("{host} cannot be a server's name."),
        N_("Give a name such as street.example, or an address such as 192.0.2.7, without https:// and port."),
        host=host,
    )


def is_loopback(host: str) -> bool:
    """Whether only this computer itself can reach a server that listens at `host`."""
    with suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return host == "localhost"


def hosts_here(bound: str) -> list[str]:
    """The names under which other computers find a server that listens at `bound`: that one, or for "every address" this computer's own."""
    with suppress(ValueError):
        if not ipaddress.ip_address(bound).is_unspecified:
            return [bound]
        return [*_plain(socket.gethostname()), *_own_addresses()]
    return [bound]


def _plain(name: str) -> list[str]:
    try:
        return [_checked_host(name)]
    except Refusal:
        return []


def _own_addresses() -> list[str]:
    """Addresses by which this machine would talk to the network (nothing is sent), and those its own name stands for."""
    found: list[str] = []
    tries: list[Callable[[], Iterable[str]]] = [
        lambda: [_towards(socket.AF_INET, "192.0.2.1")],
        lambda: [_towards(socket.AF_INET6, "2001:db8::1")],
        lambda: [str(a[4][0]) for a in socket.getaddrinfo(socket.gethostname(), None)],
    ]
    for attempt in tries:
        with suppress(OSError, UnicodeError):
            found += [a.partition("%")[0] for a in attempt()]
    return list(dict.fromkeys(found))


def _towards(family: socket.AddressFamily, address: str) -> str:
    with socket.socket(family, socket.SOCK_DGRAM) as towards:
        towards.connect((address, 9))
        return str(towards.getsockname()[0])

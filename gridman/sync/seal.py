"""What keeps a bundle on a stick private and true: keys of the street and of each desk, and the envelope.

A party's two key pairs (Ed25519 to sign, RFC 8032; X25519 to be sealed to, RFC 7748) are derived from one secret seed: the street's from
its data key, so a restored street opens bundles written before
(after a change of its key it keeps the former ones for these); a desk's from a random seed in its encrypted store. The public halves are
exchanged once, in Hello and Greeting, over the connection that the device's token and the street's certificate vouch for.

Envelope: MAGIC, length and bytes of the open header, ephemeral X25519 key, ChaCha20-Poly1305 (RFC 8439) of signature and content, under
HKDF-SHA-256 of the shared secret. The header is authenticated; the signature covers header and recipient too, so that nobody who
receives a bundle can seal it on to somebody else as the writer's.
"""

import struct
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gridman.kernel.errors import Refusal
from gridman.kernel.words import N_
from gridman.store.bundle_keys import private_keys

__all__ = [
    "LARGEST_BUNDLE",
    "PUBLIC_BYTES",
    "Header",
    "Keys",
    "header_of",
    "open_sealed",
    "seal",
    "too_large",
    "unreadable",
]

MAGIC = b"GRIDMAN-BUNDLE-1"
LARGEST_BUNDLE = 256 << 20
PUBLIC_BYTES = 64
_LENGTH = struct.Struct(">H")
_KEY, _SIGNATURE = 32, 64
_NONCE = bytes(12)  # the key is made for one envelope and seals one text


class Header(msgspec.Struct, array_like=True, frozen=True):
    """What anybody may read: which way it goes, which street and which device it is about, when it was written."""

    is_return: bool
    street_id: str
    replica: int
    made_at: int


@dataclass(frozen=True, repr=False)
class Keys:
    """One party's private keys."""

    signing: Ed25519PrivateKey
    opening: X25519PrivateKey

    @classmethod
    def from_seed(cls, seed: bytes) -> "Keys":
        """The same keys for the same 32 secret bytes."""
        return cls.from_private(private_keys(seed))

    @classmethod
    def from_private(cls, private: bytes) -> "Keys":
        """From the two private halves (`gridman.store.bundle_keys.private_keys`)."""
        return cls(
            Ed25519PrivateKey.from_private_bytes(private[:_KEY]), X25519PrivateKey.from_private_bytes(private[_KEY:])
        )

    @property
    def public(self) -> bytes:
        """64 bytes: the key others verify with, then the key others seal to."""
        return self.signing.public_key().public_bytes_raw() + self.opening.public_key().public_bytes_raw()


def seal(header: Header, content: bytes, writer: Keys, reader: bytes) -> bytes:
    """An envelope for the party with the public keys `reader`."""
    head = msgspec.msgpack.encode(header)
    signature = writer.signing.sign(_signed(head, reader, content))
    once = X25519PrivateKey.generate()
    open_key = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(reader[_KEY:]))
    start = MAGIC + _LENGTH.pack(len(head)) + head + open_key
    sealed = ChaCha20Poly1305(_envelope_key(shared, open_key, reader)).encrypt(_NONCE, signature + content, start)
    if len(start) + len(sealed) > LARGEST_BUNDLE:
        raise too_large()
    return start + sealed


def header_of(envelope: bytes) -> Header:
    """The open header, not yet proved. Refuses with ``bundle.unreadable``."""
    return _split(envelope)[0]


def open_sealed(envelope: bytes, reader: Keys, writer: bytes) -> tuple[Header, bytes]:
    """Header and content, when the envelope was sealed to `reader`, signed by the party with the public keys `writer`, and not a bit of it was
    changed; refuses with ``bundle.unreadable`` otherwise.
    """
    header, start, sealed = _split(envelope)
    open_key = start[-_KEY:]
    try:
        shared = reader.opening.exchange(X25519PublicKey.from_public_bytes(open_key))
        text = ChaCha20Poly1305(_envelope_key(shared, open_key, reader.public)).decrypt(_NONCE, sealed, start)
        head, content = start[len(MAGIC) + _LENGTH.size : -_KEY], text[_SIGNATURE:]
        verifier = Ed25519PublicKey.from_public_bytes(writer[:_KEY])
        verifier.verify(text[:_SIGNATURE], _signed(head, reader.public, content))
    except (InvalidTag, InvalidSignature, ValueError) as error:
        raise unreadable(type(error).__name__) from error
    return header, content


def _split(envelope: bytes) -> tuple[Header, bytes, bytes]:
    """Header, everything before the sealed text, the sealed text."""
    if len(envelope) > LARGEST_BUNDLE:
        raise too_large()
    at = len(MAGIC) + _LENGTH.size
    if len(envelope) < at or not envelope.startswith(MAGIC):
        raise unreadable("no bundle")
    (length,) = _LENGTH.unpack(envelope[len(MAGIC) : at])
    if len(envelope) < at + length + _KEY:
        raise unreadable("cut off")
    try:
        header = msgspec.msgpack.decode(envelope[at : at + length], type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable("header") from error
    body = at + length + _KEY
    return header, envelope[:body], envelope[body:]


def _signed(head: bytes, reader: bytes, content: bytes) -> bytes:
    return b"".join((MAGIC, _LENGTH.pack(len(head)), head, reader, content))


def _envelope_key(shared: bytes, open_key: bytes, reader: bytes) -> bytes:
    return HKDF(hashes.SHA256(), _KEY, salt=open_key + reader[_KEY:], info=b"gridman bundle envelope 1").derive(shared)


def unreadable(why: str) -> Refusal:
    """The refusal ``bundle.unreadable``."""
    return Refusal(
        "bundle.unreadable",
        N_(
            "The file is no bundle for this place, or it was damaged or changed on the way ({why}). Nothing of it was used."
        ),
        N_("Copy it again, or write a new one; nothing is lost by that."),
        why=why,
    )


def too_large() -> Refusal:
    """The refusal ``bundle.too_large``."""
    return Refusal(
        "bundle.too_large",
        N_("The bundle is larger than {most_mb} MB."),
        N_("Synchronise over a network once."),
        most_mb=LARGEST_BUNDLE >> 20,
    )

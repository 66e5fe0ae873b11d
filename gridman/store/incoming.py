"""Photos that arrive in pieces: encrypted piece by piece as they come, checked against their name when complete, then filed.

A part file holds frames `length(4) nonce(12) sealed(piece)`; each is bound to its content and offset, so pieces cannot be moved. A
frame cut off by a power failure is dropped, and the sender goes on from there.
"""

import hashlib
import os
import secrets
import threading
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gridman.kernel.errors import Refusal
from gridman.kernel.files import require_free_space
from gridman.kernel.words import N_

__all__ = ["Filed", "IncomingBlobs"]

_NONCE, _TAG, _LENGTH = 12, 16, 4
_SPARE_BYTES = 64 << 20


class Filed(Protocol):
    """Where whole contents are kept."""

    def put(self, sha256: str, data: bytes) -> None: ...

    def get(self, sha256: str) -> bytes | None: ...


class IncomingBlobs:
    """The street's receiving side, over the store of whole contents. `folder`: for the parts; `key`: 32 bytes."""

    def __init__(self, filed: Filed, folder: Path, key: bytes) -> None:
        self._filed = filed
        self._folder = folder
        self._aes = AESGCM(key)
        self._turn = threading.Lock()

    def received(self, sha256: str) -> tuple[int, int] | None:
        """Bytes here and the whole size (0 while the content is under way); None when nothing of it is here."""
        whole = self._filed.get(sha256)
        if whole is not None:
            return len(whole), len(whole)
        with self._turn:
            found = sum(len(piece) for piece in self._pieces(sha256))
        return (found, 0) if found else None

    def append(self, sha256: str, offset: int, total: int, chunk: bytes) -> int:
        """Add a piece; returns how many bytes are here now. A piece that is here already is not taken twice.

        Refuses with ``blob.offset`` when the piece does not follow what is here, ``blob.damaged`` when the whole does not have its name
        (all of it is dropped then), ``disk.full``.
        """
        with self._turn:
            whole = self._filed.get(sha256)
            if whole is not None:
                return len(whole)
            pieces = self._pieces(sha256)
            here = sum(map(len, pieces))
            if offset != here:
                raise Refusal(
                    "blob.offset",
                    N_("The photo's next piece starts at byte {expected}."),
                    N_("Go on from there."),
                    expected=here,
                )
            require_free_space(self._folder, _SPARE_BYTES)
            if here + len(chunk) < total:
                self._add(sha256, offset, chunk)
                return here + len(chunk)
            self._file(sha256, b"".join([*pieces, chunk]))
            return total

    def read(self, sha256: str, offset: int, limit: int) -> tuple[bytes, int]:
        """A piece of a whole content, and its size. Refuses with ``blob.missing``."""
        whole = self._filed.get(sha256)
        if whole is None:
            raise Refusal(
                "blob.missing",
                N_("The street does not have this photo yet."),
                N_("It comes once the computer that took it has synchronised."),
            )
        return whole[offset : offset + limit], len(whole)

    def _file(self, sha256: str, data: bytes) -> None:
        if hashlib.sha256(data).hexdigest() != sha256:
            self._part(sha256).unlink(missing_ok=True)
            raise Refusal(
                "blob.damaged",
                N_("The photo arrived damaged."),
                N_("It will be sent again from the beginning."),
            )
        self._filed.put(sha256, data)
        self._part(sha256).unlink(missing_ok=True)

    def _part(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.part"

    def _pieces(self, sha256: str) -> list[bytes]:
        """What arrived so far; a frame that is cut off or spoilt ends it, and is cut away so that the next one follows a sound one."""
        path = self._part(sha256)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return []
        found: list[bytes] = []
        place = offset = 0
        while place < len(raw):
            length = int.from_bytes(raw[place : place + _LENGTH], "big")
            frame = raw[place + _LENGTH : place + _LENGTH + _NONCE + length]
            if len(frame) < _NONCE + _TAG or len(frame) < _NONCE + length:
                break
            try:
                found.append(self._aes.decrypt(frame[:_NONCE], frame[_NONCE:], _bound(sha256, offset)))
            except InvalidTag:
                break
            offset += len(found[-1])
            place += _LENGTH + _NONCE + length
        if place < len(raw):
            os.truncate(path, place)
        return found

    def _add(self, sha256: str, offset: int, chunk: bytes) -> None:
        if not chunk:
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._aes.encrypt(nonce, chunk, _bound(sha256, offset))
        with self._part(sha256).open("ab") as file:
            file.write(len(sealed).to_bytes(_LENGTH, "big") + nonce + sealed)
            file.flush()
            os.fsync(file.fileno())


def _bound(sha256: str, offset: int) -> bytes:
    return f"gridman part {sha256} {offset}".encode()

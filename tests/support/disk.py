"""What a thief with the key would find on a desk's disk: every page of the database and of its log, decrypted, free ones too.

Format of SQLCipher 4: AES-256-CBC per page of 4096 bytes, the last 80 of a page are the IV (16) and an HMAC (64); the first 16 bytes of the
file are a salt. A frame of the write-ahead log is 24 bytes of header and such a page.
"""

from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

__all__ = ["plain_pages", "whole_image"]

PAGE, RESERVED, IV, SALT = 4_096, 80, 16, 16
WAL_HEADER, FRAME_HEADER = 32, 24


def _open(page: bytes, key: bytes, *, is_first: bool) -> bytes:
    body = page[SALT if is_first else 0 : PAGE - RESERVED]
    iv = page[PAGE - RESERVED : PAGE - RESERVED + IV]
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return decryptor.update(body) + decryptor.finalize()


def plain_pages(path: Path, key: bytes) -> Iterator[bytes]:
    """Every page of the database file, then every page in its log."""
    data = path.read_bytes()
    for at in range(0, len(data), PAGE):
        yield _open(data[at : at + PAGE], key, is_first=at == 0)
    log = path.with_name(path.name + "-wal")
    data = log.read_bytes() if log.exists() else b""
    at = WAL_HEADER
    while at + FRAME_HEADER + PAGE <= len(data):
        number = int.from_bytes(data[at : at + 4], "big")
        page = data[at + FRAME_HEADER : at + FRAME_HEADER + PAGE]
        yield _open(page, key, is_first=number == 1)
        at += FRAME_HEADER + PAGE


def whole_image(path: Path, key: bytes) -> bytes:
    """All of it as one; what lies on a page border is not found, so look for short words."""
    return b"\0".join(plain_pages(path, key))

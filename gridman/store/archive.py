"""A backup as one file: a tar of members that are encrypted already, closed by a manifest with every member's SHA-256.

The manifest comes last, so a file that was cut off has none, and it carries an HMAC-SHA-256 (RFC 2104) under a key derived from the data
key, so that nobody without the passphrase can put another member in its place. Any tar program can unpack it.
"""

import hashlib
import hmac
import io
import os
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from gridman.kernel.errors import Refusal
from gridman.kernel.files import full_disk, is_full_disk, replacing
from gridman.kernel.progress import Progress, quiet
from gridman.kernel.words import N_

__all__ = ["Manifest", "Member", "manifest_of", "prove", "unpack", "write_archive"]

FORMAT = 1
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 256 << 20
_CHUNK = 1 << 20


class Member(msgspec.Struct, frozen=True):
    """One file of the archive."""

    name: str
    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What the archive holds, and of which life of the data. `kind`: street or desk; `seq`: last number of the street's feed."""

    format: int
    kind: str
    app: str
    made_at: int
    street_id: str
    epoch: str
    seq: int
    photo_count: int
    members: tuple[Member, ...] = ()
    mac: str = ""

    def member(self, name: str) -> Member | None:
        """The member of that name."""
        return next((m for m in self.members if m.name == name), None)


def _mac(manifest: Manifest, key: bytes) -> str:
    bare = msgspec.json.encode(msgspec.structs.replace(manifest, mac=""))
    secret = hashlib.blake2b(b"gridman backup manifest", key=key, digest_size=32).digest()
    return hmac.new(secret, bare, hashlib.sha256).hexdigest()


def prove(manifest: Manifest, key: bytes, path: Path) -> None:
    """Refuse with ``backup.damaged`` a manifest that was not written with this data key."""
    if not hmac.compare_digest(manifest.mac.encode(), _mac(manifest, key).encode()):
        raise damaged(path, "signature")


def write_archive(
    path: Path, facts: Manifest, key: bytes, sources: Iterable[tuple[str, Path | bytes]], progress: Progress = quiet
) -> Manifest:
    """Write `sources` (name, content or its file) to `path`, whole or not at all. Refuses with ``backup.exists``, ``disk.full``."""
    if path.exists():
        raise Refusal(
            "backup.exists",
            N_("There is already a file {path}."),
            N_("Choose another name; nothing was changed."),
            path=path,
        )
    with replacing(path) as file:
        return _write(file, facts, key, sources, progress)


def _write(
    file: IO[bytes], facts: Manifest, key: bytes, sources: Iterable[tuple[str, Path | bytes]], progress: Progress
) -> Manifest:
    members: list[Member] = []
    made_of = list(sources)
    total = sum(source.stat().st_size if isinstance(source, Path) else len(source) for _name, source in made_of)
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for name, source in made_of:
            members.append(_add(tar, name, source, facts.made_at))
            progress(sum(m.size_bytes for m in members), total, N_("Copying"))
        photos = sum("blobs/" in m.name for m in members)
        bare = msgspec.structs.replace(facts, members=tuple(members), photo_count=photos)
        made = msgspec.structs.replace(bare, mac=_mac(bare, key))
        _add(tar, _MANIFEST, msgspec.json.encode(made), facts.made_at)
    return made


class _Hashing(io.RawIOBase):
    """A file that is hashed while it is read."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._inner.read(size)
        self.digest.update(data)
        return data


def _add(tar: tarfile.TarFile, name: str, source: Path | bytes, at: int) -> Member:
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = 0o600, at // 1000
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as inner:
        info.size = os.fstat(inner.fileno()).st_size if isinstance(source, Path) else len(source)
        hashing = _Hashing(inner)
        tar.addfile(info, hashing)
    return Member(name, info.size, hashing.digest.hexdigest())


def manifest_of(path: Path, progress: Progress = quiet) -> Manifest:
    """Read the whole archive and hold every member against the manifest. Refuses with ``backup.missing``, ``backup.damaged``,
    ``backup.too_new``. Whether the manifest itself is true, `prove` tells.
    """
    found: list[Member] = []
    manifest: Manifest | None = None
    read, whole = 0, path.stat().st_size if path.is_file() else 0
    with _reading(path) as members:
        for name, size, file in members:
            if name == _MANIFEST:
                manifest = _manifest(path, file, size)
                continue
            found.append(_hashed(name, file, None, path))
            read += size
            progress(read, whole, N_("Checking"))
    if manifest is None:
        raise damaged(path, "cut off")
    if tuple(found) != manifest.members:
        raise damaged(path, "contents")
    return manifest


def unpack(
    path: Path, manifest: Manifest, folder: Path, progress: Progress = quiet, only: tuple[str, ...] = ()
) -> None:
    """Write the members under `folder` (those named in `only`, else all), each held against the manifest once more."""
    known = {m.name: m for m in manifest.members}
    with _reading(path) as members:
        for number, (name, _size, file) in enumerate(members):
            if name == _MANIFEST or (only and name not in only):
                continue
            target = folder / name
            if name not in known or not target.resolve().is_relative_to(folder.resolve()):
                raise damaged(path, "contents")
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    written = _hashed(name, file, out, path)
                    out.flush()
                    os.fsync(out.fileno())
            except OSError as error:
                if is_full_disk(error):
                    raise full_disk(folder) from error
                raise
            if written != known[name]:
                raise damaged(path, "contents")
            progress(number + 1, len(known), N_("Unpacking"))


@contextmanager
def _reading(path: Path) -> Iterator[Iterator[tuple[str, int, IO[bytes]]]]:
    """Name, size and content of each member in order; whatever is wrong with the file refuses with ``backup.damaged``."""
    if not path.is_file():
        raise Refusal("backup.missing", N_("There is no file {path}."), N_("Check the name."), path=path)
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield _members(tar, path)
    except (tarfile.TarError, EOFError, UnicodeError, ValueError, OverflowError) as error:
        raise damaged(path, type(error).__name__) from error


def _members(tar: tarfile.TarFile, path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    for info in tar:
        file = tar.extractfile(info) if info.isfile() else None
        if file is None:
            raise damaged(path, "contents")
        yield info.name, info.size, file


def _hashed(name: str, file: IO[bytes], out: IO[bytes] | None, path: Path) -> Member:
    digest, size = hashlib.sha256(), 0
    try:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if out is not None:
                out.write(chunk)
    except tarfile.TarError as error:
        raise damaged(path, "cut off") from error
    return Member(name, size, digest.hexdigest())


def _manifest(path: Path, file: IO[bytes], size: int) -> Manifest:
    if size > _LARGEST_MANIFEST:
        raise damaged(path, "manifest")
    try:
        told: Any = msgspec.json.decode(file.read())
        if isinstance(told, dict) and isinstance(told.get("format"), int) and told["format"] > FORMAT:
            raise Refusal(
                "backup.too_new",
                N_("The backup {path} was made by a newer gridman."),
                N_("Install the newer version. Nothing was changed."),
                path=path,
            )
        return msgspec.convert(told, Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(path, "manifest") from error


def damaged(path: Path, why: str) -> Refusal:
    """The refusal ``backup.damaged``."""
    return Refusal(
        "backup.damaged",
        N_("The backup {path} is damaged or was changed ({why}); nothing of it was used."),
        N_("Take another copy of it, or an older backup."),
        path=path,
        why=why,
    )

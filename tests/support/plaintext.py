"""Looking for words in every file of a folder, in whatever dress text wears on a disk."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import zstandard

__all__ = ["found_in", "spellings"]

_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")


def spellings(words: Iterable[str]) -> list[tuple[str, bytes]]:
    """Each word as the bytes it could be written in."""
    dressed = [(word, word.encode(encoding)) for word in words for encoding in _ENCODINGS]
    dressed += [(word, word.encode("unicode_escape")) for word in words]
    dressed += [(word, word.encode("utf-8").hex().encode()) for word in words]
    return list({(word, data) for word, data in dressed})


def _contents(path: Path) -> Iterator[bytes]:
    """The file as it is, and what is packed in it."""
    raw = path.read_bytes()
    yield raw
    with suppress(OSError, EOFError, zlib.error):
        yield gzip.decompress(raw)
    with suppress(zstandard.ZstdError):
        yield zstandard.ZstdDecompressor().decompress(raw, max_output_size=1 << 26)
    if zipfile.is_zipfile(io.BytesIO(raw)):
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            for name in packed.namelist():
                yield name.encode()
                yield packed.read(name)


def found_in(folder: Path, words: Iterable[str]) -> list[str]:
    """`word in file` for every word that lies open in a file below `folder`, or in a file's name."""
    wanted, found = spellings(words), set()
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        found.update(f"{word} in the name {name}" for word, _data in wanted if word in name)
        if not path.is_file():
            continue
        for content in _contents(path):
            found.update(f"{word} in {name}" for word, data in wanted if data in content)
    return sorted(found)

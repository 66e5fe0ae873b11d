"""A small .xls (BIFF8 in a compound file), written byte by byte: no library of ours writes the format, but offices still send it.

Sources: MS-CFB (compound file binary format) and MS-XLS (Excel binary file format), open specifications.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

__all__ = ["write_old_workbook"]

_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _text_cell(row: int, column: int, text: str) -> bytes:
    # LABEL with 16-bit characters; the style is number 0.
    encoded = text.encode("utf-16-le")
    return _record(0x0204, struct.pack("<HHHHB", row, column, 0, len(encoded) // 2, 1) + encoded)


def _number_cell(row: int, column: int, value: float) -> bytes:
    return _record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def _beginning(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def _workbook_stream(name: str, rows: Sequence[Sequence[str | float | None]]) -> bytes:
    style = _record(0x00E0, bytes(20))
    title = name.encode("utf-16-le")
    end = _record(0x000A, b"")

    def globals_with(sheet_at: int) -> bytes:
        sheet = struct.pack("<IHBB", sheet_at, 0, len(title) // 2, 1) + title
        return _beginning(0x0005) + style + _record(0x0085, sheet) + end

    cells = b"".join(
        _text_cell(r, c, cell) if isinstance(cell, str) else _number_cell(r, c, cell)
        for r, row in enumerate(rows)
        for c, cell in enumerate(row)
        if cell is not None
    )
    width = max(len(row) for row in rows)
    size = _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    return globals_with(len(globals_with(0))) + _beginning(0x0010) + size + cells + end


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0" if name else b""
    head = encoded.ljust(64, b"\0") + struct.pack("<HBBIII", len(encoded), kind, 1, _FREE, _FREE, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)


def compound_file(streams: dict[str, bytes]) -> bytes:
    """A compound file with one stream (padded so that it is not a "mini" one)."""
    ((name, content),) = streams.items()
    content = content.ljust(max(4096, -(-len(content) // _SECTOR) * _SECTOR), b"\0")
    count = len(content) // _SECTOR
    chain = [_FAT, _END, *range(3, count + 2), _END]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(_SECTOR, b"\xff")
    if len(table) > _SECTOR:
        raise ValueError("too big for a test's workbook")
    folder = _entry("Root Entry", 5, 1, _END, 0) + _entry(name, 2, _FREE, 2, len(content))
    folder += 2 * _entry("", 0, _FREE, 0, 0)
    header = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<I", 0) + b"\xff" * (_SECTOR - len(header) - 4)
    return header + table + folder + content


def write_old_workbook(path: Path, name: str, rows: Sequence[Sequence[str | float | None]]) -> Path:
    """Write `rows` as the only sheet of an .xls."""
    path.write_bytes(compound_file({"Workbook": _workbook_stream(name, rows)}))
    return path

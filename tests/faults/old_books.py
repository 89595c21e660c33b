"""Workbooks that no library here writes: an old .xls, an .ods, and the shell of a workbook locked by a password. As small as can be."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

SECTOR, FREE, END, FAT = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def xls_of(rows: Sequence[Sequence[str | float]]) -> bytes:
    """An Excel 97 workbook of one sheet: texts and numbers."""
    return _compound({"Workbook": _workbook(rows)})


def locked_book() -> bytes:
    """What Office writes for a workbook with a password: a compound file with the sheet enciphered in it."""
    return _compound({"EncryptionInfo": bytes(SECTOR * 9), "EncryptedPackage": bytes(range(256)) * 20})


def ods_of(rows: Sequence[Sequence[str]]) -> bytes:
    """An OpenDocument spreadsheet of one sheet of texts."""
    cells = "".join(
        "<table:table-row>" + "".join(f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>' for cell in row)
        + "</table:table-row>"
        for row in rows
    )  # fmt: skip
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    content = f"<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name='a'>{cells}</table:table>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    entry = f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
    manifest = f'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">{entry}</manifest:manifest>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("mimetype", kind)
        book.writestr("content.xml", content + "</office:spreadsheet></office:body></office:document-content>")
        book.writestr("META-INF/manifest.xml", manifest)
    return out.getvalue()


def _workbook(rows: Sequence[Sequence[str | float]]) -> bytes:
    """The BIFF8 stream: globals with the place of the sheet, then the sheet's cells."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0x0DBB, 0x07CC, 0, 6))
    name = "a".encode("utf-16-le")
    place = len(begin) + 4 + 8 + len(name) + 4
    whole = begin + record(0x0085, struct.pack("<IBBBB", place, 0, 0, 1, 1) + name) + record(0x000A, b"")
    whole += record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0x0DBB, 0x07CC, 0, 6))
    whole += record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0))
    for at, row in enumerate(rows):
        for place_of, cell in enumerate(row):
            where = struct.pack("<HHH", at, place_of, 0)
            if isinstance(cell, str):
                whole += record(0x0204, where + struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le"))
            else:
                whole += record(0x0203, where + struct.pack("<d", cell))
    return whole + record(0x000A, b"")


def _compound(streams: dict[str, bytes]) -> bytes:
    """A compound file: one table of sectors, one of names, then the streams, none of them small."""
    chain, body, entries = [FAT, END], b"", [_entry("Root Entry", 5, END, 0, child=1)]
    for at, (name, bare) in enumerate(streams.items(), start=1):
        data = bare.ljust(max(4096, -(-len(bare) // SECTOR) * SECTOR), b"\0")
        start, sectors = len(chain), len(data) // SECTOR
        chain += [*range(start + 1, start + sectors), END]
        body += data
        entries.append(_entry(name, 2, start, len(data), right=at + 1 if at < len(streams) else FREE))
    names = b"".join(entries).ljust(SECTOR, b"\0")
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, END, 0, END, 0)
    header += struct.pack("<I", 0) + struct.pack("<I", FREE) * 108
    table = b"".join(struct.pack("<I", one) for one in chain).ljust(SECTOR, b"\xff")
    assert len(table) == SECTOR, "more than one table of sectors is never needed here"
    return header + table + names + body


def _entry(name: str, kind: int, start: int, size: int, *, child: int = FREE, right: int = FREE) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return text.ljust(64, b"\0") + struct.pack("<HBBIII16xI8x8xIQ", len(text), kind, 1, FREE, right, child, 0, start, size)

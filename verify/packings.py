"""Archives of others, opened behind the fence: what a zip or gz holds, counted while it unfolds. Runs in the child only.

A member's name is read (names of Chinese Windows too) and judged, never used as a path. Sizes that an archive declares
are believed only where they are already too large.
"""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from verify.fenced_child import RefusedError

MEMBERS = 10_000
CHUNK = 1 << 20
FREE, RATIO = 64 << 20, 200  # beyond so many bytes nothing may be more than so many times its packed size
BOOK_MEMBERS, BOOK_BYTES, BOOK_RATIO, BOOK_FREE = 2_000, 2 << 30, 100, 16 << 20
NOT_DATA = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
ODS = b"application/vnd.oasis.opendocument.spreadsheet"
LOCKED = 0x1


def names(given: BinaryIO, out: BinaryIO) -> dict[str, Any]:
    """The names of a zip's members, written as a list in JSON; folders are none. Refuses E-PACK-SIZE, E-PASSWORD, E-TORN."""
    with _opened(given) as archive:
        members = _files(archive)
        _check(members, MEMBERS, 0)
        out.write(json.dumps([member.filename for member in members]).encode())
    return {"members": len(members)}


def member(given: BinaryIO, out: BinaryIO, *, name: str, most: int) -> dict[str, Any]:
    """One member of a zip by its name, no longer than `most`. Refuses E-PACK-SIZE, E-PASSWORD, E-TORN."""
    with _opened(given) as archive:
        found = [one for one in _files(archive) if one.filename == name]
        if len(found) != 1:
            raise RefusedError("E-TORN")
        return {"size": _unfold(_bytes_of(archive, found[0]), out, packed=found[0].compress_size, most=most)}


def unpack(given: BinaryIO, out: BinaryIO, *, most: int, inside: bool) -> dict[str, Any]:
    """The one data file in a zip or gz; or the word that the zip is itself a workbook (`book`: xlsx or ods).

    `inside`: it was itself packed, and must be a workbook. Refuses E-PACK-NESTED, E-PACK-EMPTY, E-PACK-MANY, E-PACK-NAME,
    E-PACK-SIZE, E-PASSWORD, E-TORN.
    """
    size = given.seek(0, 2)
    given.seek(0)
    if given.read(2) == b"\x1f\x8b":
        given.seek(0)
        if inside:
            raise RefusedError("E-PACK-NESTED")
        return {"size": _unfold(_gunzipped(given), out, packed=size, most=most)}
    with _opened(given) as archive:
        members = _files(archive)
        kind = _book_kind(archive, members)
        if kind:
            _check(members, BOOK_MEMBERS, BOOK_BYTES)
            if any(one.file_size > BOOK_FREE and one.file_size > BOOK_RATIO * one.compress_size for one in members):
                raise RefusedError("E-PACK-SIZE")
            return {"book": kind}
        if inside:
            raise RefusedError("E-PACK-NESTED")
        data = [one for one in members if not one.filename.startswith(NOT_DATA[0]) and one.filename.split("/")[-1] not in NOT_DATA]
        if len(data) != 1:
            raise RefusedError("E-PACK-MANY" if data else "E-PACK-EMPTY", files=str(len(data)))
        if _leads_out(data[0]):
            raise RefusedError("E-PACK-NAME")
        _check(data, 1, most)
        return {"size": _unfold(_bytes_of(archive, data[0]), out, packed=data[0].compress_size, most=most)}


def _opened(given: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(given, metadata_encoding="gb18030")
    except UnicodeDecodeError:  # a name in no Chinese encoding: it is only shown to nobody
        return zipfile.ZipFile(given)


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = [one for one in archive.infolist() if not one.is_dir()]
    if any(one.flag_bits & LOCKED for one in members):
        raise RefusedError("E-PASSWORD")
    return members


def _check(members: list[zipfile.ZipInfo], number: int, size: int) -> None:
    """Too many members, or a declared size beyond `size` (0: not asked)."""
    if len(members) > number or (size and sum(one.file_size for one in members) > size):
        raise RefusedError("E-PACK-SIZE")


def _book_kind(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> str | None:
    inside = {one.filename: one for one in members}
    if "xl/workbook.xml" in inside or "xl/workbook.bin" in inside:
        return "xlsx"
    sign = inside.get("mimetype")
    return "ods" if sign and sign.file_size < 100 and archive.read(sign).strip().startswith(ODS) else None


def _leads_out(one: zipfile.ZipInfo) -> bool:
    """Whether a member is a link or a device, or its name would lead out of the folder it is unpacked in."""
    kind = stat.S_IFMT(one.external_attr >> 16)
    parts = one.filename.split("/")
    return kind not in {0, stat.S_IFREG} or ".." in parts or "" in parts or any(sign in one.orig_filename for sign in "\\:\0") or not one.filename.isprintable()


def _bytes_of(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(one) as stream:
            while part := stream.read(CHUNK):
                yield part
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise RefusedError("E-TORN") from None


def _gunzipped(given: BinaryIO) -> Iterator[bytes]:
    """What one or several gz members hold; zeros behind the last are filling. Cut off or damaged: E-TORN."""
    rest = given.read(CHUNK)
    while rest:
        machine = zlib.decompressobj(wbits=31)
        while not machine.eof:
            try:
                part = machine.decompress(machine.unconsumed_tail or rest, CHUNK)
            except zlib.error:
                raise RefusedError("E-TORN") from None
            if part:
                yield part
            if not machine.eof and not machine.unconsumed_tail:
                rest = given.read(CHUNK)
                if not rest:
                    yield _last_of(machine)
        rest = (machine.unused_data or given.read(CHUNK)).lstrip(b"\0")
        while not rest and (more := given.read(CHUNK)):
            rest = more.lstrip(b"\0")


def _last_of(machine: Any) -> bytes:
    """What is left in a machine that gets no more input. Refuses E-TORN where that is not the end."""
    left: bytes = machine.flush()
    if not machine.eof:
        raise RefusedError("E-TORN")
    return left


def _unfold(parts: Iterator[bytes], out: BinaryIO, *, packed: int, most: int) -> int:
    """Write it all, and stop where it is more than can be meant. The size."""
    size = 0
    for part in parts:
        size += len(part)
        if size > most or (size > FREE and size > RATIO * packed):
            raise RefusedError("E-PACK-SIZE")
        written = memoryview(part)
        while written:
            written = written[out.write(written) :]
    return size

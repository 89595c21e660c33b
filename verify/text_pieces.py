"""A text file in pieces of UTF-8, each cut behind a line end, so that no file is ever in memory whole."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import polars as pl

from verify.columns import BAD_BYTE
from verify.text_forms import Form, decoded

PIECE = 24 << 20  # bytes read at a time: more than 32 MiB the system's allocator gives back at once, and has again page by page
STRETCH = 128 << 10  # bytes that are read and decoded together: they stay in the processor's cache
WINDOW = 256 << 10  # bytes that stay in the cache while they are counted
MARK = BAD_BYTE.encode()
SEPARATORS = [chr(code) for code in (31, 30, 29, 28, 7, 6, 5, 4, 3, 2, 1)]  # of a one-column cut: one that the text has not
PACKED = (b"\x1f\x8b", b"x\x01", b"x^", b"x\x9c", b"x\xda", b"(\xb5/\xfd")
# Python's GB18030 is that of 2000: nine characters, rare in names, lay in a private area before Unicode had them (GB 18030-2005).
PRIVATE = {
    **dict(zip((0xE7C7, 0xE81E, 0xE826, 0xE82B, 0xE82C), "\u1e3f\u9fb4\u9fb5\u9fb6\u9fb7", strict=True)),
    **dict(zip((0xE832, 0xE843, 0xE854, 0xE864), "\u9fb8\u9fb9\u9fba\u9fbb", strict=True)),
}
PRIVATE_SIGN = b"\xee"  # the first byte of all nine in UTF-8, and of no character that anybody writes


def in_pieces(file: BinaryIO) -> bool:
    """Whether a file is read in more than one piece."""
    return file.seek(0, 2) > PIECE


def pieces(file: BinaryIO, form: Form) -> Iterator[tuple[bytes, bool]]:
    """The file in UTF-8, cut behind line ends (CR alone becomes LF), and whether the piece is the last.

    What is read is decoded while it is in the cache, and put together once: a piece in memory is a piece the system must clear first.
    """
    held: list[bytes] = []
    size = 0
    for stretch, last in _stretches(file, form):
        held.append(_in_utf8(stretch, form))
        size += len(stretch)
        if last or size >= PIECE:
            data = b"".join(held)
            held, size = [], 0
            yield data, last


def _stretches(file: BinaryIO, form: Form) -> Iterator[tuple[bytes, bool]]:
    """The file in stretches that are cut behind a line end, so that no character runs over one; the last, perhaps empty, is told."""
    file.seek(form.skip)
    rest, end = b"", form.line_end.encode(form.encoding)
    while data := file.read(STRETCH):
        whole = rest + data
        cut = _behind_last(whole, end)
        rest = whole[cut:]
        yield whole[:cut], False
    yield rest, True


def _behind_last(data: bytes, end: bytes) -> int:
    """The place behind the last line end; in UTF-16 one that begins a unit."""
    at = data.rfind(end)
    while at > 0 and at % len(end):
        at = data.rfind(end, 0, at)
    return at + len(end) if at >= 0 else 0


def _in_utf8(data: bytes, form: Form) -> bytes:
    """A stretch in UTF-8, every byte that is not of its encoding, and every zero byte, marked."""
    data = data if form.encoding == "utf-8" and _is_utf8(data) else _decoded(data, form.encoding)
    data = data.replace(b"\0", MARK) if b"\0" in data else data
    return data.replace(b"\r", b"\n") if form.line_end == "\r" else data


def _decoded(data: bytes, encoding: str) -> bytes:
    text = decoded(data, encoding)
    found = text.encode("utf-8", "replace")
    if encoding == "gb18030" and PRIVATE_SIGN in found:
        found = text.translate(PRIVATE).encode("utf-8", "replace")
    return found


def _is_utf8(data: bytes) -> bool:
    """Polars looks at many bytes at a time; Python would make a text of them first."""
    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def lines_of(data: bytes) -> pl.Series:
    """The lines of a piece."""
    separator = next((one for one in SEPARATORS if one.encode() not in data), None)
    if separator is None:  # it is no text at all
        separator = SEPARATORS[0]
        data = data.replace(separator.encode(), MARK)
    return read_text(data, {"line": pl.String}, separator=separator, quote_char=None, empty_string_is_null=False)["line"]


def marked_lines(data: bytes) -> list[int]:
    """The lines of a piece, from 0, in which a bad byte stands."""
    found: list[int] = []
    at = line = 0
    while (mark := data.find(MARK[:1], at)) >= 0:  # one byte is found much faster than four, and hardly any text has it
        line, at = line + count_of(data, b"\n", at, mark), mark + 1
        if data.startswith(MARK, mark) and line not in found[-1:]:
            found.append(line)
    return found


def count_of(data: bytes, sign: bytes, start: int = 0, stop: int | None = None) -> int:
    """How often a byte stands in a piece; one that is frequent is counted in a third of the time of `bytes.count`."""
    units, stop = np.frombuffer(data, dtype=np.uint8), len(data) if stop is None else stop
    return sum(int(np.count_nonzero(units[at : min(at + WINDOW, stop)] == sign[0])) for at in range(start, stop, WINDOW))


def read_text(data: bytes, schema: Mapping[str, type[pl.DataType]], **how: Any) -> pl.DataFrame:
    """Well-formed CSV without a header as text columns; an empty field has no value."""
    if data.startswith(PACKED):  # Polars would unpack it: a plate that begins with x^ is no zlib stream
        data, how = b"-\n" + data, {**how, "skip_lines": 1}
    return pl.read_csv(io.BytesIO(data), has_header=False, schema=dict(schema), raise_if_empty=False, **how)

"""A text file in pieces of UTF-8, each cut behind a line end, so that no file is ever in memory whole."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import polars as pl

from verify.columns import BAD_BYTE
from verify.text_forms import Form, decoded

PIECE = 48 << 20  # bytes read at a time
STRETCH = 16 << 10  # bytes of a piece that are decoded together where one is not of UTF-8
MARK = BAD_BYTE.encode()
SEPARATORS = [chr(code) for code in (31, 30, 29, 28, 7, 6, 5, 4, 3, 2, 1)]  # of a one-column cut: one that the text has not
PACKED = (b"\x1f\x8b", b"x\x01", b"x^", b"x\x9c", b"x\xda", b"(\xb5/\xfd")
# Python's GB18030 is that of 2000: nine characters, rare in names, lay in a private area before Unicode had them (GB 18030-2005).
PRIVATE = {
    **dict(zip((0xE7C7, 0xE81E, 0xE826, 0xE82B, 0xE82C), "\u1e3f\u9fb4\u9fb5\u9fb6\u9fb7", strict=True)),
    **dict(zip((0xE832, 0xE843, 0xE854, 0xE864), "\u9fb8\u9fb9\u9fba\u9fbb", strict=True)),
}


def in_pieces(file: BinaryIO) -> bool:
    """Whether a file is read in more than one piece."""
    return file.seek(0, 2) > PIECE


def pieces(file: BinaryIO, form: Form) -> Iterator[tuple[bytes, bool]]:
    """The file in UTF-8, cut behind line ends (CR alone becomes LF), and whether the piece is the last."""
    file.seek(form.skip)
    rest, end = b"", form.line_end.encode(form.encoding)
    while True:
        data = file.read(PIECE)
        last = len(data) < PIECE
        whole = rest + data if rest else data
        cut = len(whole) if last else _behind_last(whole, end)
        rest = whole[cut:]
        yield _in_utf8(whole[:cut], form), last
        if last:
            return


def _behind_last(data: bytes, end: bytes) -> int:
    """The place behind the last line end; in UTF-16 one that begins a unit."""
    at = data.rfind(end)
    while at > 0 and at % len(end):
        at = data.rfind(end, 0, at)
    return at + len(end) if at >= 0 else 0


def _in_utf8(data: bytes, form: Form) -> bytes:
    """A piece in UTF-8, every byte that is not of its encoding, and every zero byte, marked."""
    if form.encoding == "utf-8":
        data = mended(data)
    else:
        text = decoded(data, form.encoding)
        if form.encoding == "gb18030" and (b"\xfe" in data or b"\xa8\xbc" in data) and any(chr(code) in text for code in PRIVATE):
            text = text.translate(PRIVATE)
        data = text.encode("utf-8", "replace")
    data = data.replace(b"\0", MARK) if b"\0" in data else data
    return data.replace(b"\r", b"\n") if form.line_end == "\r" else data


def mended(data: bytes) -> bytes:
    """A piece with every byte that is not of UTF-8 marked. Only the stretches that have one are decoded: it is most of the cost."""
    stretches = [data]
    if not _is_utf8(pl.Series([data], dtype=pl.Binary)):
        ends = [0]
        while ends[-1] < len(data):
            ends.append(data.find(b"\n", ends[-1] + STRETCH) + 1 or len(data))  # no character runs over a line end
        stretches = [data[start:end] for start, end in itertools.pairwise(ends)]
        for at in _not_utf8(pl.Series(stretches, dtype=pl.Binary), 0):
            stretches[at] = decoded(stretches[at], "utf-8").encode()
    return b"".join(stretches)


def _is_utf8(stretches: pl.Series) -> bool:
    try:
        stretches.cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def _not_utf8(stretches: pl.Series, first: int) -> list[int]:
    """Which stretches are not UTF-8, found by halves; the first of them has the number `first`."""
    if _is_utf8(stretches):
        return []
    half = stretches.len() // 2
    return [first] if not half else _not_utf8(stretches[:half], first) + _not_utf8(stretches[half:], first + half)


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
        line, at = line + data.count(b"\n", at, mark), mark + 1
        if data.startswith(MARK, mark) and line not in found[-1:]:
            found.append(line)
    return found


def read_text(data: bytes, schema: Mapping[str, type[pl.DataType]], **how: Any) -> pl.DataFrame:
    """Well-formed CSV without a header as text columns; an empty field has no value."""
    if data.startswith(PACKED):  # Polars would unpack it: a plate that begins with x^ is no zlib stream
        data, how = b"-\n" + data, {**how, "skip_lines": 1}
    return pl.read_csv(io.BytesIO(data), has_header=False, schema=dict(schema), raise_if_empty=False, **how)

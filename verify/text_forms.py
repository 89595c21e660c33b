"""How a text file is written: its encoding, its delimiter, its header; found in its first bytes, and told where not agreed."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from verify.columns import BAD_BYTE, clean_header, find_columns
from verify.rule_extracts import Extract

SAMPLE = 1 << 20
HEAD = 1 << 14  # bytes in which the header is looked for
HEAD_LINES = 50
HANDLER = "hedui-bad-byte"
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
ENCODINGS = ("utf-8", "gb18030")
DELIMITERS = {",": ",", ";": ";", "tab": "\t", "|": "|"}
LONGEST_FIELD = 1 << 24


@dataclass(frozen=True, slots=True)
class Form:
    """How a text is written: `skip` bytes of mark in front; `header` as it stands, in the first `head_lines` lines, of which
    `blank` are empty and lie before it.

    `line_end` is LF, or CR where no line has another; `ascii` says that the sample is the same in every encoding.
    """

    encoding: str
    skip: int
    delimiter: str
    header: tuple[str, ...]
    head_lines: int
    blank: int
    line_end: str
    ascii: bool

    @property
    def unit(self) -> str:
        """The numpy type of one unit of the bytes."""
        return {"utf-16-le": "<u2", "utf-16-be": ">u2"}.get(self.encoding, "u1")

    @property
    def name(self) -> str:
        """The encoding as rule files call it."""
        return self.encoding[: len("utf-16")] if self.encoding.startswith("utf-16") else self.encoding

    @property
    def headers(self) -> tuple[str, ...]:
        """The header without noise."""
        return tuple(clean_header(name) for name in self.header)


def form_of(file: BinaryIO, extract: Extract) -> Form:
    """The form of a text file, by its mark, else by the encoding and the delimiter under which most declared columns are found.

    Where the header reads the same in both, UTF-8 is taken unless most lines beyond ASCII are not: GBK text is almost
    never UTF-8 by chance, while a few damaged UTF-8 lines may well be GBK by chance.
    """
    file.seek(0)
    sample = file.read(SAMPLE)
    skip, encodings = _encodings(sample)
    sample = sample[skip:]
    forms = [_form(sample, encoding, skip, extract) for encoding in encodings]
    most = max(found for found, _ in forms)
    likely = [form for found, form in forms if found == most]
    if len(likely) > 1 and not likely[0].ascii and _mostly_damaged(decoded(sample[: sample.rfind(b"\n") + 1] or sample, likely[0].encoding)):
        return likely[1]
    return likely[0]


def decoded(data: bytes, encoding: str) -> str:
    """Bytes as text; each run of bytes that are not of the encoding becomes one mark."""
    return data.decode(encoding, errors=HANDLER)


def records_of(lines: Sequence[str], delimiter: str, *, strict: bool = False) -> Iterator[tuple[list[str], int]]:
    """Records as CSV has them, each with the number of lines read so far. Raises csv.Error, where `strict`, on an odd quote."""
    reader = csv.reader((line.replace("\r", " ") if "\r" in line else line for line in lines), delimiter=delimiter, strict=strict)
    for record in reader:
        yield record, reader.line_num


def _encodings(sample: bytes) -> tuple[int, tuple[str, ...]]:
    """How many bytes of mark there are, and the encodings that are possible."""
    for mark, encoding in MARKS:
        if sample.startswith(mark):
            return len(mark), (encoding,)
    if len(sample) >= 2:
        pairs = len(sample) // 2
        even, odd = sample[0::2].count(0), sample[1::2].count(0)  # delimiters, digits and line ends have a zero byte in UTF-16
        if odd * 5 > pairs and even * 50 < pairs:
            return 0, ("utf-16-le",)
        if even * 5 > pairs and odd * 50 < pairs:
            return 0, ("utf-16-be",)
    return 0, ENCODINGS


def _form(sample: bytes, encoding: str, skip: int, extract: Extract) -> tuple[int, Form]:
    """How many declared columns the best delimiter finds, and the form with it; the agreed delimiter comes first."""
    head = decoded(sample[:HEAD], encoding)
    line_end = "\r" if "\r" in head and "\n".encode(encoding) not in sample else "\n"
    agreed = DELIMITERS[extract.delimiter]
    best: tuple[int, Form] | None = None
    for delimiter in (agreed, *(one for one in DELIMITERS.values() if one != agreed)):
        header, lines, blank = _header(head.split(line_end), delimiter)
        found = len(find_columns([clean_header(name) for name in header], extract)[0])
        if best is None or found > best[0]:
            best = found, Form(encoding, skip, delimiter, tuple(header), lines, blank, line_end, encoding in ENCODINGS and sample.isascii())
    assert best is not None
    return best


def _header(lines: Sequence[str], delimiter: str) -> tuple[list[str], int, int]:
    """The first record that is not empty, how many lines it ends behind, and how many empty ones it begins behind. An odd quote leaves it in its own line."""
    blank = next((at for at, line in enumerate(lines) if line.strip("\r")), len(lines))
    for strict, most in ((True, HEAD_LINES), (False, 1)):
        try:
            record, read = next(records_of([line.removesuffix("\r") for line in lines[blank : blank + most]], delimiter, strict=strict))
        except (csv.Error, StopIteration):
            continue
        return record, blank + read, blank
    return [], blank, blank


def _mostly_damaged(text: str) -> bool:
    beyond_ascii = [line for line in text.split("\n") if not line.isascii()] if BAD_BYTE in text else []
    damaged = sum(BAD_BYTE in line for line in beyond_ascii)
    return damaged * 2 > len(beyond_ascii)


def _mark_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    """One mark for each run of bytes that is not of the encoding; decoding goes on behind it.

    At the end of what is decoded GB18030 takes the first half of a character, a digit and a line end for a character cut short: the line end stays.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    spoilt = error.object[error.start : error.end]
    return BAD_BYTE, error.start + 1 if error.encoding == "gb18030" and (b"\n" in spoilt or b"\r" in spoilt) else error.end


codecs.register_error(HANDLER, _mark_bad_bytes)
csv.field_size_limit(LONGEST_FIELD)

"""Files made into sheets of raw text, whatever they are: the content says what a file is, the contract what was agreed.

A sheet keeps every data row of the file, numbered from 1 behind the header, in the order of the file; nothing is
interpreted here. What cannot be read at all raises `TornError` with its code. Text is read by `text_sheets`, anything
else by `foreign_sheets`, and archives are opened behind the fence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import polars as pl

from verify.columns import find_columns
from verify.fenced import FenceError, Limits, ask_into
from verify.foreign_sheets import DELIMITER, ENCODING, FORMAT, Decoded, Job, TornError, book, table, tree
from verify.rule_extracts import Extract
from verify.text_forms import DELIMITERS, MARKS, decoded, form_of
from verify.text_pieces import in_pieces
from verify.text_sheets import LineLongError, LinesLostError, plan, sheets

UNPACKED = 16 << 30  # an archive that unfolds to more is not read
SPACES = b" \t\r\n"
WEB_PAGE = (b"<!doctype html", b"<html")
SIGNS = ((b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"), (b"\x1f\x8b", "zip"), (b"\xd0\xcf\x11\xe0", "xls"), (b"PAR1", "parquet"))


@contextmanager
def decode(file: BinaryIO, extract: Extract, *, announced: int | None, scratch: Path) -> Iterator[Decoded]:
    """The sheets of a file, whatever its format.

    `announced` is the row count the sender gives; where the records of a text can be cut in more than one way (a quote
    that is never closed, blank lines), the way that gives this count is taken. `scratch` is a private folder for what is
    too long for memory. Raises TornError, also while the sheets are read.
    """
    with ExitStack() as opened:
        try:
            kind, inner = _unwrapped(file, scratch, opened)
            found = _READERS[kind](Job(kind, inner, extract, announced, scratch, opened))
            if kind != extract.format:
                if not find_columns(found.headers, extract)[0]:
                    raise TornError
                found = replace(found, notes=(*found.notes, (FORMAT, kind)))
            yield found
        except FenceError as error:
            raise TornError(error.code, **error.detail) from None
        except LineLongError:
            raise TornError("E-LINE-LONG") from None
        except LinesLostError:
            raise TornError("E-GATE-PHYSICAL") from None
        except pl.exceptions.PolarsError as error:  # our bug; the file is refused and the night goes on
            raise TornError("E-READER", kind=type(error).__name__) from None


def _unwrapped(file: BinaryIO, scratch: Path, opened: ExitStack) -> tuple[str, BinaryIO]:
    """What a file is, and the file itself or the one that is packed in it. Raises FenceError, TornError."""
    inside = False
    while (kind := _kind(file)) == "zip":
        limits = Limits().for_size(file.seek(0, 2))
        answer, inner = ask_into("unpack", file, scratch, limits=limits, most=UNPACKED, inside=inside)
        opened.enter_context(inner)
        if "book" in answer:
            return answer["book"], file
        file, inside = inner, True
    return kind, file


def _kind(file: BinaryIO) -> str:
    """csv, xml, jsonl, parquet, xls; zip for every archive (workbooks of today are archives). Raises TornError: E-HTML."""
    file.seek(0)
    start = file.read(4096)
    for sign, kind in SIGNS:
        if start.startswith(sign):
            return kind
    mark, encoding = next((pair for pair in MARKS if start.startswith(pair[0])), (b"", "utf-8"))
    plain = decoded(start[len(mark) :], encoding).encode("utf-8", "replace").lstrip(SPACES)
    if plain[:14].lower().startswith(WEB_PAGE):
        raise TornError("E-HTML")
    if plain.startswith((b"<?xml", b"<!DOCTYPE")) or re.match(rb"<[\w:.-]+[\s/>]", plain):
        return "xml"
    return "jsonl" if plain.startswith(b"{") else "csv"


def _text(job: Job) -> Decoded:
    """CSV with any delimiter, in any encoding."""
    form = form_of(job.file, job.extract)
    way = plan(job.file, form, job.announced)
    notes = []
    if form.delimiter != DELIMITERS[job.extract.delimiter] and len(form.header) > 1:
        notes.append((DELIMITER, "tab" if form.delimiter == "\t" else form.delimiter))
    if form.name != job.extract.encoding and not form.ascii:
        notes.append((ENCODING, form.name))
    return Decoded(form.headers, way.received, sheets(job.file, way), many=in_pieces(job.file), notes=tuple(notes))


_READERS: dict[str, Callable[[Job], Decoded]] = {
    "csv": _text, "xml": tree, "jsonl": tree, "parquet": table, "xls": book, "xlsx": book, "ods": book
}  # fmt: skip

"""Every reader under random damage: the parent lives, and each row is accounted for or the file refused with a known code.

A short run is part of the suite; `make soak` runs each reader for ten minutes (`SOAK_SECONDS`).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import BinaryIO

import fastexcel
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.broken_files import TABLE, books, packs, texts, trees
from tests.small_drops import xlsx_of
from verify import fenced
from verify.archive import Archive
from verify.book_rows import LONG, is_long
from verify.intake import FileRefusedError, take
from verify.manifest_list import Drop, Listed
from verify.plain_books import plain_book
from verify.rulebook import Rulebook, load_rulebook
from verify.settings import rules_folder

READERS = {
    "text": [one.data for one in texts() if not one.code and len(one.data) < 5000],
    "books": [one.data for one in books() if not one.code],
    "long books": [xlsx_of(TABLE), xlsx_of(TABLE, texts_apart=False)],
    "trees": [one.data for one in trees() if not one.code and len(one.data) < 5000],
    "packs": [one.data for one in packs() if not one.code],
}
PIECES = [b"", b"\0", b"\x1f", b"\xff", b'"', b"\n", b"\r", b",", b"<", b"&", b"{", b"PK", b"\x1f\x8b", b"]]>", b"9" * 30, b"x^"]
PIECES += ["张".encode("gbk"), b"\xef\xbb\xbf", b"<!DOCTYPE"]
EDIT = st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(PIECES) | st.binary(max_size=8))


@cache
def book() -> Rulebook:
    return load_rulebook(rules_folder())


def damaged(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """The bytes with some of them cut out and others put in."""
    for where, cut, put in edits:
        at = int(where * len(data))
        data = data[:at] + put + data[at + cut :]
    return data


def damaged_inside(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """A workbook whose sheet alone is damaged, its checksums right, and so long that it goes to the reader of long ones."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as book, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as other:
        for name in book.namelist():
            part = book.read(name)
            other.writestr(name, damaged(part, edits) + b" " * LONG if "sheet1" in name else part)
    return out.getvalue()


DAMAGE = {"long books": damaged_inside}


def check(data: bytes, archive: Archive) -> str:
    """Take a file in as a night would, with whatever row count it has; the code it was refused with, or nothing.

    The reader of all books passes over what is torn inside a sheet's XML: then the other count refuses the book, as it should.
    """

    def opened(_name: str) -> BinaryIO:
        file = fenced.memory_file()
        file.write(data)
        return file

    slow = is_long(io.BytesIO(data)) and not _read_quickly(data)
    code, rows = _taken(data, -1, opened, archive)
    if code == "E-ROWS" and rows >= 0:
        code, again = _taken(data, rows, opened, archive)
        assert code != "E-ROWS", f"{rows} rows at first, then {again}"
    assert (slow and code == "E-GATE-PHYSICAL") or not code.startswith(("E-GATE", "E-READER")), "our own mistake"
    assert not code or code in book().messages
    return code


def _read_quickly(data: bytes) -> bool:
    """Whether the quick reader takes a book: then there are as many rows as are counted, and it says what the other one says, if that says anything."""
    found = plain_book(io.BytesIO(data), lambda _width, _height: None)
    if found is None:
        return False
    cells, counted = pl.DataFrame(found[0]), found[1]
    assert cells.height == counted
    with contextlib.suppress(fastexcel.FastExcelError):  # what is torn outside the rows
        assert cells.rows() == fastexcel.read_excel(data).load_sheet(0, header_row=None, dtypes="string").to_polars().rows()
    return True


def _taken(data: bytes, rows: int, opened: Callable[[str], BinaryIO], archive: Archive) -> tuple[str, int]:
    """The code of the refusal and the rows it counted; no code where the file was taken and its rows add up."""
    listed = Listed("f", "ga_cheliang", "B", date(2026, 11, 20), rows, "全量", hashlib.sha256(data).hexdigest(), None)
    try:
        batch = take(listed, Drop(("f",), opened), book().extracts["ga_cheliang"], known=(), archive=archive).batch
    except FileRefusedError as refusal:
        return refusal.code, -1 if refusal.received is None else refusal.received
    assert batch.kept + batch.refused + batch.duplicate == batch.received == rows
    return "", rows


@pytest.mark.parametrize("reader", READERS)
def test_damage_never_loses_a_row_nor_ends_the_parent(reader: str) -> None:
    with tempfile.TemporaryDirectory() as folder:

        @given(data=st.sampled_from(READERS[reader]), edits=st.lists(EDIT, max_size=6))
        @settings(deadline=None, max_examples=40)
        def holds(data: bytes, edits: list[tuple[float, int, bytes]]) -> None:
            check(DAMAGE.get(reader, damaged)(data, edits), Archive(Path(folder)))

        holds()
    fenced.close()


@pytest.mark.soak
@pytest.mark.parametrize("reader", READERS)
def test_ten_minutes_of_damage(reader: str) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    rng, until, runs, codes = random.Random(seed), time.monotonic() + int(os.environ.get("SOAK_SECONDS", "600")), 0, set()
    while time.monotonic() < until:
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(200):
                put = [rng.choice(PIECES) if rng.random() < 0.5 else rng.randbytes(rng.randrange(8)) for _ in range(rng.randrange(1, 7))]
                edits = [(rng.random(), rng.randrange(40), one) for one in put]
                data = DAMAGE.get(reader, damaged)(rng.choice(READERS[reader]), edits)
                try:
                    codes.add(check(data, Archive(Path(folder))))
                except BaseException:
                    print(f"seed {seed}, run {runs}: {data!r}")
                    raise
                runs += 1
    fenced.close()
    print(f"{reader}: {runs} runs, codes {sorted(codes)}")
    assert runs

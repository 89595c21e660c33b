"""Books and tables behind the fence: rows of a workbook counted past the reader of books: as many as it reads, whatever the kind of book."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
import zlib

import fastexcel
import polars as pl
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from tests.faults.old_books import ods_of, xls_of
from verify import book_rows
from verify.book_rows import rows_of
from verify.parquet_sheets import table


def xlsx_of(rows: list[list[str]], first: int = 0, sheets: int = 1) -> bytes:
    """A workbook whose first sheet begins in row `first`, and which has other sheets behind it."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for at in range(sheets):
            sheet = book.add_worksheet()
            for row, cells in enumerate(rows if not at else [["x"]] * 40):
                sheet.write_row(first + row, 0, cells)
    return out.getvalue()


@pytest.mark.parametrize("height", [1, 2, 7, 300])
@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_as_many_rows_are_counted_as_are_read(kind: str, height: int) -> None:
    rows = [[f"张{at}", str(at)] for at in range(height)]
    for data in {"xlsx": [xlsx_of(rows), xlsx_of(rows, 3), xlsx_of(rows, sheets=3)], "xls": [xls_of(rows)], "ods": [ods_of(rows)]}[kind]:
        assert rows_of(io.BytesIO(data), kind) == height == fastexcel.read_excel(data).load_sheet(0, header_row=None).height


def test_rows_without_a_value_at_the_end_are_none() -> None:
    plain = ods_of([["a"], ["b"], [""], [""]])
    assert rows_of(io.BytesIO(plain), "ods") == 2
    assert rows_of(io.BytesIO(xlsx_of([["a"], [""], ["b"], [""]])), "xlsx") == 3


def test_rows_that_bear_no_numbers_are_counted_one_by_one() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx_of([["a"], ["b"], ["c"]]))) as book, zipfile.ZipFile(out, "w") as other:
        for name in book.namelist():
            other.writestr(name, re.sub(rb'(<row|<c) r="[A-Z0-9]+"', rb"\1", book.read(name)))
    assert rows_of(out, "xlsx") == 3 == fastexcel.read_excel(out.getvalue()).load_sheet(0, header_row=None).height


def test_a_repeated_row_counts_as_often_as_it_stands() -> None:
    xml = b'<table:table table:name="a"><table:table-row table:number-rows-repeated="3"><text:p>a</text:p></table:table-row>'
    xml += b'<table:table-row table:number-rows-repeated="1048573"/></table:table>'
    assert book_rows._rows_of_ods(xml) == 3


@pytest.mark.parametrize("kind", ["xls", "xlsx", "ods"])
def test_a_torn_book_is_not_counted(kind: str) -> None:
    whole = {"xls": xls_of([["a"]]), "xlsx": xlsx_of([["a"]]), "ods": ods_of([["a"]])}[kind]
    for at in range(0, len(whole), 61):
        try:
            found = rows_of(io.BytesIO(whole[:at] + b"\xff" * 9 + whole[at + 9 :]), kind)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
            continue  # behind the fence these are torn books
        assert found is None or found >= 0


def test_a_part_of_a_table_with_a_bad_byte_comes_as_bytes_row_for_row() -> None:
    whole = io.BytesIO()
    rows = pl.DataFrame({"a": ["甲1", "甲2", "甲3", None, "甲5", "甲6", "甲7"], "b": range(7)})
    pq.write_table(rows.to_arrow(), whole, row_group_size=2, compression="none", write_statistics=False)
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(whole.getvalue().replace("甲5".encode(), b"\xff\xe75A"))
        for first in range(8):
            out = io.BytesIO()
            answer = table(file, out, first=first, most=3)
            found = pl.read_ipc_stream(out.getvalue())
            texts = [one if one is None or isinstance(one, str) else one.decode(errors="ignore") for one in found["a"]]
            assert texts == ["甲1", "甲2", "甲3", None, "5A", "甲6", "甲7"][first : first + 3]
            assert found["b"].to_list() == list(range(7))[first : first + 3]
            assert answer == {"rows": None if first else 7}

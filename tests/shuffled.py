"""The same drop in another order: rows of every file, and the lines of the list, shuffled; checksums made anew."""

from __future__ import annotations

import csv
import hashlib
import io
import random
from pathlib import Path

import fastexcel
import polars as pl
import xlsxwriter

LIST = "批次清单.csv"


def shuffled(drop: Path, to: Path, seed: int) -> Path:
    """Write a shuffled copy of a drop into `to`."""
    dice = random.Random(seed)
    to.mkdir()
    lines = list(csv.reader(io.StringIO((drop / LIST).read_text(encoding="utf-8-sig"))))
    header, listed = lines[0], lines[1:]
    for line in listed:
        data = _shuffled_file(drop / line[0], dice)
        (to / line[0]).write_bytes(data)
        line[header.index("校验值")] = hashlib.sha256(data).hexdigest()
    dice.shuffle(listed)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *listed])
    (to / LIST).write_text(text.getvalue(), encoding="utf-8-sig")
    return to


def _shuffled_file(path: Path, dice: random.Random) -> bytes:
    if path.suffix == ".csv":  # no record of these drops holds a line break, so lines are records
        first, *rest = path.read_bytes().splitlines(keepends=True)
        dice.shuffle(rest)
        return first + b"".join(rest)
    buffer = io.BytesIO()
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path)
        order = list(range(frame.height))
        dice.shuffle(order)
        frame[order].write_parquet(buffer)
        return buffer.getvalue()
    sheet = fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_polars()
    rows = sheet.rows()
    dice.shuffle(rows)
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, sheet.columns)
        for at, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                if cell is not None:
                    page.write_string(at, column, cell)
    return buffer.getvalue()

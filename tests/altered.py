"""The made-up county's drop with something changed in it: cells of a workbook or a CSV file; the list is made right again."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import fastexcel
import polars as pl
import xlsxwriter

LIST = "批次清单.csv"
Change = Callable[[pl.DataFrame], pl.DataFrame]


def altered(drop: Path, to: Path, changes: Mapping[str, Change | None]) -> Path:
    """Copy a drop to `to`, give each named extract's rows (all text) to its change, and leave out those changed by None."""
    shutil.copytree(drop, to)
    lines = list(csv.reader(io.StringIO((to / LIST).read_text(encoding="utf-8-sig"))))
    header, listed = lines[0], []
    for line in lines[1:]:
        path = to / line[0]
        change = changes.get(line[header.index("数据集")], lambda rows: rows)
        if change is None:
            path.unlink()
            continue
        if line[header.index("数据集")] in changes:
            rows = change(_read(path))
            _write(rows, path)
            line[header.index("记录数")] = str(rows.height)
        line[header.index("校验值")] = hashlib.sha256(path.read_bytes()).hexdigest()
        listed.append(line)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *listed])
    (to / LIST).write_text(text.getvalue(), encoding="utf-8-sig")
    return to


def _read(path: Path) -> pl.DataFrame:
    if path.suffix == ".xlsx":
        rows = fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_polars()
    else:
        data = path.read_bytes()
        try:
            data.partition(b"\n")[0].decode("utf-8-sig")
            text = data.decode("utf-8-sig", errors="replace")  # a bad byte further down is one row's
        except UnicodeDecodeError:
            text = data.decode("gb18030", errors="replace")
        rows = pl.read_csv(io.BytesIO(text.encode()), infer_schema=False)
    return rows.rename({name: name.strip("\u3000 ") for name in rows.columns})


def _write(rows: pl.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        path.write_text(rows.write_csv(), encoding="utf-8")
        return
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        for at, row in enumerate([tuple(rows.columns), *rows.rows()]):
            for column, cell in enumerate(row):
                if cell is not None:
                    page.write_string(at, column, cell)

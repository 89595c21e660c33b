"""Cells in the plainest form of their type: nearly all of a real file, read at once; and what is noise, and what is no value.

What is said here of a cell is what `columns` says of it at ten times the cost; a cell that might be anything else is left
to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from verify.rule_extracts import Column

NO_VALUE = ("", "-", "—", "无", "NULL", "null", "N/A")
SPACES = " \t\r\n\v\f\u00a0\u2002\u2003\u2009\u200b\u3000\ufeff"
WIDE = [chr(code) for first, last in ("０９", "ＡＺ", "ａｚ") for code in range(ord(first), ord(last) + 1)]
NARROW = [chr(ord(wide) - 0xFEE0) for wide in WIDE]
TO_NARROW = {ord(wide): narrow for wide, narrow in zip(WIDE, NARROW, strict=True)}
EDGES = "".join(f"\\x{{{ord(sign):x}}}" for sign in SPACES)
# Texts that `cleaned` would change. One that is not matched is already what it would become.
NOISY = rf"^[{EDGES}'’‘＇]|[{EDGES}]$|[０-９Ａ-Ｚａ-ｚ\x{{10ffff}}]|^(?:{'|'.join(token for token in NO_VALUE)})$"
NOISY_ID = NOISY + r"|[^ -`{-~]"  # whatever upper case could change, and more
STORED: Mapping[str, type[pl.DataType]] = {
    **dict.fromkeys(("text", "code", "name", "id"), pl.String),
    **dict.fromkeys(("date", "month", "epoch_ms"), pl.Date),
    **dict.fromkeys(("money", "number", "count"), pl.Int64),
}
DAYS = (
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "%Y-%m-%d"),
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2} 00:00:00$", "%Y-%m-%d 00:00:00"),  # a day in a workbook
    (r"^[0-9]{8}$", "%Y%m%d"),
    (r"^[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日$", "%Y年%m月%d日"),
    (r"^[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}$", "%Y/%m/%d"),
)


def plain_cells(raw: pl.Series, column: Column) -> tuple[pl.Series, pl.Series] | None:
    """The values of the cells that are in the plainest form of their type, and which cells those are; None where none may be."""
    kind = column.type
    if kind == "code" and column.codes:
        return raw, raw.is_in(list(column.codes))
    if STORED[kind] == pl.String:
        return raw, ~raw.str.contains(NOISY_ID if kind == "id" else NOISY)
    if STORED[kind] == pl.Int64:
        return _numbers(raw, {"money": 2 if column.unit == "元" else 6, "number": column.decimals}.get(kind, 0))
    return _days(raw) if kind == "date" else None


def _numbers(raw: pl.Series, places: int) -> tuple[pl.Series, pl.Series]:
    done = raw.str.contains(rf"^[0-9]{{1,12}}(?:\.[0-9]{{1,{places}}})?$" if places else "^[0-9]{1,12}$")
    value = pl.select(pl.when(done).then(raw)).to_series().cast(pl.Decimal(18, places)).to_physical()
    return value.cast(pl.Int64), done


def _days(raw: pl.Series) -> tuple[pl.Series, pl.Series]:
    value, left = pl.Series([None], dtype=pl.Date).new_from_index(0, raw.len()), raw.is_not_null().arg_true()
    for shape, form in DAYS:  # of each only the cells that the forms before have left
        cells = raw if left.len() == raw.len() else raw.gather(left)
        fit = cells.str.contains(shape).arg_true()
        if fit.len():
            value = value.scatter(left.gather(fit), cells.gather(fit).str.to_date(form, strict=False))
            left = left.filter(value.gather(left).is_null())
    return value, (value >= date(1, 1, 1)).fill_null(value=False) | raw.is_null()

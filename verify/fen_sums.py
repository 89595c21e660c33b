"""What a file's amounts come to in fen, summed from the text itself by other code than the reader's.

Amounts in plain digits are summed here as decimals; any other cell (signs, separators, units, no number) counts with what
the reader made of it, so that the two sums differ only where rows were lost, doubled or misread.
"""

from __future__ import annotations

import polars as pl

from verify.rule_files import Column, Extract

PLACES = {"元": 2, "万元": 6}


def fen_of(raw: pl.Series, value: pl.Series, column: Column) -> int:
    """The sum in fen of one money column of a sheet: `raw` as it came, `value` as it was read (NULL: nothing)."""
    places = PLACES[column.unit]
    cells = pl.DataFrame({"raw": raw, "value": value})
    plain = pl.col("raw").str.contains(rf"^[0-9]{{1,12}}(?:\.[0-9]{{1,{places}}})?$").fill_null(value=False)
    digits = pl.when(plain).then(pl.col("raw")).cast(pl.Decimal(38, places)).sum()
    rest = pl.col("value").filter(~plain).cast(pl.Int128).sum()
    total, others = cells.select(digits.alias("total"), rest.alias("others")).row(0)
    return int((total or 0) * 10**places) + int(others or 0)


def fen_in(rows: pl.DataFrame, extract: Extract) -> dict[str, int]:
    """The sum in fen of each money column of typed rows."""
    names = [column.column for column in extract.columns if column.type == "money"]
    return {name: int(rows[name].cast(pl.Int128).sum() or 0) for name in names}

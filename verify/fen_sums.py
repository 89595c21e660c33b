"""What a file's amounts come to in fen, summed from the text itself by other code than the reader's.

Amounts in plain digits are summed here as whole numbers, by how many digits stand behind the point. Any other cell (signs,
separators, units, no number) counts with what the reader made of it, so that the two sums differ only where rows were
lost, doubled or misread.
"""

from __future__ import annotations

import polars as pl

from verify.rule_extracts import Column, Extract

PLACES = {"元": 2, "万元": 6}


def fen_of(raw: pl.Series, value: pl.Series, column: Column) -> int:
    """The sum in fen of one money column of a sheet: `raw` as it came, `value` as it was read (NULL: nothing)."""
    places = PLACES[column.unit]
    cells = raw.alias("raw").to_frame()
    few = cells.select(pl.col("raw").approx_n_unique()).item() * 2 < raw.len()  # each amount is then looked at once; the sum is the same either way
    cells = cells.group_by("raw").agg(pl.len().cast(pl.Int64).alias("times")) if few else cells.with_columns(times=pl.lit(1, pl.Int64))
    form = rf"^[0-9]{{1,12}}(?:\.[0-9]{{1,{places}}})?$"
    plain = cells.filter(pl.col("raw").str.contains(form))
    behind = (pl.col("raw").str.len_bytes().cast(pl.Int64) - pl.col("raw").str.find(".", literal=True) - 1).fill_null(0)
    units = pl.col("raw").str.replace(".", "", literal=True).cast(pl.Int64).cast(pl.Int128) * pl.col("times")
    sums = plain.group_by(behind=behind).agg(units.sum().alias("units"))
    total: int = sum(int(units) * 10 ** (places - int(behind)) for behind, units in sums.rows())
    if int(plain["times"].sum()) + raw.null_count() < raw.len():
        total += int(value.filter(~raw.str.contains(form)).cast(pl.Int128).sum() or 0)
    return total


def fen_in(rows: pl.DataFrame, extract: Extract) -> dict[str, int]:
    """The sum in fen of each money column of typed rows."""
    names = [column.column for column in extract.columns if column.type == "money"]
    return {name: int(rows[name].cast(pl.Int128).sum() or 0) for name in names}

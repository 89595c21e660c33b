"""Known rows where they lie: parts of them as SQL names them, and as frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from verify.model import Part
from verify.plain_cells import STORED
from verify.rule_extracts import Extract
from verify.store import Store, frames_of, frames_where, quoted, read_frame

AT_ONCE = 500_000  # rows of a part that are looked through at a time


def known_rows_in(store: Store, parts: Sequence[Part]) -> str:
    """Known rows as SQL may name them behind FROM: `_file`, `_row`, `_as_of` and the declared columns, in no order."""
    return f"({' UNION ALL BY NAME '.join(_part_in(store, part) for part in parts)})"


def _part_in(store: Store, part: Part) -> str:
    if part.file is None or part.as_of is None:
        return f"SELECT * FROM {store.source(part.rows)}"
    place = f"{quoted(part.file)} AS _file, _row, DATE {quoted(part.as_of.isoformat())} AS _as_of"
    left = f" ANTI JOIN {store.source(part.gone)} USING (_row)" if part.gone else ""
    return f"SELECT {place}, * EXCLUDE (_row, _last, _delete) FROM {store.source(part.rows)}{left}"


def rows_of(part: Part, extract: Extract, only: pl.DataFrame | None = None) -> pl.DataFrame:
    """Rows of a part with the same columns, in their order: all of them, or those whose `_file` and `_row` stand in `only`."""
    gone, found = read_frame(part.gone) if part.gone else None, []
    for rows in frames_of(part.rows, None, AT_ONCE) if only is None else _rows_at(part, only):
        known = rows if part.file is None else rows.with_columns(_file=pl.lit(part.file), _as_of=pl.lit(part.as_of))
        found.append(known if gone is None else known.join(gone, on="_row", how="anti", maintain_order="left"))
    return pl.concat(found).select("_file", "_row", "_as_of", *(column.column for column in extract.columns))


def no_rows(extract: Extract) -> pl.DataFrame:
    """None of its rows, with the columns of `rows_of`."""
    return pl.DataFrame(schema={"_file": pl.String, "_row": pl.Int32, "_as_of": pl.Date} | {column.column: STORED[column.type] for column in extract.columns})


def _rows_at(part: Part, places: pl.DataFrame) -> Iterator[pl.DataFrame]:
    if part.file is not None:
        yield from frames_where(part.rows, "_row", places.filter(_file=part.file)["_row"].unique())
        return
    for rows in frames_where(part.rows, "_row", places["_row"].unique()):
        yield rows.join(places, on=["_file", "_row"], how="semi", maintain_order="left")


def column_of(part: Part, column: str) -> pl.DataFrame:
    """One column of a part's rows: `_file`, `_row`, and it."""
    rows = read_frame(part.rows, ["_row", column, *(["_file"] if part.file is None else [])])
    known = rows if part.file is None else rows.with_columns(_file=pl.lit(part.file))
    left = known if part.gone is None else known.join(read_frame(part.gone), on="_row", how="anti", maintain_order="left")
    return left.select("_file", "_row", column)

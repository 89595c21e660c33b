"""Rows of one file that say the same in different pieces of it: found by their keys alone, so that no piece is kept in memory.

Inside a piece rows are compared value by value (`row_checks`). Between pieces a row is known by two 64-bit digests, of its
key and of all it says: 20 bytes a row, compared within one run only.
"""

from __future__ import annotations

import polars as pl

from verify.row_checks import WARNINGS, complete_key
from verify.rule_files import Extract


class Repeats:
    """The rows with a key of the pieces so far, and what later pieces say of them."""

    def __init__(self, extract: Extract) -> None:
        self._extract = extract
        self._content = ["_delete", *(column.column for column in extract.columns)]
        self._known: list[pl.DataFrame] = []
        self._lasts: list[pl.DataFrame] = []

    def without(self, kept: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """A piece's kept rows without those an earlier piece has said, the rows left out, and a warning for each key that came before.

        Remembers the rows that stay.
        """
        keyed = kept.filter(kept.select(complete_key(self._extract)).to_series())
        digests = pl.DataFrame([
            keyed["_row"], keyed["_last"],
            keyed.select(list(self._extract.key)).hash_rows().alias("key"),
            keyed.select(self._content).hash_rows().alias("content"),
        ])  # fmt: skip
        if not self._known:
            self._known.append(digests.drop("_last"))
            return kept, kept.clear(), pl.DataFrame(schema=WARNINGS)
        before = pl.concat([known.join(digests.select("key").unique(), on="key", how="semi") for known in self._known])
        same = digests.join(before, on=["key", "content"], how="inner", suffix="_before")
        self._lasts.append(same.select(pl.col("_row_before").alias("_row"), "_last"))
        fresh = digests.join(same, on="_row", how="anti")
        self._known.append(fresh.drop("_last"))
        other = fresh.join(before, on="key", how="semi")["_row"].sort()
        warned = pl.DataFrame({"row": other}).select("row", pl.lit("+".join(self._extract.key)).alias("column"), pl.lit("W-KEY").alias("code"))
        return kept.join(same, on="_row", how="anti", maintain_order="left"), kept.join(same, on="_row", how="semi"), warned.cast(WARNINGS)  # type: ignore[arg-type]

    def lasts(self) -> pl.DataFrame | None:
        """For each row that a later piece repeats, the last row that does; None where there is none."""
        found = pl.concat(self._lasts) if self._lasts else pl.DataFrame()
        return found.group_by("_row").agg(pl.col("_last").max()).sort("_row") if found.height else None

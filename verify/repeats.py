"""Rows of one file that say the same in different pieces of it: found by their keys alone, so that no piece is kept in memory.

Inside a piece rows are compared value by value (`row_checks`). Between pieces a row is known by two 64-bit digests, of its
key and of all it says: 20 bytes a row, compared within one run only. A table of bits (two a key) says of most keys at once
that no earlier piece had them.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from verify.row_checks import WARNINGS, complete_key
from verify.rule_extracts import Extract


class Repeats:
    """The rows with a key of the pieces so far, and what later pieces say of them."""

    def __init__(self, extract: Extract, rows: int) -> None:
        self._extract = extract
        self._bits = np.zeros(1 << max(rows * 2, 1024).bit_length(), dtype=np.uint8)  # 16 to 32 bits a row
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
        perhaps = digests.filter(self._seen(digests["key"])).select("key").unique()
        if not perhaps.height:
            self._known.append(digests.drop("_last"))
            return kept, kept.clear(), pl.DataFrame(schema=WARNINGS)
        before = pl.concat([known.join(perhaps, on="key", how="semi") for known in self._known])
        same = digests.join(before, on=["key", "content"], how="inner", suffix="_before")
        self._lasts.append(same.select(pl.col("_row_before").alias("_row"), "_last"))
        fresh = digests.join(same, on="_row", how="anti")
        self._known.append(fresh.drop("_last"))
        other = fresh.join(before, on="key", how="semi")["_row"].sort()
        warned = pl.DataFrame({"row": other}).select("row", pl.lit("+".join(self._extract.key)).alias("column"), pl.lit("W-KEY").alias("code"))
        return kept.join(same, on="_row", how="anti", maintain_order="left"), kept.join(same, on="_row", how="semi"), warned.cast(WARNINGS)  # type: ignore[arg-type]

    def _seen(self, keys: pl.Series) -> pl.Series:
        """Whether a key was perhaps there before this piece; from now on all of them were."""
        digits = keys.to_numpy()
        size = np.uint64(self._bits.size * 8 - 1)
        known = np.ones(digits.size, dtype=bool)
        for place in (digits & size, (digits >> np.uint64(32)) & size):
            known &= (self._bits[place >> np.uint64(3)] >> (place & np.uint64(7)).astype(np.uint8)) & 1 == 1
        for place in (digits & size, (digits >> np.uint64(32)) & size):
            np.bitwise_or.at(self._bits, place >> np.uint64(3), np.left_shift(1, place & np.uint64(7), dtype=np.uint8, casting="unsafe"))
        return pl.Series(known, dtype=pl.Boolean)

    def lasts(self) -> pl.DataFrame | None:
        """For each row that a later piece repeats, the last row that does; None where there is none."""
        found = pl.concat(self._lasts) if self._lasts else pl.DataFrame()
        return found.group_by("_row").agg(pl.col("_last").max()).sort("_row") if found.height else None

"""Rows of one file that say the same in different pieces of it: found by their keys alone, so that no piece is kept in memory.

Inside a piece rows are compared value by value (`row_checks`). Between pieces a row is known by two 64-bit digests, of its
key and of all it says: 20 bytes a row, compared within one run only. A table of bits (two a key, in one word) says of
most keys at once that no earlier piece had them.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from verify.row_checks import WARNINGS, complete_key
from verify.rule_extracts import Extract

_ONE = np.uint64(1)


class Repeats:
    """The rows with a key of the pieces so far, and what later pieces say of them."""

    def __init__(self, extract: Extract, rows: int) -> None:
        self._extract = extract
        self._words = np.zeros(1 << max(rows // 4, 128).bit_length(), dtype=np.uint64)  # 16 to 32 bits a row
        self._content = ["_delete", *(column.column for column in extract.columns)]
        self._known: list[pl.DataFrame] = []
        self._lasts: list[pl.DataFrame] = []

    def without(self, kept: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """A piece's kept rows without those an earlier piece has said, the rows left out, and a warning for each key that came before.

        Remembers the rows that stay.
        """
        said = kept.select(list(self._extract.key))
        key = said.hash_rows().alias("key")
        digests = pl.DataFrame([kept["_row"], kept["_last"], key, kept.select(self._content).hash_rows().alias("content")])
        perhaps = self._seen(key)
        whole = said[perhaps].select(complete_key(self._extract)).to_series()  # of the rows with one key all have a whole one or none
        keys = key.gather(perhaps.filter(whole)).unique().to_frame()
        before = pl.concat([known.join(keys, on="key", how="semi") for known in self._known]) if keys.height else pl.DataFrame()
        if not before.height:
            self._known.append(digests.drop("_last"))
            return kept, kept.clear(), pl.DataFrame(schema=WARNINGS)
        same = digests.join(before, on=["key", "content"], how="inner", suffix="_before")
        self._lasts.append(same.select(pl.col("_row_before").alias("_row"), "_last"))
        again = kept["_row"].is_in(same["_row"].implode())
        fresh = digests.filter(~again)
        self._known.append(fresh.drop("_last"))
        other = fresh.join(before, on="key", how="semi")["_row"].sort()
        warned = pl.DataFrame({"row": other}).select("row", pl.lit("+".join(self._extract.key)).alias("column"), pl.lit("W-KEY").alias("code"))
        return kept.filter(~again) if again.any() else kept, kept.filter(again), warned.cast(WARNINGS)  # type: ignore[arg-type]

    def _seen(self, keys: pl.Series) -> pl.Series:
        """The places of the keys that were perhaps there before this piece; from now on all of them were."""
        digits = keys.to_numpy()
        places = digits & np.uint64(self._words.size - 1)
        bits = (_ONE << (digits >> np.uint64(52) & np.uint64(63))) | (_ONE << (digits >> np.uint64(58)))
        known = np.flatnonzero(self._words[places] & bits == bits)
        while places.size:  # of keys that share a word one is noted at a time
            self._words[places] |= bits
            left = np.flatnonzero(self._words[places] & bits != bits)
            places, bits = places[left], bits[left]
        return pl.Series(known, dtype=pl.UInt32)

    def lasts(self) -> pl.DataFrame | None:
        """For each row that a later piece repeats, the last row that does; None where there is none."""
        found = pl.concat(self._lasts) if self._lasts else pl.DataFrame()
        return found.group_by("_row").agg(pl.col("_last").max()).sort("_row") if found.height else None

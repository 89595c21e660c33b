"""Citizen identity numbers: how they are made comparable, when one is valid, and what it says about its holder.

GB 11643-1999: six digits of division, eight of birth date, three of sequence (odd: male), one check character. Before
1999 there were fifteen digits: no century and no check character. Everything works on whole Polars columns; one
number at a time is `identity.numbers`.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import polars as pl

from verify.identity.numbers import WEIGHTS

OLD_CENTURY = "19"  # the fifteen-digit numbers ended in 1999, so nobody born later ever had one

VALID_18 = "valid18"
VALID_15 = "valid15"
INVALID = "invalid"
NONE = "none"


def id_key(raw: pl.Expr) -> pl.Expr:
    """An ID as written, made comparable: NFKC, upper case, letters and digits only; NULL where nothing is left."""
    key = raw.str.normalize("NFKC").str.to_uppercase().str.replace_all(r"[^0-9A-Z]", "")
    return pl.when(key != "").then(key)


def id_keys(raw: pl.Series) -> pl.Series:
    """The same of a column, where most are written plainly and stay as they are."""
    odd = (~raw.str.contains("^[0-9A-Z]+$")).fill_null(value=False).arg_true()
    mended = raw.gather(odd).to_frame("raw").select(id_key(pl.col("raw"))).to_series()
    return raw.clone().scatter(odd, mended) if len(odd) else raw


def valid_id18(key: pl.Expr) -> pl.Expr:
    """Whether a comparable ID has eighteen characters and the right check character (NULL counts as no).

    ISO 7064 MOD 11-2: the weighted digits and the check character (X is ten) leave one. The digits are weighed by fours.
    """
    shaped = key.str.contains("^[1-9][0-9]{16}[0-9X]$")  # not \d, which is a digit of any script
    digits = pl.when(shaped).then(key.str.slice(0, 17)).cast(pl.Int64)
    total = sum((pl.lit(_weighed(at, count)).gather(digits // 10 ** (17 - at - count) % 10**count) for at, count in _PIECES), pl.lit(0, pl.UInt8))
    check = pl.when(key.str.ends_with("X")).then(pl.lit(10, pl.UInt8)).otherwise(key.str.slice(17, 1).cast(pl.UInt8, strict=False))
    return ((total + check) % 11 == 1).fill_null(value=False)


_PIECES = ((0, 4), (4, 4), (8, 4), (12, 5))  # where each piece of the seventeen digits begins, and how many it has


@cache
def _weighed(at: int, count: int) -> pl.Series:
    """For every number of so many digits, which stand at that place, their weighted sum modulo eleven."""
    number = pl.int_range(10**count, dtype=pl.Int64)
    each = (number // 10 ** (count - 1 - place) % 10 * WEIGHTS[at + place] for place in range(count))
    return pl.select((sum(each, pl.lit(0, pl.Int64)) % 11).cast(pl.UInt8)).to_series()


def id_state(key: pl.Expr, as_of: date) -> pl.Expr:
    """What a comparable ID is worth: valid18, valid15, invalid or none.

    Valid takes a real birth date that is not after `as_of`, and with eighteen characters the right check character.
    """
    real = (birth_of(key) <= pl.lit(as_of)).fill_null(value=False)
    return (
        pl.when(key.is_null())
        .then(pl.lit(NONE))
        .when(valid_id18(key) & real)
        .then(pl.lit(VALID_18))
        .when(key.str.contains("^[1-9][0-9]{14}$") & real)
        .then(pl.lit(VALID_15))
        .otherwise(pl.lit(INVALID))
    )


def birth_of(key: pl.Expr) -> pl.Expr:
    """The birth date inside an ID of eighteen or fifteen characters; NULL where there is none that is real."""
    return (
        pl.when(key.str.len_chars() == 18)
        .then(key.str.slice(6, 8))
        .when(key.str.len_chars() == 15)
        .then(pl.lit(OLD_CENTURY) + key.str.slice(6, 6))
        .str.to_date("%Y%m%d", strict=False)
    )


def sex_of(key: pl.Expr) -> pl.Expr:
    """The sex inside an ID of eighteen or fifteen characters: male or female; NULL where the digit is missing."""
    digit = pl.when(key.str.len_chars() == 18).then(key.str.slice(16, 1)).when(key.str.len_chars() == 15).then(key.str.slice(14, 1))
    odd = digit.cast(pl.Int32, strict=False) % 2
    return pl.when(odd == 1).then(pl.lit("male")).when(odd == 0).then(pl.lit("female"))


def as_fifteen(key: pl.Expr) -> pl.Expr:
    """The fifteen digits of an ID: of eighteen characters those without century and check character, of fifteen all.

    NULL for whoever was born after the fifteen-digit numbers ended, and for any other length.
    """
    old = (key.str.len_chars() == 18) & (key.str.slice(6, 2) == OLD_CENTURY)
    return pl.when(key.str.len_chars() == 15).then(key).when(old).then(key.str.slice(0, 6) + key.str.slice(8, 9))

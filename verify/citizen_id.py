"""Citizen identity numbers: how they are made comparable, when one is valid, and what it says about its holder.

GB 11643-1999: six digits of division, eight of birth date, three of sequence (odd: male), one check character. Before
1999 there were fifteen digits: no century and no check character. Everything works on whole Polars columns; one
number at a time is `identity.numbers`.
"""

from __future__ import annotations

from datetime import date, timedelta
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

    def said(keys: pl.Series) -> pl.Series:
        return _seventeen(keys).select(_checked().fill_null(value=False)).to_series()

    return key.map_batches(said, return_dtype=pl.Boolean, is_elementwise=True)


def _seventeen(keys: pl.Series) -> pl.DataFrame:
    """`key`, and `digits`: of one of eighteen characters the first seventeen as a number, the first of them no zero; else NULL."""
    digits = keys.str.slice(0, 17).cast(pl.Int64, strict=False)
    fit = (keys.str.len_bytes() == 18) & (digits >= 10**16)  # a sign in front leaves sixteen
    return pl.DataFrame([keys.alias("key"), digits.alias("digits"), fit.alias("fit")]).select("key", digits=pl.when("fit").then("digits"))


def _checked() -> pl.Expr:
    """Whether the eighteenth character is the one that the digits ask for; NULL where there are no such digits."""
    digits, key = pl.col("digits"), pl.col("key")
    total = sum((pl.lit(_weighed(at, count)).gather(digits // 10 ** (17 - at - count) % 10**count) for at, count in _PIECES), pl.lit(0, pl.UInt8))
    check = pl.when(key.str.ends_with("X")).then(pl.lit(10, pl.UInt8)).otherwise(key.str.slice(17, 1).cast(pl.UInt8, strict=False))
    return (total + check) % 11 == 1


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


def said_by(keys: pl.Series) -> pl.DataFrame:
    """`id_state` on a date after every birth, and `id15`, `id_birth`, `id_sex` (NULL unless the ID is valid), of comparable IDs.

    The same as the functions here say one by one; nearly all IDs have eighteen characters and are right, and of these
    everything is told from the number of their first seventeen.
    """
    digits, key = pl.col("digits"), pl.col("key")
    quick = _seventeen(keys).select("digits", ours=_checked().fill_null(value=False), born=_born())
    told = quick.select(
        id_state=pl.when(pl.col("ours") & pl.col("born").is_not_null()).then(pl.lit(VALID_18)),
        id15=pl.when(digits // 10**9 % 100 == int(OLD_CENTURY)).then(digits // 10**11 * 10**9 + digits % 10**9).cast(pl.String),
        id_birth="born",
        id_sex=pl.when(digits % 2 == 1).then(pl.lit("male")).otherwise(pl.lit("female")),
    )
    left = told["id_state"].is_null().arg_true()
    if not left.len():
        return told
    others = keys.gather(left).alias("key").to_frame().select("key", id_state=id_state(key, date.max))
    valid = pl.col("id_state").is_in([VALID_18, VALID_15])
    others = others.with_columns(
        pl.when(valid).then(said).alias(name) for name, said in (("id15", as_fifteen(key)), ("id_birth", birth_of(key)), ("id_sex", sex_of(key)))
    )
    return pl.DataFrame([told[name].clone().scatter(left, others[name]) for name in told.columns])


def _born() -> pl.Expr:
    """The birth date inside the seventeen digits; NULL where there is none that is real, or nobody lives who was born then."""
    years, days = _calendar()
    year, day = pl.col("digits") // 10**7 % 10**4, pl.col("digits") // 10**3 % 10**4
    leap = pl.when(year % 4 == 0, (year % 100 != 0) | (year % 400 == 0)).then(10**4).otherwise(0)
    return (pl.lit(years).gather(year) + pl.lit(days).gather(day + leap)).cast(pl.Date)


@cache
def _calendar() -> tuple[pl.Series, pl.Series]:
    """For every year from 0 the days from 1970 to its first one; for every MMDD, 10,000 more in a leap year, how many days come before it."""
    years = [(date(year, 1, 1) - date(1970, 1, 1)).days if 1800 <= year < 2200 else None for year in range(10**4)]
    days: list[int | None] = [None] * 20_000
    for more, year in ((0, 2001), (10_000, 2000)):
        for at in range(366 if more else 365):
            one = date(year, 1, 1) + timedelta(days=at)
            days[more + one.month * 100 + one.day] = at
    return pl.Series(years, dtype=pl.Int32), pl.Series(days, dtype=pl.Int32)


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


def digits_of(key: pl.Expr) -> pl.Expr:
    """The first seventeen of eighteen characters as a number; fifteen as the seventeen they are short for. NULL where they are no number."""
    old = key.str.slice(0, 6) + pl.lit(OLD_CENTURY) + key.str.slice(6, 9)
    return pl.when(key.str.len_bytes() == 18).then(key.str.slice(0, 17)).when(key.str.len_bytes() == 15).then(old).cast(pl.Int64, strict=False)


def id_said(digits: pl.Series) -> pl.Series:
    """The IDs of eighteen characters whose first seventeen are these numbers; NULL stays."""
    pieces = [_weighed(at, count).gather(digits // 10 ** (17 - at - count) % 10**count) for at, count in _PIECES]
    total = sum(pieces[1:], pieces[0])
    return digits.cast(pl.String) + pl.Series([*"0123456789X"]).gather((12 - total % 11) % 11)

"""IDs as they are held where many are looked through: a valid one as a number, any other as it is written.

`digits` are the first seventeen of a valid ID, `old` says that it has fifteen, `doubt` is what is written and worth nothing.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from verify.citizen_id import as_fifteen, digits_of, id_said

HELD = ("digits", "old", "doubt")


def as_held() -> list[pl.Expr]:
    """`HELD` of faces with id_key and id_birth, on a date after every birth."""
    key, valid = pl.col("id_key"), pl.col("id_birth").is_not_null()
    old = key.str.len_bytes() == 15
    return [pl.when(valid).then(digits_of(key)).alias("digits"), (valid & old).fill_null(value=False).alias("old"), pl.when(~valid).then(key).alias("doubt")]


def on_the_day(faces: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The same on a date: the ID of somebody who is not yet born is in doubt, and says no birth (`id_birth`)."""
    later = faces.select(pl.arg_where(pl.col("id_birth") > as_of)).to_series()
    if not len(later):
        return faces
    doubt = id_keys(faces.select(pl.col(HELD).gather(later)))
    return faces.with_columns(faces["doubt"].clone().scatter(later, doubt), *(faces[name].clone().scatter(later, None) for name in ("digits", "id_birth")))


def id_keys(faces: pl.DataFrame) -> pl.Series:
    """The IDs that are held, as they are compared (`id_key`)."""
    doubt, digits = faces["doubt"].alias("id_key"), faces["digits"]
    if digits.null_count() == len(digits):
        return doubt
    said = faces.select("old", id_key=pl.coalesce(id_said(digits), doubt))
    short = as_fifteen(pl.col("id_key"))
    return (said.with_columns(pl.when("old").then(short).otherwise("id_key").alias("id_key")) if said["old"].any() else said)["id_key"]

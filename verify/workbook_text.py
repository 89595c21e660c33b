"""Values of the results tables as text for people: amounts, intervals, dates, codes as words. Whole columns at a time.

Python sees distinct values only. Nothing (null) stays nothing until the last step, where it becomes an empty cell.
"""

from __future__ import annotations

from collections.abc import Callable
from string import Formatter

import polars as pl

from verify.privacy import mask_id, mask_name

MASKS: dict[str, Callable[[str], str]] = {"name": mask_name, "id": mask_id}


def text_of(frame: pl.DataFrame, name: str, *, masked: str, not_known: str) -> pl.Series:
    """One value of a table as text: an interval, an amount, a date, a list, or what it is; '' where there is nothing.

    `name` is a column, or `x` for an interval of `x_low` and `x_high` (and `x_bounded`); `not_known` says [0, ∞).
    """
    text = _plain(frame[name]) if name in frame.columns else _interval(frame, name, not_known)
    if masked != "no":
        text = per_distinct(text, MASKS[masked])
    return text.fill_null("")


def _plain(values: pl.Series) -> pl.Series:
    """Values as text by their type: amounts with separators and two decimals, counts and dates as they are."""
    if values.dtype.is_decimal():
        return per_distinct(values, lambda amount: f"{amount:,.2f}")
    if isinstance(values.dtype, pl.List):
        return values.cast(pl.List(pl.String)).list.join("、")
    return values.cast(pl.String)


def _interval(frame: pl.DataFrame, name: str, not_known: str) -> pl.Series:
    """An interval in words: one value, from ～ to, ≥ from, or not known at all."""
    low, high = frame[f"{name}_low"], frame[f"{name}_high"]
    bounded = frame[f"{name}_bounded"] & high.is_not_null() if f"{name}_bounded" in frame.columns else high.is_not_null()
    texts = pl.DataFrame({"low": _plain(low), "high": _plain(high), "bounded": bounded, "zero": low == 0, "one": low == high})
    said = (
        pl.when(pl.col("low").is_null() | (~pl.col("bounded") & pl.col("zero")))
        .then(pl.lit(not_known))
        .when(~pl.col("bounded"))
        .then(pl.lit("≥ ") + pl.col("low"))
        .when("one")
        .then("low")
        .otherwise(pl.concat_str("low", pl.lit(" ～ "), "high"))
    )
    return texts.select(said.alias(name)).to_series()


def per_distinct(values: pl.Series, make: Callable[..., str]) -> pl.Series:
    """A series of texts, each distinct value made once; nothing stays nothing."""
    distinct = values.drop_nulls().unique()
    if distinct.is_empty():
        return pl.Series(values.name, [None] * len(values), dtype=pl.String)
    made = pl.Series([make(value) for value in distinct.to_list()], dtype=pl.String)
    return values.replace_strict(distinct, made, default=None, return_dtype=pl.String)


def swap(code: pl.Expr, words: dict[str, str], default: pl.Expr | None = None) -> pl.Expr:
    """Codes as words; a code without a word stays, or becomes the default."""
    return code.replace_strict(words, default=code if default is None else default, return_dtype=pl.String) if words else code


def filled(template: str) -> pl.Expr:
    """A template of the catalogue with its braces filled from columns of the same name."""
    pieces = [(pl.lit(text), name) for text, name, _, _ in Formatter().parse(template)]
    return pl.concat_str([part for text, name in pieces for part in ([text, pl.col(name).fill_null("")] if name else [text])])

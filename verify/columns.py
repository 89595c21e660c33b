"""Columns of raw text made into typed columns: what counts as noise, as no value, as a date, a month, an amount.

Everything is Polars column work on the distinct values of a column; all arithmetic is on integers. The rules are the
"Common reading rules" of the drop's page (spec/extracts.md); which column is of which type is said by rule files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import polars as pl

from verify.plain_cells import NARROW, NO_VALUE, SPACES, STORED, TO_NARROW, WIDE, plain_cells
from verify.rule_extracts import Column, Extract

BAD_BYTE = "\U0010ffff"  # stands where a byte was not of the file's encoding; never a character of a real text
EXCEL_DAY_ZERO = -25_569  # 1899-12-30 in days from 1970-01-01: right for every serial from 1900-03-01 on
FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31
BEIJING_MS, DAY_MS = 8 * 3_600_000, 86_400_000
SUFFIXES = {("money", "元"): "元", ("money", "万元"): "万?元", ("number", "元"): "[%％]", ("count", "元"): ""}
AMOUNT = r"^([+-]?)[ \u3000]*(?:￥|¥)?[ \u3000]*([+-]?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?:\.([0-9]*))?[ \u3000]*(?:SUFFIX)?$"
MOST = 9_000_000_000_000_000_000  # what a 64-bit integer holds, with room for rounding


def find_columns(headers: Sequence[str], extract: Extract) -> tuple[dict[str, int], list[str]]:
    """Where each declared column stands among the headers, and the declared columns that two headers claim.

    The column's own name wins over its other names. Headers must be cleaned (`clean_header`).
    """
    places: dict[str, int] = {}
    claimed_twice: list[str] = []
    own = {column.column for column in extract.columns}
    for column in extract.columns:
        found = [at for at, header in enumerate(headers) if header == column.column]
        others = set(column.also_called) - own
        found = found or [at for at, header in enumerate(headers) if header in others]
        if len(found) > 1:
            claimed_twice.append(column.column)
        elif found:
            places[column.column] = found[0]
    return places, claimed_twice


def clean_header(header: str | None) -> str:
    """A header without the spaces around it and with narrow digits and letters."""
    return (header or "").strip(SPACES).translate(TO_NARROW)


def read_cells(raw: pl.Series, column: Column) -> pl.DataFrame:
    """One raw text column as `value` (typed, NULL for no value) and `fault` (a code, or NULL).

    Faults: W-DATE an impossible date, W-TEXT text where a number belongs, W-CODE a value outside the column's list
    (which is kept), E-NEGATIVE an amount below zero. A cell in the plainest form of its type is read at once, which says
    the same at a tenth of the cost (`plain_cells`); of the others, and of days, each distinct one is read.
    """
    return _each_once(raw, column, _plain_first) if STORED[column.type] == pl.Date else _plain_first(raw, column)


def _plain_first(raw: pl.Series, column: Column) -> pl.DataFrame:
    plain = plain_cells(raw, column)
    if plain is None:
        return _read_distinct(raw, column)
    value, done = plain
    left = (~done).fill_null(value=False).arg_true()  # a cell without text has no value
    faults = pl.Series("fault", [None], dtype=pl.String).new_from_index(0, raw.len())
    if left.len():
        others = _each_once(raw.gather(left), column, _read_distinct)
        value = value.clone().scatter(left, others["value"])
        told = others["fault"].is_not_null()
        faults = faults.scatter(left.filter(told), others["fault"].filter(told))
    return pl.DataFrame([value.alias("value"), faults])


def _each_once(raw: pl.Series, column: Column, read: Callable[[pl.Series, Column], pl.DataFrame]) -> pl.DataFrame:
    """Each distinct cell is read once, unless most are distinct."""
    distinct = raw.unique()
    if distinct.len() * 2 >= raw.len():
        return read(raw, column)
    known = distinct.alias("raw").to_frame().with_row_index("at")
    at = raw.alias("raw").to_frame().join(known, on="raw", how="left", nulls_equal=True, maintain_order="left")["at"]
    parts = read(distinct, column).get_columns()
    return pl.DataFrame([part.gather(at) if part.null_count() < part.len() else part.new_from_index(0, raw.len()) for part in parts])


def _read_distinct(raw: pl.Series, column: Column) -> pl.DataFrame:
    text = pl.col("text")
    cells = raw.alias("text").to_frame().select(cleaned(text, keep=column.codes).alias("text"))
    if column.type in {"money", "number", "count", "epoch_ms"}:
        cells = cells.select(_without_exponents(cells["text"]))
    if STORED[column.type] == pl.Int64:
        cells = _with_digits(cells, SUFFIXES[column.type, column.unit])
    value, fault = READERS[column.type](text, column)
    return cells.lazy().select(value=value, fault=fault).collect()  # lazy: a step that both use is taken once


def cleaned(text: pl.Expr, keep: Sequence[str] = ()) -> pl.Expr:
    """Text without noise; what means no value becomes NULL unless `keep` lists it, and so does a text with a bad byte."""
    bare = text.str.strip_chars(SPACES).str.replace_many(WIDE, NARROW)
    bare = bare.str.replace(r"^['’‘＇]+[ \u3000]*([+-]?[0-9])", "$1")
    nothing = [token for token in NO_VALUE if token not in keep]
    return pl.when(bare.is_in(nothing) | bare.str.contains(BAD_BYTE, literal=True)).then(None).otherwise(bare)


def calendar_day(text: pl.Expr) -> pl.Expr:
    """A day written YYYY-MM-DD, YYYY/M/D, YYYY年M月D日 or YYYYMMDD, a time of day behind it or not; else NULL."""
    bare = text.str.replace(r"[ T]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$", "")
    iso = (
        bare.str.replace(r"^([0-9]{4})([0-9]{2})([0-9]{2})(?:\.0+)?$", "${1}-${2}-${3}")
        .str.replace(r"^([0-9]{4})(?:/([0-9]{1,2})/([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)$", "${1}-${2}${4}-${3}${5}")
        .str.replace(r"^([0-9]{4})-([0-9])-", "${1}-0${2}-")
        .str.replace(r"^([0-9]{4}-[0-9]{2})-([0-9])$", "${1}-0${2}")
    )
    shaped = pl.when(iso.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$") & ~iso.str.starts_with("0000")).then(iso)
    return shaped.str.to_date("%Y-%m-%d", strict=False)


def day(text: pl.Expr) -> pl.Expr:
    """A calendar day, or the day of a five-digit Excel serial (1927 to 2173)."""
    serial = text.str.extract(r"^([0-9]{5})(?:\.[0-9]+)?$").cast(pl.Int32)
    return pl.coalesce(calendar_day(text), (serial + EXCEL_DAY_ZERO).cast(pl.Date))


def month(text: pl.Expr) -> pl.Expr:
    """The first day of a month written YYYYMM, YYYY-MM, YYYY/M or YYYY年M月, or of the month of a calendar day."""
    iso = text.str.replace(r"^([0-9]{4})([0-9]{2})(?:\.0+)?$", "${1}-${2}-01").str.replace(
        r"^([0-9]{4})(?:[-/]([0-9]{1,2})|年([0-9]{1,2})月)$", "${1}-${2}${3}-01"
    )
    return calendar_day(iso).dt.truncate("1mo")


def epoch_day(text: pl.Expr) -> pl.Expr:
    """The Beijing day of epoch milliseconds; a day written as a calendar day is taken too."""
    moment = text.str.extract(r"^(-?[0-9]{1,15})(?:\.0+)?$").cast(pl.Int64)
    days = (moment + BEIJING_MS).floordiv(DAY_MS)
    known = pl.when(days.is_between(FIRST_DAY, LAST_DAY)).then(days).cast(pl.Int32).cast(pl.Date)
    return pl.coalesce(calendar_day(text), known)


def _with_digits(cells: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """Beside a written number `whole`, `part` (its digits before and behind the point, NULL for text) and `minus`.

    Thousands separators must stand in their places; `suffix` is a regular expression of what may follow.
    """
    plain = pl.col("text").str.replace_all("[－−]", "-").str.replace_all("，", ",", literal=True).str.replace_all("．", ".", literal=True)
    parts = cells.select("text", parts=plain.str.extract_groups(AMOUNT.replace("SUFFIX", suffix))).unnest("parts")
    digits = parts.select(
        "text",
        whole=pl.col("3").str.replace_all(",", "", literal=True),
        part=pl.when(pl.col("3").is_not_null()).then(pl.col("4").fill_null("")),
        minus=(pl.col("1") + pl.col("2")).str.contains("-", literal=True),
    )
    written = (pl.col("whole") + pl.col("part")) != ""
    return digits.with_columns(pl.when(written).then(pl.col(name)).alias(name) for name in ("whole", "part", "minus"))


def fixed_point(places: int) -> pl.Expr:
    """The digits of a written number as an integer of 10^-places, rounded half up, without its sign.

    More than there is room for is the most there is room for: an absurd amount must never read as none.
    """
    padded = pl.col("part") + "0" * (places + 1)
    digits = ("0" + pl.col("whole") + padded.str.slice(0, places)).cast(pl.Int64, strict=False)
    too_many = pl.col("whole").is_not_null() & (digits.is_null() | (digits > MOST))
    return pl.when(too_many).then(pl.lit(MOST, dtype=pl.Int64)).otherwise(digits + (padded.str.slice(places, 1) >= "5").cast(pl.Int64))


def below_zero() -> pl.Expr:
    """Whether a written number has a minus and a digit that is not zero; False for text."""
    return (pl.col("minus") & (pl.col("whole") + pl.col("part")).str.contains("[1-9]")).fill_null(value=False)


def _without_exponents(text: pl.Series) -> pl.Series:
    """Numbers that a spreadsheet or a float column wrote as 1.5E+6, written out; other texts as they are."""
    short = text.filter(text.str.contains(r"^[+-]?[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]{1,2}$")).unique().to_list()
    return text.replace(short, [format(Decimal(value), "f") for value in short]) if short else text


def _read_text(text: pl.Expr, column: Column) -> tuple[pl.Expr, pl.Expr]:
    value = text.str.to_uppercase() if column.type == "id" else text
    strange = value.is_not_null() & ~value.is_in(list(column.codes)) if column.type == "code" and column.codes else pl.lit(value=False)
    return pl.when(~strange.fill_null(value=False)).then(value), pl.when(strange).then(pl.lit("W-CODE"))


def _read_days(reader: Callable[[pl.Expr], pl.Expr]) -> Callable[[pl.Expr, Column], tuple[pl.Expr, pl.Expr]]:
    def read(text: pl.Expr, column: Column) -> tuple[pl.Expr, pl.Expr]:
        value = reader(text)
        return value, pl.when(text.is_not_null() & value.is_null()).then(pl.lit("W-DATE"))

    return read


def _unread(text: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.when(text.is_not_null() & value.is_null()).then(pl.lit("W-TEXT"))


def _read_money(text: pl.Expr, column: Column) -> tuple[pl.Expr, pl.Expr]:
    """Fen: two places of yuan, six of 万元."""
    value, negative = fixed_point(2 if column.unit == "元" else 6), below_zero()
    return pl.when(~negative).then(value), pl.when(negative & value.is_not_null()).then(pl.lit("E-NEGATIVE")).otherwise(_unread(text, value))


def _read_number(text: pl.Expr, column: Column) -> tuple[pl.Expr, pl.Expr]:
    value = fixed_point(column.decimals)
    return pl.when(below_zero()).then(-value).otherwise(value), _unread(text, value)


def _read_count(text: pl.Expr, column: Column) -> tuple[pl.Expr, pl.Expr]:
    """A whole number from zero up; `2.0` is two, `2.5` and `-1` are text."""
    value = pl.when(~below_zero() & ~pl.col("part").str.contains("[1-9]")).then(fixed_point(0))
    return value, _unread(text, value)


READERS: Mapping[str, Callable[[pl.Expr, Column], tuple[pl.Expr, pl.Expr]]] = {
    **dict.fromkeys(("text", "code", "name", "id"), _read_text),
    "date": _read_days(day),
    "month": _read_days(month),
    "epoch_ms": _read_days(epoch_day),
    "money": _read_money,
    "number": _read_number,
    "count": _read_count,
}

"""One sheet made into accounted rows: kept, refused with code and column, or duplicate; nothing is lost on the way.

The order in which a row is asked: a byte that is not of the encoding, the number of fields, what is required, amounts
below zero, whom it speaks of. The rules are those of the drop's page (spec/extracts.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from verify.citizen_id import valid_id18
from verify.columns import read_cells
from verify.fen_sums import fen_in, fen_of
from verify.plain_cells import STORED
from verify.rule_extracts import Extract
from verify.text_sheets import Sheet

REFUSED = {"row": pl.Int32, "code": pl.String, "column": pl.String, "case_id": pl.String}
WARNINGS = {"row": pl.Int32, "column": pl.String, "code": pl.String}


@dataclass(frozen=True, slots=True)
class Accounted:
    """The rows of one sheet after the checks.

    `kept`: `_row`, `_last` (the last row of the file that says the same), `_delete`, then the declared columns, typed.
    `refused`: row, code, column, case_id (only of the extract that lists the people of each case). `warnings`: row,
    column, code, of kept rows only. In fen, of each money column: `sent` is what the text comes to, summed by other code;
    `apart` the sum of the rows that are not kept, the refused and the repeated.
    """

    kept: pl.DataFrame
    refused: pl.DataFrame
    warnings: pl.DataFrame
    received: int
    duplicate: int
    sent: Mapping[str, int]
    apart: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the sheets of one file are to be read.

    `places` says where each declared column stands (see `columns.find_columns`); one that is missing has no values.
    `delete` is the position of the column, and the value in it, by which a row only removes its key. `odd` is the code of
    a row with another number of fields than the header.
    """

    extract: Extract
    places: Mapping[str, int]
    delete: tuple[int, str] | None = None
    odd: str = "E-FIELDS"


def account(sheet: Sheet, layout: Layout) -> Accounted:
    """Type every declared column of a sheet, then sort its rows."""
    places, extract, delete = layout.places, layout.extract, layout.delete
    typed, faults = _typed(sheet, places, extract)
    typed = typed.with_columns(_delete=_deletes(sheet, delete))
    refused = _refused(typed, faults, sheet, extract)
    bad = typed[refused["at"]] if refused.height else typed.clear()
    kept, repeats, warned_key = _without_duplicates(typed, refused["at"], extract)
    aside = (fen_in(repeats, extract), fen_in(bad, extract))
    named = {place: column for column, place in places.items()}
    return Accounted(
        kept=kept,
        refused=_all_refused(refused.with_columns(case_id=_case_of(bad, extract)), sheet, named=named, odd=layout.odd),
        warnings=_warnings(faults.with_columns(typed["_row"]), kept, warned_key, extract),
        received=sheet.received,
        duplicate=repeats.height,
        sent={name: fen_of(sheet.frame[f"c{places[name]}"], typed[name], extract.column(name)) if name in places else 0 for name in aside[0]},
        apart={name: sum(one[name] for one in aside) for name in aside[0]},
    )


def complete_key(extract: Extract) -> pl.Expr:
    """Whether a typed row has a key: every part present and, where the extract asks for it, a valid citizen ID."""
    whole = pl.all_horizontal(pl.col(part).is_not_null() for part in extract.key)
    return whole & valid_id18(pl.col(extract.key[0])) if extract.key_needs_valid_id else whole


def _typed(sheet: Sheet, places: Mapping[str, int], extract: Extract) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The declared columns as values, and beside them their faults under the same names."""
    values, faults = [sheet.frame["_row"]], []
    for column in extract.columns:
        name = column.column
        if name in places:
            cells = read_cells(sheet.frame[f"c{places[name]}"], column)
        else:
            nothing = {"value": pl.Series([None] * sheet.frame.height, dtype=STORED[column.type])}
            cells = pl.DataFrame(nothing).with_columns(fault=pl.lit(None, dtype=pl.String))
        values.append(cells["value"].alias(name))
        faults.append(cells["fault"].alias(name))
    return pl.DataFrame(values), pl.DataFrame(faults)


def _deletes(sheet: Sheet, delete: tuple[int, str] | None) -> pl.Series:
    if delete is None:
        return pl.Series([False], dtype=pl.Boolean).new_from_index(0, sheet.frame.height)
    place, value = delete
    return (sheet.frame[f"c{place}"].str.strip_chars() == value).fill_null(value=False)


def _refused(typed: pl.DataFrame, faults: pl.DataFrame, sheet: Sheet, extract: Extract) -> pl.DataFrame:
    """`at` (its place among the rows), `_row`, `code` and `column` of every row that is refused, for the first thing that refuses it."""
    names = [column.column for column in extract.columns if column.required]
    doubtful = pl.any_horizontal("_delete", pl.col("_row").is_in(list(sheet.spoilt)), *(pl.col(name).is_null() for name in names), _nobody(extract))
    mask = typed.select(doubtful).to_series()
    for name in (column.column for column in extract.columns if column.type == "money"):
        if faults[name].null_count() < faults.height:
            mask = mask | (faults[name] == "E-NEGATIVE").fill_null(value=False)
    at = mask.arg_true()
    found = _verdict(typed[at], faults[at], sheet, extract) if at.len() else pl.DataFrame(schema={"code": pl.String, "column": pl.String})
    return pl.DataFrame([at.alias("at"), typed["_row"].gather(at), found["code"], found["column"]]).filter(pl.col("code").is_not_null())


def _verdict(typed: pl.DataFrame, faults: pl.DataFrame, sheet: Sheet, extract: Extract) -> pl.DataFrame:
    """`code` and `column` of the first thing that refuses a row; NULL for the rows that are fine."""
    rows = pl.concat([typed, faults.rename({name: f"fault {name}" for name in faults.columns})], how="horizontal")
    required = [column.column for column in extract.columns if column.required]
    below_zero = [column.column for column in extract.columns if column.type == "money"]
    missing = _first([(name, pl.col(name).is_null() & ~_is(name, "E-NEGATIVE") & ~_is(name, "W-CODE")) for name in required])
    no_key = _first([(name, pl.col(name).is_null() | ~complete_key(extract)) for name in extract.key])
    negative = _first([(name, _is(name, "E-NEGATIVE")) for name in below_zero])
    spoilt = pl.col("_row").is_in(list(sheet.spoilt))
    removing = pl.col("_delete")
    lacking = pl.when(removing).then(no_key).otherwise(missing)
    found = rows.select("_row", "_delete", lacking=lacking, negative=pl.when(~removing).then(negative), nobody=_nobody(extract) & ~removing)
    code = (
        pl.when(spoilt).then(pl.lit("E-BYTE"))
        .when(pl.col("lacking").is_not_null()).then(pl.lit("E-REQUIRED"))
        .when(pl.col("negative").is_not_null()).then(pl.lit("E-NEGATIVE"))
        .when("nobody").then(pl.lit("E-NOBODY"))
    )  # fmt: skip
    column = pl.when(spoilt).then(None).otherwise(pl.coalesce("lacking", "negative"))
    return found.select(code=code, column=column)


def _is(name: str, fault: str) -> pl.Expr:
    return (pl.col(f"fault {name}") == fault).fill_null(value=False)


def _first(tests: Sequence[tuple[str, pl.Expr]]) -> pl.Expr:
    """The name of the first test that holds, in the order of the page; NULL where none does."""
    return pl.coalesce([pl.lit(None, dtype=pl.String), *[pl.when(test).then(pl.lit(name)) for name, test in tests]])


def _nobody(extract: Extract) -> pl.Expr:
    """Whether a row lacks every name and every ID, in an extract whose sides have both."""
    sides = [(person.name, person.id) for person in extract.people]
    if not sides or any(name is None or id_ is None for name, id_ in sides):
        return pl.lit(value=False)
    return pl.all_horizontal(pl.col(column).is_null() for side in sides for column in side if column is not None)


def _case_of(typed: pl.DataFrame, extract: Extract) -> pl.Series:
    roster = extract.plays.roster
    if roster is None:
        return pl.Series([None], dtype=pl.String).new_from_index(0, typed.height)
    return typed[roster.case].cast(pl.String)


def _without_duplicates(typed: pl.DataFrame, refused: pl.Series, extract: Extract) -> tuple[pl.DataFrame, pl.DataFrame, pl.Series]:
    """The rows that are not `refused` (their places) without those that repeat an earlier one; these; and the row numbers whose key came before
    with other content.

    Only rows that share their key are compared column by column: they are few. All rows are copied once, or not at all.
    """
    content = ["_delete", *[column.column for column in extract.columns]]
    stays = pl.Series([True]).new_from_index(0, typed.height).scatter(refused, False)  # noqa: FBT003
    shared = typed.filter(_perhaps_twice(typed, extract) & stays)
    shared = shared.filter(shared.select(complete_key(extract)).to_series())
    shared = shared.filter(shared.select(extract.key).is_duplicated()) if shared.height else shared
    last = shared.group_by(content).agg(pl.col("_row").min(), pl.col("_row").max().alias("_last")).select("_row", "_last")
    repeats = shared.join(last, on="_row", how="anti")
    stays = stays & ~typed["_row"].is_in(repeats["_row"].implode()) if repeats.height else stays
    fine = typed.filter(stays) if refused.len() or repeats.height else typed
    ends = fine.select("_row").join(last, on="_row", how="left", maintain_order="left")["_last"].fill_null(fine["_row"]) if last.height else fine["_row"]
    later = shared.join(last, on="_row", how="semi").sort("_row")
    warned = later.filter(~later.select(pl.struct(extract.key).is_first_distinct()).to_series())["_row"]
    return fine.select("_row", ends.alias("_last"), *content), repeats, warned


def _perhaps_twice(typed: pl.DataFrame, extract: Extract) -> pl.Series:
    """Whether a row's key has the digest of another row's: sorting the digests finds the few in half the time of a table of all."""
    digests = typed.select(extract.key).hash_rows()
    ordered = digests.sort()
    twice = ordered.filter(ordered == ordered.shift(1)).unique()
    return digests.is_in(twice.implode()) if twice.len() else pl.Series([False]).new_from_index(0, typed.height)


def _all_refused(refused: pl.DataFrame, sheet: Sheet, *, named: Mapping[int, str], odd: str) -> pl.DataFrame:
    """The refused rows of the frame and those with another number of fields, in order; where a bad byte stands."""
    spoilt = {row: named.get(place) for row, place in sheet.spoilt.items()}
    rows = refused.select(pl.col("_row").alias("row"), "code", "column", "case_id")
    where = pl.DataFrame({"row": list(spoilt), "bad": list(spoilt.values())}, schema={"row": pl.Int32, "bad": pl.String})
    rows = rows.join(where, on="row", how="left").select("row", "code", pl.coalesce("bad", "column").alias("column"), "case_id")
    beside = [(row, "E-BYTE" if row in sheet.spoilt else odd, None, None) for row in sheet.odd]
    return pl.concat([rows.cast(REFUSED), pl.DataFrame(beside, schema=REFUSED, orient="row")]).sort("row")  # type: ignore[arg-type]


def _warnings(faults: pl.DataFrame, kept: pl.DataFrame, warned_key: pl.Series, extract: Extract) -> pl.DataFrame:
    """What was read as no value, or is outside its list, in kept rows; and keys that came before with other content."""
    told = [name for name in faults.columns if name != "_row" and faults[name].null_count() < faults.height]
    marked = faults.filter(pl.any_horizontal(pl.col(told).is_not_null())) if told else faults.clear()
    marked = marked.join(kept.select("_row", "_delete").filter(~pl.col("_delete")), on="_row", how="semi")
    found = [
        marked.filter(pl.col(name).is_not_null()).select(pl.col("_row").alias("row"), pl.lit(name).alias("column"), pl.col(name).alias("code")) for name in told
    ]
    keys = pl.DataFrame({"row": warned_key}).select("row", pl.lit("+".join(extract.key)).alias("column"), pl.lit("W-KEY").alias("code"))
    frames = [frame.cast(WARNINGS) for frame in (*found, keys)]  # type: ignore[arg-type]
    return pl.concat(frames).sort("row", "column", "code")

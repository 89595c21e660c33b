"""The known rows of a night cut to one case: what the stages need to work it out again, put together in a private folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from verify.archive import Archive
from verify.at_once import at_once
from verify.batches import Batch, known_parts
from verify.citizen_id import said_by
from verify.faces import name_tables_of, put_spoken, spoken_of
from verify.id_numbers import id_keys
from verify.lines import Lines, read_lines, with_sexes
from verify.model import Part
from verify.parts import column_of, no_rows, rows_of
from verify.rule_extracts import Extract
from verify.rulebook import Rulebook
from verify.store import write_frame
from verify.touching import Asked, Kept, cut


def cut_rows(used: Mapping[str, tuple[Batch, ...]], archive: Archive, asked: Asked, *, book: Rulebook, tables: Path) -> None:
    """Write `rows_<extract>`, cut to what the stages read of the cases asked for, and what all rows that can touch these say of people."""
    names, extracts, known = name_tables_of(book), book.extracts, tables.parent / "known"
    known.mkdir(mode=0o700)
    parts = {name: known_parts(batches, archive, extracts[name], known) for name, batches in used.items() if batches}
    spoken = [spoken_of(part, extracts[name], names, known) for name, held in parts.items() if extracts[name].people for part in held]
    lines = read_lines(spoken, extracts, asked.as_of)
    standing = [_standing(part, extracts[name]) for name, held in parts.items() if _case_column(extracts[name]) for part in held]
    kept = cut(lines, pl.concat(standing), asked, names)
    faces = _as_written(lines, kept)
    for name, rows in _rows_at(kept.rows, parts, extracts).items():
        path = tables / f"rows_{name}.parquet"
        write_frame(rows, path)
        put_spoken(path, kept.lines.filter(extract=name), faces, names)


def _rows_at(places: pl.DataFrame, parts: Mapping[str, tuple[Part, ...]], extracts: Mapping[str, Extract]) -> dict[str, pl.DataFrame]:
    """The rows of each extract that stand at some places; of a part that has none of them no file is opened."""
    wanted = {name: places.filter(extract=name).select(_file="file", _row="row") for name in parts}
    asked = [(name, part) for name, held in parts.items() for part in held if wanted[name].height]
    found = at_once(lambda one: rows_of(one[1], extracts[one[0]], wanted[one[0]]), asked)
    rows = {name: [no_rows(extracts[name])] for name in parts}
    for (name, _), some in zip(asked, found, strict=True):
        rows[name].append(some)
    return {name: pl.concat(some) for name, some in rows.items()}


def _as_written(lines: Lines, kept: Kept) -> pl.DataFrame:
    """The faces that stay, as they lie in the archive (`FACE`)."""
    keys = id_keys(kept.faces)
    return with_sexes(lines, kept.faces).with_columns(pl.col("former_key").cast(pl.String), keys, *said_by(keys))


def _case_column(extract: Extract) -> str | None:
    role = extract.plays.roster or extract.plays.application
    return role.case if role else None


def _standing(part: Part, extract: Extract) -> pl.DataFrame:
    """Of which case each row of the roster or the applications is: extract, file, row, case_id."""
    case = _case_column(extract) or ""
    return column_of(part, case).select(pl.lit(extract.extract).alias("extract"), file="_file", row="_row", case_id=case)

"""The known rows of a night cut to one case: what the stages need to work it out again, put together in a private folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from verify.archive import Archive
from verify.batches import Batch, known_parts
from verify.faces import name_tables_of, put_spoken, read_spoken, spoken_of
from verify.model import Part
from verify.parts import column_of, rows_of
from verify.rule_extracts import Extract
from verify.rulebook import Rulebook
from verify.store import write_frame
from verify.touching import PLACE, Asked, Lines, cut


def cut_rows(used: Mapping[str, tuple[Batch, ...]], archive: Archive, asked: Asked, *, book: Rulebook, tables: Path) -> None:
    """Write `rows_<extract>`, cut to what can touch the cases asked for, with what these rows say of people."""
    names, extracts, known = name_tables_of(book), book.extracts, tables.parent / "known"
    known.mkdir(mode=0o700)
    parts = {name: known_parts(batches, archive, extracts[name], known) for name, batches in used.items() if batches}
    spoken = [spoken_of(part, extracts[name], names, known) for name, held in parts.items() if extracts[name].people for part in held]
    said, faces = read_spoken(spoken, (pl.Enum([*extracts]), pl.Categorical()))  # millions of lines are told apart by both, again and again
    standing = [_standing(part, extracts[name]) for name, held in parts.items() if _case_column(extracts[name]) for part in held]
    kept = cut(Lines(said, faces, pl.concat(standing).cast({name: said.schema[name] for name in ("extract", "file")}), names), extracts, asked)
    said = said.filter(pl.col("row").is_in(kept["row"].implode())).cast({"extract": pl.String, "file": pl.String}).join(kept, on=PLACE, how="semi")
    faces = faces.join(said, on="face", how="semi")
    for name, held in parts.items():
        places = kept.filter(extract=name).select(_file="file", _row="row")
        path = tables / f"rows_{name}.parquet"
        rows = pl.concat([rows_of(part, extracts[name], places) for part in held])
        write_frame(rows, path)
        put_spoken(path, said.filter(extract=name).join(rows, left_on=["file", "row"], right_on=["_file", "_row"], how="semi"), faces, names)


def _case_column(extract: Extract) -> str | None:
    role = extract.plays.roster or extract.plays.application
    return role.case if role else None


def _standing(part: Part, extract: Extract) -> pl.DataFrame:
    """Of which case each row of the roster or the applications is: extract, file, row, case_id."""
    case = _case_column(extract) or ""
    return column_of(part, case).select(pl.lit(extract.extract).alias("extract"), file="_file", row="_row", case_id=case)

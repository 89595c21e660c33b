"""What a published night had read, put together once more from its batches and the archive, cut to what can touch one case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from verify.archive import Archive
from verify.batches import Batch, chain, read_batches
from verify.cutting import cut_rows
from verify.lines import PLACE
from verify.link_scores import NAMES, WEIGHTS
from verify.manifest import RESULTS, TABLES, Published
from verify.model import Arrived, Known, Part
from verify.pair_marks import MARKS_FILE
from verify.problems import IntegrityError, Problem
from verify.rulebook import Rulebook
from verify.settings import Home
from verify.stages.match_decided import DECIDED
from verify.store import frames_where, read_frame, write_frame
from verify.store_rows import rows_where
from verify.touching import Asked

HANDED_ON = ("files", "refused", "warnings", "troubles", "roster_refused", "batches")  # what reading said; only the archive's rows are read again


def arrived_then(home: Home, night: Published, case: str, *, book: Rulebook, tables: Path) -> Arrived:
    """What the night's reading handed over, with the known rows cut to those that can touch the case."""
    published, manifest, archive = night.folder / TABLES, night.manifest, Archive(home.archive)
    used = {name: chain(batches) for name, batches in read_batches(published / "batches.parquet").items() if name in book.extracts}
    _must_hold(archive, night, used)
    persons = read_frame(published / "persons.parquet", ["case_id", "ids", "birth", "household"])
    links = pl.concat(frames_where(night.folder / RESULTS / "links.parquet", "case_id", pl.Series([case]), PLACE))
    asked = Asked(case, _same_people(published, case), manifest.origin.as_of, persons, links.select(PLACE), _keyed(published))
    cut_rows(used, archive, asked, book=book, tables=tables)
    for name in HANDED_ON:
        write_frame(read_frame(published / f"{name}.parquet"), tables / f"{name}.parquet")
    paths = {name: tables / f"{name}.parquet" for name in HANDED_ON}
    known = {name: _known(name, used.get(name, ()), night, book=book, tables=tables) for name in book.extracts}
    arrived = Arrived(as_of=manifest.origin.as_of, known=known, received=manifest.counts.get("received", 0), incomplete=manifest.incomplete, **paths)
    return replace(arrived, decided=_decided(published, tables), weights=_weights(published, tables))


def _keyed(published: Path) -> frozenset[str]:
    """The extracts of which an officer's decision knows a row by its key."""
    marks = published / MARKS_FILE
    return frozenset(read_frame(marks).filter(pl.col("row_key").is_not_null())["extract"]) if marks.exists() else frozenset()


def _weights(published: Path, tables: Path) -> Path | None:
    """What links weighed that night, whatever model is in force since."""
    if not (published / WEIGHTS).exists():
        return None
    for name in (WEIGHTS, NAMES):
        if (published / name).exists():
            write_frame(read_frame(published / name), tables / name)
    return tables / WEIGHTS


def _decided(published: Path, tables: Path) -> Path | None:
    """What the night held of the officers' decisions about pairs: what was void there, among all families, stays so."""
    if not (published / MARKS_FILE).exists():
        return None
    held = read_frame(published / DECIDED).filter(state="held").select("number").unique()
    write_frame(read_frame(published / MARKS_FILE).join(held, on="number", how="semi").with_columns(held=pl.lit(value=True)), tables / MARKS_FILE)
    return tables / MARKS_FILE


def _must_hold(archive: Archive, night: Published, used: Mapping[str, tuple[Batch, ...]]) -> None:
    """Without a batch that was known that night nothing can be worked out again."""
    if not all(archive.holds(batch.archived) for batches in used.values() for batch in batches):
        raise IntegrityError(Problem("E-AGAIN", night.manifest.night, {"tables": "archive"}))


def _same_people(published: Path, case: str) -> frozenset[str]:
    """The case and every case that lists somebody of it."""
    people = {person["person_id"] for person in rows_where(published / "persons.parquet", "case_id", case)}
    others = [rows_where(published / "persons.parquet", "person_id", person) for person in sorted(people)]
    return frozenset({case, *(person["case_id"] for found in others for person in found)})


def _known(name: str, batches: tuple[Batch, ...], night: Published, *, book: Rulebook, tables: Path) -> Known:
    """An extract's state as it was that night."""
    if not batches:
        return Known(name, (), late=True, usable=False, as_of=None)
    late = name in night.manifest.late
    usable = not late or book.extracts[name].when_late.use_last
    return Known(name, (Part(tables / f"rows_{name}.parquet"),), late=late, usable=usable, as_of=max(batch.as_of for batch in batches))

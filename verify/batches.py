"""What is known of an extract from night to night: its batches, which of them make up today's state, and their rows.

The state across nights lies in the last published night's `batches.parquet` alone; the archive holds only content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import date
from pathlib import Path

import polars as pl

from verify.archive import Archive, Counts, batch_name
from verify.manifest_list import FULL
from verify.model import Part
from verify.plain_cells import STORED
from verify.row_checks import complete_key
from verify.rule_extracts import Extract
from verify.store import frames_where, read_frame, write_frame


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch that was loaded on some night.

    `position` counts the batches of its extract in the order of loading. `in_use`: part of the chain of today's state,
    the last whole state and the changes since. `chain_broken`: a file was missed, so that the extract stays late until
    its next whole state (of a held batch: a file was missed after it). `archived` is the batch's name in the archive.
    `held`: a guard has stopped it, and it is no part of any state until an officer accepts it.
    """

    extract: str
    batch: str
    sha256: str
    file: str
    as_of: date
    mode: str
    received: int
    kept: int
    refused: int
    duplicate: int
    position: int
    in_use: bool
    chain_broken: bool
    archived: str
    held: bool

    def recounted(self, counts: Counts, *, file: str, archived: str) -> Batch:
        """The same batch as it came tonight: its file's name, and its counts under today's layout."""
        return replace(self, file=file, archived=archived, **{field.name: getattr(counts, field.name) for field in fields(counts)})


SCHEMA = {
    **dict.fromkeys(("extract", "batch", "sha256", "file"), pl.String),
    "as_of": pl.Date,
    "mode": pl.String,
    **dict.fromkeys(("received", "kept", "refused", "duplicate"), pl.Int64),
    "position": pl.Int32,
    "in_use": pl.Boolean,
    "chain_broken": pl.Boolean,
    "archived": pl.String,
    "held": pl.Boolean,
}


def read_batches(path: Path | None) -> dict[str, tuple[Batch, ...]]:
    """The batches of every extract in the order of loading; none where there was no night before."""
    if path is None:
        return {}
    known: dict[str, tuple[Batch, ...]] = {}
    table = read_frame(path)
    if "held" not in table.columns:  # a night of before there were guards
        table = table.with_columns(held=pl.lit(value=False))
    for row in table.sort("extract", "position").iter_rows():
        batch = Batch(*row)
        known[batch.extract] = (*known.get(batch.extract, ()), batch)
    return known


def write_batches(batches: Iterable[Batch], path: Path) -> None:
    """Keep them for the next night, ordered by extract and position."""
    rows = [astuple(batch) for batch in batches]
    write_frame(pl.DataFrame(rows, schema=SCHEMA, orient="row").sort("extract", "position"), path)


def with_new(batches: Sequence[Batch], new: Batch) -> tuple[Batch, ...]:
    """The batches after a new one is loaded: a whole state starts the chain anew and mends it, changes lengthen it."""
    whole = new.mode == FULL
    broken = not whole and is_broken(batches)
    before = tuple(replace(batch, in_use=batch.in_use and not whole, chain_broken=broken) for batch in batches)
    return (*before, replace(new, position=len(batches) + 1, in_use=True, chain_broken=broken))


def with_again(batches: Sequence[Batch], again: Batch) -> tuple[Batch, ...]:
    """The batches after a known one came again unchanged. A whole state that nothing has followed mends the chain."""
    after = tuple(again if batch.position == again.position else batch for batch in batches)
    mended = again.mode == FULL and [batch.position for batch in after if batch.in_use] == [again.position]
    return marked_broken(after, broken=is_broken(after) and not mended)


def marked_broken(batches: Sequence[Batch], *, broken: bool) -> tuple[Batch, ...]:
    """The batches with the chain marked as broken or whole."""
    return tuple(replace(batch, chain_broken=broken) for batch in batches)


def is_broken(batches: Sequence[Batch]) -> bool:
    """Whether a file was missed since the last whole state."""
    return any(batch.chain_broken for batch in batches if not batch.held)


def chain(batches: Sequence[Batch]) -> tuple[Batch, ...]:
    """The batches that make up today's state: the last whole state, then the changes since in the order of loading."""
    return tuple(batch for batch in batches if batch.in_use)


def known_parts(batches: Sequence[Batch], archive: Archive, extract: Extract, work: Path) -> tuple[Part, ...]:
    """Today's state as parts: the last whole state where it lies in the archive, and what later changes leave of it.

    Only the rows that changes have brought are written anew, as `rows_<extract>.parquet` below `work`; a whole state that
    was read with another layout is, too. Together the parts are the rows of `known_rows`.
    """
    whole, *changes = told_apart(chain(batches))
    rows, gone = work / f"rows_{extract.extract}.parquet", work / f"rows_{extract.extract}.gone.parquet"
    if whole.mode != FULL or whole.archived != batch_name(whole.sha256, extract, changes=False):
        write_frame(known_rows(batches, archive, extract), rows)
        return (Part(rows),)
    path = archive.path(whole.archived)
    if not changes:
        return (Part(path, whole.file, whole.as_of),)
    key = list(extract.key)
    brought = [_rows_of(batch, archive, extract).with_columns(_base=pl.lit(value=False)) for batch in changes]
    touched = pl.concat([told.select(key) for told in brought])  # nothing becomes of any other row of the whole state
    base = _with_keys(path, touched).select(pl.lit(whole.file).alias("_file"), "_row", *key, _base=pl.lit(value=True))
    state = _state([base, *brought], extract)
    write_frame(base.join(state.filter("_base"), on="_row", how="anti").select("_row").sort("_row"), gone)
    write_frame(_as_known(state.filter(~pl.col("_base")), extract), rows)
    return (Part(path, whole.file, whole.as_of, gone), Part(rows))


def known_rows(batches: Sequence[Batch], archive: Archive, extract: Extract) -> pl.DataFrame:
    """Today's state: `_file`, `_row`, `_as_of`, then the declared columns, ordered by file and row.

    Changes replace every known row of their key, the last row of a key in a file holds; rows without a key are added.
    """
    return _as_known(_state([_rows_of(batch, archive, extract) for batch in told_apart(chain(batches))], extract), extract)


def _state(loaded: Sequence[pl.DataFrame], extract: Extract) -> pl.DataFrame:
    """The rows of a chain's batches that are known at its end. Raises LookupError where there is no batch."""
    if not loaded:
        raise LookupError("no batch is in use")
    state = loaded[0].filter(~pl.col("_delete")) if "_delete" in loaded[0].columns else loaded[0]
    for rows in loaded[1:]:
        state = _with_changes(state, rows, extract)
    return state


def _as_known(state: pl.DataFrame, extract: Extract) -> pl.DataFrame:
    return state.select("_file", "_row", "_as_of", *(column.column for column in extract.columns)).sort("_file", "_row", "_as_of")


def told_apart(used: Sequence[Batch]) -> list[Batch]:
    """Batches of which no two have the same file name: an older one takes its batch number into its name."""
    newest = {batch.file: batch.position for batch in used}
    return [batch if newest[batch.file] == batch.position else replace(batch, file=f"{batch.file}#{batch.batch}") for batch in used]


def _with_keys(path: Path, touched: pl.DataFrame) -> pl.DataFrame:
    """`_row` and the key of the rows of a batch that have one of these keys.

    The column that tells most of them apart is looked at first: what the others say of a row that it rules out is never compared.
    """
    first = max(touched.columns, key=lambda name: (touched[name].n_unique(), name))
    found = frames_where(path, first, touched[first].drop_nulls().unique(), ["_row", *touched.columns])
    return pl.concat([rows.join(touched, on=touched.columns, how="semi") for rows in found])


def _rows_of(batch: Batch, archive: Archive, extract: Extract) -> pl.DataFrame:
    """A batch's rows under today's layout: a column it was not read with, or with another type, has no values."""
    rows = archive.kept(batch.archived)
    declared = [
        pl.col(column.column) if rows.schema.get(column.column) == STORED[column.type] else pl.lit(None, dtype=STORED[column.type]).alias(column.column)
        for column in extract.columns
    ]
    return rows.select(pl.lit(batch.file).alias("_file"), "_row", pl.lit(batch.as_of).alias("_as_of"), "_last", "_delete", *declared)


def _with_changes(state: pl.DataFrame, changes: pl.DataFrame, extract: Extract) -> pl.DataFrame:
    key = list(extract.key)
    keyed = changes.select(complete_key(extract)).to_series()
    said = changes.filter(keyed).sort("_last").unique(subset=key, keep="last", maintain_order=True)
    left = state.join(said.select(key), on=key, how="anti", maintain_order="left")
    return pl.concat([left, said.filter(~pl.col("_delete")), changes.filter(~keyed)], how="diagonal")

"""What officers have decided of pairs, held against tonight's rows: found by content, told apart from what contradicts itself.

A decision that finds its row and its person holds. Must-links that would make one row two people's, or one person two people
of the register, are void and told (E-PAIR-CONFLICT); cannot-links stand in any case, for they accept nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from verify.model import Arrived
from verify.pair_marks import key_of
from verify.parts import rows_of
from verify.rulebook import Rulebook
from verify.store import Store, read_frame, statements, write_frame

_SQL = statements(Path(__file__).with_suffix(".sql"))
PLACE = ("extract", "file", "row", "side")
DECIDED = "pair_decisions.parquet"


def load_decided(store: Store, arrived: Arrived, book: Rulebook) -> None:
    """The tables `pair_marks` and `decided_rows` (number and place of every row of tonight that a decision is about).

    Needs the views all_said and all_faces. Where nothing was decided, every table that rests on it stands empty straight away.
    """
    if arrived.decided is None:
        store.run(_SQL["nothing"])
        return
    store.load("pair_marks", arrived.decided)
    found = store.frame(_SQL["rows_of_marks"])
    keyed = read_frame(arrived.decided).filter(pl.col("row_key").is_not_null()).select("number", "row_key")
    unkeyed = found.join(keyed, on="number", how="anti")
    wanted = found.join(keyed, on="number")
    kept = [unkeyed, *(_same_key(wanted.filter(extract=name), arrived, book) for name in sorted(set(wanted["extract"])))]
    store.load("decided_rows", pl.concat(kept).sort("number", *PLACE))


def _same_key(wanted: pl.DataFrame, arrived: Arrived, book: Rulebook) -> pl.DataFrame:
    """Of the rows of one extract those whose natural key is the decision's."""
    name = wanted["extract"][0]
    extract, places = book.extracts[name], wanted.select(_file="file", _row="row").unique()
    parts = [rows_of(part, extract, places) for part in arrived.known[name].parts]
    keys = pl.concat(rows.select("_file", "_row").with_columns(row_key=key_of(rows, extract)) for rows in parts)
    return wanted.join(keys, left_on=["file", "row", "row_key"], right_on=["_file", "_row", "row_key"], how="semi").drop("row_key")


def decide_rows(store: Store, arrived: Arrived) -> None:
    """The tables `void`, `held` (decisions by place and person) and `taken` (whose each must-linked row is). Needs known_people."""
    if arrived.decided is None:
        return
    for name in ("void", "held", "taken"):
        store.table(name, _SQL[name])


def tell_decided(store: Store, arrived: Arrived, work: Path) -> None:
    """Write `pair_decisions`: number, state (held, conflict, idle) and where it holds; add what must be told to the troubles."""
    if arrived.decided is None:
        return
    store.save(_SQL["told"], work / DECIDED)
    states = read_frame(work / DECIDED).unique("number", keep="first", maintain_order=True)
    told = [
        (extract, None, code, json.dumps({"number": str(number)}))
        for state, code in (("conflict", "E-PAIR-CONFLICT"), ("idle", "N-PAIR-IDLE"))
        for number, extract in states.filter(state=state).select("number", "decided_of").iter_rows()
    ]
    troubles = read_frame(arrived.troubles)
    more = pl.DataFrame(told, schema=troubles.schema, orient="row")
    write_frame(pl.concat([troubles, more]).sort(pl.all(), nulls_last=True), arrived.troubles)

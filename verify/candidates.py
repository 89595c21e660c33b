"""Pairs worth comparing, and their comparison: IDs one slip apart, names that agree. Joins in SQL, characters in Python.

Only distinct values cross over to Python, never rows; what comes back is a table that later statements join.
"""

from __future__ import annotations

import polars as pl

from verify.identity.name_grades import grade_names
from verify.identity.name_keys import NameTables
from verify.identity.slips import one_slip_apart
from verify.store import Store

# Two IDs of 17 to 19 characters that are one slip apart share at least one of these, wherever the slip is.
_ID_BLOCKS = (
    "right({0}, 8)",
    "left({0}, 8) || right({0}, 4)",
    "left({0}, 12) || right({0}, 2)",
    "left({0}, 15)",
)


class NameGrades:
    """The table `name_grades` (a, b, grade, how; a < b): every pair of names that some statement had to compare."""

    def __init__(self, store: Store, tables: NameTables) -> None:
        self._store, self._tables = store, tables
        store.run("CREATE OR REPLACE TABLE name_grades (a VARCHAR, b VARCHAR, grade INTEGER, how VARCHAR)")

    def want(self, sql: str) -> None:
        """Grade every pair of a query with two columns of names that are not equal and not yet graded."""
        pairs = self._store.frame(f"""
            WITH wanted(x, y) AS ({sql})
            SELECT DISTINCT least(x, y) AS a, greatest(x, y) AS b FROM wanted WHERE x <> y
            EXCEPT SELECT a, b FROM name_grades ORDER BY a, b
        """)
        if pairs.is_empty():
            return
        graded = grade_names(zip(pairs["a"], pairs["b"], strict=True), self._tables)
        grades, reasons = zip(*graded, strict=True)
        self._store.load("graded_names", pairs.with_columns(grade=pl.Series(grades, dtype=pl.Int32), how=pl.Series(reasons, dtype=pl.String)))
        self._store.run("INSERT INTO name_grades FROM graded_names")


def near_ids(store: Store, name: str, ours: str, theirs: str) -> int:
    """Make the table `name` (a, b): IDs of the table `ours` and IDs of the table `theirs` that are one slip apart; how many pairs.

    Both tables have `id_key` and `id_state`; at least one of a pair is invalid, for a valid ID is never taken for
    another valid one.
    """
    counts = [store.rows(f"SELECT count(*), count(*) FILTER (WHERE id_state = 'invalid') FROM {table}")[0] for table in (ours, theirs)]
    if not all(every for every, _ in counts) or not any(invalid for _, invalid in counts):
        store.run(f'CREATE OR REPLACE TABLE "{name}" (a VARCHAR, b VARCHAR)')  # of one case there seldom is anything to hold against anything
        return 0
    pairs = store.frame(f"""
        SELECT DISTINCT o.id_key AS a, t.id_key AS b FROM ({_in_blocks(ours)}) o JOIN ({_in_blocks(theirs)}) t USING (kind, block)
        WHERE o.id_key <> t.id_key AND (o.id_state = 'invalid' OR t.id_state = 'invalid') ORDER BY a, b
    """)
    near = pairs.filter(pl.Series(one_slip_apart(zip(pairs["a"], pairs["b"], strict=True)), dtype=pl.Boolean))
    store.load(name, near)
    return near.height


def _in_blocks(table: str) -> str:
    """Each ID of a table that is nearly whole once for each of its blocks."""
    blocks = ", ".join(block.format("id_key") for block in _ID_BLOCKS)
    ids = f"SELECT DISTINCT id_key, id_state FROM {table} WHERE length(id_key) BETWEEN 17 AND 19"
    return f"SELECT id_key, id_state, unnest([{blocks}]) AS block, unnest(range({len(_ID_BLOCKS)})) AS kind FROM ({ids})"

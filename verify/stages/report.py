"""Report: the tables that other programs read, exactly as the public interface names them (results.md).

Money becomes DECIMAL yuan here and nowhere before; an amount without upper bound is NULL with `<name>_bounded` false.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from verify.model import Arrived
from verify.store import Store

_RESULTS = {
    "cases": """
        SELECT c.case_id, {as_of}::DATE AS as_of, c.region, c.members_low, c.members_high, h.* EXCLUDE (case_id),
               d.category, d.open_tests, d.needs
        FROM cases c JOIN household h USING (case_id) JOIN decisions d USING (case_id) ORDER BY c.case_id""",
    "tests": 'SELECT case_id, category, test, value_low, value_high, "limit", verdict, basis, unit, value_bounded FROM tests',
    "evidence": "SELECT * FROM evidence",
    "links": """
        SELECT extract, file, row, coalesce(side, '') AS side, case_id, member_no, person_id, status, score, method, reasons
        FROM links ORDER BY extract, file, row, side, case_id, member_no""",
    "alerts": "SELECT * FROM alerts",
    "refused": 'SELECT extract, file, row, code, "column" FROM refused ORDER BY extract, file, row',
    "files": "SELECT extract, file, batch, as_of, received, kept, refused, duplicate, state FROM files ORDER BY extract, file",
}


def results(store: Store, arrived: Arrived, tables: Mapping[str, Path], folder: Path) -> dict[str, int]:
    """Write `cases`, `tests`, `evidence`, `links`, `alerts`, `refused` and `files` into `folder`; give their row counts.

    `tables` names the Parquet file of every table the queries read.
    """
    for name, path in tables.items():
        store.load(name, path)
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    for name, sql in _RESULTS.items():
        path = folder / f"{name}.parquet"
        store.save(sql.format(as_of=f"'{arrived.as_of.isoformat()}'"), path)
        counts[name] = int(store.one("SELECT count(*) FROM read_parquet(?)", [str(path)]))
    return counts

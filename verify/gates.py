"""Gates between the stages: questions that must find nothing, or the night is not published.

Each gate is a query over the tables a stage has just made; a row that comes back is a promise broken (design §3).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from verify.problems import IntegrityError, Problem
from verify.store import Store, statements

_SQL = statements(Path(__file__).with_suffix(".sql"))
GATES: Mapping[str, tuple[str, ...]] = {
    "match": ("E-GATE-TWO-OWNERS", "E-GATE-UNAUTHORISED", "E-GATE-NAME-ALONE"),
    "assess": ("E-GATE-DECIDED-ONCE", "E-GATE-INTERVAL", "E-GATE-EVIDENCE"),
    "watch": ("E-GATE-ALERT-CASE",),
}


def must_find_nothing(store: Store, stage: str, **tables: Path) -> None:
    """Ask every question of a stage's gate, of `tables` and of what the stage left in the store.

    Raises IntegrityError with each code that found something, and how often.
    """
    for name, path in tables.items():
        store.load(name, path, whole=False)
    problems = []
    for code in GATES[stage]:
        found = store.one(f"SELECT count(*) FROM ({_SQL[code]})")
        if found:
            problems.append(Problem(code, stage, {"found": str(found)}))
    if problems:
        raise IntegrityError(*problems)

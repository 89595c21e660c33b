"""The stages that work on known rows, each behind the gate of the one before: a night's, and those of a check of one case.

standardise → match → group → assess → watch → report. What a night does before and after them stands in `pipeline`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from verify.faces import load_spoken
from verify.gates import must_find_nothing
from verify.manifest import RESULTS, TABLES
from verify.model import Arrived
from verify.plan import Plan
from verify.rulebook import Rulebook
from verify.stages import assess, group, match, report, standardise, watch
from verify.store import Store

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """What the stages made of known rows, beside the results: the people, and how many there are of each."""

    persons: Path
    counts: dict[str, int]
    categories: dict[str, int]


def work_out(store: Store, arrived: Arrived, plan: Plan, work: Path, tell: Tell) -> WorkedOut:
    """Every stage that works on known rows, each behind the gate of the one before: tables and results below `work`.

    Raises IntegrityError (a gate), UsageError (the rules). A check of one case takes this same way (`again`).
    """
    book, tables = plan.book, work / TABLES
    tell("standardise")
    standard = standardise.people(store, arrived, book=book, work=tables)
    tell("match")
    matched = match.links(store, arrived, standard.spoken, book=book, work=tables)
    _name_free_extracts(store, book)
    load_spoken(store, standard.spoken)
    must_find_nothing(store, "match", links=matched.links.path, persons=matched.persons.path)
    tell("group")
    grouped = group.cases(store, arrived, group.Matched(standard.spoken, matched.persons.path, matched.links.path), book=book, work=tables)
    tell("assess")
    assessed = assess.cases(store, arrived, plan, tables)
    must_find_nothing(store, "assess")
    tell("watch")
    alerts = watch.alerts(store, arrived, plan, layers=assessed.layers, work=tables)
    must_find_nothing(store, "watch")
    tell("report")
    made = _named(arrived, grouped, assessed) | {"links": matched.links.path, "alerts": alerts.path}
    counts = report.results(store, arrived, made, work / RESULTS)
    return WorkedOut(matched.persons.path, counts, assessed.categories)


def _name_free_extracts(store: Store, book: Rulebook) -> None:
    """The extracts that may be read before anybody has authorised it, for the gate."""
    free = [name for name, extract in sorted(book.extracts.items()) if extract.read_freely]
    store.run("CREATE OR REPLACE TABLE free_extracts AS SELECT unnest(?::VARCHAR[]) AS extract", [free])


def _named(arrived: Arrived, grouped: group.Grouped, assessed: assess.Assessed) -> dict[str, Path]:
    """The tables that the results are made from, by the names the queries use."""
    made = {"cases": grouped.cases.path, "household": assessed.household, "decisions": assessed.decisions.path, "tests": assessed.tests.path}
    return made | {"evidence": assessed.evidence.path, "refused": arrived.refused, "files": arrived.files}

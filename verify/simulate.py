"""Other rules over a published night: which category every case would have, who moves, and by which tests.

Where only what is asked of households changes, the figures that the night kept are enough. Where the change touches what
rows say of people, the stages behind the match run again over the night's rows. Either way nothing of the night changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from verify.manifest import RESULTS, TABLES, Published
from verify.pack_compare import Difference, Side, compare
from verify.passing import passing_folder
from verify.plan import make_plan
from verify.problems import IntegrityError, Problem, UsageError
from verify.rule_checks import compile_all
from verify.rule_reading import nothing_to_collect
from verify.rulebook import Rulebook
from verify.scenarios import Tried
from verify.settings import Home, read_settings
from verify.simulate_cost import Cost, Tally, counted, from_both_figures, says_what_is_paid, tallied
from verify.simulate_figures import from_figures
from verify.simulate_reach import Trial, affected, below, must_read_alike
from verify.stages import assess, group, standardise
from verify.store import Store, open_store, quoted
from verify.whole_night import arrived_whole


class Moved(NamedTuple):
    """A case that would change its category, and the tests (rules of the table) whose answer would."""

    case: str
    region: str
    then: str
    now: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """The scenario's name, how many cases go from which category to which, those who move, cases by region; the names for
    whose sake rows had to be worked out anew (none: the kept figures were enough); what is paid (None: no rule says);
    what is supposed: each entry that the tried rules word otherwise for the home's own division."""

    name: str
    night: Published
    matrix: Mapping[tuple[str, str], int]
    moved: tuple[Moved, ...]
    regions: Mapping[str, int]
    deep: tuple[str, ...]
    cost: Cost | None
    changes: tuple[Difference, ...] = ()


def simulate(home: Home, night: Published, tried: Tried, *, book: Rulebook, deep: bool = False) -> Simulation:
    """Try a rule book on a night that was made by another. `deep`: from the rows even where the kept figures would do.

    Raises UsageError: E-AGAIN-RULES where `book` is not the night's, E-SIMULATE-READ; IntegrityError: E-SIMULATE-NIGHT.
    """
    origin = night.manifest.origin
    if book.digest != origin.rules:
        raise UsageError(Problem("E-AGAIN-RULES", night.manifest.night, {"then": origin.rules[:12], "now": book.digest[:12]}))
    then, now = make_plan(book, origin.as_of), make_plan(tried.book, origin.as_of)
    must_read_alike(book, tried.book)
    with passing_folder(home) as work:
        (work / TABLES).mkdir(mode=0o700)
        settings = read_settings(home)
        with open_store(work, threads=settings.threads, memory=settings.memory) as store:
            store.load("in_force", night.folder / TABLES / "parameters.parquet")
            trial = Trial(night, then, now, affected(store, then, now))
            deeper = below(store, trial)
            scale = _from_rows(store, home, trial, work) if deep or deeper else from_figures(store, trial, work)
            tallies = tallied(store)
            cost = counted(tallies, (then, now), scale) if says_what_is_paid(tried.book) or says_what_is_paid(book) else None
            matrix, regions = _matrix(night, tallies)
            changes = tuple(compare(Side(book, origin.as_of), Side(tried.book, origin.as_of)))
            return Simulation(tried.name, night, matrix, _moved(store), regions, deeper, cost, changes)


# --- from the rows ----------------------------------------------------------------------------------------------------


def _from_rows(store: Store, home: Home, trial: Trial, work: Path) -> int:
    """Make `outcome`: the stages behind the match over all that was known that night, with the links that were published.

    Returns the decimals of what is paid.
    """
    night, now = trial.night, trial.now
    tables, published = work / TABLES, night.folder / TABLES
    arrived = arrived_whole(home, night, now.book, tables)
    standard = standardise.people(store, arrived, book=now.book, work=tables)
    matched = group.Matched(standard.spoken, published / "persons.parquet", published / "links.parquet")
    group.cases(store, arrived, matched, book=now.book, work=tables)
    assessed = assess.cases(store, arrived, now, tables)
    store.load("after", assessed.decisions.path)
    store.load("tests_after", assessed.tests.path)
    store.load("published", night.folder / RESULTS / "cases.parquet")
    store.load("tests_before", night.folder / RESULTS / "tests.parquet")
    store.table("asked", _rules_of_tests(now.book))
    store.table(
        "flips",
        """SELECT case_id, string_agg(DISTINCT rule, ',' ORDER BY rule) AS tests
           FROM tests_before b JOIN tests_after a USING (case_id, category, test) JOIN asked USING (category, test)
           WHERE a.verdict <> b.verdict GROUP BY case_id""",
    )
    store.table(
        "outcome",
        f"""SELECT p.case_id, coalesce(p.region, {quoted(now.book.membership.home_region)}) AS region, p.category AS was, a.category AS now,
                   coalesce(f.tests, '') AS tests
            FROM published p JOIN after a USING (case_id) LEFT JOIN flips f USING (case_id)""",
    )
    households = compile_all(trial.then)[2], compile_all(now)[2]
    return from_both_figures(store, (trial.then, now), households, (trial.figures, tables / "figures.parquet"))


def _rules_of_tests(book: Rulebook) -> str:
    lines = [(*test.split(".", 1), rule) for test, rule in sorted(book.rules_of_tests.items())]
    return "FROM (VALUES " + ", ".join(f"({', '.join(map(quoted, line))})" for line in lines) + ") t(category, test, rule)"


# --- what came of it --------------------------------------------------------------------------------------------------


def _matrix(night: Published, tallies: list[Tally]) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """The cases by both categories, and by region. Raises IntegrityError (E-SIMULATE-NIGHT) where what was is not what was published."""
    matrix: Counter[tuple[str, str]] = Counter()
    regions: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for one in tallies:
        matrix[one.was, one.now] += one.cases
        regions[one.region] += one.cases
        found[one.was] += one.cases
    told = Counter({key.removeprefix("category."): count for key, count in night.manifest.counts.items() if key.startswith("category.")})
    if found != told:
        raise IntegrityError(Problem("E-SIMULATE-NIGHT", night.manifest.night, {"found": str(sum(((found - told) + (told - found)).values()))}))
    return matrix, regions


@nothing_to_collect()  # a list of plain tuples, all of which stay: half of the time, measured
def _moved(store: Store) -> tuple[Moved, ...]:
    """Who moves, in order of case; taken by column, for there may be hundreds of thousands."""
    frame = store.frame("SELECT case_id, region, was, now, tests FROM outcome WHERE was <> now ORDER BY case_id")
    split = {tests: tuple(tests.split(",")) if tests else () for tests in frame["tests"].unique()}
    columns = (frame[name].to_list() for name in ("case_id", "region", "was", "now"))
    return tuple(map(Moved, *columns, map(split.__getitem__, frame["tests"].to_list())))

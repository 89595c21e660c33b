"""Other rules over a published night: which category every case would have, who moves, and by which tests.

Where only what is asked of households changes, the figures that the night kept are enough. Where the change touches what
rows say of people, the stages behind the match run again over the night's rows. Either way nothing of the night changes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from verify import kept_figures
from verify.manifest import Published
from verify.parameters import parameter_table
from verify.passing import passing_folder
from verify.plan import Plan, make_plan
from verify.problems import IntegrityError, Problem, UsageError
from verify.rule_checks import compile_all
from verify.rulebook import Rulebook
from verify.scenarios import Tried
from verify.settings import Home, read_settings
from verify.simulate_reach import Trial, affected, below, must_read_alike, needed, places_of
from verify.stages import assess, group, standardise
from verify.store import Store, open_store, quoted, write_frame
from verify.whole_night import arrived_whole
from verify.working import TABLES

RESULTS = "results"
SHADOW = "\x1fleads"  # as `assess.sql` names the shadow of a case
_PREFIX = re.compile(r"^(sum|the|any)__")


class Moved(NamedTuple):
    """A case that would change its category, and the tests (rules of the table) whose answer would."""

    case: str
    region: str
    then: str
    now: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """The scenario's name, how many cases go from which category to which, those who move, cases by region; and the names
    for whose sake rows had to be worked out anew (none: the kept figures were enough)."""

    name: str
    night: Published
    matrix: Mapping[tuple[str, str], int]
    moved: tuple[Moved, ...]
    regions: Mapping[str, int]
    deep: tuple[str, ...]


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
            if deep or deeper:
                _from_rows(store, home, night, now, work=work)
            else:
                _from_figures(store, trial, work)
            return _told(store, tried.name, night, deeper)


# --- from the kept figures --------------------------------------------------------------------------------------------


def _from_figures(store: Store, trial: Trial, work: Path) -> None:
    """Make `outcome` (case_id, region, was, now, tests): the affected rules of cases and households over what the night kept."""
    then, now, changed = trial.then, trial.now, trial.changed
    source = store.source(trial.figures)
    kinds = {name: kind for name, kind, *_ in store.rows(f"DESCRIBE FROM {source}")}
    gone = {f"{name}__{end}" for name in changed for end in ("low", "high", "truth")}
    wanted = [name for name in kinds if name not in gone and _is_read(name, trial)]
    items = [f'"{name}"::HUGEINT AS "{name}"' if name.endswith(("__low", "__high")) else f'"{name}"' for name in wanted]
    items += [f'"{name}__truth" AS "was {name}"' for name in then.book.decision.columns]
    home = quoted(now.book.membership.home_region)
    store.run(f"CREATE OR REPLACE VIEW kept AS SELECT case_id, coalesce(region, {home}) AS region, area, {', '.join(items)} FROM {source}")
    _load_places(store, now, work)
    store.table("tried", _tried(trial))
    store.table("dark", f"SELECT * REPLACE (left(case_id, -{len(SHADOW)}) AS case_id) FROM tried WHERE ends_with(case_id, {quoted(SHADOW)})")
    store.run(f"CREATE OR REPLACE VIEW outcome AS {_OUTCOME.format(shadow=quoted(SHADOW))}")


# Where a case has leads its shadow decides: it is settled as the case is, or not at all.
_OUTCOME = """
SELECT t.case_id, t.region, coalesce(d.was, t.was) AS was, coalesce(d.now, t.now) AS now,
       CASE WHEN d.case_id IS NULL THEN t.flips ELSE d.flips END AS tests
FROM tried t LEFT JOIN dark d ON d.case_id = t.case_id WHERE NOT ends_with(t.case_id, {shadow})
"""


def _tried(trial: Trial) -> str:
    """Every case and shadow with both categories and, where they differ, the tests that say otherwise."""
    then, now = trial.then.book.decision.columns, trial.now.book.decision.columns
    case, _, household = compile_all(trial.now)
    sql = kept_figures.recomputed(trial.now, trial.changed & needed(trial.now), case, household)
    was, new = {name: f'"was {name}"' for name in then}, {name: f'"{name}__truth"' for name in now}
    flips = "".join(f", CASE WHEN {new[name]} IS DISTINCT FROM {was[name]} THEN {quoted(name)} END" for name in now if name in was and name in trial.changed)
    read = ", ".join(["case_id", "region", *(f"{side[name]}" for side in (was, new) for name in side if name in trial.changed)])
    branches = [kept_figures.branches_sql(plan, side, called) for plan, side, called in ((trial.then, was, "then"), (trial.now, new, "now"))]
    inner = f"SELECT {', '.join(dict.fromkeys([read, *branches]))} FROM {sql}"
    before, after = kept_figures.category_sql(trial.then, "then"), kept_figures.category_sql(trial.now, "now")
    middle = f"SELECT *, {before} AS was, {after} AS now FROM ({inner})"
    return f"SELECT case_id, region, was, now, CASE WHEN was <> now THEN concat_ws(',', NULL{flips}) END AS flips FROM ({middle})"


def _is_read(column: str, trial: Trial) -> bool:
    """Whether a kept column is read: as an unchanged test of the table, or by a rule that is worked out anew."""
    rules = [rule for of in ("case", "household") for rule in trial.now.rules(of) if rule.rule.rule in trial.changed]
    read = {"members", *trial.now.book.decision.columns, *(name for rule in rules for name in rule.formula.names)}
    return column.startswith("members_") or _PREFIX.sub("", column).rsplit("__", 1)[0].removesuffix("__has") in read


def _load_places(store: Store, now: Plan, work: Path) -> None:
    """The parameters of each region and area of the night, as the new rules have them."""
    write_frame(parameter_table(now.book, places_of(store), now.as_of), work / "places.parquet")
    store.load("stated", work / "places.parquet")
    names = [f'"{name}__{end}"::HUGEINT AS "{name}__{end}"' for name in now.book.parameters for end in ("low", "high")]
    store.table("places", f"SELECT region, area, {', '.join(names)} FROM stated")


# --- from the rows ----------------------------------------------------------------------------------------------------


def _from_rows(store: Store, home: Home, night: Published, now: Plan, *, work: Path) -> None:
    """Make `outcome`: the stages behind the match over all that was known that night, with the links that were published."""
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


def _rules_of_tests(book: Rulebook) -> str:
    lines = [(*test.split(".", 1), rule) for test, rule in sorted(book.rules_of_tests.items())]
    return "FROM (VALUES " + ", ".join(f"({', '.join(map(quoted, line))})" for line in lines) + ") t(category, test, rule)"


# --- what came of it --------------------------------------------------------------------------------------------------


def _told(store: Store, name: str, night: Published, deep: tuple[str, ...]) -> Simulation:
    """Count the outcome. Raises IntegrityError (E-SIMULATE-NIGHT) where what was is not what was published."""
    matrix: Counter[tuple[str, str]] = Counter()
    regions: Counter[str] = Counter()
    for was, now, region, count in store.rows("SELECT was, now, region, count(*) FROM outcome GROUP BY ALL ORDER BY ALL"):
        matrix[was, now] += count
        regions[region] += count
    told = Counter({key.removeprefix("category."): count for key, count in night.manifest.counts.items() if key.startswith("category.")})
    found: Counter[str] = Counter()
    for (was, _), count in matrix.items():
        found[was] += count
    if found != told:
        raise IntegrityError(Problem("E-SIMULATE-NIGHT", night.manifest.night, {"found": str(sum(((found - told) + (told - found)).values()))}))
    moved = store.rows("SELECT case_id, region, was, now, tests FROM outcome WHERE was <> now ORDER BY case_id")
    listed = tuple(Moved(case, region, was, now, tuple(tests.split(",")) if tests else ()) for case, region, was, now, tests in moved)
    return Simulation(name, night, matrix, listed, regions, deep)

"""Other rules over the figures that a night kept: only what is affected is worked out anew, in one pass over the households.

Makes the table `outcome` that `simulate` counts. The night's own figures are read, never written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from verify import kept_figures
from verify.benefits import Payment, paid_sql, paying, payment
from verify.formulas_compiler import Scope
from verify.parameters import parameter_table
from verify.plan import Plan
from verify.rule_checks import compile_all
from verify.simulate_reach import Trial, needed, places_of
from verify.store import Store, quoted, write_frame

SHADOW = "\x1fleads"  # as `assess.sql` names the shadow of a case
_PREFIX = re.compile(r"^(sum|the|any)__")

# Where a case has leads its shadow decides: it is settled as the case is, or not at all.
_OUTCOME = """
SELECT t.case_id, t.region, coalesce(d.was, t.was) AS was, coalesce(d.now, t.now) AS now,
       {columns}
FROM tried t LEFT JOIN dark d ON d.case_id = t.case_id WHERE NOT ends_with(t.case_id, {shadow})
"""
PAID = ('"then least"', '"then most"', '"now least"', '"now most"')


def from_figures(store: Store, trial: Trial, work: Path) -> int:
    """Make `outcome` (case_id, region, was, now, tests, and what is paid before and after) over what the night kept.

    Returns the decimals of what is paid.
    """
    _load_kept(store, trial)
    _load_places(store, trial.now, work)
    case, _, household = compile_all(trial.now)
    before = household if not trial.changed & set(paying(trial.then.book)) else compile_all(trial.then)[2]
    same = {name: name for name in paying(trial.now.book) if name in trial.changed}
    paid = payment(trial.then, before, _was(trial.then)), payment(trial.now, household, {**_was(trial.now), **same})
    scale = max(one.scale for one in paid)
    store.table("tried", _tried(trial, (case, household), tuple(one.at(scale) for one in paid)))
    store.table("dark", f"SELECT * REPLACE (left(case_id, -{len(SHADOW)}) AS case_id) FROM tried WHERE ends_with(case_id, {quoted(SHADOW)})")
    columns = ", ".join(f"CASE WHEN d.case_id IS NULL THEN t.{name} ELSE d.{name} END AS {name}" for name in ("tests", *PAID))
    store.run(f"CREATE OR REPLACE VIEW outcome AS {_OUTCOME.format(columns=columns, shadow=quoted(SHADOW))}")
    return scale


def _was(plan: Plan) -> dict[str, str]:
    """The columns of what was paid, by rule."""
    return {name: f"was {name}" for name in paying(plan.book)}


def _load_kept(store: Store, trial: Trial) -> None:
    """The view `kept`: of the night's figures what the new rules read, and what the old ones said."""
    source = store.source(trial.figures)
    kinds = {name: kind for name, kind, *_ in store.rows(f"DESCRIBE FROM {source}")}
    gone = {f"{name}__{end}" for name in trial.changed for end in ("low", "high", "truth")}
    wanted = [name for name in kinds if name not in gone and _is_read(name, trial)]
    items = [f'"{name}"::HUGEINT AS "{name}"' if name.endswith(("__low", "__high")) else f'"{name}"' for name in wanted]
    items += [f'"{name}__truth" AS "was {name}"' for name in trial.then.book.decision.columns]
    told = {name for plan in (trial.then, trial.now) for name in paying(plan.book)}
    items += [f'"{name}__{end}" AS "was {name}__{end}"' for name in sorted(told) if f"{name}__low" in kinds for end in ("low", "high")]
    home = quoted(trial.now.book.membership.home_region)
    store.run(f"CREATE OR REPLACE VIEW kept AS SELECT case_id, coalesce(region, {home}) AS region, area, {', '.join(items)} FROM {source}")


def _is_read(column: str, trial: Trial) -> bool:
    """Whether a kept column is read: as an unchanged test of the table, or by a rule that is worked out anew."""
    rules = [rule for of in ("case", "household") for rule in trial.now.rules(of) if rule.rule.rule in trial.changed & needed(trial.now)]
    read = {"members", *trial.now.book.decision.columns, *(name for rule in rules for name in rule.formula.names)}
    return column.startswith("members_") or _PREFIX.sub("", column).rsplit("__", 1)[0].removesuffix("__has") in read


def _load_places(store: Store, now: Plan, work: Path) -> None:
    """The parameters of each region and area of the night, as the new rules have them."""
    write_frame(parameter_table(now.book, places_of(store), now.as_of), work / "places.parquet")
    store.load("stated", work / "places.parquet")
    names = [f'"{name}__{end}"::HUGEINT AS "{name}__{end}"' for name in now.book.parameters for end in ("low", "high")]
    store.table("places", f"SELECT region, area, {', '.join(names)} FROM stated")


def _tried(trial: Trial, scopes: tuple[Scope, Scope], paid: tuple[Payment, ...]) -> str:
    """Every case and shadow with both categories, what each pays and, where they differ, the tests that say otherwise."""
    then, now = trial.then.book.decision.columns, trial.now.book.decision.columns
    sql = kept_figures.recomputed(trial.now, trial.changed & needed(trial.now), *scopes)
    was, new = {name: f'"was {name}"' for name in then}, {name: f'"{name}__truth"' for name in now}
    flips = "".join(f", CASE WHEN {new[name]} IS DISTINCT FROM {was[name]} THEN {quoted(name)} END" for name in now if name in was and name in trial.changed)
    read = [f"{side[name]}" for side in (was, new) for name in side if name in trial.changed]
    amounts = [column for one in paid for column in one.columns]
    branches = [kept_figures.branches_sql(plan, side, called) for plan, side, called in _sides(trial, was, new)]
    inner = f"SELECT {', '.join(dict.fromkeys(['case_id', 'region', *read, *amounts, *branches]))} FROM {sql}"
    before, after = kept_figures.category_sql(trial.then, "then"), kept_figures.category_sql(trial.now, "now")
    middle = f"SELECT *, {before} AS was, {after} AS now FROM ({inner})"
    money = ", ".join(paid_sql(one, category, called) for one, category, called in zip(paid, ("was", "now"), ("then", "now"), strict=True))
    return f"SELECT case_id, region, was, now, CASE WHEN was <> now THEN concat_ws(',', NULL{flips}) END AS tests, {money} FROM ({middle})"


def _sides(trial: Trial, was: Mapping[str, str], new: Mapping[str, str]) -> tuple[tuple[Plan, Mapping[str, str], str], ...]:
    return (trial.then, was, "then"), (trial.now, new, "now")

"""Other rules over the figures that a night kept: only what is affected is worked out anew, in one pass over the households.

Makes the table `outcome` that `simulate` counts. The night's own figures are read, never written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from verify import kept_figures
from verify.benefits import Payment, paid_sql, paying, payment
from verify.formulas_compiler import Scope
from verify.formulas_spans import Span
from verify.layers import parameter_names
from verify.model import SHADOW
from verify.parameters import parameter_table, same_everywhere
from verify.plan import Plan
from verify.rule_checks import compile_all
from verify.simulate_reach import Trial, needed, places_of
from verify.store import Store, largest_in, quoted, write_frame

_PREFIX = re.compile(r"^(sum|the|any)__")

# Where a case has leads its shadow decides: it is settled as the case is, or not at all.
_OUTCOME = """
FROM tried ANTI JOIN dark USING (case_id) WHERE NOT ends_with(case_id, {shadow}) UNION ALL FROM dark
"""
PAID = ('"then least"', '"then most"', '"now least"', '"now most"')


def from_figures(store: Store, trial: Trial, work: Path) -> int:
    """Make `outcome` (case_id, region, was, now, tests, and what is paid before and after) over what the night kept.

    Returns the decimals of what is paid.
    """
    anew = trial.changed & needed(trial.now)
    _load_kept(store, trial, anew)
    known = _load_places(store, trial.now, work)
    case, _, household = compile_all(trial.now)
    before = household if not trial.changed & set(paying(trial.then.book)) else compile_all(trial.then)[2]
    largest = {name: most for name, most in largest_in(trial.figures).items() if _named_by(name) not in trial.changed}
    scopes = _of_tonight(trial.now, case, known, largest), _of_tonight(trial.now, household, known, largest)
    same = {name: name for name in paying(trial.now.book) if name in trial.changed}
    paid = payment(trial.then, before, _was(trial.then)), payment(trial.now, household, {**_was(trial.now), **same})
    scale = max(one.scale for one in paid)
    placed = bool((_read_by(trial, anew) & trial.now.book.parameters.keys()) - known.keys())
    tried = kept_figures.recomputed(trial.now, anew, scopes, placed=placed)
    store.run(kept_figures.category_type((trial.then, trial.now)))
    store.table("tried", _tried(trial, tried, tuple(one.at(scale) for one in paid)))
    store.table("dark", f"SELECT * REPLACE (left(case_id, -{len(SHADOW)}) AS case_id) FROM tried WHERE ends_with(case_id, {quoted(SHADOW)})")
    store.run(f"CREATE OR REPLACE VIEW outcome AS {_OUTCOME.format(shadow=quoted(SHADOW))}")
    return scale


def _was(plan: Plan) -> dict[str, str]:
    """The columns of what was paid, by rule."""
    return {name: f"was {name}" for name in paying(plan.book)}


def _of_tonight(plan: Plan, scope: Scope, known: Mapping[str, int], largest: Mapping[str, int]) -> Scope:
    """The scope with every parameter that is `known` to be one number for all cases as that number, and of every kept amount how large
    it is at most that night, so that 64 bits are used where they are enough."""
    numbers = parameter_names(plan, known=known)
    names = {name: _sized(one, name, largest) if isinstance(one, Span) else one for name, one in scope.names.items()}
    sums = {name: _sized(one, f"sum__{name}", largest) for name, one in scope.sums.items()}
    return replace(scope, names={**names, **{name: numbers[name] for name in known}}, sums=sums)


def _sized(span: Span, kept: str, largest: Mapping[str, int]) -> Span:
    ends = [largest.get(f"{kept}__{end}") for end in ("low", "high")]
    return replace(span, most=max(most for most in ends if most is not None)) if None not in ends else span


def _was_held(trial: Trial, name: str) -> str:
    """The column of what a test of the old table said: its own where nothing can have changed it, so that both tables read one."""
    same = name not in trial.changed and name in trial.now.book.decision.columns
    return f'"{name}__truth"' if same else f'"was {name}"'


def _load_kept(store: Store, trial: Trial, anew: frozenset[str]) -> None:
    """The view `kept`: of the night's figures what the new rules read, and what the old ones said."""
    source = store.source(trial.figures)
    kinds = {name: kind for name, kind, *_ in store.rows(f"DESCRIBE FROM {source}")}
    gone = {f"{name}__{end}" for name in trial.changed for end in ("low", "high", "truth")}
    read = _read_by(trial, anew) | {"members", *trial.now.book.decision.columns}
    items = [f'"{name}"' for name in kinds if name not in gone and (name.startswith("members_") or _named_by(name) in read)]
    items += [f'"{name}__truth" AS {was}' for name in trial.then.book.decision.columns if (was := _was_held(trial, name)) != f'"{name}__truth"']
    told = {name for plan in (trial.then, trial.now) for name in paying(plan.book)}
    items += [f'"{name}__{end}" AS "was {name}__{end}"' for name in sorted(told) if f"{name}__low" in kinds for end in ("low", "high")]
    home = quoted(trial.now.book.membership.home_region)
    store.run(f"CREATE OR REPLACE VIEW kept AS SELECT case_id, coalesce(region, {home}) AS region, area, {', '.join(items)} FROM {source}")


def _read_by(trial: Trial, anew: frozenset[str]) -> frozenset[str]:
    """The names that the rules read which are worked out anew."""
    rules = [rule for of in ("case", "household") for rule in trial.now.rules(of) if rule.rule.rule in anew]
    return frozenset().union(*(rule.formula.names for rule in rules))


def _named_by(column: str) -> str:
    """The name that a kept column is of."""
    return _PREFIX.sub("", column).rsplit("__", 1)[0].removesuffix("__has")


def _load_places(store: Store, now: Plan, work: Path) -> dict[str, int]:
    """The table `places`: the parameters of each region and area of the night, as the new rules have them. Returns those that are one number everywhere."""
    table = parameter_table(now.book, places_of(store), now.as_of)
    write_frame(table, work / "places.parquet")
    store.load("places", work / "places.parquet")
    return same_everywhere(table, now.book.parameters)


def _tried(trial: Trial, sql: str, paid: tuple[Payment, ...]) -> str:
    """Every case and shadow with both categories, what each pays and, where they differ, the tests that say otherwise."""
    then, now = trial.then.book.decision.columns, trial.now.book.decision.columns
    was, new = {name: _was_held(trial, name) for name in then}, {name: f'"{name}__truth"' for name in now}
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

"""How far a change of rules reaches: what may say something else, and whether that lies at the household or below it.

A change of how rows are read or linked cannot be tried on a published night: all that follows would be another night.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from verify.benefits import paying
from verify.formulas import Formula
from verify.manifest import Published
from verify.parameters import bounds
from verify.plan import Plan, resting_on
from verify.problems import IntegrityError, Problem, UsageError
from verify.rulebook import Rulebook
from verify.store import Store

READ_BY = ("extract", "matching", "membership")  # what decides how rows are read and whose they are


@dataclass(frozen=True, slots=True)
class Trial:
    """A night, the plan it was made by, the plan that is tried, and every name that may say something else."""

    night: Published
    then: Plan
    now: Plan
    changed: frozenset[str]

    @property
    def figures(self) -> Path:
        """Where the night kept the figures of its households."""
        return self.night.folder / "tables" / "figures.parquet"


def must_read_alike(then: Rulebook, now: Rulebook) -> None:
    """Two rule books read rows and link them alike. Raises UsageError (E-SIMULATE-READ)."""
    for kind in READ_BY:
        before, after = ({name: entry.shape for (of, name), entry in book.entries.items() if of == kind} for book in (then, now))
        other = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        if other:
            raise UsageError(Problem("E-SIMULATE-READ", kind, {"what": "、".join(other)}))
    for table in (then.matching.variants, then.matching.lookalikes):
        if then.tables.get(table) != now.tables.get(table):
            raise UsageError(Problem("E-SIMULATE-READ", "matching", {"what": table}))


def places_of(store: Store) -> list[tuple[str, str | None]]:
    """Every region and area of the night's cases."""
    return [(region, area) for region, area in store.rows("SELECT region, area FROM in_force ORDER BY ALL")]


def affected(store: Store, then: Plan, now: Plan) -> frozenset[str]:
    """Every parameter, input and rule of the new plan that may say something else than in the old one, on the night's day."""
    listed = places_of(store)
    found = {name for name, one in now.book.parameters.items() if _differs(then.book, name, one, listed, now)}
    before = {rule.rule.rule: rule for of in then.levels for rule in then.rules(of)}
    rules = [rule for of in ("case", "member", "household") for rule in now.rules(of)]
    for rule in rules:
        old = before.get(rule.rule.rule)
        if old is None or (old.formula.text, old.rule.of, old.rule.type) != (rule.formula.text, rule.rule.of, rule.rule.type):
            found.add(rule.rule.rule)
    found |= {name for name, one in now.inputs.items() if name not in then.inputs or then.inputs[name].input != one.input}
    reads = {name: frozenset().union(*(f.names for f in (one.when, one.amount) if f)) for name, one in now.inputs.items()}
    reads |= {rule.rule.rule: rule.formula.names for rule in rules}
    while more := {name for name, names in reads.items() if name not in found and names & found}:
        found |= more
    return frozenset(found)


def _differs(then: Rulebook, name: str, one: object, places: list[tuple[str, str | None]], now: Plan) -> bool:
    old, new = then.parameters.get(name), now.book.parameters[name]
    if old is None or old.scale != new.scale:
        return True
    return any(bounds(old, region, area, now.as_of) != bounds(new, region, area, now.as_of) for region, area in places)


def needed(now: Plan) -> frozenset[str]:
    """Every name that the decision table and what is paid rest on."""
    return resting_on(now, [*now.book.decision.columns, *paying(now.book)])


def below(store: Store, trial: Trial) -> tuple[str, ...]:
    """What would say something else below the household, or what the night kept no figure of; and a table whose rows are
    read together (`split`), of which the kept figures do not tell what follows.

    Raises IntegrityError (E-SIMULATE-NIGHT) for a night of a program that kept no figures.
    """
    if not trial.figures.exists():
        raise IntegrityError(Problem("E-SIMULATE-NIGHT", trial.night.manifest.night, {"found": "-"}))
    now, wanted = trial.now, needed(trial.now)
    kept = {name for name, *_ in store.rows(f"DESCRIBE FROM {store.source(trial.figures)}")}
    asked = [(prefix, name) for rule in now.rules("household") if rule.rule.rule in wanted & trial.changed for prefix, name in _of_members(rule.formula)]
    unkept = {name for prefix, name in asked if not any(f"{prefix}__{name}__{end}" in kept for end in ("low", "truth"))}
    members = {rule.rule.rule for rule in now.rules("member")}
    split = {plan.book.decision.decision for plan in (trial.then, now) if plan.book.decision.split}
    return tuple(sorted(unkept | split | (wanted & trial.changed & (members | now.inputs.keys()))))


def _of_members(formula: Formula) -> list[tuple[str, str]]:
    """What a household's formula asks of the members: sums of amounts, answers of tests."""
    return [("sum", name) for name in formula.sums] + [(prefix, name) for name in formula.tested for prefix in ("the", "any")]

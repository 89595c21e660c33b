"""How many mistakes the examples of a rule book would notice: each mutant is tried on every example until one fails.

The answers are the second opinion's (`hedui rules test` holds them against the SQL's). What no example notices is shown
with a line that would, and with a family of which it would have said something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from verify.example_answers import Asked, all_examples, expected, told
from verify.formulas_units import unit_problems
from verify.interval import Interval, Verdict, Worth
from verify.mutants import Mutant, mutants
from verify.opinion_rows import Family
from verify.plan import Plan, make_plan
from verify.probes import outcome, telling
from verify.random_families import Kinds, kinds_of, random_family, smallest
from verify.rule_checks import check_rules, compile_all, newest_day
from verify.rule_facts import Example
from verify.second_opinion import Opinion, opinion

FAMILIES = 200


@dataclass(frozen=True)
class Survivor:
    """A mutant that no example notices; an example that would; a family it would treat otherwise, what of it, and both answers."""

    mutant: Mutant
    example: Example | None
    answer: str | None
    family: Family | None
    differs: tuple[tuple[int, str, str, str], ...]


@dataclass(frozen=True)
class Score:
    """How many mutants there are and how many were noticed, by kind; and those that were not."""

    pack: str
    mutants: Mapping[str, int]
    killed: Mapping[str, int]
    survivors: tuple[Survivor, ...]

    @property
    def score(self) -> float:
        """The share of mutants that an example noticed."""
        made = sum(self.mutants.values())
        return sum(self.killed.values()) / made if made else 1.0


def mutate_rules(folder: Path, *, shown: bool = True) -> Score:
    """Try every mutant of the rule book below `folder`; `shown`: also look for what would tell survivors apart.

    Raises UsageError where the book itself is wrong.
    """
    book = check_rules(folder)
    newest = newest_day(book)
    plan = make_plan(book, newest)
    listed = all_examples(book.entries)
    made: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    left = []
    for mutant in mutants(plan, compile_all):
        seen = noticed(mutant, listed, newest)
        if not seen and any(unit_problems(mutant.plan)):
            continue  # the check would not let it pass
        made[mutant.kind] += 1
        killed[mutant.kind] += seen
        left += [] if seen else [mutant]
    kinds = kinds_of(plan)
    families = _families(kinds) if shown and left else []
    survivors = [_survivor(kinds, mutant, listed, newest, families=families) if shown else Survivor(mutant, None, None, None, ()) for mutant in left]
    return Score(book.name, dict(sorted(made.items())), dict(sorted(killed.items())), tuple(survivors))


def noticed(mutant: Mutant, listed: list[Asked], newest: date) -> bool:
    """Whether an example fails, those of the mutant's own entry first."""
    own = [asked for asked in listed if (asked.entry.kind, asked.entry.name) == mutant.entry]
    others = [asked for asked in listed if (asked.entry.kind, asked.entry.name) != mutant.entry]
    return any(outcome(mutant.plan, asked, newest) != expected(asked.example.expect) for asked in (*own, *others))


# --- survivors --------------------------------------------------------------------------------------------------------


def _families(kinds: Kinds) -> list[tuple[Family, Opinion]]:
    draw = Random(7)  # noqa: S311 - the same families every time
    made = [random_family(kinds, draw) for _ in range(FAMILIES)]
    return [(family, opinion(kinds.plan, family)) for family in made]


def _survivor(kinds: Kinds, mutant: Mutant, listed: list[Asked], newest: date, *, families: list[tuple[Family, Opinion]]) -> Survivor:
    example = telling(kinds, mutant, listed, newest)
    entry = kinds.plan.book.entries[mutant.entry]
    said = outcome(kinds.plan, Asked(entry, example, 0), newest) if example else None
    touched = next((family for family, right in families if opinion(mutant.plan, family).values != right.values), None)
    if touched is None:
        return Survivor(mutant, example, said, None, ())
    family = smallest(touched, lambda less: opinion(mutant.plan, less) != opinion(kinds.plan, less))
    return Survivor(mutant, example, said, family, tuple(_differences(kinds.plan, mutant.plan, family)[-3:]))


def _differences(plan: Plan, mistaken: Plan, family: Family) -> list[tuple[int, str, str, str]]:
    """Every value that the mistake changes, as (member, name, right, wrong); the category last."""
    right, wrong = opinion(plan, family), opinion(mistaken, family)
    differs = [(*key, _told(value), _told(wrong.values.get(key))) for key, value in right.values.items() if wrong.values.get(key) != value]
    return differs + ([(0, plan.book.decision.decision, right.category, wrong.category)] if right.category != wrong.category else [])


def _told(worth: Worth | None) -> str:
    return told(worth) if isinstance(worth, Interval | Verdict) else "–"


def score_json(scores: list[Score]) -> dict[str, Any]:
    """The stable form for programs."""
    packs = {}
    for one in scores:
        kinds = {kind: {"mutants": count, "killed": one.killed.get(kind, 0)} for kind, count in one.mutants.items()}
        left = [{"kind": s.mutant.kind, "where": s.mutant.where, "reads": s.mutant.reads} for s in one.survivors]
        counts = {"mutants": sum(one.mutants.values()), "killed": sum(one.killed.values())}
        packs[one.pack] = {"score": round(one.score, 4), **counts, "kinds": kinds, "survivors": left}
    return {"packs": packs}

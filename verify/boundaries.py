"""Cases on both sides of every test, found by search: the last fen at which it holds and the first at which it does not.

Each is answered by the SQL and by the second opinion, and held against the figures shown beside the verdict; so is the same
case with the amount unknown. Nothing is stored: the cases follow from the rules and from one settled example of each test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlglot import exp

from verify import interval
from verify.example_answers import VERDICTS, Asked, answer, stated
from verify.formulas_interpreter import amount
from verify.plan import Plan
from verify.problems import Problem
from verify.rule_decisions import Rule
from verify.rule_facts import Example
from verify.rule_plans import RulePlan

FEN, WHOLE = Decimal("0.01"), Decimal(1)
FARTHEST = Decimal(10**9)
SqlAnswer = Callable[[Plan, Rule, Example], str]


@dataclass(frozen=True)
class Side:
    """One generated case of a test: what it varies, the example, and what it comes to."""

    rule: RulePlan
    name: str
    example: Example
    verdict: str


def sides(plan: Plan, listed: list[Asked], newest: date) -> list[Side]:
    """Every generated case: for each name a test reads, both sides of its line and the unknown, from its own settled examples."""
    found = []
    for rule in _tests(plan):
        own = [a for a in listed if _settles(plan, a, rule, newest)]
        seen: set[str] = set()
        for asked in own:
            assert isinstance(asked.example.given, Mapping)
            for name in sorted(set(asked.example.given) - seen):
                pair = list(_both_sides(plan, rule, asked, name, newest=newest))
                if pair:
                    seen.add(name)
                    found += pair
    return found


def _tests(plan: Plan) -> list[RulePlan]:
    """Every test, in each of its versions; what a rule names as a part of it is tried with the rule."""
    levels = [level for on_its_day in plan.each_period() for of in ("case", "member", "household") for level in on_its_day.levels[of]]
    found = {id(rule): rule for level in levels for rule in level if rule.rule.type == "test" and not rule.part_of}
    return list(found.values())


def _settles(plan: Plan, asked: Asked, rule: RulePlan, newest: date) -> bool:
    """Whether an example is a settled one of this test, on a day of this version of it."""
    example = asked.example
    if asked.entry.name != rule.rule.rule or example.expect not in ("holds", "fails") or not isinstance(example.given, Mapping):
        return False
    return any(one is rule for one in plan.on(example.as_of or newest).rules(rule.rule.of))


def _both_sides(plan: Plan, rule: RulePlan, asked: Asked, name: str, *, newest: date) -> Iterator[Side]:
    """The cases around the line that this name crosses while all else stays, if it crosses one."""
    assert isinstance(asked.example.given, Mapping)
    value = asked.example.given[name]

    def case(other: Any) -> Side:
        example = asked.example.model_copy(update={"example": f"{name} {other}", "given": {**asked.example.given, name: other}})  # type: ignore[dict-item]
        return Side(rule, name, example, answer(plan, Asked(asked.entry, example, 0), newest))

    if isinstance(value, str) and value in VERDICTS:
        ends = [case(word) for word in VERDICTS]
    elif isinstance(value, str):
        near, far = _line(lambda at: case(f"{at:.2f}").verdict, Decimal(value), _step(plan, name))
        ends = [case(f"{near:.2f}"), case(f"{far:.2f}"), case(["0.00", None])] if near != far else []
    else:
        return
    if {"holds", "fails"} <= {side.verdict for side in ends}:
        yield from ends


def _step(plan: Plan, name: str) -> Decimal:
    """A fen for money, one for what is counted."""
    plain = name.rpartition(".")[2]
    units = [entry.unit for entry in (plan.book.rules.get(plain), plan.book.inputs.get(plain)) if entry is not None]
    return FEN if any((unit or "").startswith("元") for unit in units) else WHOLE


def _line(verdict: Callable[[Decimal], str], start: Decimal, step: Decimal) -> tuple[Decimal, Decimal]:
    """Two amounts one step apart with different verdicts, above `start` or below it; `start` twice where there is no line."""
    first = verdict(start)
    for end in (FARTHEST, Decimal(0)):
        if verdict(end) == first:
            continue
        near, far = 0, int(abs(end - start) / step)
        forth = step if end > start else -step
        while far - near > 1:
            middle = (near + far) // 2
            near, far = (middle, far) if verdict(start + middle * forth) == first else (near, middle)
        return start + near * forth, start + far * forth
    return start, start


def side_problems(plan: Plan, made: list[Side], sql_answer: SqlAnswer, newest: date) -> Iterator[Problem]:
    """Cases on which SQL and second opinion differ, or verdict and figures; tests without a case on each side."""
    for side in made:
        on_its_day = plan.on(side.example.as_of or newest)
        said = sql_answer(on_its_day, side.rule.rule, side.example)
        if said != side.verdict or not _figures_agree(on_its_day, side):
            told = {"name": f"{side.rule.rule.rule}: {side.example.example}", "expected": side.verdict, "got": said}
            yield Problem("E-RULE-SIDE", side.rule.where, told)
    for rule in (rule for rule in _tests(plan) if rule.rule.of != "case"):
        reached = {side.verdict for side in made if side.rule is rule}
        if not {"holds", "fails"} <= reached:
            yield Problem("E-RULE-ONE-SIDED", rule.where, {"name": rule.rule.rule, "reached": ", ".join(sorted(reached)) or "–"})


_SIDES: dict[type[exp.Expr], tuple[bool, bool]] = {  # turned round, strictly
    exp.LT: (False, True),
    exp.LTE: (False, False),
    exp.GT: (True, True),
    exp.GTE: (True, False),
}


def _figures_agree(plan: Plan, side: Side) -> bool:
    """Whether the value shown lies on the side of the limit shown that the verdict says, rounding allowed for."""
    rule, kind = side.rule, _SIDES.get(type(side.rule.formula.tree))
    if kind is None or rule.value is None or rule.limit is None or side.verdict == "open":
        return True
    facts = stated(plan, side.example)
    value, limit = amount(rule.value.tree, facts), amount(rule.limit.tree, facts)
    turned, strictly = kind
    found = interval.smaller(*((limit, value) if turned else (value, limit)), strictly=strictly).holds
    return found is None or found is (side.verdict == "holds")

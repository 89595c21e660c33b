"""A household worked out a second time, in plain Python, from the same rows: every value, every test, the category.

It explains and cross-checks, and is what mutants of rules are tried on; it never decides (design §3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verify import interval
from verify.decision_split import settled
from verify.formulas_interpreter import Facts, amount, days_of, verdict
from verify.interval import Interval, Said, Verdict, Worth
from verify.opinion_rows import Family, Somebody, counted, of_case, of_rows, rows_of, sees
from verify.parameters import bounds, scale_of
from verify.plan import Plan


@dataclass(frozen=True)
class Opinion:
    """Every value by (member number, name), 0 for the household, and the category."""

    values: Mapping[tuple[int, str], Worth]
    category: str


def opinion(plan: Plan, family: Family) -> Opinion:
    """Work out one household. Never used to decide: the SQL does."""
    case = case_facts(plan, family)
    values = {(0, rule.rule.rule): case.names[rule.rule.rule] for rule in plan.rules("case")}
    people = [(one, _member(plan, family, one, case)) for one in family.counted]
    for one, facts in people:
        names = [*(i.input.input for i in plan.inputs_of("member")), *(r.rule.rule for r in plan.rules("member"))]
        values |= {(one.number, name): facts.names[name] for name in names}
    household = _household(plan, family, people, case)
    names = [*(i.input.input for of in ("household", "case") for i in plan.inputs_of(of)), *(r.rule.rule for r in plan.rules("household"))]
    values |= {(0, name): household.names[name] for name in names}
    said = category(plan, household.names)
    if said == plan.book.decision.unknown.then:
        said = settled(plan, household) or said
    return Opinion(values, said)


def case_facts(plan: Plan, family: Family) -> Facts:
    """Parameters, dates, the area, and the values that rest on them alone."""
    names: dict[str, Worth] = {**days_of(plan.as_of, plan.book.look_back_months), "area": Said(family.area)}
    for name, parameter in plan.book.parameters.items():
        low, high = bounds(parameter, family.region, family.area, plan.as_of) or (0, None)
        names[name] = Interval(low, high, scale_of(parameter))
    facts = Facts(names)
    _work_out(plan, "case", facts)
    return facts


def _work_out(plan: Plan, of: str, facts: Facts) -> None:
    """Add the rules of a level to its facts, in order."""
    assert isinstance(facts.names, dict)
    for rule in plan.rules(of):
        worked_out = verdict if rule.rule.type == "test" else amount
        facts.names[rule.rule.rule] = worked_out(rule.decided_by.tree, facts)


def _member(plan: Plan, family: Family, one: Somebody, case: Facts) -> Facts:
    names = {**case.names, "age": Interval(one.age or 0, one.age), "relation": Said(one.relation)}
    taken = {i.input.input: of_rows(i, rows_of(i, family, one), case, sees=sees(i, family, one)) for i in plan.inputs_of("member")}
    names |= {name: found.amount for name, found in taken.items()}
    facts = Facts(names, {name: found.has for name, found in taken.items()}, {name: found.given for name, found in taken.items()})
    _work_out(plan, "member", facts)
    return facts


def _household(plan: Plan, family: Family, people: list[tuple[Somebody, Facts]], case: Facts) -> Facts:
    names: dict[str, Worth] = {**case.names, "members": family.members}
    taken = {i.input.input: counted(i, family, case) for i in plan.inputs_of("household")}
    taken |= {i.input.input: of_case(i, family, case) for i in plan.inputs_of("case")}
    names |= {name: found.amount for name, found in taken.items()}
    sums = {name: _total(family, [(one, facts.names[name]) for one, facts in people]) for name in plan.sums}
    asked = {name: [(one, facts.names[name]) for one, facts in people] for name in plan.tested}
    the, some = ({name: question(family, answers) for name, answers in asked.items()} for question in (_the_member, _any_member))
    facts = Facts(names, {name: found.has for name, found in taken.items()}, {}, sums, the, some)
    _work_out(plan, "household", facts)
    return facts


# --- questions to the members -----------------------------------------------------------------------------------------


def _total(family: Family, amounts: list[tuple[Somebody, Worth]]) -> Interval:
    """Over all who count, at least; over all who may count, at most."""
    found = [(one, worth) for one, worth in amounts if isinstance(worth, Interval)]
    low = sum(worth.low or 0 for one, worth in found if one.presence == "certain")
    unbounded = family.open_upwards or any(worth.high is None for _, worth in found)
    scale = found[0][1].scale if found else 0
    return Interval(low, None if unbounded else sum(worth.high or 0 for _, worth in found), scale)


def _the_member(family: Family, answers: list[tuple[Somebody, Worth]]) -> Verdict:
    """The answer of the one member the case may consist of; it fails where it cannot be one."""
    sure = [answer.holds for one, answer in answers if one.presence == "certain" and isinstance(answer, Verdict)]
    if len(sure) > 1 or not (family.counted or family.open_upwards):
        return Verdict(holds=False)
    if len(sure) == 1:
        return Verdict(sure[0])
    found = {answer.holds for _, answer in answers if isinstance(answer, Verdict)}
    return Verdict(found.pop()) if len(found) == 1 and not family.open_upwards else Verdict(None)


def _any_member(family: Family, answers: list[tuple[Somebody, Worth]]) -> Verdict:
    """Whether it holds for any member."""
    if any(one.presence == "certain" and answer == Verdict(holds=True) for one, answer in answers):
        return Verdict(holds=True)
    return Verdict(None if family.open_upwards or any(answer != Verdict(holds=False) for _, answer in answers) else False)


# --- the table --------------------------------------------------------------------------------------------------------


def category(plan: Plan, names: Mapping[str, Worth]) -> str:
    """The first row of the decision table that holds, unless an earlier one is open."""
    table = plan.book.decision
    for row in table.rows:
        asked = [names[name] for name, cell in zip(table.columns, row.when, strict=True) if cell == "pass"]
        holds = interval.both(*(answer for answer in asked if isinstance(answer, Verdict))).holds
        if holds is not False:
            return row.then if holds else table.unknown.then
    return table.otherwise.then


"""Units of amounts: 元 a year is no 元 a month, what is a head is not what the household has, and cars are no homes.

A unit is what stands in `unit` of an entry: `元/人/月`, `辆`, `月`; `倍` and `比` are plain numbers. Products multiply units and
quotients divide them; a sum, a comparison and the branches of a case need one unit. 0, 1 and what is unknown fit any unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from verify.formulas import Formula
from verify.plan import InputPlan, Plan
from verify.problems import Problem, UsageError
from verify.rule_extracts import Extract

PLAIN = ("倍", "比")
PERSON, YEAR, MONEY = "人", "年", "元"
WINDOWS = ("in_window", "inside_window", "touches_window")
OF_CONSTANTS = {"months_a_year": "月/年", "one_month": "月", "one_person": "人"}
OWN_NAMES = {"age": "岁", "members": "人"}


@dataclass(frozen=True)
class Unit:
    """Powers of what an amount is counted in, in order of name; empty for a plain number."""

    powers: tuple[tuple[str, int], ...] = ()

    def times(self, other: Unit, sign: int = 1) -> Unit:
        """The unit of a product, or with `sign` −1 of a quotient."""
        found = Counter(dict(self.powers))
        for name, power in other.powers:
            found[name] += sign * power
        return Unit(tuple(sorted((name, power) for name, power in found.items() if power)))

    def without(self, name: str) -> Unit:
        """The same, not asking for how many of one thing."""
        return Unit(tuple((n, power) for n, power in self.powers if n != name))

    def __str__(self) -> str:
        over = "·".join(name for name, power in self.powers for _ in range(power))
        under = "".join(f"/{name}" for name, power in self.powers for _ in range(-power))
        return f"{over or 1}{under}"


def unit_of(text: str) -> Unit:
    """A written unit."""
    first, *others = [part.strip() for part in text.split("/")]
    found = Counter({name: 1 for name in first.split("·") if name not in (*PLAIN, "1", "")})
    for name in others:
        found[name] -= 1
    return Unit(tuple(sorted((name, power) for name, power in found.items() if power)))


@dataclass(frozen=True)
class Units:
    """The units of the names that a formula may read (None: it fits any); `one_person`: it speaks of one, so that 人 falls away."""

    names: Mapping[str, Unit | None]
    sums: Mapping[str, Unit | None]
    where: str
    one_person: bool = False

    def of(self, node: exp.Expr) -> Unit | None:
        """The unit of an expression; None where any fits, or where it is no amount. Raises UsageError (E-FORMULA-UNIT)."""
        return _BY_KIND.get(type(node), _inside)(self, node)

    def same(self, node: exp.Expr, *parts: exp.Expr) -> Unit | None:
        """The one unit of several parts of a node."""
        found = [unit for unit in (self.of(part) for part in parts) if unit is not None]
        for unit in found[1:]:
            self.must_be(unit, found[0], node.sql(dialect="duckdb"))
        return found[0] if found else None

    def must_be(self, unit: Unit | None, wanted: Unit | None, text: str) -> None:
        """Refuse a unit that is not the wanted one."""
        if unit is not None and wanted is not None and self.plain(unit) != self.plain(wanted):
            told = {"text": text if len(text) <= 80 else f"{text[:80]}…", "left": str(wanted), "right": str(unit)}
            raise UsageError(Problem("E-FORMULA-UNIT", self.where, told))

    def plain(self, unit: Unit) -> Unit:
        """The unit as this formula sees it."""
        return unit.without(PERSON) if self.one_person else unit


def _inside(units: Units, node: exp.Expr) -> None:
    """A condition, a text or a day has no unit; what stands inside it may."""
    for child in node.iter_expressions():
        units.of(child)


def _name(units: Units, node: exp.Column) -> Unit | None:
    return unit_of(OF_CONSTANTS[node.name]) if node.name in OF_CONSTANTS else units.names.get(node.name)


def _product(units: Units, node: exp.Binary) -> Unit | None:
    a, b = (units.of(side) for side in (node.this, node.expression))
    return (a or Unit()).times(b or Unit(), -1 if isinstance(node, exp.Div) else 1)


def _case(units: Units, node: exp.Case) -> Unit | None:
    for branch in node.args["ifs"]:
        units.of(branch.this)
    default = node.args.get("default")
    return units.same(node, *(branch.args["true"] for branch in node.args["ifs"]), *([default] if default is not None else []))


def _function(units: Units, node: exp.Anonymous) -> Unit | None:
    if str(node.this).lower() == "in_months":
        units.must_be(units.of(node.expressions[1]), unit_of("月"), node.sql(dialect="duckdb"))
        return None
    if str(node.this).lower() in {"has", "known", "the_member", "any_member", *WINDOWS}:
        return None
    return units.same(node, *node.expressions) if node.expressions else None


def _compared(units: Units, node: exp.Binary) -> None:
    units.same(node, node.this, node.expression)


_BY_KIND: dict[type[exp.Expr], Callable[[Units, Any], Unit | None]] = {
    exp.Paren: lambda units, node: units.of(node.this),
    exp.Literal: lambda _units, _node: None,
    exp.Column: _name,
    exp.Sum: lambda units, node: units.sums.get(node.this.name),
    exp.Case: _case,
    exp.Anonymous: _function,
    exp.Coalesce: lambda _units, _node: None,
    **dict.fromkeys((exp.Add, exp.Sub), lambda units, node: units.same(node, node.this, node.expression)),
    **dict.fromkeys((exp.Mul, exp.Div), _product),
    **dict.fromkeys((exp.LT, exp.LTE, exp.GT, exp.GTE, exp.EQ, exp.NEQ), _compared),
}


# --- a whole plan -----------------------------------------------------------------------------------------------------


def unit_problems(plan: Plan) -> Iterator[Problem]:
    """Every formula whose units do not fit, each with file and line."""
    names = _declared(plan)
    for attempt in (*_inputs(plan, names), *_rules(plan, names), *_alerts(plan, names)):
        try:
            attempt()
        except UsageError as error:
            yield from error.problems


def _declared(plan: Plan) -> dict[str, Unit | None]:
    """The unit that each name declares; a test, and an amount that declares none, fits any."""
    found: dict[str, Unit | None] = {name: unit_of(unit) for name, unit in OWN_NAMES.items()}
    found |= {name: unit_of(parameter.unit) for name, parameter in plan.book.parameters.items()}
    found |= {name: unit_of(rule.unit) if rule.unit and rule.type == "amount" else None for name, rule in plan.book.rules.items()}
    parts = [rule.rule for of in ("case", "member", "household") for rule in plan.rules(of) if rule.part_of]
    found |= {part.rule: unit_of(part.unit) if part.unit and part.type == "amount" else None for part in parts}
    return found | {name: _a_year(entry) for name, entry in plan.inputs.items()}


def _a_year(entry: InputPlan) -> Unit:
    """What an input declares; money whose rows lie in the window of twelve months is money a year."""
    declared = unit_of(entry.input.unit)
    return unit_of(f"{MONEY}/{YEAR}") if declared == unit_of(MONEY) and _in_a_window(entry) else declared


def _in_a_window(entry: InputPlan) -> bool:
    return entry.when is not None and any(str(node.this).lower() in WINDOWS for node in entry.when.tree.find_all(exp.Anonymous))


def _inputs(plan: Plan, names: Mapping[str, Unit | None]) -> Iterator[Callable[[], None]]:
    for name, entry in plan.inputs.items():
        stands = plan.book.entry("input", name)
        units = Units({**names, **_columns(entry.extract)}, {}, stands.where("amount"), one_person=True)
        if entry.when is not None:
            yield lambda f=entry.when, u=units: u.of(f.tree) and None  # type: ignore[misc]
        if entry.amount is not None and not isinstance(entry.amount.tree, exp.Column):  # a bare column is what the entry says it is
            yield lambda e=entry, u=units: _must_fit(u, e.amount, _of_a_row(e))  # type: ignore[misc]


def _of_a_row(entry: InputPlan) -> Unit:
    """The unit of one row: of an amount a year out of the window, the amount."""
    unit = _a_year(entry)
    return unit.times(unit_of(YEAR)) if _in_a_window(entry) and (YEAR, -1) in unit.powers else unit


def _columns(extract: Extract) -> dict[str, Unit | None]:
    return {column.column: unit_of(MONEY) if column.type == "money" else None for column in extract.columns}


def _must_fit(units: Units, formula: Formula, wanted: Unit | None) -> None:
    units.must_be(units.of(formula.tree), wanted, formula.text)


def _rules(plan: Plan, names: Mapping[str, Unit | None]) -> Iterator[Callable[[], None]]:
    for level in ("case", "member", "household"):
        for rule in plan.rules(level):
            units = Units(names, names, rule.where, one_person=level == "member")
            yield lambda r=rule, u=units: _must_fit(u, r.formula, names[r.rule.rule])  # type: ignore[misc]
            if rule.value is not None and rule.limit is not None:
                yield lambda r=rule, u=units: _must_fit(u, r.limit, u.of(r.value.tree))  # type: ignore[misc]


def _alerts(plan: Plan, names: Mapping[str, Unit | None]) -> Iterator[Callable[[], None]]:
    for alert in plan.alerts:
        known = {**names, **_columns(alert.extract)} if alert.extract else names
        units = Units(known, names, alert.where, one_person=alert.extract is not None)
        yield lambda a=alert, u=units: _must_fit(u, a.when, None)  # type: ignore[misc]

"""Every mistake that could be made in one place of a rule book: in an expression, a value, a day, a key, a row of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from verify.fact_rows import row_scope
from verify.formulas import Formula
from verify.formulas_compiler import Compiler, Scope
from verify.formulas_mutants import mutated
from verify.plan import InputPlan, Plan, make_plan
from verify.problems import UsageError
from verify.rule_decisions import Decision, Row, versions_of
from verify.rule_facts import Input, Parameter
from verify.rule_shapes import Shape
from verify.rule_texts import Entry
from verify.rulebook import Rulebook

_DAY = timedelta(days=1)
Layers = tuple[Scope, Scope, Scope]


@dataclass(frozen=True)
class Mutant:
    """A plan with one mistake in it: its kind, the entry, where it stands, and how it reads."""

    kind: str
    entry: tuple[str, str]
    where: str
    reads: str
    plan: Plan


def mutants(plan: Plan, compiled: Callable[[Plan], Layers]) -> Iterator[Mutant]:
    """All mutants that still are a rule book, in order of entry and place. `compiled` gives the names that formulas of a plan may read."""
    layers = compiled(plan)
    seen: set[int] = set()
    planned = [(one, layers if one is plan else compiled(one)) for one in plan.each_period()]
    for on_its_day, known in planned:
        yield from _of_inputs(plan, on_its_day, known, seen)
    for on_its_day, known in planned:
        yield from _of_rules(plan, on_its_day, known, seen)
    yield from _of_versions(plan)
    yield from _of_alerts(plan, layers)
    for name, parameter in plan.book.parameters.items():
        yield from _of_values(plan, plan.book.entry("parameter", name), parameter)
    for on_its_day, _ in planned:
        yield from _of_table(plan, on_its_day.book.entry("decision", plan.book.decision.decision), seen)


# --- expressions ------------------------------------------------------------------------------------------------------


def _of_rules(plan: Plan, on_its_day: Plan, layers: Layers, seen: set[int]) -> Iterator[Mutant]:
    """The rules that stand in one period, but for those that were `seen` in another."""
    siblings, scopes = _siblings(plan), dict(zip(("case", "member", "household"), layers, strict=True))
    for level in on_its_day.levels:
        for rule in (one for one in on_its_day.rules(level) if id(one) not in seen):
            seen.add(id(rule))
            for kind, formula in _formulas(rule.formula, siblings, scopes[level], test=rule.rule.type == "test"):
                yield Mutant(kind, rule.entry, rule.where, formula.text, plan.with_rule(rule, replace(rule, formula=formula)))


def _of_versions(plan: Plan) -> Iterator[Mutant]:
    """The days of each version of a rule, a day shorter."""
    for key, entry in plan.book.entries.items():
        listed = versions_of(entry.shape)
        for at, version in enumerate(listed):
            days = [("from", "from_", version.from_ + _DAY, version.from_ + _DAY)]
            days += [("to", "to", version.to - _DAY, version.from_)] if version.to else []
            for said, field, day, on in days:
                versions = (*listed[:at], version.model_copy(update={field: day}), *listed[at + 1 :])
                changed = _with_shape(plan, entry, entry.shape.model_copy(update={"versions": versions}))
                planned = _planned(changed.book, (on, plan.as_of))
                if planned is not None:
                    yield Mutant("days", key, entry.where("versions", at), f"{said} {day}", planned)


def _planned(book: Rulebook, days: Iterable[date]) -> Plan | None:
    """The plan of the first of these days on which everything says something; its examples choose their own days."""
    for day in days:
        try:
            return make_plan(book, day)
        except UsageError:
            continue
    return None


def _of_inputs(plan: Plan, on_its_day: Plan, layers: Layers, seen: set[int]) -> Iterator[Mutant]:
    siblings = _siblings(plan)
    for name, entry in sorted(on_its_day.inputs.items()):
        if id(entry) in seen:
            continue
        seen.add(id(entry))
        scope = row_scope(entry.extract, {blank.column for blank in entry.input.blank}, layers[0])
        stands = on_its_day.book.entry("input", name)
        for key, formula in (("when", entry.when), ("amount", entry.amount)):
            for kind, new in _formulas(formula, siblings, scope, test=key == "when") if formula else ():
                changed = _with_input(plan, entry, replace(entry, **{key: new}))  # type: ignore[arg-type]
                yield Mutant(kind, ("input", name), stands.where(key), new.text, changed)
        for kind, key, changed_input in _keys_left_out(entry.input):
            yield Mutant(kind, ("input", name), stands.where(key), f"{key} …", _with_input(plan, entry, replace(entry, input=changed_input)))


def _keys_left_out(entry: Input) -> Iterator[tuple[str, str, Input]]:
    """The input without one of the keys that say how its rows are put together."""
    if entry.keep:
        yield "key left out", "keep", entry.model_copy(update={"keep": None})
    for at in range(len(entry.blank)):
        yield "blank", "blank", entry.model_copy(update={"blank": entry.blank[:at] + entry.blank[at + 1 :]})
    for at in range(len(entry.count) if len(entry.count) > 1 else 0):
        yield "key left out", "count", entry.model_copy(update={"count": entry.count[:at] + entry.count[at + 1 :]})


def _of_alerts(plan: Plan, layers: Layers) -> Iterator[Mutant]:
    siblings = _siblings(plan)
    for at, alert in enumerate(plan.alerts):
        scope = row_scope(alert.extract, (), layers[0]) if alert.extract else layers[2]
        for kind, formula in _formulas(alert.when, siblings, scope, test=True):
            changed = (*plan.alerts[:at], replace(alert, when=formula), *plan.alerts[at + 1 :])
            yield Mutant(kind, ("alert", alert.alert.alert), alert.where, formula.text, replace(plan, alerts=changed))


def _formulas(formula: Formula, siblings: Mapping[str, tuple[str, ...]], scope: Scope, *, test: bool) -> Iterator[tuple[str, Formula]]:
    """The formula with one mistake, each that the compiler would take, once."""
    said = {formula.tree.sql(dialect="duckdb")}
    compiler = Compiler(scope, "")
    for kind, tree in mutated(formula.tree, dict(siblings)):
        text = tree.sql(dialect="duckdb")
        new = replace(formula, tree=tree, text=text)
        if text not in said and _compiles(compiler.truth if test else compiler.span, new):
            said.add(text)
            yield kind, new


def _compiles(compiled: Callable[[Formula], object], formula: Formula) -> bool:
    try:
        compiled(formula)
    except UsageError:
        return False
    return True


def _siblings(plan: Plan) -> dict[str, tuple[str, ...]]:
    """For each parameter, those of the same unit: the ones that are taken for each other."""
    named = plan.book.parameters
    return {name: tuple(other for other, p in named.items() if other != name and p.unit == parameter.unit) for name, parameter in named.items()}


# --- values and the table ---------------------------------------------------------------------------------------------


def _of_values(plan: Plan, entry: Entry, parameter: Parameter) -> Iterator[Mutant]:
    """Each value a little more, and its days a day shorter."""
    step = Decimal(1).scaleb(-parameter.scale)
    for at, value in enumerate(parameter.values):
        found: list[tuple[str, str, dict[str, Any]]] = []
        if isinstance(value.value, dict):
            found += [("value", f"{area} + {step}", {"value": {**value.value, area: amount + step}}) for area, amount in value.value.items()]
        elif value.value is None:
            ends = {end: getattr(value, end) for end in ("at_least", "at_most")}
            found += [("value", f"{end} {amount} + {step}", {end: amount + step}) for end, amount in ends.items() if amount is not None]
        else:
            found.append(("value", f"{value.value} + {step}", {"value": value.value + step}))
        found.append(("days", f"from {value.from_ + _DAY}", {"from_": value.from_ + _DAY}))
        if value.to:
            found.append(("days", f"to {value.to - _DAY}", {"to": value.to - _DAY}))
        for kind, reads, update in found if not entry.tabled else ():  # a table's thousand lines are alike: examples are for those written out
            values = (*parameter.values[:at], value.model_copy(update=update), *parameter.values[at + 1 :])
            shape = Parameter.model_construct(**{**dict(parameter), "values": values})
            yield Mutant(kind, ("parameter", entry.name), entry.where("values", at), reads, _with_shape(plan, entry, shape))


def _of_table(plan: Plan, entry: Entry, seen: set[int]) -> Iterator[Mutant]:
    """A cell of the decision table ticked or left open, a row left out, two rows in the other order; of each version once."""
    table = entry.shape
    if id(table) in seen:
        return
    seen.add(id(table))
    assert isinstance(table, Decision), entry.name
    turned = {"pass": "any", "any": "pass"}
    for at, row in enumerate(table.rows):
        for column, cell in enumerate(row.when):
            when = (*row.when[:column], turned[cell], *row.when[column + 1 :])
            rows = (*table.rows[:at], row.model_copy(update={"when": when}), *table.rows[at + 1 :])
            yield _table_mutant(plan, entry, "cell", f"{row.then}: {table.columns[column]} {turned[cell]}", rows)
        yield _table_mutant(plan, entry, "row left out", row.then, table.rows[:at] + table.rows[at + 1 :])
        if at:
            rows = (*table.rows[: at - 1], row, table.rows[at - 1], *table.rows[at + 1 :])
            yield _table_mutant(plan, entry, "order of rows", f"{row.then}, {table.rows[at - 1].then}", rows)


def _table_mutant(plan: Plan, entry: Entry, kind: str, reads: str, rows: tuple[Row, ...]) -> Mutant:
    assert isinstance(entry.shape, Decision)
    changed = _with_shape(plan, entry, entry.shape.model_copy(update={"rows": rows}))
    return Mutant(kind, ("decision", entry.name), entry.where("rows"), reads, changed)


def _with_shape(plan: Plan, entry: Entry, shape: Shape) -> Plan:
    """The plan with another shape in the place of an entry's, on all days on which it stands."""
    key = (entry.kind, entry.name)

    def changed(book: Rulebook) -> Rulebook:
        old = book.entries[key]
        return replace(book, entries={**book.entries, key: replace(old, shape=shape)}) if old.shape is entry.shape else book

    listed = tuple(replace(one, stretch=replace(one.stretch, book=changed(one.stretch.book))) for one in plan.periods)
    return replace(plan, book=changed(plan.book), periods=listed)


def _with_input(plan: Plan, old: InputPlan, new: InputPlan) -> Plan:
    """The plan with another fact in the place of one, on all days on which it stands."""
    name = old.input.input

    def changed(inputs: Mapping[str, InputPlan]) -> dict[str, InputPlan]:
        return {**inputs, name: new} if inputs[name] is old else dict(inputs)

    listed = tuple(replace(one, stretch=replace(one.stretch, inputs=changed(one.stretch.inputs))) for one in plan.periods)
    return replace(plan, inputs=changed(plan.inputs), periods=listed)

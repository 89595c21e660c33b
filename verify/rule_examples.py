"""Run the examples that stand in rule files, through the same SQL as a night: one small table in DuckDB an example."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlglot import exp

from verify import decision_sql, fact_rows, fact_values, layers, needs_sql
from verify.boundaries import side_problems, sides
from verify.example_answers import VERDICTS, Asked, all_examples, answer, expected
from verify.formulas import days
from verify.formulas_compiler import Compiler, Scope
from verify.formulas_spans import Operand, Plain, Span, Truth, exactly
from verify.formulas_trees import integer, null
from verify.parameters import bounds, scale_of
from verify.plan import InputPlan, Plan, make_plan
from verify.problems import UsageError
from verify.rule_checks import check_rules, newest_day
from verify.rule_decisions import Rule
from verify.rule_extracts import Column
from verify.rule_facts import Example
from verify.store import Store, open_store, quoted


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One example: what entry it belongs to, where it stands, whether it held, and both answers as text."""

    entry: str
    name: str
    where: str
    passed: bool
    expected: str
    got: str


def test_rules(folder: Path) -> list[ExampleResult]:
    """Run every example of the rule book. Raises UsageError where the book itself is wrong."""
    book = check_rules(folder)
    newest = newest_day(book)
    plan = make_plan(book, newest)
    with tempfile.TemporaryDirectory() as work, open_store(Path(work), few_rows=True) as store:
        return [_run(store, plan.on(asked.example.as_of or newest), asked) for asked in all_examples(book.entries)]


def try_both_sides(folder: Path) -> int:
    """Find the cases on both sides of every test and answer them by SQL as well; how many they are.

    Raises UsageError: E-RULE-SIDE where two answers, or verdict and figures, differ; E-RULE-ONE-SIDED for a test without
    a case on each side.
    """
    newest = newest_day(book := check_rules(folder))
    plan = make_plan(book, newest)
    made = sides(plan, all_examples(book.entries), newest)
    with tempfile.TemporaryDirectory() as work, open_store(Path(work), few_rows=True) as store:
        problems = list(side_problems(plan, made, lambda at, rule, example: _rule_answer(store, at, rule, example), newest))
    if problems:
        raise UsageError(*problems)
    return len(made)


test_rules.__test__ = False  # type: ignore[attr-defined]  # the name is the command's; pytest must not collect it


def _run(store: Store, plan: Plan, asked: Asked) -> ExampleResult:
    """One example by the SQL of a night, and by the second opinion, which must agree."""
    entry, example, wanted = asked.entry, asked.example, expected(asked.example.expect)
    got = second = answer(plan, asked, plan.as_of)
    if entry.kind == "input":
        got = _input_answer(store, plan, plan.inputs[entry.name], example)
    elif entry.kind == "rule":
        got = _rule_answer(store, plan, plan.book.rules[entry.name], example)
    elif entry.kind == "alert":
        got = _alert_answer(store, plan, entry.name, example)
    elif entry.kind == "decision":
        got = _decision_answer(store, plan, example)
    passed = got == wanted == second
    return ExampleResult(f"{entry.kind} {entry.name}", example.example, asked.where, passed, wanted, got if got == second else f"{got} ≠ {second}")


def _amount(value: Any) -> str:
    return "∞" if value is None else f"{Decimal(str(value)):.2f}"


def _word(truth: bool | None) -> str:
    return next(word for word, value in VERDICTS.items() if value is truth)


# --- rows -------------------------------------------------------------------------------------------------------------


def _case_table(store: Store, plan: Plan, example: Example) -> Scope:
    """A county of one case with one certain, authorised member: `case_values` and `members`."""
    region = example.region or plan.book.membership.home_region
    columns = [f"'K' AS case_id, 'K' AS own_id, {quoted(region)} AS region, {_text(example.area)} AS area"]
    columns.append("1 AS members_low, 1 AS members_high, FALSE AS open_upwards")
    for name, parameter in plan.book.parameters.items():
        low, high = (end if end is not None else "NULL" for end in bounds(parameter, region, example.area, plan.as_of) or (0, None))
        columns.append(f'{low}::BIGINT AS "{name}__low", {high}::BIGINT AS "{name}__high"')
    store.table("case_values", f"SELECT {', '.join(columns)}")
    layer = layers.case_scope(plan)
    for level in plan.levels["case"]:
        store.table("case_values", layers.level_sql("case_values", level, layer))
    store.table("cases", "FROM case_values")
    store.table("members", "SELECT 'K' AS case_id, 1 AS member_no, 'P' AS person_id, TRUE AS authorised, TRUE AS id_known, 'certain' AS presence, 30 AS age")
    return layer


def _text(value: str | None) -> str:
    return "NULL::VARCHAR" if value is None else quoted(value)


def _example_rows(store: Store, entry_columns: Iterable[Column], rows: list[dict[str, Any]], extract: str) -> None:
    """The example's rows as the extract's table `given`, and a link for each (`link: review` makes it grey)."""
    lines = []
    for at, row in enumerate(rows, 1):
        cells = "".join(f', {_cell(column, row.get(column.column))} AS "{column.column}"' for column in entry_columns)
        lines.append(f"SELECT 'example' AS _file, {at} AS _row, DATE '2000-01-01' AS _as_of{cells}")
    store.table("given", " UNION ALL ".join(lines))
    links = [f"('K', 1, 'P', {quoted(extract)}, 'example', {at}, {quoted(row.get('link', 'accepted'))}, 0)" for at, row in enumerate(rows, 1)]
    store.table("links", f"FROM (VALUES {', '.join(links)}) AS t(case_id, member_no, person_id, extract, file, row, status, score)")


def _cell(column: Column, value: Any) -> str:
    """A cell of an example, typed as reading would type it."""
    if column.type in {"date", "month", "epoch_ms"}:
        return f"{_text(value)}::DATE"
    if column.type in {"money", "number", "count"}:
        places = 2 if column.type == "money" else column.decimals if column.type == "number" else 0
        return "NULL::BIGINT" if value is None else f"{int(Decimal(value).scaleb(places))}::BIGINT"
    return _text(value)


def _input_answer(store: Store, plan: Plan, entry: InputPlan, example: Example) -> str:
    layer = _case_table(store, plan, example)
    usable = not isinstance(example.given, dict)
    rows = example.given if isinstance(example.given, list) else []
    source = "given" if rows else fact_rows.no_rows(entry)
    role = entry.extract.plays.application or entry.extract.plays.roster
    key = role.case if role else ""
    _example_rows(store, entry.extract.columns, [{key: "K", **row} for row in rows] or [{}], entry.extract.extract)
    sql, name = fact_rows.row_sql(entry, layer), entry.input.input
    if entry.input.of == "member":
        store.table("rows__x", fact_rows.linked_rows(entry, source, sql))
        store.table(f"fact__{name}", fact_rows.member_fact(entry, "rows__x"))
        items, joined = fact_values.member_fact_items(entry, usable=usable), "m.case_id"
    else:
        made = fact_rows.linked_rows(entry, source, sql) if entry.input.of == "household" else fact_rows.case_rows(entry, source, sql, key)
        store.table("rows__x", made)
        store.table(f"fact__{name}", fact_values.household_fact(entry, "rows__x"))
        store.table("gaps", fact_values.cases_without(fact_values.asks_all(entry)))
        items, joined = fact_values.household_fact_items(entry, usable=usable, gaps="gaps"), "c.case_id"
    gaps = "LEFT JOIN gaps ON c.case_id = gaps.case_id" if entry.input.of != "member" else ""
    source = f'members m JOIN case_values c USING (case_id) LEFT JOIN "fact__{name}" AS "f_{name}" ON {joined} = "f_{name}".case_id {gaps}'
    row = store.rows(f"SELECT {items} FROM {source}")[0]
    if isinstance(example.expect, str) and example.expect in VERDICTS:
        return _word(row[2])
    scale = 0 if entry.input.count else sql.scale
    return " ～ ".join("∞" if bound is None else _amount(Decimal(bound).scaleb(-scale)) for bound in row[:2])


# --- values -----------------------------------------------------------------------------------------------------------


def _given_names(plan: Plan, example: Example) -> Scope:
    """What an example states: names, `has.`, `given.`, `sum.` and `the.` of names; parameters come from the book."""
    region = example.region or plan.book.membership.home_region
    names: dict[str, Operand] = {name: Plain(sql) for name, sql in days(plan.as_of, plan.book.look_back_months).items()}
    names["area"] = Plain(exp.cast(exp.Literal.string(example.area) if example.area else exp.null(), "VARCHAR"))
    for name, parameter in plan.book.parameters.items():
        low, high = bounds(parameter, region, example.area, plan.as_of) or (0, None)
        names[name] = Span(integer(low), null() if high is None else integer(high), scale_of(parameter), most=parameter.most)
    layer = Scope(names)
    tables: dict[str, dict[str, Any]] = {"has": layer.has, "given": layer.given, "sum": layer.sums, "the": layer.the, "any": layer.any}
    assert isinstance(example.given, Mapping)
    for key, value in example.given.items():
        prefix, _, name = key.rpartition(".")
        tables.get(prefix, layer.names)[name] = _operand(value)
    for name in plan.sums:  # so that a new term in a sum does not touch every older example
        layer.sums.setdefault(name, exactly(0))
    return layer


def _operand(value: Any) -> Operand:
    if isinstance(value, str) and value in VERDICTS:
        truth = VERDICTS[value]
        return Truth(exp.null() if truth is None else exp.Boolean(this=truth))
    if value is None or (isinstance(value, str) and not _is_amount(value)):
        return Plain(exp.cast(exp.Literal.string(value) if value else exp.null(), "VARCHAR"))
    low, high = value if isinstance(value, list) else (value, value)
    return Span(_fixed(low), null() if high is None else _fixed(high), 2, most=0)  # stated: its size is known to whoever states it


def _is_amount(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _fixed(value: str) -> exp.Expr:
    return integer(int(Decimal(value).scaleb(2)))


def _rule_answer(store: Store, plan: Plan, rule: Rule, example: Example) -> str:
    layer = _given_names(plan, example)
    for planned in (one for one in plan.rules(rule.of) if one.entry[1] == rule.rule):
        if not (planned.part_of and planned.rule.rule in layer.names):
            layer.names[planned.rule.rule] = layers.rule_operand(planned.stating(example.given), layer)
    operand = layer.names[rule.rule]
    if isinstance(operand, Truth):
        return _word(store.one(f"SELECT {layers.sql_of(operand.sql)}"))
    assert isinstance(operand, Span)
    low, high = (store.one(f"SELECT {decimal_of(bound, operand.scale)}") for bound in (operand.low, operand.high))
    return " ～ ".join("∞" if bound is None else _amount(bound) for bound in (low, high))


def decimal_of(bound: exp.Expr, scale: int) -> str:
    """A bound as results round it: two decimals, half up."""
    return decision_sql.decimal(bound, scale, 2)


def _alert_answer(store: Store, plan: Plan, name: str, example: Example) -> str:
    alert = next(a for a in plan.alerts if a.alert.alert == name)
    if alert.extract is None:
        return _word(bool(store.one(f"SELECT {layers.sql_of(Compiler(_given_names(plan, example), alert.where).truth(alert.when).sql)}")))
    layer = _case_table(store, plan, example)
    assert isinstance(example.given, list)
    _example_rows(store, alert.extract.columns, example.given, alert.extract.extract)
    truth = layers.sql_of(Compiler(fact_rows.row_scope(alert.extract, (), layer), alert.where).truth(alert.when).sql)
    return _word(bool(store.one(f"SELECT {truth} FROM given r CROSS JOIN case_values c")))


def _decision_answer(store: Store, plan: Plan, example: Example) -> str:
    """The category that follows from stated verdicts, by the same query as a night's."""
    assert isinstance(example.given, Mapping)
    table, lines = plan.book.decision, []
    for at, row in enumerate(table.rows):
        for test_at, (name, cell) in enumerate(zip(table.columns, row.when, strict=True)):
            if cell == "pass":
                lines.append(f"('K', {quoted(row.then)}, {at}, {quoted(name)}, {test_at}, {quoted(name)}, {quoted(example.given.get(name, 'holds'))})")
    store.table("tests", f"FROM (VALUES {', '.join(lines)}) AS t(case_id, category, category_at, test, test_at, rule, verdict)")
    store.table("cases", "SELECT 'K' AS case_id, FALSE AS open_upwards")
    store.table("members", "SELECT 'K' AS case_id, 1 AS member_no, 'certain' AS presence")
    store.table("unsure", "SELECT NULL::VARCHAR AS case_id, 0 AS member_no, '' AS fact, '' AS input, '' AS extract WHERE FALSE")
    store.table("test_reads", needs_sql.test_reads(plan))
    return str(store.one(f"SELECT category FROM ({decision_sql.decisions(plan)})"))

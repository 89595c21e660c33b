"""The SQL of the decision: tests with their figures, the category, what is open and what would settle it.

Reads the tables that `assess` made: `household_values`, `member_values`, `members`, `rows__<input>`; text for DuckDB.
"""

from __future__ import annotations

from sqlglot import exp

from verify.formulas_compiler import Compiler, Scope
from verify.formulas_spans import Span, Truth
from verify.layers import sql_of
from verify.plan import Plan
from verify.rule_plans import RulePlan
from verify.store import quoted

MICRO = 6  # tests show six decimals


def decimal(span_bound: exp.Expr, scale: int, places: int, *, precision: int = 18) -> str:
    """A bound as DECIMAL(18, places), rounded half up; NULL where there is none."""
    text = f"({sql_of(span_bound)})"
    if scale > places:
        unit = 10 ** (scale - places)
        text = f"((2 * {text} + {unit}) // {2 * unit})"
    elif scale < places:
        text = f"({text} * {10 ** (places - scale)})"
    most = 10**precision - 1  # an absurd amount is shown as the largest there is room for, never as no bound
    whole = f"(CASE WHEN {text} > {most} THEN {most} ELSE {text} END)::DECIMAL({precision},0)"
    return f"({whole} * 0.{'0' * (places - 1)}1)::DECIMAL({precision},{places})" if places else f"TRY_CAST({text} AS BIGINT)"


# --- tests ------------------------------------------------------------------------------------------------------------


def tests(plan: Plan, household: Scope) -> str:
    """One row a case, category and test: value, limit, verdict, basis; the order of the decision table beside them."""
    parts = []
    for at, row in enumerate(plan.book.decision.rows):
        for test_at, (name, cell) in enumerate(zip(plan.book.decision.columns, row.when, strict=True)):
            if cell == "pass":
                rule = next(r for r in plan.rules("household") if r.rule.rule == name)
                parts.append(_test(rule, household, category=row.then, at=at, test_at=test_at))
    return " UNION ALL ".join(parts)


def _test(rule: RulePlan, household: Scope, *, category: str, at: int, test_at: int) -> str:
    truth = household.names[rule.rule.rule]
    assert isinstance(truth, Truth), rule.where
    figures = _figures(rule, household)
    verdict = f"CASE WHEN {sql_of(truth.sql)} THEN 'holds' WHEN NOT {sql_of(truth.sql)} THEN 'fails' ELSE 'open' END"
    low, high = _on_its_side(rule)
    return f"""
        SELECT case_id, {quoted(category)} AS category, {at} AS category_at, {quoted(rule.rule.shown_as or rule.rule.rule)} AS test,
               {test_at} AS test_at, {quoted(rule.rule.rule)} AS rule, {low} AS value_low, {high} AS value_high, shown_limit AS "limit",
               verdict, {quoted("；".join(rule.rule.law))} AS basis, {quoted(rule.rule.unit or "")} AS unit, shown_high IS NOT NULL AS value_bounded
        FROM (SELECT case_id, {verdict} AS verdict, {figures[0]} AS shown_low, {figures[1]} AS shown_high, {figures[2]} AS shown_limit
              FROM household_values)
    """


def _figures(rule: RulePlan, household: Scope) -> tuple[str, str, str]:
    """Low, high and limit at six decimals. A test without a figure of its own shows 0 against 0."""
    if rule.value is None or rule.limit is None:
        return ("0::DECIMAL(18,6)",) * 3
    compiler = Compiler(household, rule.where)
    value, limit = compiler.span(rule.value), compiler.span(rule.limit)
    return decimal(value.low, value.scale, MICRO), decimal(value.high, value.scale, MICRO), decimal(limit.high, limit.scale, MICRO)


def _on_its_side(rule: RulePlan) -> tuple[str, str]:
    """The shown bounds, moved by the last decimal where rounding would carry them over the limit the verdict is about."""
    low, high = "shown_low", "shown_high"
    kind = type(rule.formula.tree)
    if rule.value is None or kind not in (exp.LT, exp.LTE, exp.GT, exp.GTE):
        return low, high
    below, strict = kind in (exp.LT, exp.LTE), kind in (exp.LT, exp.GT)
    step = "0.000001::DECIMAL(18,6)"
    under = f"least({high}, shown_limit - {step})" if strict is below else f"least({high}, shown_limit)"
    over = f"greatest({low}, shown_limit)" if strict is below else f"greatest({low}, shown_limit + {step})"
    is_under, is_over = ("holds", "fails") if below else ("fails", "holds")
    moved_high = f"CASE WHEN verdict = '{is_under}' AND {high} IS NOT NULL THEN {under} ELSE {high} END"
    moved_low = f"CASE WHEN verdict = '{is_over}' THEN {over} ELSE {low} END"
    return f"({moved_low})::DECIMAL(18,6)", f"({moved_high})::DECIMAL(18,6)"


# --- category, open tests, needs --------------------------------------------------------------------------------------


def decisions(plan: Plan) -> str:
    """One row a case: the category, its open tests as `category.test`, and `fact@member@extract` for what would settle it."""
    table = plan.book.decision
    categories = " ".join(f"WHEN {at} THEN {quoted(row.then)}" for at, row in enumerate(table.rows))
    return f"""
        WITH branches AS (
            SELECT case_id, category_at,
                   CASE WHEN bool_or(verdict = 'fails') THEN FALSE WHEN bool_or(verdict = 'open') THEN NULL ELSE TRUE END AS holds
            FROM tests GROUP BY case_id, category_at
        ), first_row AS (
            SELECT case_id, min(category_at) FILTER (WHERE holds IS NOT FALSE) AS first_at,
                   min(category_at) FILTER (WHERE holds) AS settled_at
            FROM branches GROUP BY case_id
        ), verdicts AS (
            SELECT f.case_id, f.settled_at,
                   CASE WHEN first_at IS NULL THEN {quoted(table.otherwise.then)} WHEN first_at = settled_at THEN CASE first_at {categories} END
                        ELSE {quoted(table.unknown.then)} END AS category
            FROM first_row f
        ), opened AS (
            SELECT t.case_id, t.category_at, t.test_at, t.category || '.' || t.test AS open_test, t.rule
            FROM tests t JOIN branches b ON t.case_id = b.case_id AND t.category_at = b.category_at AND b.holds IS NULL
            JOIN verdicts v ON t.case_id = v.case_id AND v.category = {quoted(table.unknown.then)}
            WHERE t.verdict = 'open' AND (v.settled_at IS NULL OR t.category_at < v.settled_at)
            UNION ALL
            SELECT v.case_id, 999, 0, 'members', NULL FROM verdicts v JOIN cases c ON v.case_id = c.case_id
            WHERE v.category = {quoted(table.unknown.then)}
              AND (c.open_upwards OR EXISTS (SELECT 1 FROM members m WHERE m.case_id = v.case_id AND m.presence = 'possible'))
        ), needed AS (
            SELECT DISTINCT o.case_id, u.fact || '@' || u.member_no || '@' || u.extract AS need
            FROM opened o JOIN test_reads r ON o.rule = r.rule JOIN unsure u ON u.case_id = o.case_id AND u.input = r.input
        )
        SELECT v.case_id, v.category,
               coalesce((SELECT list(open_test ORDER BY category_at, test_at) FROM opened o WHERE o.case_id = v.case_id), []::VARCHAR[]) AS open_tests,
               coalesce((SELECT list(need ORDER BY need) FROM needed n WHERE n.case_id = v.case_id), []::VARCHAR[]) AS needs
        FROM verdicts v
    """


# --- what is kept -----------------------------------------------------------------------------------------------------


def values(plan: Plan, member: Scope, household: Scope) -> str:
    """The whole trace in long form: each name of each member (0: the household), as integers at a scale, or a truth."""
    parts = []
    for table, at, layer, levels in (("member_values", "member_no", member, ("member",)), ("household_values", "0", household, ("case", "household"))):
        names = [entry.input.input for entry in plan.inputs.values() if (entry.input.of == "member") is (at == "member_no")]
        for name in sorted([*names, *(r.rule.rule for of in levels for r in plan.rules(of))]):
            operand = layer.names[name]
            amounts = f'"{name}__low"::DECIMAL(38,0), "{name}__high"::DECIMAL(38,0), {operand.scale}, NULL::BOOLEAN' if isinstance(operand, Span) else (
                f'NULL, NULL, NULL, "{name}__truth"'
            )
            parts.append(f"SELECT case_id, {at} AS member_no, {quoted(name)} AS name, {amounts} FROM {table}")
    return "FROM (SELECT * FROM (" + " UNION ALL ".join(parts) + ") AS t(case_id, member_no, name, low, high, scale, truth))"


def published(plan: Plan, household: Scope) -> str:
    """One row a case with the values that rules mark `publish`, as the public results name and round them."""
    items = []
    for rule in plan.rules("case"):
        operand = household.names[rule.rule.rule]
        if rule.rule.publish and isinstance(operand, Span):
            exact = f'CASE WHEN "{rule.rule.rule}__low" = "{rule.rule.rule}__high" THEN {decimal(operand.low, operand.scale, 2)} END'
            items.append(f'{exact} AS "{rule.rule.rule}"')
    shown = [(r.rule.rule, r.rule.unit or "") for r in plan.rules("household") if r.rule.publish]
    shown += [(e.input.input, e.input.unit) for e in plan.inputs.values() if e.input.publish]
    for name, unit in sorted(shown):
        operand = household.names[name]
        assert isinstance(operand, Span), name
        places = 2 if unit.startswith("元") else 0
        low, high = (decimal(bound, operand.scale, places) for bound in (operand.low, operand.high))
        items.append(f'{low} AS "{name}_low", {high} AS "{name}_high", "{name}__high" IS NOT NULL AS "{name}_bounded"')
    return f"SELECT case_id, {', '.join(items)} FROM household_values ORDER BY case_id"

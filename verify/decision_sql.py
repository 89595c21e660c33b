"""The SQL of the decision: tests with their figures, the category, what is open and what would settle it.

Reads the tables that `assess` made: `household_values`, `member_values`, `members`, `rows__<input>`; text for DuckDB.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from verify.formulas_compiler import Compiler, Scope
from verify.formulas_spans import Span, Truth, scaled
from verify.layers import sql_of
from verify.plan import Plan
from verify.rule_plans import RulePlan
from verify.store import quoted

MICRO = 6  # tests show six decimals


def decimal(span_bound: exp.Expr, scale: int, places: int, *, precision: int = 18) -> str:
    """A bound as DECIMAL(18, places), rounded half up; NULL where there is none."""
    text = f"({sql_of(span_bound)}::HUGEINT)"
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
    """One row a case, category and test: value, limit, verdict, basis; the order of the decision table beside them.

    A case's tests stand in lists that are taken apart, and figures are brought to six decimals once for all of them: a query
    of its own for each test cost one case twice as much, and many cases no less.
    """
    lines = []
    for at, row in enumerate(plan.book.decision.rows):
        for test_at, (name, cell) in enumerate(zip(plan.book.decision.columns, row.when, strict=True)):
            if cell == "pass":
                rule = next(r for r in plan.rules("household") if r.rule.rule == name)
                lines.append(_test(rule, household, category=row.then, at=at, test_at=test_at))
    figures = ", ".join(f"{rounded(end, of)} AS {end}" for end, of in (("low", "micros"), ("high", "micros"), ("lim", "lim_micros")))
    shown = ", ".join(f"{shown_at(end, MICRO)} AS {end}" for end in ("low", "high", "lim"))
    return f"""
        SELECT case_id, category, category_at, test, test_at, rule, {_MOVED_LOW} AS value_low, {_MOVED_HIGH} AS value_high, lim AS "limit", verdict,
               basis, unit, high IS NOT NULL AS value_bounded
        FROM (SELECT * REPLACE ({shown}), CASE WHEN truth THEN 'holds' WHEN NOT truth THEN 'fails' ELSE 'open' END AS verdict
              FROM (SELECT * REPLACE ({figures}) FROM (SELECT case_id, {_in_rows(_TEST, lines)} FROM household_values)))
    """


def _in_rows(columns: Mapping[str, str], lines: Iterable[Sequence[str]]) -> str:
    """The select items that make each row there is a row for each of these lines: every column, by its type, a list that is taken apart."""
    cells = zip(*lines, strict=True)
    return ", ".join(f"unnest([{', '.join(each)}])::{kind} AS {name}" for (name, kind), each in zip(columns.items(), cells, strict=True))


def rounded(end: str, unit: str) -> str:
    """A whole number in units of which each row has so many to the last decimal that is shown, rounded half up to it."""
    return f"CASE WHEN {unit} = 1 THEN {end} ELSE (2 * {end} + {unit}) // (2 * {unit}) END"


def shown_at(end: str, places: int) -> str:
    """A whole number of last decimals as a decimal number."""
    return f"(CASE WHEN {end} > {_MOST} THEN {_MOST} ELSE {end} END::DECIMAL(18,0) * 0.{'0' * (places - 1)}1)::DECIMAL(18,{places})"


# The shown bounds, moved by the last decimal where rounding would carry them over the limit the verdict is about.
_MOST = 10**18 - 1  # an absurd amount is shown as the largest there is room for, never as no bound
_STEP = "CASE WHEN {} THEN 0.000001::DECIMAL(18,6) ELSE 0::DECIMAL(18,6) END"
_MOVED_HIGH = f"""(CASE WHEN high IS NOT NULL AND verdict = CASE WHEN below THEN 'holds' WHEN NOT below THEN 'fails' END
                        THEN least(high, lim - {_STEP.format("strict = below")}) ELSE high END)::DECIMAL(18,6)"""
_MOVED_LOW = f"""(CASE WHEN verdict = CASE WHEN below THEN 'fails' WHEN NOT below THEN 'holds' END
                       THEN greatest(low, lim + {_STEP.format("strict <> below")}) ELSE low END)::DECIMAL(18,6)"""


_TEST = dict.fromkeys(("category", "test", "rule", "basis", "unit"), "VARCHAR") | {"category_at": "INTEGER", "test_at": "INTEGER"}
_TEST |= dict.fromkeys(("low", "high", "lim", "micros", "lim_micros"), "HUGEINT") | dict.fromkeys(("truth", "below", "strict"), "BOOLEAN")


def _test(rule: RulePlan, household: Scope, *, category: str, at: int, test_at: int) -> tuple[str, ...]:
    """One test of every case as the cells of `_TEST`, its figures as whole numbers of which so many make a millionth."""
    truth = household.names[rule.rule.rule]
    assert isinstance(truth, Truth), rule.where
    (low, high, limit), (micros, lim_micros) = _figures(rule, household)
    kind = type(rule.formula.tree)
    sided = rule.value is not None and kind in (exp.LT, exp.LTE, exp.GT, exp.GTE)
    below, strict = (str(kind in kinds).upper() if sided else "NULL" for kinds in ((exp.LT, exp.LTE), (exp.LT, exp.GT)))
    words = (category, rule.rule.shown_as or rule.rule.rule, rule.rule.rule, "；".join(rule.rule.law), rule.rule.unit or "")
    return *map(quoted, words), str(at), str(test_at), low, high, limit, str(micros), str(lim_micros), sql_of(truth.sql), below, strict


def _figures(rule: RulePlan, household: Scope) -> tuple[tuple[str, str, str], tuple[int, int]]:
    """Low, high and limit at six decimals or more, and how much of figure and limit makes a millionth; 0 against 0 for a test without a figure."""
    if rule.value is None or rule.limit is None:
        return ("0",) * 3, (1, 1)
    compiler = Compiler(household, rule.where)
    value, limit = (scaled(span, max(span.scale, MICRO)) for span in (compiler.span(rule.value), compiler.span(rule.limit)))
    return (sql_of(value.low), sql_of(value.high), sql_of(limit.high)), (10 ** (value.scale - MICRO), 10 ** (limit.scale - MICRO))


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
        lines = []
        names = [entry.input.input for entry in plan.inputs.values() if (entry.input.of == "member") is (at == "member_no")]
        for name in sorted([*names, *(r.rule.rule for of in levels for r in plan.rules(of))]):
            operand = layer.names[name]
            amounts = (f'"{name}__low"', f'"{name}__high"', str(operand.scale), "NULL") if isinstance(operand, Span) else (*["NULL"] * 3, f'"{name}__truth"')
            lines.append((quoted(name), *amounts))
        if lines:
            parts.append(f"SELECT case_id, {at} AS member_no, {_in_rows(_VALUE, lines)} FROM {table}")
    return " UNION ALL ".join(parts)


_VALUE = {"name": "VARCHAR", "low": "DECIMAL(38,0)", "high": "DECIMAL(38,0)", "scale": "INTEGER", "truth": "BOOLEAN"}


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

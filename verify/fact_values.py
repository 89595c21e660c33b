"""The SQL of member and household values: nothing found is zero only where an extract covers the person.

Tables it names: `members`, `cases`, `case_values`, `member_values` and `fact__<input>`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from verify.fact_rows import counted_fact, row_sql
from verify.formulas_compiler import Scope
from verify.formulas_spans import LARGEST, MEMBERS_OF_A_CASE, ROWS_OF_A_PERSON, Operand, Plain, Span, Truth
from verify.formulas_trees import integer, whole
from verify.layers import column, sql_of, width
from verify.plan import InputPlan, Plan
from verify.store import quoted

_OLDEST = 10_000  # what two dates can lie apart at most


def own_names() -> dict[str, Operand]:
    """What is known of every member: the age, exact where the birth date is known, else from 0 without bound; the relation to the applicant."""
    age = whole(column("age"))
    return {"age": Span(exp.Coalesce(this=age, expressions=[integer(0)]), age, most=_OLDEST), "relation": Plain(column("relation"))}


def member_count(most: int = MEMBERS_OF_A_CASE) -> Span:
    """How many members count: a pair, without upper bound where a roster row was lost."""
    return Span(whole(column("members_low")), whole(column("members_high")), most=most)


def seen(entry: InputPlan, *, usable: bool) -> str:
    """Whether what the extract does not say of a member is none: it is usable tonight, its silence means none, and it covers the member."""
    return covers(entry) if usable and entry.extract.absence_means == "zero" else "FALSE"


def covers(entry: InputPlan) -> str:
    """Whether an extract may be read of a member `m`, and the ID to look for is known."""
    return "m.id_known" if entry.extract.read_freely else "(m.authorised AND m.id_known)"


def asked_for(plan: Plan) -> frozenset[str]:
    """The facts of which a member's rule asks whether there is one: of others nobody needs to know."""
    return frozenset().union(*(formula.has for rule in plan.rules("member") for formula in (rule.formula, rule.value, rule.limit) if formula))


def member_fact_items(entry: InputPlan, *, usable: bool, asked: bool = True, most: int = LARGEST, rows: bool = True) -> str:
    """The columns of a fact at member level: nothing found is zero only where the extract covers the person.

    Two bounds no larger than `most`; if it is `asked`, whether there is a row, and the low bound given that there is one.
    Without `rows` of anybody they stand without the table of the fact.
    """
    name, covered, kind = entry.input.input, seen(entry, usable=usable), width(most)
    if not rows:
        bounds = f'0::{kind} AS "{name}__low", (CASE WHEN {covered} THEN 0 END)::{kind} AS "{name}__high"'
        return f'{bounds}, CASE WHEN {covered} THEN FALSE END AS "{name}__has__truth", 0::{kind} AS "{name}__given"' if asked else bounds
    fact = f'"f_{name}"'
    bounds = (
        f'coalesce({fact}.low, 0)::{kind} AS "{name}__low", '
        f'(CASE WHEN {covered} THEN CASE WHEN {fact}.case_id IS NULL THEN 0 ELSE {fact}.high END END)::{kind} AS "{name}__high"'
    )
    has = f'CASE WHEN {fact}.has THEN TRUE WHEN {covered} AND {fact}.case_id IS NULL THEN FALSE END AS "{name}__has__truth"'
    return f'{bounds}, {has}, coalesce({fact}.given, 0)::{kind} AS "{name}__given"' if asked else bounds


def sizes_sql(entries: Sequence[InputPlan]) -> str:
    """Each input and the largest whole number that its facts hold tonight, and nothing else the most members a case has (``).

    What is proven of these rows says where 64 bits are enough. What a rule book allows never does: 10^15 yuan a row.
    """
    parts = ["SELECT '' AS name, coalesce(max(n), 0) AS most FROM (SELECT count(*) AS n FROM members GROUP BY case_id)"]
    for entry in entries:
        ends = "low, high, given" if entry.input.of == "member" else "low, high"
        parts.append(f"SELECT {quoted(entry.input.input)}, coalesce(max(greatest({ends})), 0) FROM \"fact__{entry.input.input}\"")
    return " UNION ALL ".join(parts)


def know_input(entry: InputPlan, layer: Scope, case: Scope, *, most: int | None = None) -> None:
    """Let a layer's formulas read an input: its amount, whether it has a row, and the amount given that it has.

    `most` is its largest number tonight; without it, the largest that there can be.
    """
    name = entry.input.input
    row = row_sql(entry, case)
    scale, most_ever = (0, ROWS_OF_A_PERSON) if entry.input.count else (row.scale, row.most * ROWS_OF_A_PERSON)
    most = most_ever if most is None else most
    low, high, given = (whole(column(f"{name}__{end}")) for end in ("low", "high", "given"))
    layer.names[name] = Span(low, high, scale, most=most)
    layer.has[name] = Truth(column(f"{name}__has__truth"))
    if entry.input.of == "member":
        layer.given[name] = Span(given, high, scale, most=most)


def household_fact(entry: InputPlan, rows: str) -> str:
    """A fact of the whole case: distinct things counted, or what the case's own row says (two rows: anything both allow)."""
    if entry.input.count:
        return counted_fact(entry, rows)
    return f"""
        SELECT case_id, min(row_low)::HUGEINT AS low, bool_or(known) AS known,
               CASE WHEN bool_or(row_high IS NULL) THEN NULL ELSE max(row_high)::HUGEINT END AS high
        FROM {rows} GROUP BY case_id
    """


def asks_all(entry: InputPlan) -> str:
    """What must be so of every member of a case, that what the extract does not say of the case is none."""
    return "TRUE" if entry.input.of == "case" else seen(entry, usable=True)


def cases_without(covered: str) -> str:
    """Cases with somebody who may count and of whom this is not so."""
    return f"SELECT DISTINCT m.case_id FROM members m WHERE m.presence <> 'out' AND NOT {covered}"


def household_fact_items(entry: InputPlan, *, usable: bool, most: int = LARGEST, rows: bool = True, gaps: str = "") -> str:
    """The columns of a fact at household level; no bound where somebody is not covered or a roster row was lost.

    `gaps` is the table of the cases with such a member; without it there is none. Without `rows` of any case they stand
    without the table of the fact.
    """
    name, kind = entry.input.input, width(most)
    low, high, known = (f'"f_{name}".{end}' if rows else f"NULL::{of}" for end, of in (("low", kind), ("high", kind), ("known", "BOOLEAN")))
    if entry.input.of == "case" and not entry.input.count:
        has = known if usable else "NULL::BOOLEAN"
        high = high if usable else "NULL"
    else:
        lost = f"(c.open_upwards OR {gaps}.case_id IS NOT NULL)" if gaps else "c.open_upwards"
        bounded = f"NOT {lost}" if usable else "FALSE"
        if entry.input.of == "household":  # of nobody an extract says nothing, late or not
            bounded = f"({bounded} OR coalesce(c.members_high = 0, FALSE))"
        has = f"CASE WHEN coalesce({low}, 0) > 0 THEN TRUE WHEN {bounded} AND coalesce({high}, 0) = 0 THEN FALSE END"
        high = f"CASE WHEN {bounded} THEN coalesce({high}, 0) END"
    return f'coalesce({low}, 0)::{kind} AS "{name}__low", ({high})::{kind} AS "{name}__high", {has} AS "{name}__has__truth"'


def know_sums(plan: Plan, member: Scope, layer: Scope, members: int = MEMBERS_OF_A_CASE) -> None:
    """Let a household's formulas ask the members: sums of amounts over so many at most and answers of tests, of the names that there are."""
    for name in plan.sums:
        operand = member.names.get(name)
        if isinstance(operand, Span):
            low, high = (whole(column(f"sum__{name}__{end}")) for end in ("low", "high"))
            layer.sums[name] = Span(low, high, operand.scale, operand.nonnegative, operand.most * members)
    for name in plan.tested:
        if isinstance(member.names.get(name), Truth):
            layer.the[name], layer.any[name] = Truth(column(f"the__{name}__truth")), Truth(column(f"any__{name}__truth"))


def sums_sql(plan: Plan, member: Scope, layer: Scope, members: int = MEMBERS_OF_A_CASE) -> str:
    """Add up member values over everybody who counts (low) and who may count (high), and ask tests of the members.

    The members come together before the case joins them: a member's row is wide, and there are many.
    """
    know_sums(plan, member, layer, members)
    items, gathered = [], [f"count(*) FILTER (WHERE {_SURE}) AS sure", "count(*) AS possible"]
    for name in plan.sums:
        kind, low, high = width(layer.sums[name].most), f'"{name}__low"', f'"{name}__high"'
        gathered += [f'sum({low}) FILTER (WHERE {_SURE}) AS "{name}__low", sum({high}) AS "{name}__high", count({high}) AS "{name}__bounded"']
        items.append(f'coalesce(v."{name}__low", 0)::{kind} AS "sum__{name}__low"')
        unbounded = f'c.open_upwards OR v."{name}__bounded" < v.possible'
        items.append(f'CASE WHEN {unbounded} THEN NULL ELSE coalesce(v."{name}__high", 0)::{kind} END AS "sum__{name}__high"')
    for name in plan.tested:
        operand = member.names[name]
        assert isinstance(operand, Truth), name
        gathered += _answers(name, sql_of(operand.sql))
        items += _tested_items(name)
    columns = "".join(f", {item}" for item in items)
    together = f"SELECT case_id, {', '.join(gathered)} FROM member_values WHERE presence <> 'out' GROUP BY case_id"
    return f"SELECT c.case_id{columns} FROM cases c LEFT JOIN ({together}) v ON c.case_id = v.case_id"


_SURE = "presence = 'certain'"


def _answers(name: str, truth: str) -> list[str]:
    """How many members answer a test: of those who may count with yes and no, of those who surely count with yes and at all."""
    yes, no = f"count(*) FILTER (WHERE {truth})", f"count(*) FILTER (WHERE NOT ({truth}))"
    sure = f"count(*) FILTER (WHERE {_SURE} AND ({truth})) AS \"{name}__sure_yes\", count({truth}) FILTER (WHERE {_SURE}) AS \"{name}__sure_known\""
    return [f'{yes} AS "{name}__yes", {no} AS "{name}__no", {sure}']


def _tested_items(name: str) -> list[str]:
    """A member's test for the household: of the one member it may consist of, and of any member at all.

    Where one member surely counts, the one can only be that member; where nobody can be alone, the test fails.
    """
    yes, no, sure_yes, sure_known = (f'coalesce(v."{name}__{of}", 0)' for of in ("yes", "no", "sure_yes", "sure_known"))
    sure, possible = "coalesce(v.sure, 0)", "coalesce(v.possible, 0)"
    the = (
        f"CASE WHEN NOT (c.open_upwards OR {possible} >= 1) OR {sure} > 1 THEN FALSE "
        f"WHEN {sure} = 1 THEN CASE WHEN {sure_known} = 1 THEN {sure_yes} = 1 END WHEN c.open_upwards THEN NULL "
        f"WHEN {yes} = {possible} THEN TRUE WHEN {no} = {possible} THEN FALSE END"
    )
    some = f"CASE WHEN {sure_yes} > 0 THEN TRUE WHEN c.open_upwards OR {no} < {possible} THEN NULL ELSE FALSE END"
    return [f'{the} AS "the__{name}__truth"', f'{some} AS "any__{name}__truth"']

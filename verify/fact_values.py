"""The SQL of member and household values: nothing found is zero only where an extract covers the person.

Tables it names: `members`, `cases`, `case_values`, `member_values`, `fact__<input>` and `blind__<input>`.
"""

from __future__ import annotations

from sqlglot import exp

from verify.fact_rows import counted_fact, row_sql
from verify.formulas_compiler import Scope
from verify.formulas_spans import MEMBERS_OF_A_CASE, ROWS_OF_A_PERSON, Operand, Plain, Span, Truth
from verify.formulas_trees import integer, whole
from verify.layers import column, sql_of
from verify.plan import InputPlan, Plan


def own_names() -> dict[str, Operand]:
    """What is known of every member: the age, exact where the birth date is known, else from 0 without bound; the relation to the applicant."""
    age = whole(column("age"))
    return {"age": Span(exp.Coalesce(this=age, expressions=[integer(0)]), age, most=1000), "relation": Plain(column("relation"))}


def member_count() -> Span:
    """How many members count: a pair, without upper bound where a roster row was lost."""
    return Span(whole(column("members_low")), whole(column("members_high")), most=MEMBERS_OF_A_CASE)


def seen(entry: InputPlan, *, usable: bool, table: str = "m") -> str:
    """Whether the extract covers a member tonight: it is usable, authorised (or free to read), and the ID is known."""
    if not usable or entry.extract.absence_means == "unknown":
        return "FALSE"
    authorised = "TRUE" if entry.extract.read_freely else f"{table}.authorised"
    return f"({authorised} AND {table}.id_known)"


def member_fact_items(entry: InputPlan, *, usable: bool) -> str:
    """The four columns of a fact at member level: nothing found is zero only where the extract covers the person."""
    name, covered = entry.input.input, seen(entry, usable=usable)
    fact = f'"f_{name}"'
    return (
        f'coalesce({fact}.low, 0)::HUGEINT AS "{name}__low", '
        f'CASE WHEN {covered} THEN CASE WHEN {fact}.case_id IS NULL THEN 0::HUGEINT ELSE {fact}.high END END AS "{name}__high", '
        f'CASE WHEN {fact}.has THEN TRUE WHEN {covered} AND {fact}.case_id IS NULL THEN FALSE END AS "{name}__has__truth", '
        f'coalesce({fact}.given, 0)::HUGEINT AS "{name}__given"'
    )


def know_input(entry: InputPlan, layer: Scope, case: Scope) -> None:
    """Let a layer's formulas read an input: its amount, whether it has a row, and the amount given that it has."""
    name = entry.input.input
    row = row_sql(entry, case)
    scale, most = (0, ROWS_OF_A_PERSON) if entry.input.count else (row.scale, row.most * ROWS_OF_A_PERSON)
    layer.names[name] = Span(column(f"{name}__low"), column(f"{name}__high"), scale, most=most)
    layer.has[name] = Truth(column(f"{name}__has__truth"))
    if entry.input.of == "member":
        layer.given[name] = Span(column(f"{name}__given"), column(f"{name}__high"), scale, most=most)


def household_fact(entry: InputPlan, rows: str) -> str:
    """A fact of the whole case: distinct things counted, or what the case's own row says (two rows: anything both allow)."""
    if entry.input.count:
        return counted_fact(entry, rows)
    return f"""
        SELECT case_id, min(row_low)::HUGEINT AS low, bool_or(known) AS known,
               CASE WHEN bool_or(row_high IS NULL) THEN NULL ELSE max(row_high)::HUGEINT END AS high
        FROM {rows} GROUP BY case_id
    """


def blind_members(entry: InputPlan, *, usable: bool) -> str:
    """Cases in which the extract does not cover somebody who may count."""
    if entry.input.of == "case":
        return "SELECT case_id FROM cases WHERE FALSE"
    return f"SELECT DISTINCT m.case_id FROM members m WHERE m.presence <> 'out' AND NOT {seen(entry, usable=usable)}"


def household_fact_items(entry: InputPlan, *, usable: bool) -> str:
    """The columns of a fact at household level; no bound where somebody is not covered or a roster row was lost."""
    name = entry.input.input
    fact, blind = f'"f_{name}"', f'"b_{name}".case_id IS NOT NULL'
    if entry.input.of == "case" and not entry.input.count:
        missing = f"{fact}.case_id IS NULL" if usable else "TRUE"
        high, has = f"CASE WHEN NOT ({missing}) THEN {fact}.high END", f"CASE WHEN NOT ({missing}) THEN {fact}.known END"
    else:
        bounded = f"NOT (c.open_upwards OR {blind})" if usable else "FALSE"
        if entry.input.of == "household":  # of nobody an extract says nothing, late or not
            bounded = f"({bounded} OR coalesce(c.members_high = 0, FALSE))"
        high = f"CASE WHEN {bounded} THEN coalesce({fact}.high, 0)::HUGEINT END"
        has = f"CASE WHEN coalesce({fact}.low, 0) > 0 THEN TRUE WHEN {bounded} AND coalesce({fact}.high, 0) = 0 THEN FALSE END"
    return f'coalesce({fact}.low, 0)::HUGEINT AS "{name}__low", {high} AS "{name}__high", {has} AS "{name}__has__truth"'


def know_sums(plan: Plan, member: Scope, layer: Scope) -> None:
    """Let a household's formulas ask the members: sums of amounts and answers of tests, of the names that there are."""
    for name in plan.sums:
        operand = member.names.get(name)
        if isinstance(operand, Span):
            ends = column(f"sum__{name}__low"), column(f"sum__{name}__high")
            layer.sums[name] = Span(*ends, operand.scale, operand.nonnegative, operand.most * MEMBERS_OF_A_CASE)
    for name in plan.tested:
        if isinstance(member.names.get(name), Truth):
            layer.the[name], layer.any[name] = Truth(column(f"the__{name}__truth")), Truth(column(f"any__{name}__truth"))


def sums_sql(plan: Plan, member: Scope, layer: Scope) -> str:
    """Add up member values over everybody who counts (low) and who may count (high), and ask tests of the members."""
    know_sums(plan, member, layer)
    items = []
    for name in plan.sums:
        operand = member.names[name]
        assert isinstance(operand, Span), name
        low, high = (sql_of(stored_bound) for stored_bound in (operand.low, operand.high))
        items.append(f"coalesce(sum({low}) FILTER (WHERE presence = 'certain'), 0)::HUGEINT AS \"sum__{name}__low\"")
        unbounded = f"bool_or(c.open_upwards) OR coalesce(bool_or({high} IS NULL) FILTER (WHERE presence <> 'out'), FALSE)"
        items.append(
            f"CASE WHEN {unbounded} THEN NULL ELSE coalesce(sum({high}) FILTER (WHERE presence <> 'out'), 0)::HUGEINT END AS \"sum__{name}__high\""
        )
    for name in plan.tested:
        operand = member.names[name]
        assert isinstance(operand, Truth), name
        items += tested_items(name, sql_of(operand.sql))
    columns = ", ".join(items) if items else "count(*) AS none_summed"
    return f"SELECT c.case_id, {columns} FROM cases c LEFT JOIN member_values v USING (case_id) GROUP BY c.case_id"


def tested_items(name: str, truth: str) -> list[str]:
    """A member's test for the household: of the one member it may consist of, and of any member at all.

    Where one member surely counts, the one can only be that member; where nobody can be alone, the test fails.
    """
    alone = "CASE WHEN count(*) FILTER (WHERE presence = 'certain') = 1 THEN 'certain' ELSE 'possible' END"
    may_be_one = "bool_or(c.open_upwards) OR count(*) FILTER (WHERE presence <> 'out') >= 1"
    too_many = "count(*) FILTER (WHERE presence = 'certain') > 1"
    certain_all = f"bool_and({truth}) FILTER (WHERE presence = 'certain')"
    certain_known = f"bool_and(({truth}) IS NOT NULL) FILTER (WHERE presence = 'certain')"
    possible = "presence <> 'out'"
    hull = (
        f"CASE WHEN bool_or(c.open_upwards) THEN NULL WHEN bool_and(({truth}) IS TRUE) FILTER (WHERE {possible}) THEN TRUE "
        f"WHEN bool_and(({truth}) IS FALSE) FILTER (WHERE {possible}) THEN FALSE END"
    )
    the = (
        f"CASE WHEN NOT ({may_be_one}) OR {too_many} THEN FALSE "
        f"WHEN {alone} = 'certain' THEN CASE WHEN {certain_known} THEN {certain_all} END ELSE {hull} END"
    )
    some = (
        f"CASE WHEN bool_or(({truth}) IS TRUE) FILTER (WHERE presence = 'certain') THEN TRUE "
        f"WHEN bool_or(c.open_upwards) OR bool_or(({truth}) IS NOT FALSE) FILTER (WHERE {possible}) THEN NULL ELSE FALSE END"
    )
    return [f'{the} AS "the__{name}__truth"', f'{some} AS "any__{name}__truth"']

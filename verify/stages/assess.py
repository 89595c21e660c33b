"""Assess every case: rows become facts, facts become values, values are held against the tests, tests give a category.

All amounts are intervals; one set-based query a step, made from the rule book by `fact_rows`, `fact_values` and
`decision_sql`. A lead enters no figure, but no case is settled on its absence (`assess.sql`). The whole trace is kept:
`values` (every derived value of every member and case), `figures` (a household in one row, to try other rules on),
`evidence` (every row behind a figure), `tests`, `decisions` (category, open tests, needs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from verify import decision_sql, fact_rows, fact_values, kept_figures, layers, needs_sql
from verify.decision_split import split_decisions
from verify.formulas_compiler import Scope
from verify.formulas_spans import Span
from verify.model import Arrived, Table
from verify.parameters import parameter_table, same_everywhere
from verify.parts import known_rows_in
from verify.plan import InputPlan, Plan
from verify.store import Store, quoted, statements, write_frame

_SQL = statements(Path(__file__).with_suffix(".sql"))
_SHADOWED = ("links", "absent", "members", "cases", "case_values", "member_values", "household_values", "trace", "proof")


@dataclass(frozen=True, slots=True)
class Assessed:
    """The tables of this stage, how many cases fell into each category, and the names that cases and households know."""

    household: Path
    values: Table
    evidence: Table
    tests: Table
    decisions: Table
    categories: dict[str, int]
    layers: tuple[Scope, Scope]


@dataclass(frozen=True, slots=True)
class _Said:
    """The inputs of which there are rows, each in its table `rows__<input>`; and the tables of the cases in which somebody is
    not covered, by what covers them, "" where there is no such case. What is in neither is not asked for: much, of one case."""

    rows: frozenset[str]
    gaps: Mapping[str, str]


def cases(store: Store, arrived: Arrived, plan: Plan, work: Path) -> Assessed:
    """Write `values`, `evidence`, `tests` and `decisions`. Reads tables `cases`, `members`, `links` and the known rows.

    Raises UsageError: E-NO-VALUE (a parameter without a value in force), and whatever a formula is refused for.
    """
    _run_shadow_steps(store, "raise")
    case = _case_values(store, plan, work)
    said = _Said(_rows_of_inputs(store, arrived, plan, case), _gaps(store, plan))
    member = _member_values(store, arrived, plan, case=case, said=said)
    unused = needs_sql.unused_inputs(plan, member)
    household = _household_values(store, arrived, plan, below=(case, member), said=said)
    store.table("tests", decision_sql.tests(plan, household))
    _needs(store, arrived, plan, member=member, said=said)
    store.table("decisions", decision_sql.decisions(plan))
    if plan.book.decision.split:
        store.table("decisions", split_decisions(plan, household))
    store.table("trace", decision_sql.values(plan, member, household))
    evidence = [needs_sql.evidence_of(entry, unused, case.rows[name].scale) for name, entry in plan.inputs.items() if name in said.rows]
    store.table("proof", needs_sql.evidence(evidence))
    store.save(kept_figures.household(store, plan), work / "figures.parquet")
    _run_shadow_steps(store, "lay")
    for table in _SHADOWED:
        store.run(_SQL["clear"].format(table=table))
    names = {"values": "FROM trace ORDER BY case_id, member_no, name", "evidence": f"FROM proof {needs_sql.EVIDENCE_ORDER}"}
    names |= {"tests": _TESTS_OUT, "decisions": "FROM decisions ORDER BY case_id"}
    written = {}
    for name, sql in names.items():
        path = work / f"{name}.parquet"
        written[name] = Table(path, store.save(sql, path))
    store.save(decision_sql.published(plan, household), work / "household.parquet")
    counted = store.rows("SELECT category, count(*) FROM decisions GROUP BY category ORDER BY category")
    return Assessed(work / "household.parquet", **written, categories=dict(counted), layers=(case, household))


def _run_shadow_steps(store: Store, part: str) -> None:
    """Raise the shadows of cases with leads, or lay what they say on the cases' own decisions (see the SQL)."""
    for name, sql in _SQL.items():
        if name.startswith(part):
            store.run(sql)


_TESTS_OUT = """
SELECT t.case_id, category, test, value_low, value_high, "limit", verdict, basis, unit, value_bounded
FROM tests t JOIN cases c USING (case_id)
WHERE c.members_high IS DISTINCT FROM 0
ORDER BY t.case_id, category_at, test_at
"""


def _case_values(store: Store, plan: Plan, work: Path) -> Scope:
    """Every case with its parameters and the values that rest on them alone."""
    home = plan.book.membership.home_region
    places = [(region, area) for region, area in store.rows("SELECT DISTINCT coalesce(region, ?) AS r, area FROM cases ORDER BY ALL", [home])]
    path = work / "parameters.parquet"
    table = parameter_table(plan.book, places, plan.as_of)
    known = same_everywhere(table, plan.book.parameters)  # stands as a number in the queries, and not in a column of every row
    write_frame(table, path)
    store.load("parameters", path)
    loaded = [(name, layers.width(parameter.most)) for name, parameter in plan.book.parameters.items() if name not in known]
    parameters = "".join(f', p."{name}__{end}"::{kind} AS "{name}__{end}"' for name, kind in loaded for end in ("low", "high"))
    sql = f"""SELECT c.*{parameters} FROM cases c
              JOIN parameters p ON p.region = coalesce(c.region, {quoted(home)}) AND p.area IS NOT DISTINCT FROM c.area"""
    layer = layers.case_scope(plan, known)
    for level in plan.levels["case"]:
        sql = layers.level_sql(f"({sql})", level, layer)
    store.table("case_values", sql)
    return layer


def _rows_of_inputs(store: Store, arrived: Arrived, plan: Plan, case: Scope) -> frozenset[str]:
    """Make the table of the rows of each input that can have any; the inputs that have."""
    linked = {extract for (extract,) in store.rows("SELECT DISTINCT extract FROM links WHERE status <> 'rejected'")}
    found = set()
    for name, entry in plan.inputs.items():
        known, own = arrived.known[entry.extract.extract], entry.input.of == "case"
        if not (known.parts and known.usable and (own or entry.extract.extract in linked)):
            continue
        rows, sql = known_rows_in(store, known.parts), fact_rows.row_sql(entry, case)
        made = fact_rows.case_rows(entry, rows, sql, _case_key(entry)) if own else fact_rows.linked_rows(entry, rows, sql)
        if store.table(f"rows__{name}", made):
            found.add(name)
    return frozenset(found)


def _gaps(store: Store, plan: Plan) -> dict[str, str]:
    """By what covers somebody: the table of the cases in which somebody is not covered."""
    asked = {covered for entry in plan.inputs.values() for covered in (fact_values.covers(entry), fact_values.asks_all(entry))}
    tables = {covered: f"gaps__{at}" for at, covered in enumerate(sorted(asked))}
    return {covered: name if store.table(name, fact_values.cases_without(covered)) else "" for covered, name in tables.items()}


def _case_key(entry: InputPlan) -> str:
    """The column that holds the case's number, by the role the extract plays."""
    roles = entry.extract.plays
    role = roles.application or roles.roster
    assert role is not None, "rule_checks refuses an input of a case from an extract without cases"
    return role.case


def _member_values(store: Store, arrived: Arrived, plan: Plan, *, case: Scope, said: _Said) -> Scope:
    """Every member with each fact, then the values worked out from them."""
    layer = Scope(layers.named(case.names, fact_values.own_names()))
    joins, items = [], []
    spoken_of = [entry for entry in plan.inputs_of("member") if entry.input.input in said.rows]
    for name, entry in ((entry.input.input, entry) for entry in spoken_of):
        store.table(f"fact__{name}", fact_rows.member_fact(entry, f"rows__{name}"))
        joins.append(f'LEFT JOIN "fact__{name}" AS "f_{name}" ON m.case_id = "f_{name}".case_id AND m.member_no = "f_{name}".member_no')
    asked, sizes = fact_values.asked_for(plan), dict(store.rows(fact_values.sizes_sql(spoken_of)))
    for entry in plan.inputs_of("member"):
        name, usable = entry.input.input, arrived.known[entry.extract.extract].usable
        most, rows = sizes.get(name, 0), name in said.rows
        items.append(fact_values.member_fact_items(entry, usable=usable, asked=name in asked, most=most, rows=rows))
        fact_values.know_input(entry, layer, case, most=most)
    columns = "".join(f", {item}" for item in items)
    facts = f"""SELECT m.case_id, m.member_no, m.presence, m.authorised, m.id_known, m.age, m.relation{columns}
                FROM members m {" ".join(joins)}"""
    ours = "".join(f', c."{name}"' for name in layers.columns_of(case))
    sql = f"SELECT m.*{ours} FROM ({facts}) m JOIN case_values c ON m.case_id = c.case_id"
    for level in plan.levels["member"]:  # one query of all levels costs half of a table a level (bench/rules/against_sql.py)
        sql = layers.level_sql(f"({sql})", level, layer)
    store.table("member_values", sql)
    return layer


def _household_values(store: Store, arrived: Arrived, plan: Plan, *, below: tuple[Scope, Scope], said: _Said) -> Scope:
    """Every case with its sums, counts and declared figures, then the values and tests worked out from them."""
    case, member = below
    entries = (*plan.inputs_of("household"), *plan.inputs_of("case"))
    spoken_of = [entry for entry in entries if entry.input.input in said.rows]
    joins = [f"LEFT JOIN {gap} ON c.case_id = {gap}.case_id" for gap in sorted({said.gaps[fact_values.asks_all(entry)] for entry in entries} - {""})]
    for name, entry in ((entry.input.input, entry) for entry in spoken_of):
        store.table(f"fact__{name}", fact_values.household_fact(entry, f"rows__{name}"))
        joins.append(f'LEFT JOIN "fact__{name}" AS "f_{name}" ON c.case_id = "f_{name}".case_id')
    sizes = dict(store.rows(fact_values.sizes_sql(spoken_of)))
    layer = Scope(layers.named(case.names, {"members": fact_values.member_count(sizes[""])}))
    store.table("sums", fact_values.sums_sql(plan, member, layer, sizes[""]))
    columns = ""
    for entry in entries:
        name, usable = entry.input.input, arrived.known[entry.extract.extract].usable
        most, gaps = sizes.get(name, 0), said.gaps[fact_values.asks_all(entry)]
        columns += f", {fact_values.household_fact_items(entry, usable=usable, most=most, rows=name in said.rows, gaps=gaps)}"
        fact_values.know_input(entry, layer, case, most=most)
    # A join hands on every column there is so far, laid out for 2,048 rows: so the facts come together before the many
    # values of the case join them, here and for members (two thirds of what these queries cost for one case, profiled).
    facts = f"SELECT c.case_id{columns} FROM cases c {' '.join(joins)}"
    sql = f"""SELECT c.*, s.* EXCLUDE (case_id), f.* EXCLUDE (case_id)
              FROM case_values c LEFT JOIN sums s ON c.case_id = s.case_id JOIN ({facts}) f ON c.case_id = f.case_id"""
    for level in plan.levels["household"]:
        sql = layers.level_sql(f"({sql})", level, layer)
    store.table("household_values", sql)
    return layer


def _needs(store: Store, arrived: Arrived, plan: Plan, *, member: Scope, said: _Said) -> None:
    """What would settle each open figure: grey rows, unknown cells, missing authorisations, late extracts."""
    unused = needs_sql.unused_inputs(plan, member)
    parts = [needs_sql.unsure_rows(entry, unused) for name, entry in plan.inputs.items() if name in said.rows]
    for entry in plan.inputs.values():
        usable = arrived.known[entry.extract.extract].usable
        if not usable or said.gaps[fact_values.covers(entry)]:
            parts.append(needs_sql.unseen_members(entry, plan, unused, usable=usable))
    parts.append(needs_sql.doubtful_members(plan, member))
    store.table("unsure", " UNION ".join(part for part in parts if part))
    for rule in plan.rules("member"):
        if rule.rule.fact and isinstance(member.names[rule.rule.rule], Span):
            store.run(f"INSERT INTO unsure {needs_sql.wide_rule(rule, plan, unused)}")
    store.table("test_reads", needs_sql.test_reads(plan))

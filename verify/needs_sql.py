"""The SQL of what stands behind a figure: its evidence, what leaves it open, and which extract could settle it.

Reads the tables that `assess` made: `member_values`, `members`, `case_values`, `rows__<input>`; text for DuckDB. Rows of an
input that a member's figure does not use, because a rule's CASE takes another branch, are neither evidence nor a need.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sqlglot import exp

from verify.decision_sql import rounded, shown_at
from verify.fact_values import covers
from verify.formulas import Formula
from verify.formulas_compiler import Compiler, Scope
from verify.formulas_spans import FEN_SCALE, Span
from verify.layers import sql_of
from verify.plan import InputPlan, Plan, resting_on
from verify.rule_plans import RulePlan
from verify.store import quoted

EVIDENCE_ORDER = "ORDER BY case_id, person_id NULLS FIRST, fact, extract, file, row, low, high"
ABOUT_MEMBERS = "#members"  # the pseudo-input of a doubt about who counts, or where they live: every test rests on it


def unused_inputs(plan: Plan, member: Scope) -> dict[str, str]:
    """For each input that only one branch of one member's rule reads: when that branch is surely not taken, over `member_values`.

    `member` must know every name of member level.
    """
    times = Counter(name for formula in _formulas(plan) for name in _read_by(formula.tree))
    found = {}
    for rule in plan.rules("member"):
        for name, condition, taken_if in _branches(rule.formula.tree):
            if name in plan.inputs and times[name] == 1:
                truth = sql_of(Compiler(member, rule.where).truth(replace(rule.formula, tree=condition)).sql)
                found[name] = f"({truth}) IS {'FALSE' if taken_if else 'TRUE'}"
    return found


def _formulas(plan: Plan) -> Iterator[Formula]:
    """Every formula that may read a value."""
    for level in ("case", "member", "household"):
        for rule in plan.rules(level):
            yield from (formula for formula in (rule.formula, rule.value, rule.limit) if formula is not None)
    yield from (alert.when for alert in plan.alerts)


def _read_by(tree: exp.Expr) -> Iterator[str]:
    return (node.name for node in tree.find_all(exp.Column))


def _branches(tree: exp.Expr) -> Iterator[tuple[str, exp.Expr, bool]]:
    """The names that one branch of a CASE with one condition reads, the condition, and whether it must hold for the branch."""
    if not isinstance(tree, exp.Case) or len(tree.args["ifs"]) != 1 or tree.args.get("default") is None:
        return
    (only,) = tree.args["ifs"]
    for branch, taken_if in ((only.args["true"], True), (tree.args["default"], False)):
        yield from ((name, only.this, taken_if) for name in sorted(set(_read_by(branch))))


def _taken(entry: InputPlan, unused: Mapping[str, str], rows: str) -> str:
    """Whether the figure of a row's member may use this input at all."""
    never = unused.get(entry.input.input)
    if never is None:
        return "TRUE"
    return f"NOT EXISTS (SELECT 1 FROM member_values v WHERE v.case_id = {rows}.case_id AND v.member_no = {rows}.member_no AND {never})"


def _not_outdone(entry: InputPlan) -> str:
    """Where only the highest row of a key counts: no other that is surely theirs says at least as much; of equals the first stays."""
    if entry.input.keep != "highest":
        return ""
    keys = "".join(f" AND b.key_{n} = a.key_{n}" for n in range(len(entry.input.per)))
    low = "CASE WHEN a.sure THEN a.row_low ELSE 0 END"
    same = f"a.sure AND b.row_low = {low} AND b.row_high IS NOT DISTINCT FROM a.row_high"
    return f"""
        AND NOT EXISTS (SELECT 1 FROM rows__{entry.input.input} b
                        WHERE b.case_id = a.case_id AND b.member_no = a.member_no{keys} AND b.sure AND b.row_low >= {low}
                          AND (b.row_high IS NULL OR b.row_high >= a.row_high) AND (NOT ({same}) OR (b.file, b.row) < (a.file, a.row)))"""


# --- what would settle it ---------------------------------------------------------------------------------------------


def test_reads(plan: Plan) -> str:
    """Which inputs each test of the decision table rests on."""
    reads = [(name, used) for name in plan.book.decision.columns for used in (*sorted(plan.reads[name]), ABOUT_MEMBERS)]
    return "SELECT * FROM (VALUES " + ", ".join(f"({quoted(name)}, {quoted(used)})" for name, used in reads) + ") AS t(rule, input)"


def _fact_of(entry: InputPlan) -> str:
    return entry.input.fact or entry.input.input


def unsure_rows(entry: InputPlan, unused: Mapping[str, str]) -> str:
    """Rows whose figure is not exact, or that may not be theirs: their extract could settle it."""
    return f"""SELECT case_id, member_no, {quoted(_fact_of(entry))} AS fact, {quoted(entry.input.input)} AS input, extract
               FROM rows__{entry.input.input} a WHERE (NOT sure OR row_low IS DISTINCT FROM row_high) AND {_taken(entry, unused, "a")}"""


def unseen_members(entry: InputPlan, plan: Plan, unused: Mapping[str, str], *, usable: bool) -> str:
    """Members an extract does not cover: it is late, the member has not authorised it, or nobody knows their ID."""
    if entry.input.of == "case":
        return ""
    rosters = [name for name, extract in sorted(plan.book.extracts.items()) if extract.plays.roster]
    registers = [name for name, extract in sorted(plan.book.extracts.items()) if extract.plays.register_]
    fact = f"{quoted(_fact_of(entry))} AS fact, {quoted(entry.input.input)} AS input"
    taken = _taken(entry, unused, "m") if entry.input.of == "member" else "TRUE"
    if not usable:
        return f"SELECT case_id, member_no, {fact}, {quoted(entry.extract.extract)} AS extract FROM members m WHERE presence <> 'out' AND {taken}"
    authorised = "TRUE" if entry.extract.read_freely else "authorised"
    return f"""SELECT case_id, member_no, {fact}, CASE WHEN NOT {authorised} THEN {quoted(rosters[0])} ELSE {quoted(registers[0])} END AS extract
               FROM members m WHERE presence <> 'out' AND NOT {covers(entry)} AND {taken}"""


def doubtful_members(plan: Plan, member: Scope) -> str:
    """Members of whom it is not sure that they count, cases of which it is not known where they live, and what would say so."""
    rosters = [name for name, extract in sorted(plan.book.extracts.items()) if extract.plays.roster]
    applications = [name for name, extract in sorted(plan.book.extracts.items()) if extract.plays.application]
    decisive = resting_on(plan, plan.book.decision.columns) & plan.book.parameters.keys()
    values = ((name, member.names[name]) for name in sorted(decisive))
    nowhere = "".join(f' OR "{name}__high" IS NULL' for name, value in values if isinstance(value, Span) and not value.bounded)
    return f"""
        SELECT a.case_id, a.member_no, 'members' AS fact, {quoted(ABOUT_MEMBERS)} AS input, a.extract FROM absent a
        JOIN members m ON a.case_id = m.case_id AND a.member_no = m.member_no AND m.presence = 'possible'
        UNION SELECT m.case_id, m.member_no, 'members', {quoted(ABOUT_MEMBERS)}, l.extract FROM members m
        CROSS JOIN late l WHERE l.decides_members AND m.presence = 'possible'
        UNION SELECT case_id, 0, 'members', {quoted(ABOUT_MEMBERS)}, {quoted(rosters[0])} FROM cases WHERE open_upwards
        UNION SELECT case_id, 0, 'place', {quoted(ABOUT_MEMBERS)}, {quoted(applications[0])} FROM case_values WHERE area IS NULL{nowhere}
    """


def wide_rule(rule: RulePlan, plan: Plan, unused: Mapping[str, str]) -> str:
    """A member's figure that is not exact though every row behind it is: any of its extracts could settle it."""
    used = sorted(plan.reads[rule.rule.rule])
    pairs = ", ".join(f"({quoted(name)}, {quoted(plan.inputs[name].extract.extract)})" for name in used)
    never = " OR ".join(f"(e.input = {quoted(name)} AND {unused[name]})" for name in used if name in unused) or "FALSE"
    name = rule.rule.rule
    return f"""SELECT DISTINCT v.case_id, v.member_no, {quoted(rule.rule.fact or name)}, e.input, e.extract
               FROM member_values v CROSS JOIN (VALUES {pairs}) AS e(input, extract)
               WHERE v.presence <> 'out' AND v."{name}__low" IS DISTINCT FROM v."{name}__high" AND NOT ({never})
                 AND NOT EXISTS (SELECT 1 FROM unsure u WHERE u.case_id = v.case_id AND u.member_no = v.member_no
                                 AND u.input IN ({", ".join(quoted(u) for u in used)}))"""


# --- what is kept -----------------------------------------------------------------------------------------------------


def evidence_of(entry: InputPlan, unused: Mapping[str, str], scale: int) -> str:
    """The rows of one input as evidence: what each adds to the figure, at least and at most, as whole numbers of which `unit` make a fen.

    A row that entered no figure is none: it stands in a branch that its member's figure did not take, or another row of
    the same key is surely theirs and says as much.
    """
    times = f" * {10 ** (FEN_SCALE - scale)}" if scale < FEN_SCALE else ""
    fact = _fact_of(entry) if entry.input.amount or entry.input.count else entry.input.input
    return f"""SELECT case_id, person_id, {quoted(fact)} AS fact, sure, row_low::HUGEINT{times} AS low, row_high::HUGEINT{times} AS high,
                      {10 ** max(0, scale - FEN_SCALE)}::HUGEINT AS unit, extract, file, row, as_of, status AS link_status, score AS link_score
               FROM rows__{entry.input.input} a WHERE {_taken(entry, unused, "a")}{_not_outdone(entry)}"""


def evidence(parts: Iterable[str]) -> str:
    """All evidence of the night, in yuan, brought to decimals once for all inputs; none where there is no part."""
    whole = ", ".join(f"{rounded(end, 'unit')} AS {end}" for end in ("low", "high"))
    low, high = (shown_at(end, FEN_SCALE) for end in ("low", "high"))
    return f"""
        SELECT case_id, person_id, fact, CASE WHEN sure THEN {low} ELSE 0 END::DECIMAL(18,2) AS low, {high} AS high,
               extract, file, row, as_of, link_status, link_score
        FROM (SELECT * REPLACE ({whole}) FROM ({" UNION ALL ".join(parts) or _NO_EVIDENCE}))
    """


_NO_EVIDENCE = """SELECT NULL::VARCHAR AS case_id, NULL::VARCHAR AS person_id, NULL::VARCHAR AS fact, FALSE AS sure, 0::HUGEINT AS low, 0::HUGEINT AS high,
                         1::HUGEINT AS unit, NULL::VARCHAR AS extract, NULL::VARCHAR AS file, 0::INTEGER AS row, NULL::DATE AS as_of,
                         NULL::VARCHAR AS link_status, 0::BIGINT AS link_score WHERE FALSE"""

"""The SQL that turns rows into facts: which rows count, how much each says, and what they come to for a member or case.

Tables it names: `links`, `members`, `case_values`, and the known rows of each extract. A row counts TRUE, FALSE or NULL
(a blank decides it); a grey link, or a row that may not count, adds [0, amount].
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlglot import exp

from verify.formulas_compiler import Compiler, Scope
from verify.formulas_spans import Operand, Plain, RowSql, Span, exactly, max0
from verify.formulas_trees import integer, whole
from verify.layers import column, sql_of
from verify.plan import InputPlan
from verify.rule_extracts import Extract

_SCALES = {"money": 2, "count": 0}
_TYPES = {"money": "BIGINT", "number": "BIGINT", "count": "BIGINT", "date": "DATE", "month": "DATE", "epoch_ms": "DATE"}

def row_scope(extract: Extract, zero: Collection[str], case: Scope) -> Scope:
    """What a row's formulas may read: the columns of its extract (`r`) and the values of its case (`c`).

    `zero` names the columns whose blank counts as zero, by a stated exception.
    """
    case.beside |= {name: _at(operand, "c") for name, operand in case.names.items() if name not in case.beside}
    names = dict(case.beside)
    for page in extract.columns:
        raw = column(page.column, "r")
        if page.type in {"money", "number", "count"}:
            none_is_zero = exp.Coalesce(this=whole(raw), expressions=[integer(0)])
            high = none_is_zero if page.column in zero else whole(raw)
            names[page.column] = Span(none_is_zero, high, page.decimals if page.type == "number" else _SCALES[page.type], bounded=page.column in zero)
        else:
            names[page.column] = Plain(raw)
    return Scope(names)


def _at(operand: Operand, table: str) -> Operand:
    """The same operand with its columns read from one table of a join."""

    def move(tree: exp.Expr) -> exp.Expr:
        tree = tree.copy()
        for node in tree.find_all(exp.Column):
            node.set("table", exp.to_identifier(table))
        return tree

    if isinstance(operand, Span):
        return replace(operand, low=move(operand.low), high=move(operand.high), factors=())
    return type(operand)(move(operand.sql))


def row_sql(entry: InputPlan, case: Scope) -> RowSql:
    """Whether a row counts (TRUE, FALSE, NULL) and how much it says; each input is compiled once for the values of its cases."""
    if entry.input.input not in case.rows:
        case.rows[entry.input.input] = _row_sql(entry, case)
    return case.rows[entry.input.input]


def _row_sql(entry: InputPlan, case: Scope) -> RowSql:
    zero = {blank.column for blank in entry.input.blank}
    compiler = Compiler(row_scope(entry.extract, zero, case), entry.where)
    counts = compiler.truth(entry.when).sql if entry.when else exp.true()
    amount = compiler.span(entry.amount) if entry.amount else exactly(1)
    if not amount.nonnegative:
        amount = max0(amount)  # what rows say is never negative
    return RowSql(sql_of(counts), sql_of(amount.low), sql_of(amount.high), amount.scale, amount.most)


def linked_rows(entry: InputPlan, rows: str, sql: RowSql) -> str:
    """All accepted and grey rows of an input that may count, with what each says of the member's figure."""
    keys = "".join(f', coalesce("r"."{k}"::VARCHAR, r._file || \'/\' || r._row) AS key_{n}' for n, k in enumerate((*entry.input.per, *entry.input.count)))
    return f"""
        SELECT DISTINCT l.case_id, l.member_no, l.person_id, l.extract, l.file, l.row, l.status, l.score, r._as_of AS as_of, m.presence,
               coalesce(l.status = 'accepted' AND ({sql.counts}), FALSE) AS sure,
               {sql.low} AS row_low, {sql.high} AS row_high{keys}
        FROM links l
        JOIN {rows} r ON l.file = r._file AND l.row = r._row
        JOIN case_values c ON l.case_id = c.case_id
        JOIN members m ON l.case_id = m.case_id AND l.member_no = m.member_no AND m.presence <> 'out'
        WHERE l.extract = '{entry.extract.extract}' AND l.status <> 'rejected' AND ({sql.counts}) IS NOT FALSE
    """


def case_rows(entry: InputPlan, rows: str, sql: RowSql, key: str) -> str:
    """All rows of an input that lie under the case's own number: no link is asked for."""
    keys = "".join(f', coalesce("r"."{k}"::VARCHAR, r._file || \'/\' || r._row) AS key_{n}' for n, k in enumerate((*entry.input.per, *entry.input.count)))
    known = f"({_known(entry)})" if entry.amount else "TRUE"
    return f"""
        SELECT c.case_id, 0 AS member_no, NULL::VARCHAR AS person_id, '{entry.extract.extract}' AS extract, r._file AS file, r._row AS row,
               'accepted' AS status, NULL::BIGINT AS score, r._as_of AS as_of, 'certain' AS presence,
               coalesce(({sql.counts}), FALSE) AS sure, {known} AS known, {sql.low} AS row_low, {sql.high} AS row_high{keys}
        FROM {rows} r JOIN case_values c ON r."{key}" = c.own_id
        WHERE ({sql.counts}) IS NOT FALSE
    """


def _known(entry: InputPlan) -> str:
    """Whether every column that the amount reads has a value, before a stated blank became zero."""
    assert entry.amount is not None
    read = [page.column for page in entry.extract.columns if page.column in entry.amount.names]
    return " AND ".join(f'r."{name}" IS NOT NULL' for name in read) or "TRUE"


def member_fact(entry: InputPlan, rows: str) -> str:
    """Sum an input's rows for each member: low, high (NULL: no bound), has (TRUE, NULL, and absent for FALSE), given.

    `given` is the smallest low that is possible if at least one row is theirs: a fact that decides which rule applies.
    """
    low = "CASE WHEN sure THEN row_low ELSE 0 END"
    grouped = rows
    if entry.input.keep == "highest":
        keys = ", ".join(f"key_{n}" for n in range(len(entry.input.per)))
        grouped = f"""(SELECT case_id, member_no, {keys}, max({low}) AS low, bool_or(sure) AS sure, min(row_low) AS row_low,
                       CASE WHEN bool_or(row_high IS NULL) THEN NULL ELSE max(row_high) END AS row_high
                       FROM {rows} GROUP BY case_id, member_no, {keys})"""
        low = "low"
    return f"""
        SELECT case_id, member_no, sum({low})::HUGEINT AS low,
               CASE WHEN bool_or(row_high IS NULL) THEN NULL ELSE sum(row_high)::HUGEINT END AS high,
               CASE WHEN bool_or(sure) THEN TRUE END AS has,
               CASE WHEN bool_or(sure) THEN sum({low}) ELSE min(row_low) END::HUGEINT AS given
        FROM {grouped} GROUP BY case_id, member_no
    """


def counted_fact(entry: InputPlan, rows: str) -> str:
    """Count the distinct things among all members' rows: surely theirs, and possibly theirs."""
    keys = ", ".join(f"key_{n}" for n in range(len(entry.input.per), len(entry.input.per) + len(entry.input.count)))
    return f"""
        SELECT case_id, count(*) FILTER (WHERE surely)::HUGEINT AS low, count(*)::HUGEINT AS high
        FROM (SELECT case_id, {keys}, bool_or(sure AND presence = 'certain') AS surely FROM {rows} GROUP BY case_id, {keys})
        GROUP BY case_id
    """


def no_rows(entry: InputPlan) -> str:
    """An extract that gives nothing tonight: its columns without a row."""
    columns = "".join(f', NULL::{_TYPES.get(page.type, "VARCHAR")} AS "{page.column}"' for page in entry.extract.columns)
    return f"(SELECT NULL::VARCHAR AS _file, NULL::INTEGER AS _row, NULL::DATE AS _as_of{columns} WHERE FALSE)"

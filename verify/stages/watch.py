"""Watch: every alert that the rule book asks for, each with the row behind it.

An alert comes from a finding of the grouping, from a condition on an accepted row, or from a condition on the case's
values; a condition raises its alert only where it holds for certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from verify.fact_rows import row_scope
from verify.formulas_compiler import Compiler, Scope
from verify.layers import sql_of
from verify.model import Arrived, Table
from verify.parts import known_rows_in
from verify.plan import AlertPlan, Plan
from verify.rule_extracts import Extract
from verify.rule_files import Alert
from verify.store import Store, quoted

_SHAPE = "case_id VARCHAR, member_no INTEGER, alert VARCHAR, since DATE, extract VARCHAR, file VARCHAR, row INTEGER"


def alerts(store: Store, arrived: Arrived, plan: Plan, *, layers: tuple[Scope, Scope], work: Path) -> Table:
    """Write `alerts`: case_id, member_no (0: the case as a whole), alert, since, extract, file, row; one line a cause.

    Reads `findings`, `case_values`, `household_values`, `links`, `members`; `layers` are those of cases and households.
    """
    store.run(f"CREATE OR REPLACE TABLE raised ({_SHAPE})")
    for alert, sql in _queries(store, arrived, plan, layers):
        store.run(f"INSERT INTO raised {_once(alert, sql)}")
    path = work / "alerts.parquet"
    return Table(path, store.save("SELECT DISTINCT * FROM raised ORDER BY case_id, member_no, alert, since, extract, file, row", path))


def _queries(store: Store, arrived: Arrived, plan: Plan, layers: tuple[Scope, Scope]) -> Iterator[tuple[Alert, str]]:
    """Each alert and what raises it; those are left out, most of them where it is one case's, that nothing there is can raise."""
    case, household = layers
    conditions = {alert.alert.alert: alert for alert in plan.alerts}
    found = {finding for (finding,) in store.rows("SELECT DISTINCT finding FROM findings")}
    linked = {extract for (extract,) in store.rows("SELECT DISTINCT extract FROM links WHERE status = 'accepted'")}
    for alert in plan.book.alerts:
        if alert.each == "finding":
            finding = alert.finding or ""
            if finding in found:
                yield alert, f"SELECT case_id, member_no, {quoted(alert.alert)}, since, extract, file, row FROM findings WHERE finding = {quoted(finding)}"
        elif alert.each == "row":
            extract = conditions[alert.alert].extract
            assert extract is not None, "rule_checks refuses an alert on rows without an extract"
            known = arrived.known[extract.extract]
            if extract.extract in linked and known.parts and known.usable:
                yield alert, _from_rows(known_rows_in(store, known.parts), extract, conditions[alert.alert], case)
        else:
            yield alert, _from_cases(conditions[alert.alert], household)


def _once(alert: Alert, sql: str) -> str:
    """One line a case where the alert is of the case as a whole."""
    if not alert.one_a_case:
        return sql
    order = "ORDER BY since, extract, file, row, member_no"
    return f"SELECT case_id, 0, alert, since, extract, file, row FROM ({sql}) AS t({_names()}) QUALIFY row_number() OVER (PARTITION BY case_id {order}) = 1"


def _names() -> str:
    return ", ".join(part.split(" ")[0] for part in _SHAPE.split(", "))


def _from_rows(rows: str, extract: Extract, plan: AlertPlan, case: Scope) -> str:
    """Accepted rows of members who may count, on which the condition holds."""
    truth = sql_of(Compiler(row_scope(extract, (), case), plan.where).truth(plan.when).sql)
    since = f'r."{plan.alert.since}"' if plan.alert.since else "NULL::DATE"
    return f"""
        SELECT l.case_id, l.member_no, {quoted(plan.alert.alert)}, {since}, l.extract, l.file, l.row
        FROM links l JOIN {rows} r ON l.file = r._file AND l.row = r._row
        JOIN case_values c ON l.case_id = c.case_id
        JOIN members m ON l.case_id = m.case_id AND l.member_no = m.member_no AND m.presence <> 'out'
        WHERE l.extract = {quoted(extract.extract)} AND l.status = 'accepted' AND ({truth})
    """


def _from_cases(plan: AlertPlan, household: Scope) -> str:
    """Cases whose values make the condition certain."""
    truth = sql_of(Compiler(household, plan.where).truth(plan.when).sql)
    return f"SELECT case_id, 0, {quoted(plan.alert.alert)}, NULL::DATE, NULL, NULL, NULL FROM household_values WHERE {truth}"

"""What intervals cost: every value of the rule book for made-up households, compiled, against hand-written SQL of points.

    python -m bench.rules.against_sql [--households 1000000]

Both read the same columns of facts, all of them exact, 2.4 members a household. The compiled side works out both bounds of every derived
value of members and households, and all thirteen tests; the hand-written side the same values and tests as single numbers. Members keep their facts
beside their values, as in a night; of households only what was worked out is written, on both sides. Finding out how large the facts are, so
that 64 bits will do, is counted. The results must be identical. CPU seconds, the best of three runs of each, one after the other in one
process. Reading, linking, evidence and the list of what is needed are not part of it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from verify import fact_values, layers
from verify.formulas_compiler import Scope
from verify.plan import Plan, make_plan
from verify.rule_checks import compile_all
from verify.rulebook import load_rulebook
from verify.settings import rules_folder
from verify.store import Store, open_store

AS_OF = date(2026, 11, 20)
VALUES = {"line_urban_month": 80000, "line_rural_year": 636000, "margin_multiple": 15, "minimum_wage_month": 187000, "disposable_income_year": 4300000,
          "wage_share_counted": 90, "resident_pension_share": 0, "financial_months": 24, "financial_months_rigid": 36, "vehicles_allowed": 0,
          "dwellings_allowed": 1, "premises_allowed": 0, "companies_allowed": 0, "supporters_allowed": 0, "rigid_ratio": 60, "elderly_age": 60,
          "child_age": 16, "minor_age": 18, "declared_short_share": 10, "declared_short_month": 10000}  # fmt: skip
COUNTS = ("vehicles", "dwellings", "premises", "companies", "supporters")
HAND = """
WITH m AS (
  SELECT case_id, CASE WHEN taxed_wage > 0 THEN taxed_wage ELSE insured_base END AS wage, taxed_business, property_income, transfer, own_medical,
         deposits, securities, provident_fund, age >= 60 OR age < 16 OR severe_card > 0 AS fits
  FROM point_members
), s AS (
  SELECT case_id, count(*) AS n, sum(wage * 90 // 100) AS wage, sum(taxed_business) AS business, sum(property_income) AS property,
         sum(transfer) AS transfer, sum(own_medical) AS medical, sum(deposits) + sum(securities) + sum(provident_fund) AS assets, bool_and(fits) AS fits
  FROM m GROUP BY case_id
), h AS (
  SELECT s.*, p.* EXCLUDE (case_id), greatest(wage, declared_wage * 12) + greatest(business, declared_business * 12)
         + greatest(property, declared_property * 12) + greatest(s.transfer, declared_transfer * 12) AS income,
         greatest(assets, declared_financial) AS financial
  FROM s JOIN point_cases p USING (case_id)
)
SELECT case_id, n, income, financial, medical, n = 1 AS one_member, n = 1 AND fits AS age_or_card, supporters <= 0 AS no_supporter,
       income < 80000 * 12 * n AS income_below_line, income * 10 < 15 * 80000 * 12 * n AS income_below_margin,
       income < 4300000 * n AS income_below_disposable, medical * 100 >= 60 * greatest(income, 100) AS medical_ratio,
       financial <= 24 * 80000 * n AS financial_within, financial <= 36 * 80000 * n AS financial_within_rigid,
       vehicles <= 0 AS no_vehicle, dwellings <= 1 AS one_dwelling, premises <= 0 AS no_premises, companies <= 0 AS no_company
FROM h
"""


def facts(store: Store, plan: Plan, households: int) -> None:
    """Made-up facts: as single numbers, and as pairs of equal bounds."""
    member = [e.input.input for e in plan.inputs_of("member")]
    case = [e.input.input for e in plan.inputs_of("case") if e.input.input not in COUNTS]

    def amount(name: str, key: str, most: int) -> str:
        return f"(CASE WHEN hash({key}, '{name}') % 3 = 0 THEN hash({key}, '{name}x') % {most} ELSE 0 END * 10)::BIGINT AS {name}"

    flags = {"business_inside", "operator", "severe_card"}
    items = ", ".join(amount(n, "k", 200_000) if n not in flags else f"(hash(k, '{n}') % 20 = 0 AND '{n}' = 'severe_card')::BIGINT AS {n}" for n in member)
    people = f"SELECT c AS case_id, i AS member_no, c * 8 + i AS k FROM range({households}) h(c), range(4) r(i) WHERE i < 1 + hash(c) % 4"
    store.table("point_members", f"SELECT case_id, member_no, (hash(k) % 90)::BIGINT AS age, {items} FROM ({people})")
    items = ", ".join([*(amount(n, "c", 20_000) for n in case), *(f"(hash(c, '{n}') % 2)::BIGINT AS {n}" for n in COUNTS)])
    store.table("point_cases", f"SELECT c AS case_id, {items} FROM range({households}) h(c)")
    known = compile_all(plan)[1].names
    at = {n: f"({n}* {10 ** max(0, known[n].scale - 2)})" for n in member}  # type: ignore[union-attr]
    asked = {n: f', {n} > 0 AS "{n}__has__truth", {at[n]} AS "{n}__given"' for n in fact_values.asked_for(plan)}
    pairs = ", ".join(f'{at[n]} AS "{n}__low", {at[n]} AS "{n}__high"{asked.get(n, "")}' for n in member)
    store.table("facts_of_members", f"SELECT case_id, member_no, 'certain' AS presence, age, NULL::VARCHAR AS relation, {pairs} FROM point_members")
    own = ", ".join(f'{n} AS "{n}__low", {n} AS "{n}__high", TRUE AS "{n}__has__truth"' for n in [*case, *COUNTS])
    store.table("facts_of_cases", f"SELECT case_id, {own} FROM point_cases")
    count = "SELECT case_id, count(*)::BIGINT AS members_low, count(*)::BIGINT AS members_high, FALSE AS open_upwards FROM point_members GROUP BY case_id"
    store.table("cases", f"SELECT *, '城镇' AS area FROM ({count})")


def compiled(store: Store, plan: Plan, names: tuple[Scope, Scope, Scope]) -> str:
    """The levels of the plan one after the other, as `assess` runs them; the query of the last."""
    case, member_names, household_names = names
    sizes = _sizes(store, plan)
    store.table("case_values", "FROM cases")
    layer = layers.case_scope(plan, dict.fromkeys(plan.book.parameters, 0) | VALUES)  # one value for all cases: a number in the queries, as in a night
    for level in plan.levels["case"]:
        store.table("case_values", layers.level_sql("case_values", level, layer))
    member = Scope(layers.named(layer.names, fact_values.own_names()), member_names.has, member_names.given)
    for entry in plan.inputs_of("member"):
        fact_values.know_input(entry, member, case, most=sizes[entry.input.input])
    ours = "".join(f', c."{name}"' for name in layers.columns_of(layer))
    members = f"SELECT f.*{ours} FROM facts_of_members f JOIN case_values c USING (case_id)"
    for level in plan.levels["member"]:
        members = layers.level_sql(f"({members})", level, member)
    store.table("member_values", members)
    household = Scope(layers.named(layer.names, {"members": fact_values.member_count(sizes[""])}), household_names.has)
    for entry in (*plan.inputs_of("household"), *plan.inputs_of("case")):
        fact_values.know_input(entry, household, case, most=sizes[entry.input.input])
    store.table("sums", fact_values.sums_sql(plan, member, household, sizes[""]))
    joined = "SELECT c.*, s.* EXCLUDE (case_id), f.* EXCLUDE (case_id) FROM case_values c JOIN sums s USING (case_id) JOIN facts_of_cases f USING (case_id)"
    for level in plan.levels["household"]:
        joined = layers.level_sql(f"({joined})", level, household)
    ends = {True: ("truth",), False: ("low", "high")}
    made = [f"{rule.rule.rule}__{end}" for rule in plan.rules("household") for end in ends[rule.rule.type == "test"]]
    asked = f"SELECT case_id, {', '.join(made)} FROM ({joined})"
    store.table("household_values", asked)
    return asked


def _sizes(store: Store, plan: Plan) -> dict[str, int]:
    """What a night measures first (`fact_values.sizes_sql`): the largest number of each fact, and the most members."""
    found = {"": store.one("SELECT max(members_high) FROM cases")}
    for table, of in (("facts_of_members", ("member",)), ("facts_of_cases", ("household", "case"))):
        names = [entry.input.input for each in of for entry in plan.inputs_of(each)]
        most = ", ".join(f'max(greatest("{n}__low", "{n}__high"))' for n in names)
        found |= dict(zip(names, store.rows(f"SELECT {most} FROM {table}")[0], strict=True))
    return found


def main() -> None:
    """Print the figures; fail where the two differ."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--households", type=int, default=1_000_000)
    households = asked.parse_args().households
    plan = make_plan(load_rulebook(rules_folder()), AS_OF)
    names = compile_all(plan)
    with tempfile.TemporaryDirectory() as work, open_store(Path(work), memory="6GB") as store:
        facts(store, plan, households)
        spent: dict[str, list[float]] = {"compiled, intervals": [], "by hand, points": []}
        for _ in range(3):
            started = time.process_time()
            store.table("by_hand", HAND)
            middle = time.process_time()
            compiled(store, plan, names)
            spent["by hand, points"].append(middle - started)
            spent["compiled, intervals"].append(time.process_time() - middle)
        tests = " OR ".join(f'h.{name} IS DISTINCT FROM v."{name}__truth"' for name in plan.book.decision.columns)
        differ = store.one(f"SELECT count(*) FROM by_hand h JOIN household_values v USING (case_id) WHERE {tests}")
        best = {name: min(each) for name, each in spent.items()}
        for name, seconds in best.items():
            print(f"  {name:22} {seconds:7.2f} CPU s for {households:,} households")
        print(f"  ratio {best['compiled, intervals'] / best['by hand, points']:.1f}; households that differ in any test: {differ}")
        if differ:
            for name in plan.book.decision.columns:
                apart = store.one(f'SELECT count(*) FROM by_hand h JOIN household_values v USING (case_id) WHERE h.{name} IS DISTINCT FROM v."{name}__truth"')
                print(f"  {name}: {apart}")
        sys.exit(differ > 0)


if __name__ == "__main__":
    main()

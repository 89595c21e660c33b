"""What other rule engines cost: the same point program by our SQL, by OpenFisca-core and by zen-engine, in one run.

    python -m venv bench-env && bench-env/bin/pip install -r requirements.txt openfisca-core zen-engine
    bench-env/bin/python -m bench.rules.against_engines [--households 1000000]

The program: a household's income and assets, the thirteen tests of the reference county and its category, from sums over its members that
are given. Ours is the compiled rule book with both bounds of every value, and the same program written by hand as points. OpenFisca is
given 64-bit integers (its own are of 32 bits: 1.5 million fen times 1,500 overflows unseen); zen-engine runs a tenth of the households through
its static loader, its fastest way. Every category and test must be identical. CPU seconds a million households, the best of two.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zen
from openfisca_core import entities, parameters, periods, simulations, taxbenefitsystems, variables
from openfisca_core.variables import config

from bench.rules.against_sql import AS_OF, compiled, facts
from verify.plan import Plan, make_plan
from verify.rule_checks import compile_all
from verify.rulebook import load_rulebook
from verify.settings import rules_folder
from verify.store import Store, open_store, read_frame

GIVEN = """
WITH m AS (SELECT case_id, CASE WHEN taxed_wage > 0 THEN taxed_wage ELSE insured_base END AS wage, taxed_business, property_income, transfer, own_medical,
                  deposits, securities, provident_fund, age >= 60 OR age < 16 OR severe_card > 0 AS fits FROM point_members)
SELECT case_id, count(*)::BIGINT AS n, sum(wage * 90 // 100)::BIGINT AS wage, sum(taxed_business)::BIGINT AS business,
       sum(property_income)::BIGINT AS property, sum(transfer)::BIGINT AS moved, sum(own_medical)::BIGINT AS medical,
       (sum(deposits) + sum(securities) + sum(provident_fund))::BIGINT AS assets, bool_and(fits)::BIGINT AS fits, p.* EXCLUDE (case_id)
FROM m JOIN (SELECT *, case_id % 96 AS county FROM point_cases) p USING (case_id) GROUP BY ALL ORDER BY case_id
"""
PROGRAM = {  # in the order in which they are worked out; each line is read by all three but for what max and and are called
    "income": "max(wage, declared_wage * 12) + max(business, declared_business * 12)"
    " + max(property, declared_property * 12) + max(moved, declared_transfer * 12)",
    "financial": "max(assets, declared_financial)",
    "one_member": "n == 1",
    "age_or_card": "n == 1 and fits == 1",
    "no_supporter": "supporters <= 0",
    "income_below_line": "income < line * 12 * n",
    "income_below_margin": "income * 10 < line * 180 * n",
    "income_below_disposable": "income < disposable * n",
    "medical_ratio": "medical * 100 >= 60 * max(income, 100)",
    "financial_within": "financial <= line * 24 * n",
    "financial_within_rigid": "financial <= line * 36 * n",
    "no_vehicle": "vehicles <= 0",
    "one_dwelling": "dwellings <= 1",
    "no_premises": "premises <= 0",
    "no_company": "companies <= 0",
}
AMOUNTS = ("income", "financial")
LAW = {"line": 80_000, "disposable": 4_300_000}  # in fen; each of 96 counties has its own entry, and so that all can be compared the same amount
COUNTIES = 96


def rows_of_the_table(plan: Plan) -> list[list[str]]:
    """The tests that each row of the decision table asks for."""
    table = plan.book.decision
    return [[name for name, cell in zip(table.columns, row.when, strict=True) if cell == "pass"] for row in table.rows]


def program_in(text: str, *, largest: str, both: str) -> str:
    """A line of the program as another language writes it."""
    return text.replace("max(", f"{largest}(").replace(" and ", f" {both} ")


# --- ours -------------------------------------------------------------------------------------------------------------


def by_hand(store: Store, plan: Plan) -> Callable[[], None]:
    """The program as one query over points."""
    texts = {name: program_in(text, largest="greatest", both="AND").replace("==", "=") for name, text in PROGRAM.items()}
    first = ", ".join(f"{texts[name]} AS {name}" for name in AMOUNTS)
    tests = ", ".join(f"{text} AS {name}" for name, text in texts.items() if name not in AMOUNTS)
    rows = " ".join(f"WHEN {' AND '.join(row)} THEN {at}" for at, row in enumerate(rows_of_the_table(plan), 1))
    sql = f"SELECT *, CASE {rows} ELSE 0 END AS category FROM (SELECT *, {tests} FROM (SELECT *, {first} FROM given JOIN law USING (county)))"
    store.table("law", f"SELECT c AS county, {', '.join(f'{v}::BIGINT AS {n}' for n, v in LAW.items())} FROM range({COUNTIES}) r(c)")
    return lambda: store.table("by_hand", sql)


def by_rules(store: Store, plan: Plan) -> Callable[[], None]:
    """The rule book's own household levels, both bounds, from the same sums; `compiled` has made the tables they read."""
    sql = compiled(store, plan, compile_all(plan))
    return lambda: store.table("by_rules", sql)


# --- theirs -----------------------------------------------------------------------------------------------------------


def by_openfisca(columns: dict[str, Any], plan: Plan) -> Callable[[], dict[str, Any]]:
    """The program as variables with numpy formulas; the system is built before, the simulation is part of it."""
    config.VALUE_TYPES[int]["dtype"] = np.int64
    person = entities.build_entity("person", "persons", "", is_person=True)
    household = entities.build_entity("household", "households", "", roles=[{"key": "member"}])
    system = taxbenefitsystems.TaxBenefitSystem([person, household])
    forever = periods.DateUnit.ETERNITY
    dated = {name: {f"c{at}": {"values": {"2024-01-01": value}} for at in range(COUNTIES)} for name, value in LAW.items()}
    system.parameters = parameters.ParameterNode("", data=dated)
    zones = np.array([f"c{at}" for at in range(COUNTIES)])[columns["county"]]

    def variable(name: str, formula: Any = None) -> None:
        body = {"value_type": int, "entity": household, "definition_period": forever, "label": name}
        system.add_variable(type(name, (variables.Variable,), body | ({"formula": formula} if formula else {})))

    def worked_out(text: str) -> Any:
        code = compile(text, "<program>", "eval")
        used = [name for name in code.co_names if name != "maximum"]
        return lambda of, period: eval(code, {"maximum": np.maximum}, {name: of(name, period) for name in used}) * 1

    for name in columns:
        variable(name)
    for name in LAW:
        variable(name, lambda _of, _period, law, name=name: getattr(law("2026-11-20"), name)[zones])
    for name, text in PROGRAM.items():
        variable(name, worked_out(" & ".join(f"({part})" for part in text.replace("max(", "maximum(").split(" and "))))
    rows = [" & ".join(row) for row in rows_of_the_table(plan)]
    chosen = "0"
    for at, row in reversed(list(enumerate(rows, 1))):
        chosen = f"(({row}) * {at} + (1 - ({row})) * ({chosen}))"
    variable("category", worked_out(chosen))

    def run() -> dict[str, Any]:
        builder = simulations.SimulationBuilder()
        simulation = builder.build_default_simulation(system, count=len(columns["n"]))
        for name, values in columns.items():
            simulation.set_input(name, "2026-11", values)
        return {name: simulation.calculate(name, "2026-11") for name in (*PROGRAM, "category")}

    return run


def by_zen(given: list[dict[str, int]], plan: Plan) -> Callable[[], list[dict[str, Any]]]:
    """The program as one expression node, loaded once, asked a household at a time."""
    lines = [(name, program_in(text, largest="@", both="and")) for name, text in PROGRAM.items()]
    rows = rows_of_the_table(plan)
    chosen = " : ".join([*(f"{' and '.join(f'$.{name}' for name in row)} ? {at}" for at, row in enumerate(rows, 1)), "0"])
    expressions = [{"id": name, "key": name, "value": _zen(text)} for name, text in lines] + [{"id": "c", "key": "category", "value": chosen}]
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode", "position": {"x": 0, "y": 0}},
        {"id": "ex", "name": "ex", "type": "expressionNode", "position": {"x": 0, "y": 0}, "content": {"expressions": expressions}},
        {"id": "out", "name": "out", "type": "outputNode", "position": {"x": 0, "y": 0}},
    ]
    edges = [{"id": f"{a}{b}", "sourceId": a, "targetId": b, "type": "edge"} for a, b in (("in", "ex"), ("ex", "out"))]
    text = json.dumps({"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges})
    engine = zen.ZenEngine({"loader": lambda _key: text})
    decision = engine.get_decision("program")
    return lambda: [decision.evaluate(one)["result"] for one in given]


def _zen(text: str) -> str:
    """Names worked out before are `$.name`; the greater of two is `max([a, b])`."""
    for name in AMOUNTS:
        text = " ".join(f"$.{word}" if word == name else word.replace(f"@({name},", f"@($.{name},") for word in text.split(" "))
    parts = text.split("@(")
    return parts[0] + "".join("max([" + part.replace(")", "])", 1) for part in parts[1:])


# --- the run ----------------------------------------------------------------------------------------------------------


def best(run: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of the better of two runs, and what it gave."""
    spent = []
    for _ in range(2):
        started = time.process_time()
        found = run()
        spent.append(time.process_time() - started)
    return min(spent), found


def main() -> None:
    """Print the figures; fail where one result differs."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--households", type=int, default=1_000_000)
    count = asked.parse_args().households
    plan = make_plan(load_rulebook(rules_folder()), AS_OF)
    with tempfile.TemporaryDirectory() as work, open_store(Path(work), memory="6GB") as store:
        facts(store, plan, count)
        store.table("given", GIVEN)
        hand, _ = best(by_hand(store, plan))
        rules, _ = best(by_rules(store, plan))
        differ = " OR ".join(f'h.{name} IS DISTINCT FROM r."{name}__truth"' for name in plan.book.decision.columns)
        wrong = store.one(f"SELECT count(*) FROM by_hand h JOIN by_rules r USING (case_id) WHERE {differ}")
        store.save("FROM by_hand ORDER BY case_id", Path(work) / "right.parquet")
        right = read_frame(Path(work) / "right.parquet")
    names = [name for name in right.columns if name not in (*PROGRAM, *LAW, "category", "case_id")]
    columns = {name: right[name].to_numpy().astype(np.int64) for name in names}
    fisca, found = best(by_openfisca(columns, plan))
    wrong += sum(int((right[name].cast(int).to_numpy() != found[name]).sum()) for name in (*PROGRAM, "category"))
    tenth = right.head(count // 10)
    zens, said = best(by_zen(tenth.select([*names, *LAW]).to_dicts(), plan))
    wrong += sum(one[name] != two[name] for one, two in zip(tenth.to_dicts(), said, strict=True) for name in (*PROGRAM, "category"))
    spent = {"by hand, points": hand / count, "rule book, bounds": rules / count, "OpenFisca-core": fisca / count, "zen-engine": zens / (count // 10)}
    for label, each in spent.items():
        beside = f"{each / spent['by hand, points']:6.1f} × by hand, {each / spent['rule book, bounds']:6.1f} × the rule book"
        print(f"  {label:18} {each * 1_000_000:8.2f} CPU s a million households; {beside}")
    print(f"  results that differ: {wrong}")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()

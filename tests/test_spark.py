"""The household levels of the rule book say the same on Spark: the same SQL by sqlglot, 128-bit whole numbers as DECIMAL(38, 0).

Skipped where PySpark is not installed (`pip install '.[spark]'`; it needs Java): it takes half a minute to start and is no part of a night.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from tests.small_county import plan
from verify import fact_values, layers
from verify.formulas_compiler import Scope
from verify.formulas_spans import Span
from verify.rule_checks import compile_all
from verify.store import open_store

spark_sql = pytest.importorskip("pyspark.sql", reason="PySpark is not installed: pip install '.[spark]' (and Java) to hold Spark against DuckDB")
HOUSEHOLDS = 400


def household_sql() -> tuple[str, list[str], dict[str, int]]:
    """All household levels over a table `base`, the columns that they read of it, and the most that each amount can be."""
    ordered = plan()
    case, member, known = compile_all(ordered)
    names = {**case.names, "members": fact_values.member_count(), **{name: known.names[name] for name in ordered.inputs if name in known.names}}
    layer = Scope(names, known.has)
    fact_values.know_sums(ordered, member, layer)
    sql = "base"
    for level in ordered.levels["household"]:
        sql = f"({layers.level_sql(sql, level, layer)})"
    made = {f"{rule.rule.rule}__{end}" for rule in ordered.rules("household") for end in ("low", "high", "truth")}
    read = {column.name for column in sqlglot.parse_one(f"SELECT * FROM {sql}", read="duckdb").find_all(exp.Column)}
    most = {name: known.most for name, known in layer.names.items() if isinstance(known, Span)}
    return f"SELECT * FROM {sql}", sorted(read - made), most


def cells(columns: list[str], most: dict[str, int], draw: Random) -> Iterator[str]:
    """One made-up household: bounds that are equal, apart or missing, none beyond the most it can be, and answers of three values."""
    drawn: dict[str, int] = {}
    for name in columns:
        if name == "area":
            yield draw.choice(["'城镇'", "'农村'", "NULL::VARCHAR"])
        elif name.endswith("__truth"):
            yield draw.choice(["TRUE", "FALSE", "NULL::BOOLEAN"])
        elif name.endswith(("_low", "__low")):
            limit = most.get(name.removesuffix("low").rstrip("_"), 50_000_00)
            drawn[name[:-3]] = min(limit, draw.choice((0, 1, 2, draw.randint(0, 50_000_00))))
            yield f"{drawn[name[:-3]]}::HUGEINT"
        else:
            low = drawn.get(name[:-4], 0)
            high = min(most.get(name.removesuffix("high").rstrip("_"), 60_000_00), low + draw.randint(0, 9_000_00))
            yield draw.choice([f"{low}::HUGEINT", f"{high}::HUGEINT", "NULL::HUGEINT"])


def on_spark(sql: str) -> str:
    """The same query for Spark."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    for kind in list(tree.find_all(exp.DataType)):
        if kind.this == exp.DataType.Type.INT128:
            kind.replace(exp.DataType.build("DECIMAL(38,0)"))
    return tree.sql(dialect="spark")


def plain(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else value


def test_every_household_value_of_400_made_up_households_is_the_same_on_spark() -> None:
    sql, columns, most = household_sql()
    columns = sorted(columns, key=lambda name: (name.removesuffix("_low").removesuffix("_high"), name.endswith("high")))
    draw = Random(1)
    lines = ["(" + ", ".join([str(at), *cells(columns, most, draw)]) + ")" for at in range(HOUSEHOLDS)]
    listed = ", ".join(f'"{name}"' for name in columns)
    with tempfile.TemporaryDirectory() as work, open_store(Path(work)) as store:
        store.table("base", f"FROM (VALUES {', '.join(lines)}) AS t(place, {listed})")
        made = [row[0] for row in store.rows(f"DESCRIBE {sql}")]
        expected = [tuple(map(plain, row)) for row in store.rows(f"{sql} ORDER BY place")]
        wide = ", ".join(f'"{name}"::DECIMAL(38,0) AS "{name}"' for name in columns if name.endswith(("_low", "_high")))
        store.run(f"COPY (SELECT * REPLACE ({wide}) FROM base) TO '{work}/base.parquet' (FORMAT parquet)")
        session = spark_sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.ansi.enabled", "true").getOrCreate()
        try:
            session.read.parquet(f"{work}/base.parquet").createOrReplaceTempView("base")
            found = session.sql(f"{on_spark(sql)} ORDER BY place")
            assert found.columns == made
            said = [tuple(map(plain, row)) for row in found.collect()]
        finally:
            session.stop()
    pairs = [(name, one, two) for a, b in zip(expected, said, strict=True) for name, one, two in zip(made, a, b, strict=True)]
    assert [pair for pair in pairs if pair[1] != pair[2]][:5] == []
    assert len(made) > 60

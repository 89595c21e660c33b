"""Splink 5, tuned, on the same normalised lists: PYTHON bench/linkage/splink_people.py FOLDER (an interpreter with the extras of `bench`).

Tuned as the research page describes: pinyin, distances that know that DuckDB counts bytes (three to a character), the window of
the old calendar, term frequencies, ten blocking rules, u from a million random pairs. Stands alone: its interpreter need not
have this project.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import duckdb
import numpy as np
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from bench.linkage.measures import best, calibration, counted, cpu, emit

COLUMNS = """row_number() OVER () AS unique_id, pid, id AS ident, CASE WHEN length(id) = 18 THEN id END AS id18, name AS nm, sound AS py, surname AS sn,
    strftime(birth, '%Y-%m-%d') AS dob, birth AS dobn, phone AS ph, sex AS sx, county AS cty, concat(town, place, coalesce(house, '')) AS adr,
    substr(id, 1, 14) AS id14, substr(id, 7) AS idtail, year(birth) AS yr"""


def comparison(name: str, conditions: list[tuple[str, str]], frequency: str | None = None) -> Any:
    """A comparison of SQL levels; the first is the null level, the second may be weighed by how common its value is."""
    made = [levels.CustomLevel(sql_condition=sql, label_for_charts=label) for sql, label in conditions]
    made[0] = made[0].configure(is_null_level=True)
    if frequency:
        made[1] = made[1].configure(tf_adjustment_column=frequency)
    return comparisons.CustomComparison(output_column_name=name, comparison_levels=[*made, levels.ElseLevel()])


def settings() -> Any:
    """The tuned model."""
    ident = [("ident_l IS NULL OR ident_r IS NULL", "null"), ("ident_l = ident_r", "equal"), ("damerau_levenshtein(ident_l, ident_r) <= 1", "1")]
    ident += [("damerau_levenshtein(ident_l, ident_r) <= 2", "2"), ("id14_l = id14_r", "region and birth")]
    one = "levenshtein(nm_l, nm_r) <= 3"
    name = [("nm_l IS NULL OR nm_r IS NULL", "null"), ("nm_l = nm_r", "equal"), ("py_l = py_r", "pinyin")]
    name += [(f"sn_l = sn_r AND length(nm_l) = length(nm_r) AND {one}", "1 of surname"), (one, "1"), ("levenshtein(py_l, py_r) <= 2", "pinyin 2")]
    name += [("sn_l = sn_r", "surname")]
    swap = "year(dobn_l) = year(dobn_r) AND month(dobn_l) = day(dobn_r) AND day(dobn_l) = month(dobn_r)"
    birth = [("dob_l IS NULL OR dob_r IS NULL", "null"), ("dob_l = dob_r", "equal"), (f"damerau_levenshtein(dob_l, dob_r) <= 1 OR ({swap})", "1 or swap")]
    birth += [("abs(dobn_l - dobn_r) <= 60 OR year(dobn_l) = year(dobn_r)", "60 days or year"), ("abs(year(dobn_l) - year(dobn_r)) <= 2", "2 years")]
    sex = [("sx_l IS NULL OR sx_r IS NULL", "null"), ("sx_l = sx_r", "equal")]
    phone = [("ph_l IS NULL OR ph_r IS NULL", "null"), ("ph_l = ph_r", "equal"), ("damerau_levenshtein(ph_l, ph_r) <= 1", "1")]
    close = "adr_l[:12] = adr_r[:12] OR jaro_winkler_similarity(adr_l, adr_r) >= 0.95"
    address = [("adr_l IS NULL OR adr_r IS NULL OR adr_l = '' OR adr_r = ''", "null"), ("adr_l = adr_r", "equal"), (close, "close")]
    address += [("adr_l[:6] = adr_r[:6]", "town")]
    keys = [("ident",), ("nm", "dob"), ("py", "yr"), ("ph",), ("id14",), ("idtail",), ("dob", "sn", "sx"), ("nm", "adr"), ("dob", "adr"), ("py", "cty", "sx")]
    return SettingsCreator(
        link_type="link_only",
        additional_columns_to_retain=["pid"],
        em_convergence=0.001,
        comparisons=[
            comparison("id", ident),
            comparison("name", name, "nm"),
            comparison("birth", birth),
            comparison("sex", sex),
            comparison("phone", phone),
            comparison("address", address, "adr"),
        ],
        blocking_rules_to_generate_predictions=[block_on(*key) for key in keys],
    )


def main() -> None:
    """Train, predict, and print what came of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    args = asked.parse_args()
    con = duckdb.connect()
    con.execute("SET threads=2; SET preserve_insertion_order=false")
    for side in ("left", "right"):
        con.execute(f"CREATE TABLE t_{side} AS SELECT {COLUMNS} FROM '{args.folder}/{side}.parquet'")
    api = DuckDBAPI(con)
    linker = Linker([api.register("t_left", dataset_display_name="a"), api.register("t_right", dataset_display_name="b")], settings())
    logging.getLogger("splink").setLevel(logging.ERROR)
    start = cpu()
    linker.training.estimate_probability_two_random_records_match([block_on("id18"), block_on("nm", "dob", "adr")], recall=0.93)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for key in (block_on("id18"), block_on("nm", "dob")):
        linker.training.estimate_parameters_using_expectation_maximisation(key)
    trained = cpu()
    predicted = linker.inference.predict(threshold_match_probability=0.001)
    found = con.sql(f"SELECT unique_id_r, match_weight AS w, match_probability AS p, pid_l = pid_r AS y FROM {predicted.physical_name}").fetchnumpy()
    linked = cpu()
    true = con.sql("SELECT count(*) FROM t_left JOIN t_right USING (pid)").fetchall()[0][0]
    weight, probability, same, row = (np.asarray(found[name]) for name in ("w", "p", "y", "unique_id_r"))
    order = np.lexsort((-weight, row))
    first = np.r_[True, row[order][1:] != row[order][:-1]]
    tied = np.zeros(len(order), bool)
    tied[:-1] = (row[order][1:] == row[order][:-1]) & (weight[order][1:] == weight[order][:-1])
    top = order[first & ~tied]
    sure = probability >= 0.95
    emit(
        program="splink",
        true=int(true),
        linking=round(linked - start, 2),
        predicting=round(linked - trained, 2),
        compared=len(weight),
        **{"accepted": counted(same[top[sure[top]]], true), "all pairs at .95": counted(same[sure], true), "best F1": best(weight, same, true)},
        calibration=calibration(probability, same),
    )


if __name__ == "__main__":
    main()

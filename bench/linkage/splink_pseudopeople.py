"""Splink 5 on the same two tables: PYTHON bench/linkage/splink_pseudopeople.py FOLDER {joint|separate} (an interpreter with Splink)."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import duckdb
import numpy as np
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from bench.linkage.measures import best, calibration, counted, emit


def main() -> None:
    """Train, predict, and print what came of it."""
    folder, names = Path(sys.argv[1]), sys.argv[2]
    con = duckdb.connect()
    con.execute("SET threads=2")
    for table, file, prefix in (("t_a", "census", ""), ("t_b", "w2", "mailing_address_")):
        columns = {"fn": "first_name", "mi": "middle_initial", "ln": "last_name", "sno": f"{prefix}street_number", "snm": f"{prefix}street_name"}
        chosen = ", ".join(f"nullif(lower(trim({column})), '') AS {name}" for name, column in columns.items())
        con.execute(f"CREATE TABLE {table} AS SELECT row_number() OVER () AS unique_id, simulant_id AS person, {chosen} FROM '{folder}/{file}.parquet'")
        con.execute(f"ALTER TABLE {table} ADD COLUMN full_name VARCHAR; UPDATE {table} SET full_name = concat_ws(' ', fn, ln)")
    joint = [comparisons.ForenameSurnameComparison("fn", "ln", forename_surname_concat_col_name="full_name")]
    separate = [comparisons.NameComparison("fn"), comparisons.NameComparison("ln")]
    keys = [("fn", "ln"), ("sno", "snm"), ("fn", "substr(snm,1,6)"), ("ln", "substr(snm,1,6)"), ("substr(fn,1,3)", "substr(ln,1,3)")]
    keys += [("ln", "sno"), ("fn", "sno")]
    street = comparisons.JaroWinklerAtThresholds("snm", [0.9, 0.8]).configure(term_frequency_adjustments=True)
    settings = SettingsCreator(
        link_type="link_only",
        additional_columns_to_retain=["person"],
        blocking_rules_to_generate_predictions=[block_on(*key) for key in keys],
        comparisons=[
            *(joint if names == "joint" else separate),
            comparisons.ExactMatch("mi"),
            comparisons.DamerauLevenshteinAtThresholds("sno", [1]),
            street,
        ],
    )
    api = DuckDBAPI(con)
    linker = Linker([api.register("t_a", dataset_display_name="a"), api.register("t_b", dataset_display_name="b")], settings)
    logging.getLogger("splink").setLevel(logging.ERROR)
    linker.training.estimate_probability_two_random_records_match([block_on("fn", "ln", "sno")], recall=0.75)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for key in (("fn", "ln"), ("sno", "snm")):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*key))
    predicted = linker.inference.predict()
    found = con.sql(f"SELECT match_weight AS w, match_probability AS p, person_l = person_r AS y FROM {predicted.physical_name}").fetchnumpy()
    true = int(con.sql("SELECT count(*) FROM t_a JOIN t_b USING (person)").fetchall()[0][0])
    same, probability = np.asarray(found["y"]), np.asarray(found["p"])
    sure = counted(same[probability >= 0.95], true)
    measured = {"all pairs at .95": sure, "best F1": best(np.asarray(found["w"]), same, true)}
    emit(program=f"splink {names}", true=true, compared=len(same), **measured, calibration=calibration(probability, same))


if __name__ == "__main__":
    main()

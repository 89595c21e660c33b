"""The linker on a made-up county of our own: its register against every other department's rows, by name and ID alone mostly.

    python -m bench.linkage.own_county HOME COUNTY     # a home that ran a night over COUNTY/drop; COUNTY/truth says whose each row is

The rows say less than the recipe's: most have a name and an ID and nothing else. Strict, as the reference rules are.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from bench.linkage.measures import counted, cpu, emit
from bench.linkage.ours import tables
from verify.archive import Archive
from verify.batches import known_rows, read_batches
from verify.linkage import link
from verify.linkage.people import normalised, plan_of_people
from verify.manifest import TABLES
from verify.match_model import _said
from verify.nights import newest_night
from verify.rulebook import load_rulebook
from verify.settings import open_home, rules_folder


def main() -> None:
    """Link, and hold it against the truth."""
    home, county = open_home(Path(sys.argv[1])), Path(sys.argv[2])
    book, archive = load_rulebook(rules_folder()), Archive(home.archive)
    known = read_batches(newest_night(home).folder / TABLES / "batches.parquet")
    owners = pl.read_parquet(county / "truth" / "owners.parquet").with_columns(pl.col("extract", "file", "side").cast(pl.String), pl.col("row").cast(pl.Int64))
    owners = owners.filter(pl.col("status").cast(pl.String) == "ok").select("extract", "file", "row", "side", "pid", "recoverable")
    parts: dict[bool, list[pl.DataFrame]] = {True: [], False: []}
    for code, extract in sorted(book.extracts.items()):
        if code in known and not extract.plays.roster and not extract.plays.application:
            rows = known_rows(known[code], archive, extract)
            place = {"extract": pl.lit(code), "file": pl.col("_file"), "row": pl.col("_row").cast(pl.Int64)}
            for person in extract.people:
                said = pl.concat([_said(rows, extract, person), rows.select(**place, side=pl.lit(person.side))], how="horizontal")
                said = said.filter(pl.any_horizontal(pl.col("name", "id").is_not_null()))
                parts[bool(extract.plays.register_)].append(said.join(owners, on=["extract", "file", "row", "side"], how="inner", maintain_order="left"))
    left, right = (pl.concat(parts[side]) for side in (True, False))
    left = left.filter(pl.col("pid").is_not_null()).unique("pid", keep="first", maintain_order=True)
    before = cpu()
    found = link(normalised(left, tables()), normalised(right, tables()), plan_of_people(tables(), strict=True))
    ours, theirs, sure = left["pid"].to_numpy(), right["pid"].to_numpy(), right["recoverable"].to_numpy()
    at = found.links["right"].to_numpy()
    same, accepted = ours[found.links["left"].to_numpy()] == theirs[at], (found.links["status"] == "accepted").to_numpy()
    true = int(right.filter("recoverable").join(left.select("pid"), on="pid", how="semi").height)
    told = counted(same[accepted], true) | {"R": round(float((same & accepted & sure[at]).sum() / true), 5)}
    told |= {"R with review": round(float((same & sure[at]).sum() / true), 5), "review": round(float((~accepted).mean()), 5)}
    emit(program="ours own county", left=left.height, right=right.height, true=true, linking=round(cpu() - before, 1), **told)


if __name__ == "__main__":
    main()

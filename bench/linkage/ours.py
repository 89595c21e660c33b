"""Our linker on two normalised lists: python -m bench.linkage.ours FOLDER [--model FILE] (left.parquet and right.parquet with `pid`)."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.linkage.measures import best, calibration, counted, cpu, emit
from verify.identity.name_keys import NameTables, name_tables
from verify.linkage.linker import link
from verify.linkage.model import load_model, save_model
from verify.linkage.people import plan_of_people

RULES = Path(__file__).resolve().parents[2] / "rules"  # not by verify.settings, which loads what reads a bureau's settings


def tables() -> NameTables:
    """The character tables of the rules."""
    return name_tables(*((RULES / f"matching/{name}.csv").read_text(encoding="utf-8") for name in ("variants", "lookalikes")))


def main() -> None:
    """Link, and print what came of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--model", type=Path, help="use this model")
    asked.add_argument("--save", type=Path, help="keep the fitted model here")
    asked.add_argument("--strict", action="store_true", help="with the vetoes of the reference rules")
    asked.add_argument("--pairs", action="store_true", help="also weigh every compared pair (more memory)")
    args = asked.parse_args()
    left, right = (pl.read_parquet(args.folder / f"{side}.parquet") for side in ("left", "right"))
    ours, theirs = left["pid"].to_numpy(), right["pid"].to_numpy()
    plan = plan_of_people(tables(), strict=args.strict)
    model = replace(load_model(args.model), plan=plan.digest) if args.model else None
    before = cpu()
    found = link(left.drop("pid"), right.drop("pid"), plan, model=model, keep_pairs=args.pairs)
    linking = cpu() - before
    if args.save:
        save_model(found.model, args.save)
    true = int(right.select("pid").join(left.select("pid"), on="pid").height)
    same = ours[found.links["left"].to_numpy()] == theirs[found.links["right"].to_numpy()]
    accepted = (found.links["status"] == "accepted").to_numpy()
    told: dict[str, Any] = {"accepted": counted(same[accepted], true), "review": round(float((~accepted).sum() / len(theirs)), 5)}
    told |= {"R with review": round(float(same.sum() / true), 5), "compared": found.compared, "certain": found.certain}
    if found.pairs is not None:
        bits, right_pairs = found.pairs["bits"].to_numpy(), ours[found.pairs["left"].to_numpy()] == theirs[found.pairs["right"].to_numpy()]
        probability = 1 / (1 + np.exp2(-np.clip(bits / 1_000, -60, 60)))
        told |= {"all pairs at .95": counted(right_pairs[probability >= 0.95], true), "best F1": best(bits, right_pairs, true)}
        told |= {"calibration": calibration(probability, right_pairs)}
    emit(program="ours", true=true, linking=round(linking, 2), expected_false=found.expected_false / 1_000, **told)


if __name__ == "__main__":
    main()

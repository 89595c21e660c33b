"""Link two tables: what is certain at once, the rest compared inside blocks, weighed by the mixture, and decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from verify.linkage.blocking import Blocked, Index, pairs_of
from verify.linkage.choosing import Choice, choose
from verify.linkage.codes import FEW, Stack
from verify.linkage.comparing import Bench, Codes, Compared, bench_of, distinct, read_by
from verify.linkage.mixture import Seen, fit
from verify.linkage.model import Model, made
from verify.linkage.plan import Comparison, Plan


@dataclass(frozen=True, slots=True)
class Linked:
    """What came of linking.

    `links`: one line for each right row that has a left row worth telling, in order of the right row: left, right (row
    numbers), bits, ahead (of the second; thousandths of a bit), second (the next best left row, or NULL), status (accepted, review), story
    (what else the pair could be), and one column of levels for each field. `pairs`: every compared pair with its bits, where it was
    asked for.
    """

    links: pl.DataFrame
    model: Model
    blocked: tuple[Blocked, ...]
    certain: int
    compared: int
    expected_false: int  # among the accepted, by the model, in thousandths of a link
    pairs: pl.DataFrame | None = None


def link(left: pl.DataFrame, right: pl.DataFrame, plan: Plan, *, model: Model | None = None, keep_pairs: bool = False) -> Linked:
    """Link the rows of `right` to those of `left`; without a model one is fitted on them.

    No two rows of `left` may be one person. Raises ValueError where the model was fitted for another plan.
    """
    bench = bench_of(Stack((read_by(plan, left), read_by(plan, right))), plan, left.height)
    certain, rest = bench.settled(np.arange(left.height, left.height + right.height))
    anchors = bench.anchors(left) if model is None else np.zeros(0, np.int64)
    theirs, ours, told = pairs_of(bench.index, plan, np.concatenate([rest, anchors]))
    bench, known = replace(bench, index=Index({}, left.height)), theirs < left.height  # its keys, an eighth of all memory, have been asked
    candidates, against = bench.compared(ours[~known], theirs[~known]), bench.compared(ours[known], theirs[known])
    return _linked(bench, (certain, candidates, against), told, model=model, keep_pairs=keep_pairs)


def linked(bench: Bench, model: Model) -> Linked:
    """Link what has been made ready, by a model."""
    left = bench.index.left
    certain, rest = bench.settled(np.arange(left, left + len(bench.index.hashes[bench.plan.keys[0].name]) - left))
    theirs, ours, told = pairs_of(bench.index, bench.plan, rest)
    return _linked(bench, (certain, bench.compared(ours, theirs), certain), told, model=model, keep_pairs=False)


def link_within(table: pl.DataFrame, plan: Plan, *, model: Model | None = None, keep_pairs: bool = False) -> Linked:
    """Link the rows of one table to each other: of each pair the later row is the right one.

    Without a table in which nobody stands twice there is no anchor; where families are dense, fit a model elsewhere.
    """
    bench = bench_of(Stack((read_by(plan, table),)), plan, table.height)
    theirs, ours, told = pairs_of(bench.index, plan, np.arange(table.height))
    later = theirs > ours
    nothing = bench.compared(ours[:0], theirs[:0])
    return _linked(bench, (nothing, bench.compared(ours[later], theirs[later]), nothing), told, model=model, keep_pairs=keep_pairs)


def _linked(bench: Bench, pairs: tuple[Compared, Compared, Compared], told: list[Blocked], *, model: Model | None, keep_pairs: bool) -> Linked:
    """Weigh and decide over certain pairs, candidates and known non-matches."""
    certain, candidates, against = pairs
    if model is None:
        model = _fitted(bench, candidates, certain, against)
    elif model.plan != bench.plan.digest:
        raise ValueError("the model was fitted for another plan")
    sure, maybe = _weighed(bench, model, certain), _weighed(bench, model, candidates)
    choice = choose(bench.plan, bench.levels, model, [(certain, *sure, True), (candidates, *maybe, False)])
    kept = None
    if keep_pairs:
        both = [np.concatenate(parts) for parts in zip((certain.left, certain.right, sure[0]), (candidates.left, candidates.right, maybe[0]), strict=True)]
        kept = pl.DataFrame({"left": both[0], "right": both[1] - bench.offset, "bits": both[2]})
    return Linked(_table(choice, bench, model), model, tuple(told), len(certain.left), len(candidates.left), choice.expected_false, kept)


def _fitted(bench: Bench, candidates: Compared, certain: Compared, anchors: Compared) -> Model:
    """Fit the mixture on what was compared."""
    every = [candidates.codes, certain.codes, anchors.codes]
    codes, back = distinct(np.concatenate(every), bench.sizes)
    ends = np.cumsum([len(one) for one in every])[:-1]
    counts = [np.bincount(part, minlength=len(codes)).astype(np.float64) for part in np.split(back, ends)]
    seen = Seen(bench.levels(codes), *counts)
    fitted = fit(seen, [one.hopes for one in bench.plan.fields], bench.plan.limits.classes, own=[_own(one) for one in bench.plan.fields])
    sizes = dict(zip(("candidates", "certain", "anchors"), map(len, every), strict=True))
    told = {**sizes, "patterns": len(codes), "rounds": fitted.rounds}
    return made(fitted, bench.plan.digest, {one.name: one.levels for one in bench.plan.fields}, usual=_usual(bench), fitted_on=told)


def _own(field: Comparison) -> frozenset[int]:
    """The levels of a field that belong to one person."""
    return frozenset(field.levels.index(name) for name in getattr(field, "own", ()))


def _usual(bench: Bench) -> dict[str, float]:
    """The mean logarithm of the share of what left rows say, for the fields that are weighed by it."""
    found = {}
    for one in bench.plan.fields:
        shares = bench.shares_of(one.name)
        if shares is not None:
            ours = np.sort(shares[: bench.index.left])
            found[one.name] = float(np.log(ours[ours > 0]).mean()) if (ours > 0).any() else 0.0
    return found


def _weighed(bench: Bench, model: Model, pairs: Compared) -> tuple[Codes, npt.NDArray[np.uint8]]:
    """The weight of each pair in thousandths of a bit, with what the share of its values says, and its best other story."""
    codes, back = distinct(pairs.codes, bench.sizes)
    lines = bench.levels(codes)
    weights, stories = model.weigh(lines)
    bits = weights[back]
    for at, one in enumerate(bench.plan.fields):
        names, shares = bench.plan.weighed_by_share.get(one.name), bench.shares_of(one.name)
        if names and shares is not None:
            wanted = np.isin(lines[:, at], [one.levels.index(name) for name in names])[back]
            usual = model.usual[one.name] / 1_000_000 * np.log(2)
            said = (usual - np.log(np.maximum(shares[pairs.left], 1e-9))) / np.log(2) / 2
            bits = bits + np.where(wanted, np.rint(np.clip(said, -3, 3) * 1_000), 0).astype(np.int64)
    return bits, stories[back]


def _table(choice: Choice, bench: Bench, model: Model) -> pl.DataFrame:
    """The links as a frame, in order of the right row."""
    lines = bench.levels(choice.codes)
    told = {
        "left": choice.left,
        "right": choice.right - bench.offset,
        "bits": choice.bits,
        "ahead": choice.margin,
        "second": pl.Series(choice.second, dtype=pl.Int64).set(pl.Series(choice.second < 0), None),
        "status": _worded(("review", "accepted"), choice.accepted),
        "certain": choice.certain,
        "story": _worded(model.stories, choice.story),
    }
    levels = {f"level_{one.name}": _worded(one.levels, lines[:, at]) for at, one in enumerate(bench.plan.fields)}
    return pl.DataFrame({**told, **levels})


def _worded(words: tuple[str, ...], places: npt.NDArray[Any]) -> pl.Series:
    """A word for each place."""
    if len(places) <= FEW:
        return pl.Series([words[int(at)] for at in places.tolist()], dtype=pl.String)
    return pl.Series(words, dtype=pl.String).gather(places.astype(np.int64))

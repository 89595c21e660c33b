"""One class of matches and several of non-matches, fitted by EM on how often each pattern of levels occurs.

Known non-matches (rows of the left table against each other) take part in the fit of the non-match classes only: without
that anchor the match class drifts to "same household" where families are dense. Everything here is sums over sorted
patterns, so that the same counts give the same model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Patterns = npt.NDArray[np.uint8]  # one line a pattern, one column a field
Levels = npt.NDArray[np.int64]  # one field's
_ROUNDS, _STILL = 150, 1e-6
_PRIOR = 0.3  # of a pair for every level, so that what was never seen is not impossible
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Seen:
    """Patterns and how many pairs have each: candidates, pairs that are certain, and known non-matches."""

    patterns: Patterns
    candidates: Floats
    certain: Floats
    anchors: Floats


@dataclass(frozen=True, slots=True)
class Fitted:
    """Natural logarithms: of each class's share among candidates, and of each level in each class by field."""

    shares: Floats
    levels: tuple[Floats, ...]
    rounds: int


def fit(seen: Seen, hopes: Sequence[Sequence[float]], classes: int, *, own: Sequence[frozenset[int]] = ()) -> Fitted:
    """Fit one match class and `classes` non-match classes; one where no non-matches are known, for more would take matches for theirs.

    `own` are, by field, the levels that two people share only as often as known non-matches do: an equal ID, whatever else differs.
    """
    classes = classes if seen.anchors.sum() else 1
    lines, sizes = seen.patterns, [len(one) for one in hopes]
    alike = np.stack([np.asarray(hope)[lines[:, at]] for at, hope in enumerate(hopes)], axis=1)
    anchored = seen.anchors * min(1.0, seen.candidates.sum() / max(seen.anchors.sum(), 1.0))
    crowd = anchored if anchored.sum() else seen.candidates * (1 - alike.mean(axis=1))
    kinds = _kinds(alike, crowd, classes)
    first = np.clip(_hoped(alike, lines, seen), 1e-6, 1 - 1e-6)
    post = np.vstack([first[None], (1 - first) * kinds])
    known = kinds.copy()
    matched = np.zeros((classes + 1, 1))
    matched[0] = 1
    places, spared = [np.ascontiguousarray(lines[:, field], np.int64) for field in range(len(sizes))], _spared(lines, own)
    fitted, before = Fitted(np.zeros(classes + 1), (), 0), -np.inf
    for turn in range(1, _ROUNDS + 1):
        weights = post * seen.candidates + matched * seen.certain
        shares = np.log(np.maximum((post * seen.candidates).sum(axis=1) / max(seen.candidates.sum(), 1.0), _LEAST))
        weights[1:] += known * anchored
        fitted = Fitted(shares, _levels(places, weights, sizes, (spared, known * anchored)), turn)
        post, total = _posterior(_likelihood(fitted, places, shares), seen.candidates)
        inside = np.log(np.maximum((known * anchored).sum(axis=1) / max(anchored.sum(), 1.0), _LEAST))
        known, beside = _posterior(_likelihood(fitted, places, np.concatenate(([-np.inf], inside)))[1:], anchored)
        if abs(total + beside - before) <= _STILL * abs(total + beside):
            break
        before = total + beside
    return fitted


def _hoped(alike: Floats, lines: Patterns, seen: Seen) -> Floats:
    """Where matches are first looked for: patterns that are alike throughout, and commoner than among known non-matches."""
    said = (lines > 0).sum(axis=1)
    mean = np.where(said > 0, (alike * (lines > 0)).sum(axis=1) / np.maximum(said, 1), 0)
    guess: Floats = 1 / (1 + np.exp(-14 * (mean - 0.72)))
    if not seen.anchors.sum():
        return guess
    expected = seen.anchors * seen.candidates.sum() / seen.anchors.sum()
    excess = 1 - np.minimum(1, (expected + 0.5) / (seen.candidates + seen.certain + 0.5))
    return np.asarray(guess * (0.05 + 0.95 * excess))


def _kinds(alike: Floats, crowd: Floats, classes: int) -> Floats:
    """A first division of the non-matches: patterns around the commonest one, and around those farthest from what is there."""
    if not len(alike):
        return np.full((classes, 0), 1 / classes)
    heavy = np.argsort(-crowd, kind="stable")[:2_000]
    centres = [alike[heavy[0]]]
    for _ in range(classes - 1):
        far = np.min([((alike[heavy] - centre) ** 2).sum(axis=1) for centre in centres], axis=0) * crowd[heavy]
        centres.append(alike[heavy[int(np.argmax(far))]])
    middle = np.array(centres)
    nearest = np.zeros(len(alike), np.int64)
    for _ in range(12):
        nearest = ((alike[:, None] - middle[None]) ** 2).sum(axis=2).argmin(axis=1)
        for at in range(classes):
            weight = crowd * (nearest == at)
            if weight.sum() > 0:
                middle[at] = (alike * weight[:, None]).sum(axis=0) / weight.sum()
    rest = 0.1 / max(classes - 1, 1)
    kinds = np.where(np.arange(classes)[:, None] == nearest[None], 0.9, rest)
    return np.asarray(kinds / kinds.sum(axis=0))


def _spared(lines: Patterns, own: Sequence[frozenset[int]]) -> list[Flags]:
    """For each field the patterns with a level that candidates do not speak for in non-match classes."""
    return [np.isin(lines[:, field], sorted(levels)) for field, levels in enumerate(own)]


def _levels(places: Sequence[Levels], weights: Floats, sizes: Sequence[int], spared: tuple[Sequence[Flags], Floats]) -> tuple[Floats, ...]:
    """The logarithm of each level's share in each class, by field; `nothing` says nothing.

    `places` are the levels of every pattern, by field; `spared` the patterns that candidates do not speak for, and what known
    non-matches say.
    """
    found, (flags, known) = [], spared
    for field, size in enumerate(sizes):
        spoken = weights
        if field < len(flags) and flags[field].any():
            spoken = np.vstack([weights[:1], np.where(flags[field], known, weights[1:])])
        counted = _counted(places[field], spoken, size)
        counted[:, 0] = 0
        counted[:, 1:] += _PRIOR
        logs: Floats = np.zeros(counted.shape)
        logs[:, 1:] = np.log(counted[:, 1:] / counted[:, 1:].sum(axis=1, keepdims=True))
        found.append(logs)
    return tuple(found)


def _counted(places: Levels, weights: Floats, size: int) -> Floats:
    """The weight of each level, a line each class."""
    every = np.arange(len(weights))[:, None] * size + places
    counted: Floats = np.bincount(every.ravel(), weights=weights.ravel(), minlength=len(weights) * size).astype(np.float64)
    return counted.reshape(len(weights), size)


def _likelihood(fitted: Fitted, places: Sequence[Levels], shares: Floats) -> Floats:
    """The logarithm of share times likelihood of every pattern in every class."""
    total = np.repeat(shares[:, None], len(places[0]), axis=1)
    for at, logs in zip(places, fitted.levels, strict=True):
        total += logs.take(at, axis=1)
    return total


def _posterior(logs: Floats, weights: Floats) -> tuple[Floats, float]:
    """How likely each class is for each pattern, and the weighted logarithm of the whole."""
    if not logs.size:
        return np.zeros_like(logs), 0.0
    top = logs.max(axis=0)
    parts = np.exp(logs - top)
    whole = parts.sum(axis=0)
    return parts / whole, float((weights * (top + np.log(whole))).sum())

"""A fitted model as it is kept: whole numbers, a version, a hash; and what it says of a pattern of levels.

What is kept are millionths of a bit; a weight is worked out from them with floats and leaves as thousandths of a bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from verify.linkage.mixture import Fitted, Patterns

VERSION = 1
MATCH = "match"
_KEPT = 1_000_000  # parts of a bit
_BIT = float(np.log(2))
Thousandths = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Model:
    """One match class and its non-match classes over named fields and levels; all in millionths of a bit.

    `stories` names the non-match classes by what is alike in them. `usual` is, for each field weighed by share, the mean
    logarithm of the share of what left rows say. `plan` is the digest of the plan it was fitted for, `order` that of
    its fields in a pattern. `names` is what names that many bear weigh more or less than the usual one where they agree,
    `rare` the same of all others, in thousandths of a bit (none and 0: not known).
    """

    plan: str
    order: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]
    stories: tuple[str, ...]
    shares: tuple[int, ...]
    levels: Mapping[str, tuple[tuple[int, ...], ...]]
    usual: Mapping[str, int]
    fitted_on: Mapping[str, int]
    version: int = VERSION
    names: Mapping[str, int] = field(default_factory=dict)
    rare: int = 0

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(self.as_text().encode()).hexdigest()

    def as_text(self) -> str:
        """The model as JSON with sorted keys; without names where it knows none, as it was before models could."""
        return json.dumps(self.as_plain(), sort_keys=True, ensure_ascii=False)

    def as_plain(self) -> dict[str, Any]:
        """What is kept of it."""
        return {name: value for name, value in asdict(self).items() if self.names or name not in {"names", "rare"}}

    def weigh(self, patterns: Patterns) -> tuple[Thousandths, npt.NDArray[np.uint8]]:
        """For each pattern its weight in thousandths of a bit, and the number of the non-match story that fits it best."""
        logs = np.repeat(np.array(self.shares, np.float64)[:, None], len(patterns), axis=1)
        for at, name in enumerate(self.order):
            logs += np.array(self.levels[name], np.float64)[:, patterns[:, at]]
        logs *= _BIT / _KEPT
        other = logs[1:]
        top = other.max(axis=0)
        bits = (logs[0] - top - np.log(np.exp(other - top).sum(axis=0))) / _BIT
        return np.rint(bits * 1_000).astype(np.int64), other.argmax(axis=0).astype(np.uint8)

    def evidence(self, field: str, level: int, story: int) -> int:
        """What one field's level says for the match and against one story, in thousandths of a bit."""
        of = self.levels[field]
        return round((of[0][level] - of[1 + story][level]) / 1_000)


def made(fitted: Fitted, plan: str, fields: Mapping[str, tuple[str, ...]], *, usual: Mapping[str, float], fitted_on: Mapping[str, int]) -> Model:
    """A fitted mixture as a model, its non-match classes in the order of their shares among candidates."""
    order = [0, *(1 + at for at in np.argsort(-fitted.shares[1:], kind="stable").tolist())]
    levels = {name: tuple(tuple(_kept(value) for value in logs[at]) for at in order) for name, logs in zip(fields, fitted.levels, strict=True)}
    shares = tuple(_kept(fitted.shares[at]) for at in order)
    stories = _stories(levels, fields)
    return Model(plan, tuple(fields), dict(fields), stories, shares, levels, {name: round(value * _KEPT) for name, value in usual.items()}, dict(fitted_on))


def _kept(log: float) -> int:
    return int(np.rint(float(log) / _BIT * _KEPT))


def _stories(levels: Mapping[str, Sequence[Sequence[int]]], fields: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """A name for each non-match class: the fields that mostly agree in it, or `stranger`."""
    classes = len(next(iter(levels.values())))
    found: list[str] = []
    for at in range(1, classes):
        alike = [name for name, known in fields.items() if levels[name][at][known.index("equal")] > -_KEPT]
        told = "same_" + "_".join(alike) if alike else "stranger"
        found.append(told if told not in found else f"{told}_{at}")
    return tuple(found)


def save_model(model: Model, path: Path) -> None:
    """Write a model with its digest; the file appears whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps({"digest": model.digest, "model": model.as_plain()}, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


def load_model(path: Path) -> Model:
    """Read a model. Raises ValueError where it is of another version, or not what was written."""
    told = json.loads(path.read_text(encoding="utf-8"))
    plain = told["model"]
    if plain.get("version") != VERSION:
        raise ValueError("a model of another version")
    fields = {name: tuple(levels) for name, levels in plain["fields"].items()}
    levels = {name: tuple(tuple(line) for line in lines) for name, lines in plain["levels"].items()}
    told_of = {name: plain[name] for name in ("usual", "fitted_on", "names", "rare") if name in plain}
    model = Model(plain["plan"], tuple(plain["order"]), fields, tuple(plain["stories"]), tuple(plain["shares"]), levels, **told_of)
    if model.digest != told["digest"]:
        raise ValueError("not the model that was written")
    return model

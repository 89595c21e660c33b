"""What is measured of a run, the same for every program: pairs right and wrong at a threshold, the best F1, CPU seconds, memory."""

from __future__ import annotations

import json
import resource
from typing import Any

import numpy as np


def cpu() -> float:
    """CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory() -> int:
    """The most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def counted(right: np.ndarray, true: int) -> dict[str, Any]:
    """Accepted pairs: how many, how many of them wrong, precision and recall."""
    precision = round(float(right.mean()), 5) if len(right) else None
    return {"pairs": len(right), "false": int((~right).sum()), "P": precision, "R": round(float(right.sum() / true), 5)}


def best(weight: np.ndarray, right: np.ndarray, true: int) -> float:
    """The best F1 over all thresholds; ties stand together."""
    order = np.argsort(-weight, kind="stable")
    ends = np.r_[weight[order][1:] != weight[order][:-1], True]
    found = np.cumsum(right[order])[ends]
    of = np.arange(1, len(order) + 1)[ends]
    return round(float((2 * found / (of + true)).max()), 5)


def calibration(probability: np.ndarray, right: np.ndarray) -> list[list[float]]:
    """For bands of stated probability: the band's lower edge, pairs, mean stated probability, share that is right."""
    edges = np.array([0, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999])
    band = np.searchsorted(edges, probability, side="right") - 1
    bands = [(at, band == at) for at in range(len(edges))]
    told = ((at, probability[here], right[here]) for at, here in bands if here.any())
    return [[float(edges[at]), len(said), round(float(said.mean()), 4), round(float(same.mean()), 4)] for at, said, same in told]


def emit(**told: Any) -> None:
    """The last line of a measured process."""
    print("RESULT " + json.dumps({**told, "cpu": round(cpu(), 2), "MB": memory()}, ensure_ascii=False, default=float), flush=True)

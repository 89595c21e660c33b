"""Which row of one table speaks of which row of another: a linker for any two tables of people, without labels.

Compared are the rows that no certain key settles, inside blocks whose pairs are counted before they are made. A pair is
weighed by a mixture of one class of matches and several of non-matches, fitted on the patterns of agreement and anchored by
the left table held against itself, in which no two rows are one person. Floats live inside the model only: what leaves is
integers, thousandths of a bit.

`link(left, right, plan)` is the way in; `people.plan_of_people` is the plan for Chinese administrative records.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_DOOR = {
    "Linked": "verify.linkage.linker",
    "link": "verify.linkage.linker",
    "crowd_of": "verify.linkage.asking",
    "link_within": "verify.linkage.linker",
    "Plan": "verify.linkage.plan",
    "Key": "verify.linkage.plan",
    "Certain": "verify.linkage.plan",
    "Override": "verify.linkage.plan",
    "Limits": "verify.linkage.plan",
    "Model": "verify.linkage.model",
}
__all__ = ["Certain", "Key", "Limits", "Linked", "Model", "Override", "Plan", "crowd_of", "link", "link_within"]


def __getattr__(name: str) -> Any:
    """The public names, each from its module. Raises AttributeError for any other."""
    if name not in _DOOR:
        raise AttributeError(f"verify.linkage has no {name}")
    return getattr(import_module(_DOOR[name]), name)

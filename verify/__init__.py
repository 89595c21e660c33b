"""hedui: what a civil-affairs bureau runs every night to verify the economic status of low-income applicants.

The public door. Names are resolved on first use, so that `hedui --help` imports none of the heavy libraries.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# How Polars keeps memory, read once, when it is imported. By itself it has an arena for every thread, gives large blocks back at once and others
# within a second, and reading then spends a sixth of its time on having them again, page by page. One arena that keeps what it has for five
# seconds takes less memory at its peak, for what one thread has let go another uses.
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,oversize_threshold:0,muzzy_decay_ms:5000")

_DOOR = {
    "Home": "verify.settings",
    "init_home": "verify.settings",
    "open_home": "verify.settings",
    "Order": "verify.pipeline",
    "Outcome": "verify.pipeline",
    "run_night": "verify.pipeline",
    "check_rules": "verify.rule_checks",
    "test_rules": "verify.rule_examples",
    "HeduiError": "verify.problems",
    "Problem": "verify.problems",
}
__all__ = ["HeduiError", "Home", "Order", "Outcome", "Problem", "__version__", "check_rules", "init_home", "open_home", "run_night", "test_rules"]


def __getattr__(name: str) -> Any:
    """The public names, each from its module. Raises AttributeError for any other."""
    if name not in _DOOR:
        raise AttributeError(f"verify has no {name}")
    return getattr(import_module(_DOOR[name]), name)

"""hedui: what a civil-affairs bureau runs every night to verify the economic status of low-income applicants.

The public door. Names are resolved on first use, so that `hedui --help` imports none of the heavy libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

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

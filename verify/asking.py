"""Asking a scenario of the newest night: on record first, for the answer names cases."""

from __future__ import annotations

from pathlib import Path

from verify.ledger import Look, record
from verify.looking import ALL
from verify.nights import newest_night
from verify.rule_checks import check_rules
from verify.scenarios import read_scenario
from verify.settings import Home
from verify.simulate import Simulation, simulate
from verify.typed import purpose_of, safe


def simulated(home: Home, scenario: Path, rules: Path, *, purpose: str) -> Simulation:
    """Try a scenario file on the newest night, by the rules it was made by.

    Raises UsageError: E-NO-NIGHT, E-NO-FILE, E-SCENARIO, and what `simulate` raises; LedgerError.
    """
    night = newest_night(home)
    book = check_rules(rules)
    tried = read_scenario(scenario, book, night.manifest.origin.as_of)
    record(home, Look("rules simulate", f"{ALL} {safe(scenario.name)}", purpose_of(purpose)))
    return simulate(home, night, tried, book=book)

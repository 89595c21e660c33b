"""Looking at a case: nothing of it, not even whether it is there, is shown before the ledger holds who asked and why."""

from __future__ import annotations

from verify.ledger import Look, record
from verify.manifest import Published
from verify.nights import newest_night
from verify.problems import UsageError
from verify.settings import Home
from verify.spot import Spot, read_spot
from verify.typed import purpose_of, safe

ALL = "*"  # in the ledger: every case of the night


def look(home: Home, case: str, *, command: str, purpose: str) -> Spot:
    """What the published night says of a case, once the look-up is on record.

    Raises UsageError: E-NO-NIGHT, E-NO-CASE (which is on record too, for it is an answer); LedgerError (E-LEDGER).
    """
    night = newest_night(home)
    try:
        found = read_spot(night, case.strip())
    except UsageError:
        record(home, Look(command, safe(case), purpose_of(purpose)))
        raise
    record(home, Look(command, found.case["case_id"], purpose_of(purpose)))
    return found


def look_at_all(home: Home, *, command: str, purpose: str) -> Published:
    """The newest night, once it is on record that all its cases are looked at. Raises UsageError (E-NO-NIGHT); LedgerError."""
    night = newest_night(home)
    record(home, Look(command, ALL, purpose_of(purpose)))
    return night

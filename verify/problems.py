"""Every way the project can say no: a code, the place, and the facts that the sentence needs.

The sentences themselves (what, why, how to mend; Chinese and English) lie in `rules/messages/` and are keyed by the
code. A problem never carries a person's data: `where` is a file, a row number, a column, a rule; `values` are counts,
names of columns, codes and digests (design §8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EXIT_DONE = 0
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_INPUT = 10
EXIT_LOCKED = 11
EXIT_NOT_PERMITTED = 12
EXIT_INTEGRITY = 13
EXIT_BUG = 70
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is, and what the catalogue's sentence must be filled with.

    `code` is a key of `rules/messages/`; `where` a place that may be printed; `values` fill the sentence's braces.
    """

    code: str
    where: str
    values: Mapping[str, str] = field(default_factory=dict)


class HeduiError(Exception):
    """The night, or the command, cannot go on. Carries every problem of its kind, so that all are shown together."""

    exit_code = EXIT_BUG

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{p.code} {p.where}" for p in problems))
        self.problems = problems


class UsageError(HeduiError):
    """A flag, a setting or a rule file is wrong (exit 2)."""

    exit_code = EXIT_USAGE


class InputError(HeduiError):
    """What came in breaks the contract so that nothing can be loaded (exit 10)."""

    exit_code = EXIT_INPUT


class IntegrityError(HeduiError):
    """A gate found something that must not be: rows lost, a digest that differs (exit 13)."""

    exit_code = EXIT_INTEGRITY


class LockedError(HeduiError):
    """Another night is running in the same home (exit 11)."""

    exit_code = EXIT_LOCKED

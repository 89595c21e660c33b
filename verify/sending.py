"""A department's own check before it sends a file: the night's own reading of it, without a list and without a home.

There is one way to read a file, `intake.take`; here it is handed a list of one line that this module writes itself.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from verify.archive import Archive, Counts
from verify.batches import Batch, read_batches
from verify.guards import Seen, before, seen, strays
from verify.holding import OVER, open_to_all
from verify.intake import FileRefusedError, Taken, take
from verify.layout import Block
from verify.manifest_list import CHANGES, FULL, Drop, Listed, NotAFileError, open_plain, sha256_of
from verify.nights import newest_night
from verify.problems import InputError, Problem, UsageError
from verify.rule_extracts import Extract
from verify.settings import Home
from verify.speech import Speech
from verify.typed import safe, without_ids

ONLY = "file"  # the name under which the list of one line knows the file; the real one may be anything
NOT_SAID = -1  # no file has so many rows: the reader then says how many it found


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a file's rows: counts, each refused row and each warning as (row, code, column), and notices.

    `seen` is the file as the drift guards see it; `held` what they say where a home was given to hold it against.
    """

    file: str
    extract: str
    counts: Counts
    refused: list[tuple[int, str, str | None]]
    warnings: list[tuple[int, str, str | None]]
    notices: list[Problem]
    seen: Seen
    held: list[Problem] = field(default_factory=list)


def check_file(path: Path, extract: Extract, *, rows: int | None = None, changes: bool = False) -> Checked:
    """Read a file as a night would.

    `rows` is the count the list will give (None: whatever the file has); `changes` says that it is no whole state.
    Raises InputError with the file's code where it would be refused whole; UsageError (E-NO-FILE) if it cannot be read.
    """
    name = without_ids(path.name)
    listed = Listed(
        file=ONLY,
        extract=extract.extract,
        batch="check",
        as_of=date.min,
        rows=NOT_SAID if rows is None else rows,
        mode=CHANGES if changes else FULL,
        checksum=_checksum_of(path),
        wrong=None,
    )
    with tempfile.TemporaryDirectory(prefix="hedui-check-") as scratch:
        archive = Archive(Path(scratch))
        try:
            taken = _take(listed, path, extract, archive)
        except FileRefusedError as refusal:
            raise InputError(Problem(refusal.code, name, refusal.detail)) from None
        batch = taken.batch.archived
        refused = archive.refused(batch).select("row", "code", "column").rows()
        warnings = [line for line in archive.warnings(batch).select("row", "code", "column").rows() if line[0] > 0]  # 0: notes on the header
        return Checked(name, extract.extract, archive.counts(batch), refused, warnings, _notices(name, taken), seen(taken.batch, archive))


def held_against(checked: Checked, extract: Extract, home: Home) -> Checked:
    """The same with what the drift guards say of the file as the next batch of a home: held where one of its codes is E-HELD-….

    Its as-of date is not asked for: the list will say it. Raises UsageError (E-NO-NIGHT), IntegrityError (E-NIGHT-BROKEN).
    """
    night = newest_night(home)
    known = open_to_all(read_batches(night.folder / "tables" / "batches.parquet").get(extract.extract, ()))
    base, as_of = before(known, checked.seen.mode, Archive(home.archive)), night.manifest.origin.as_of
    today = max([as_of, *(batch.as_of for batch in known)])
    told = strays(replace(checked.seen, as_of=today), base, extract, newest=today, file=checked.file)
    held = [problem for problem in told if problem.code.startswith(OVER)]
    return replace(checked, held=held, notices=[*checked.notices, *(problem for problem in told if problem not in held)])


def extract_named(extracts: dict[str, Extract], code: str) -> Extract:
    """The extract of that code. Raises UsageError (E-EXTRACT-WHAT) naming those there are."""
    if code not in extracts:
        raise UsageError(Problem("E-EXTRACT-WHAT", safe(code), {"known": ", ".join(sorted(extracts))}))
    return extracts[code]


def code_in(name: str, extracts: dict[str, Extract]) -> str:
    """The extract's code with which a file's name begins, the longest there is; else the name, in which no ID is left."""
    begun = [code for code in extracts if re.match(rf"{re.escape(code)}(?![A-Za-z0-9])", name)]
    return max(begun, key=len, default=without_ids(name))


def _checksum_of(path: Path) -> str:
    try:
        with open_plain(path.resolve()) as file:
            return sha256_of(file)
    except NotAFileError:
        raise UsageError(Problem("E-NOT-A-FILE", safe(path.name))) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise UsageError(Problem("E-NO-FILE", safe(path.name), {"why": why})) from None


def _take(listed: Listed, path: Path, extract: Extract, archive: Archive) -> Taken:
    """Through the night's own door; where nobody said how many rows there are, twice: the first time to be told."""
    drop = Drop((ONLY,), lambda _name: open_plain(path.resolve()))
    known = [_base(extract)] if listed.mode == CHANGES else []
    try:
        return take(listed, drop, extract, known=known, archive=archive)
    except FileRefusedError as refusal:
        if refusal.code != "E-ROWS" or listed.rows != NOT_SAID or refusal.received is None:
            raise
        return take(replace(listed, rows=refusal.received), drop, extract, known=known, archive=archive)


def _base(extract: Extract) -> Batch:
    """A whole state that changes can be laid upon: the department's last one, which is not here."""
    counts = dict.fromkeys(("received", "kept", "refused", "duplicate", "position"), 0)
    texts = dict.fromkeys(("sha256", "file", "archived"), "")
    return Batch(extract=extract.extract, batch="base", as_of=date.min, mode=FULL, in_use=True, chain_broken=False, held=False, **counts, **texts)  # type: ignore[arg-type]


def _notices(file: str, taken: Taken) -> list[Problem]:
    pairs = (("N-EXTRA-COLUMN", taken.extra), ("N-ABSENT-COLUMN", taken.absent))
    noted = [Problem(code, file, {"columns": ", ".join(columns)}) for code, columns in pairs if columns]
    return [*noted, *(Problem(code, file, {"found": found}) for code, found in taken.notes)]


# --- in words ---------------------------------------------------------------------------------------------------------


def checked_blocks(checked: Checked, voice: Speech) -> list[Block]:
    """Each refused row and each warning, what their codes mean, then the counts."""
    counts = {name: getattr(checked.counts, name) for name in Counts.__dataclass_fields__}
    blocks = [*_rows_block(voice, "check_refused", checked.refused), *_rows_block(voice, "check_warned", checked.warnings)]
    return [*blocks, Block(f"{checked.file}  {checked.extract}", (), (), tuple(voice.counted("count", counts)), frozenset({1}))]


def _rows_block(voice: Speech, title: str, rows: list[tuple[int, str, str | None]]) -> list[Block]:
    if not rows:
        return []
    said = {code: voice.sentence(_of_row(code, column)).mend for _, code, column in rows}
    head = tuple(voice.word(key) for key in ("head_code", "head_row", "head_column", "head_what"))
    told = tuple((code, str(row), column or "", voice.sentence(_of_row(code, column)).what) for row, code, column in rows)
    lines = tuple(f"{code}  {voice.word('mend')}{mend}" for code, mend in sorted(said.items()))
    return [Block(voice.word(title), lines, head, told, frozenset({1}))]


def _of_row(code: str, column: str | None) -> Problem:
    """What is wrong with one row, as the catalogue's sentence wants it filled."""
    return Problem(code, "", {"column": column or "", "rows": "1"})


def checked_json(checked: Checked) -> dict[str, Any]:
    """The same for programs."""
    counts = {name: getattr(checked.counts, name) for name in Counts.__dataclass_fields__}
    lists = {name: [{"row": r, "code": c, "column": k} for r, c, k in getattr(checked, name)] for name in ("refused", "warnings")}
    held = [{"code": problem.code, **problem.values} for problem in checked.held]
    return {"file": checked.file, "extract": checked.extract, "counts": counts, **lists, "held": held}

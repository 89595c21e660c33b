"""Drift guards: what a batch looks like in a few figures, and how far they may stray from those of the batch before it.

A file can be whole, readable and wrong: yuan where 万元 was agreed, half the county, IDs left out. The limits stand in its
extract's rule file; shares are per mille.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from verify.archive import Archive, profile_of
from verify.batches import Batch
from verify.manifest_list import CHANGES, FULL
from verify.problems import Problem
from verify.profiles import AMOUNTS, EMPTY, MEDIAN, PLACE, RECEIVED, REFUSED, REMOVED, ROWS, VALID, Profile
from verify.rule_extracts import Extract, Guards

ORDER = "N-HEADER-ORDER"


@dataclass(frozen=True, slots=True)
class Seen:
    """A batch as the guards see it: its date, its mode, and its profile (None: kept by a program that measured none)."""

    as_of: date
    mode: str
    profile: Profile | None


@dataclass(frozen=True, slots=True)
class Before:
    """What a batch is held against: the last one that was accepted, the last of its own mode, the newest date, and the
    rows of the last whole state. All empty for a first batch."""

    last: Seen | None = None
    same: Seen | None = None
    newest: date | None = None
    whole: int = 0


def seen(batch: Batch, archive: Archive) -> Seen:
    """A batch with its profile as the archive holds it."""
    frame = profile_of(archive, batch.archived)
    return Seen(batch.as_of, batch.mode, None if frame is None else Profile({(of, column): value for of, column, value in frame.iter_rows()}))


def before(batches: Sequence[Batch], mode: str, archive: Archive) -> Before:
    """What a new batch of `mode` is held against, of the accepted batches of its extract in the order of loading."""
    if not batches:
        return Before()
    same = [batch for batch in batches if batch.mode == mode]
    whole = [batch.kept for batch in batches if batch.mode == FULL]
    return Before(
        last=seen(batches[-1], archive),
        same=seen(same[-1], archive) if same else None,
        newest=max(batch.as_of for batch in batches),
        whole=whole[-1] if whole else 0,
    )


def strays(now: Seen, known: Before, extract: Extract, *, newest: date, file: str) -> list[Problem]:
    """Every guard whose limit a batch is over (E-HELD-…), and what is only to be noted of it (N-…).

    `newest` is the newest date of its drop. A column is told once, by the first guard that stops it. A batch without a profile is asked for its date alone.
    """
    found = [*_date(now, known, extract.guards, newest)]
    if now.profile is not None:
        found += [*_headers(now.profile, known, extract), *_counts(now, known, extract.guards), *_columns(now, known, extract.guards)]
    return [Problem(code, file, values) for code, values in found]


Strayed = Iterator[tuple[str, dict[str, str]]]


def _date(now: Seen, known: Before, guards: Guards, newest: date) -> Strayed:
    """The as-of date goes back; of a first batch: it is very old beside the newest of its drop."""
    base, days = (newest, guards.oldest_days) if known.newest is None else (known.newest, guards.days_back)
    limit = base - timedelta(days=min(days, (base - date.min).days))
    if now.as_of < limit:
        yield "E-HELD-DATE", {"before": base.isoformat(), "now": now.as_of.isoformat(), "limit": limit.isoformat()}


def _headers(now: Profile, known: Before, extract: Extract) -> Strayed:
    """A column that was there is gone or has another name; another order of the same columns is only noted."""
    last = known.last.profile if known.last else None
    if last is None:
        return
    declared = {column.column for column in extract.columns}
    was, is_ = [name for name in last.columns(PLACE) if name in declared], now.columns(PLACE)
    gone = [name for name in was if name not in is_]
    if gone and extract.guards.headers:
        yield "E-HELD-HEADER", {"columns": ", ".join(gone), "before": str(len(was)), "now": str(len(was) - len(gone))}
    elif [name for name in was if name in is_] != [name for name in is_ if name in was]:
        yield ORDER, {}


def _counts(now: Seen, known: Before, guards: Guards) -> Strayed:
    """Rows against the last batch of the mode, removals against the whole state, and the share of refused rows."""
    assert now.profile is not None
    removed, limit = now.profile.of(REMOVED), known.whole * guards.removed // 1000
    if removed >= guards.fewest and removed > limit and now.mode == CHANGES:
        yield "E-HELD-REMOVED", {"before": str(known.whole), "now": str(removed), "limit": str(limit)}
    if known.same is None or known.same.profile is None:
        return
    was, rows = known.same.profile.of(RECEIVED), now.profile.of(RECEIVED)
    shrink, grow = (guards.rows_shrink, guards.rows_grow) if now.mode == FULL else (1000, guards.changes_grow)
    least, most = was - was * shrink // 1000, was + was * grow // 1000
    if was >= guards.fewest and abs(rows - was) >= guards.fewest and not least <= rows <= most:
        yield "E-HELD-ROWS", {"before": str(was), "now": str(rows), "limit": f"{least} ～ {most}"}
    share = _risen(now.profile, known.same.profile, (REFUSED, "", RECEIVED), points=guards.refused, fewest=guards.fewest)
    if share is not None:
        yield "E-HELD-REFUSED", share


def _columns(now: Seen, known: Before, guards: Guards) -> Strayed:
    """Column by column: values left out, IDs that cannot be, amounts in another unit."""
    assert now.profile is not None
    same = known.same.profile if known.same else None
    last = same or (known.last.profile if known.last else None)
    for column in now.profile.columns(PLACE):
        rises = [("E-HELD-EMPTY", _risen(now.profile, same, (EMPTY, column, ROWS), points=guards.empty, fewest=guards.fewest))]
        if (VALID, column) in now.profile.figures:
            rises.append(("E-HELD-IDS", _ids(now.profile, same, column, guards)))
        rises.append(("E-HELD-MEDIAN", _median(now, last, column, guards)))
        yield from [(code, {"column": column, **told}) for code, told in rises if told is not None][:1]


def _risen(now: Profile, was: Profile | None, what: tuple[str, str, str], *, points: int, fewest: int) -> dict[str, str] | None:
    """Whether a share of rows has risen by more than `points` per mille, by at least `fewest` rows; then its figures."""
    measured, column, out_of = what
    if was is None or (measured == EMPTY and (PLACE, column) not in was.figures):
        return None
    rows, base = now.of(out_of), was.of(out_of)
    if min(rows, base) < fewest:
        return None
    share, share_before = now.of(measured, column) * 1000 // rows, was.of(measured, column) * 1000 // base
    if share - share_before <= points or (share - share_before) * rows < fewest * 1000:
        return None
    return {"before": percent(share_before), "now": percent(share), "limit": percent(share_before + points)}


def _ids(now: Profile, was: Profile | None, column: str, guards: Guards) -> dict[str, str] | None:
    """Whether valid IDs have become fewer, or in a first batch are fewer than they can be."""
    rows = now.of(ROWS)
    if rows < guards.fewest:
        return None
    share = now.of(VALID, column) * 1000 // rows
    if was is None or was.of(ROWS) < guards.fewest:
        limit, usual, told = guards.ids_at_first, guards.ids_at_first, {}
    else:
        usual = was.of(VALID, column) * 1000 // was.of(ROWS)
        limit, told = max(0, usual - guards.ids), {"before": percent(usual)}
    if share >= limit or (usual - share) * rows < guards.fewest * 1000:
        return None
    return {**told, "now": percent(share), "limit": percent(limit)}


def _median(batch: Seen, was: Profile | None, column: str, guards: Guards) -> dict[str, str] | None:
    """Whether the amount in the middle is some times what it was, as where 元 and 万元 are mixed up."""
    now = batch.profile
    if now is None or was is None or min(now.of(AMOUNTS, column), was.of(AMOUNTS, column)) < guards.fewest:
        return None
    low, high = sorted((now.of(MEDIAN, column), was.of(MEDIAN, column)))
    most = guards.median_times if batch.mode == FULL else guards.changes_median_times
    if high <= low * most:
        return None
    return {"times": str(high // low), "sign": "×" if now.of(MEDIAN, column) == high else "÷", "limit": str(most)}


def percent(per_mille: int) -> str:
    """A share per mille as people read it: 123 is 12.3%."""
    return f"{per_mille // 10}.{per_mille % 10}%"

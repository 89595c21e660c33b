"""All that a published night knew, put together again from its batches and the archive, for the stages behind the match."""

from __future__ import annotations

from pathlib import Path

from verify.archive import Archive
from verify.batches import chain, known_parts, read_batches
from verify.manifest import TABLES, Published
from verify.model import Arrived, Known
from verify.rulebook import Rulebook
from verify.settings import Home
from verify.store import read_frame, write_frame

HANDED_ON = ("files", "refused", "warnings", "troubles", "roster_refused", "batches")


def arrived_whole(home: Home, night: Published, book: Rulebook, tables: Path) -> Arrived:
    """What the night's reading handed over, whole."""
    published, manifest, archive = night.folder / TABLES, night.manifest, Archive(home.archive)
    known = {}
    for name in book.extracts:
        known[name] = Known(name, (), late=True, usable=False, as_of=None)
    for name, batches in read_batches(published / "batches.parquet").items():
        used = chain(batches)
        if name in known and used:
            late = name in manifest.late
            usable = not late or book.extracts[name].when_late.use_last
            parts = known_parts(used, archive, book.extracts[name], tables)
            known[name] = Known(name, parts, late=late, usable=usable, as_of=max(batch.as_of for batch in used))
    for name in HANDED_ON:
        write_frame(read_frame(published / f"{name}.parquet"), tables / f"{name}.parquet")
    paths = {name: tables / f"{name}.parquet" for name in HANDED_ON}
    return Arrived(as_of=manifest.origin.as_of, known=known, received=manifest.counts.get("received", 0), incomplete=manifest.incomplete, **paths)

"""What too many people share tells nobody apart: a number everybody was given, a collective household, a placeholder's birth date.

Evidence shared by a crowd is left out before pairs are made, so that ten thousand people with one ID, one household or one
birth date cost what ten thousand others do, and no row is held against all of them. Never left out is what decides between few.
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from verify.store import Store, read_frame, statements, write_frame

_SQL = statements(Path(__file__).with_suffix(".sql"))
MANY = {"many_of_id": 20, "many_of_name": 20, "many_of_home": 100, "many_of_birth": 600, "many_of_document": 60}


def leave_out_ids(store: Store) -> None:
    """Take IDs that more than a few share for what they are, no numbers of anybody; and leave `crowded_ids`, `crowded_births`, `crowded_twins`.

    Needs declared and register.
    """
    for name, most in MANY.items():
        store.run(f"SET VARIABLE {name} = {int(most)}")
    store.table("crowded_ids", _SQL["crowded_ids"])
    if store.one("SELECT count(*) FROM crowded_ids"):
        for name in ("no_number_of_register", "no_number_of_declared"):
            store.run(_SQL[name])
    for name in ("crowded_births", "crowded_twins"):
        store.table(name, _SQL[name])


def leave_out_homes(store: Store) -> None:
    """Take households of more people than live together for what they are, no ties; leaves `crowded_homes`. Needs person_rows and register."""
    store.table("crowded_homes", _SQL["crowded_homes"])
    if store.one("SELECT count(*) FROM crowded_homes"):
        store.run(_SQL["no_home"])


def leave_out_of_faces(store: Store) -> None:
    """The same for what rows say, and the tables `compared_apart`, `compared_crowd`, `names_apart`. Needs faces, compared, person_names."""
    if store.one("SELECT count(*) FROM crowded_ids"):
        store.run(_SQL["no_number_of_faces"])
    for name in ("names_apart", "born_together", "compared_apart", "compared_crowd"):
        store.table(name, _SQL[name])


def tell_crowds(store: Store, troubles: Path) -> None:
    """Add to the night's troubles what was left out of IDs and households, if anything was."""
    counts = {name: store.one(f"SELECT count(*) FROM {table}") for name, table in (("ids", "crowded_ids"), ("homes", "crowded_homes"))}
    if any(counts.values()):
        known = read_frame(troubles)
        told = (None, None, "N-CROWDED", json.dumps({name: str(count) for name, count in counts.items()}))
        write_frame(pl.concat([known, pl.DataFrame([told], schema=known.schema, orient="row")]).sort(pl.all(), nulls_last=True), troubles)

"""The corpus: every broken file is fully accounted for or refused with its code, the parent lives, no message names anybody."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from tests import tables
from tests.faults.broken_files import PEOPLE, Broken, corpus
from tests.small_drops import Bureau, Sent, codes, make_drop, plates, refused


@cache
def files() -> list[Broken]:
    return corpus()


def test_there_are_enough() -> None:
    assert len(files()) >= 80


@pytest.mark.parametrize("one", files(), ids=lambda one: one.name)
def test_every_broken_file_is_accounted_for_or_refused(one: Broken, tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, one.extract)
    sent = Sent(one.extract, one.data, one.rows, file="f.xlsx" if "named .xlsx" in one.name else "f.csv")
    drop = make_drop(tmp_path / "drop", sent)
    if one.put is not None:
        (drop / sent.name).unlink()
        one.put(drop / sent.name)
    arrived = bureau.read(drop)
    assert codes(arrived) - {"W-CODE"} == ({one.code} if one.code else set())
    line = tables.table(arrived.files).row(0, named=True)
    assert line["kept"] + line["refused"] + line["duplicate"] == line["received"]
    assert line["kept"] == one.kept
    assert [(row, code) for row, code, _ in refused(arrived)] == list(one.refused)
    if not one.code:
        assert one.extract != "ga_cheliang" or len(plates(arrived)) == one.kept
        noted = set(tables.table(arrived.troubles)["code"])
        assert {code for code in noted if code in {"N-ENCODING", "N-DELIMITER", "N-FORMAT"}} == set(one.notes)
    said = pl.concat([tables.table(path).cast(pl.String) for path in (arrived.troubles, arrived.refused, arrived.warnings)], how="diagonal")
    told = "\n".join(str(cell) for row in said.drop("file").iter_rows() for cell in row if cell)
    assert not [person for person in PEOPLE if person in told]
    assert list(tmp_path.glob("archive/*.part")) == []

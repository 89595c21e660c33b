"""What rows say of people is worked out once a batch, kept beside it, and the same however it came about."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.small_drops import LI, VALID, Bureau, Sent, car, cars
from tests.tables import known_rows
from verify import faces
from verify.archive import Archive
from verify.batches import chain, known_parts, read_batches
from verify.batches import known_rows as state_of
from verify.faces import load_spoken, spoken_of
from verify.identity.name_keys import NameTables
from verify.model import Arrived, Spoken
from verify.rule_extracts import Extract
from verify.rulebook import load_rulebook
from verify.settings import rules_folder
from verify.store import open_store, read_frame

WHOLE = cars(car("桂A1", owner=VALID), car("桂A2", owner=VALID), car("桂A3", owner=LI), car("桂A4", owner=""))
CHANGES = cars(
    ["桂A2", "02", LI, "张三", "A", "7", "修改"], ["桂A3", "02", "", "", "", "", "删除"], ["桂A9", "02", VALID, "张三", "A", "9", "新增"],
    header=["HPHM", "HPZL", "SFZMHM", "SYR", "ZT", "GZJ", "操作"], batch="2", as_of="2026-11-21", mode="增量",
)  # fmt: skip


@pytest.fixture(scope="module")
def tables() -> NameTables:
    return faces.name_tables_of(load_rulebook(rules_folder()))


def extract_of(bureau: Bureau) -> Extract:
    return bureau.book.extracts["ga_cheliang"]


def spoken(bureau: Bureau, arrived: Arrived, tables: NameTables) -> tuple[Spoken, ...]:
    return tuple(spoken_of(part, extract_of(bureau), tables) for part in arrived.known["ga_cheliang"].parts)


def mentions(found: tuple[Spoken, ...], work: Path, as_of: str = "2026-11-21") -> pl.DataFrame:
    with open_store(work) as store:
        store.run("SET VARIABLE as_of = ?::DATE", [as_of])
        load_spoken(store, found)
        return store.frame("SELECT * EXCLUDE (fno) FROM mentions ORDER BY file, row, side")


def test_changes_lie_beside_the_whole_state_and_the_parts_are_what_is_known(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path)
    bureau.night(WHOLE)
    arrived = bureau.night(CHANGES)
    assert [part.file is None for part in arrived.known["ga_cheliang"].parts] == [False, True]
    used = chain(read_batches(arrived.batches)["ga_cheliang"])
    assert known_rows(arrived, "ga_cheliang").equals(state_of(used, Archive(tmp_path / "archive"), extract_of(bureau)))
    assert known_rows(arrived, "ga_cheliang")["HPHM"].to_list() == ["桂A1", "桂A4", "桂A2", "桂A9"]


def test_few_lines_are_held_and_many_read_where_they_lie_to_the_same_end(tmp_path: Path, tables: NameTables, monkeypatch: pytest.MonkeyPatch) -> None:
    bureau = Bureau(tmp_path)
    bureau.night(WHOLE)
    found = spoken(bureau, bureau.night(CHANGES), tables)
    held = mentions(found, tmp_path)
    monkeypatch.setattr(faces, "FEW", -1)
    assert mentions(found, tmp_path).equals(held)
    assert held.height == 4


def test_a_state_read_with_another_layout_is_put_together_anew(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path)
    arrived = bureau.night(WHOLE)
    other = extract_of(bureau).model_copy(update={"joint_document": (), "key_needs_valid_id": True})
    used, archive = chain(read_batches(arrived.batches)["ga_cheliang"]), Archive(tmp_path / "archive")
    (part,) = known_parts(used, archive, other, tmp_path)
    assert part.file is None
    assert read_frame(part.rows).equals(state_of(used, archive, other))


def test_a_line_says_what_the_row_says_and_equal_lines_have_one_face(tmp_path: Path, tables: NameTables) -> None:
    bureau = Bureau(tmp_path)
    found = spoken(bureau, bureau.night(WHOLE), tables)
    lines = mentions(found, tmp_path)
    assert lines.select("row", "name_key", "id_key", "id_state").rows() == [
        (1, "张三", VALID, "valid18"), (2, "张三", VALID, "valid18"), (3, "张三", LI, "invalid"), (4, "张三", None, "none"),
    ]  # fmt: skip
    assert lines.select("id15", "id_birth", "id_sex").row(0) == ("450102900307123", date(1990, 3, 7), "male")
    assert read_frame(found[0].faces).height == 3


@given(st.lists(st.tuples(*[st.none() | st.sampled_from(["", "a", "b"])] * 3), max_size=12))
def test_lines_are_told_apart_as_they_stand(lines: list[tuple[str | None, ...]]) -> None:
    first, face = faces._told_apart(pl.DataFrame(lines, schema=dict.fromkeys("xyz", pl.String), orient="row"))
    assert [lines[at] for at in first] == list(dict.fromkeys(lines))
    assert [lines[first[one]] for one in face] == lines


def test_what_is_unchanged_is_never_made_again(tmp_path: Path, tables: NameTables) -> None:
    bureau = Bureau(tmp_path)
    first = spoken(bureau, bureau.night(WHOLE), tables)
    before = [(path, path.stat().st_mtime_ns) for one in first for path in (one.said, one.faces)]
    second = spoken(bureau, bureau.night(WHOLE), tables)
    assert [(path, path.stat().st_mtime_ns) for one in second for path in (one.said, one.faces)] == before


def test_other_folds_of_characters_make_other_faces_and_the_old_ones_go(tmp_path: Path, tables: NameTables) -> None:
    bureau = Bureau(tmp_path)
    arrived = bureau.night(WHOLE)
    (old,) = spoken(bureau, arrived, tables)
    (new,) = spoken(bureau, arrived, dataclasses.replace(tables, folds={**tables.folds, "张": "章"}))
    assert set(mentions((new,), tmp_path)["name_key"]) == {"章三"}
    assert not old.said.exists()
    assert not old.faces.exists()


def test_pieces_say_what_the_whole_says(tmp_path: Path, tables: NameTables, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [car(f"桂A{at}", owner=VALID if at % 3 else "") for at in range(300)]
    whole, pieces = Bureau(tmp_path / "whole"), Bureau(tmp_path / "pieces")
    once = mentions(spoken(whole, whole.night(Sent("ga_cheliang", cars(*rows).data, 300)), tables), tmp_path)
    arrived = pieces.night(Sent("ga_cheliang", cars(*rows).data, 300))
    frame = read_frame(arrived.known["ga_cheliang"].parts[0].rows)
    monkeypatch.setattr(faces, "frames_of", lambda _path, columns, _rows: iter([frame[:100].select(columns), frame[100:].select(columns)]))
    assert mentions(spoken(pieces, arrived, tables), tmp_path).equals(once)


@pytest.mark.parametrize(("as_of", "state"), [("1990-03-06", "invalid"), ("1990-03-07", "valid18")])
def test_an_id_of_somebody_not_yet_born_is_invalid_that_night(tmp_path: Path, tables: NameTables, as_of: str, state: str) -> None:
    bureau = Bureau(tmp_path)
    line = mentions(spoken(bureau, bureau.night(WHOLE), tables), tmp_path, as_of).row(0, named=True)
    assert line["id_state"] == state
    assert (line["id15"] is None, line["id_birth"] is None, line["id_sex"] is None) == ((state == "invalid"),) * 3

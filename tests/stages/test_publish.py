"""Publishing: whole or not at all, newest as-of wins, the same night once, one night at a time."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.manifest import Manifest, Origin, Published, current_night, previous_night, published_nights
from verify.problems import IntegrityError, LockedError, UsageError
from verify.settings import Home, init_home, open_home, read_settings
from verify.stages.publish import already_published, begin, hand_out, one_at_a_time, publish, verify_night
from verify.store import write_frame


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return init_home(tmp_path / "home")


def origin(day: int = 20, rules: str = "r1", previous: str = "") -> Origin:
    return Origin(as_of=date(2026, 11, day), inputs={"a.csv": "00"}, rules=rules, program="0.1.0", previous=previous)


def run(home: Home, made: Origin, cases: int = 2) -> Published:
    work = begin(home, made.night)
    write_frame(pl.DataFrame({"case_id": [f"C{n}" for n in range(cases)]}), work / "results" / "cases.parquet")
    (work / "review.xlsx").write_bytes(b"a workbook")
    return publish(home, work, manifest=Manifest(night=made.night, origin=made, incomplete=False, counts={"cases": cases}), run={"host": "h"})


def test_a_home_is_private_and_made_once(tmp_path: Path) -> None:
    os.umask(0o022)
    home = init_home(tmp_path / "h")
    assert {p.stat().st_mode & 0o777 for p in (home.folder, home.archive, home.nights)} == {0o700}
    home.config.write_text('threads = 4\nmemory = "1GB"\n', encoding="utf-8")
    assert read_settings(init_home(home.folder)).threads == 4
    assert open_home(home.folder) == home


@pytest.mark.parametrize("text", ["threads = 0", "treads = 2", "threads =", 'memory = "lots"'])
def test_a_wrong_setting_is_named(home: Home, text: str) -> None:
    home.config.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="E-CONFIG"):
        read_settings(home)


def test_no_home_and_a_folder_with_other_things(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="E-NO-HOME"):
        open_home(tmp_path / "nowhere")
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="E-HOME-TAKEN"):
        init_home(tmp_path)


def test_a_night_is_named_after_all_it_follows_from() -> None:
    first = origin().night
    assert first.startswith("20261120-")
    assert len(first) == 17
    assert origin().night == first
    others = {origin(day=19).night, origin(rules="r2").night, origin(previous=first).night, replace(origin(), model="m").night}
    assert len(others | {first}) == 5


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_the_order_in_which_files_are_listed_names_nothing(inputs: dict[str, str]) -> None:
    def named(files: dict[str, str]) -> str:
        return Origin(as_of=date(2026, 1, 1), inputs=files, rules="r", program="p").night

    assert named(inputs) == named(dict(reversed(inputs.items())))


def test_a_manifest_reads_back_what_it_wrote() -> None:
    made = origin()
    manifest = Manifest(night=made.night, origin=made, incomplete=True, late=("户籍",), counts={"b": 2, "a": 1}, files={"x": "y"})
    text = manifest.to_json()
    assert Manifest.from_json(text) == manifest
    assert text.endswith("}\n")
    assert "户籍" in text
    assert text.index('"a": 1') < text.index('"b": 2')


def test_a_published_night_is_whole_and_current(home: Home) -> None:
    night = run(home, origin())
    assert home.current.read_text(encoding="utf-8") == f"{night.folder.name}\n"
    assert set(night.manifest.files) == {"results/cases.parquet", "review.xlsx"}
    assert not list(home.nights.glob(".*"))
    assert json.loads((night.folder / "run.json").read_text(encoding="utf-8")) == {"host": "h", "number": 1}
    verify_night(night)


def test_nothing_is_visible_before_publication(home: Home) -> None:
    work = begin(home, origin().night)
    assert published_nights(home) == []
    assert current_night(home) is None
    assert work.stat().st_mode & 0o777 == 0o700


def test_what_a_crashed_night_left_is_removed(home: Home) -> None:
    (begin(home, origin(day=18).night) / "half.parquet").write_bytes(b"")
    begin(home, origin().night)
    assert [p.name for p in home.nights.iterdir()] == [f".{origin().night}.part"]


def test_the_same_night_is_published_once(home: Home) -> None:
    first = run(home, origin())
    assert already_published(home, origin().night) == first
    assert already_published(home, origin(day=21).night) is None
    with pytest.raises(IntegrityError, match="E-NIGHT-THERE"):
        run(home, origin())


def test_an_older_date_does_not_move_current_back(home: Home) -> None:
    newest = run(home, origin(day=20))
    run(home, origin(day=18))
    assert current_night(home) == newest
    assert [n.manifest.origin.as_of.day for n in published_nights(home)] == [18, 20]


def test_new_rules_on_the_same_date_become_current(home: Home) -> None:
    run(home, origin())
    second = run(home, origin(rules="r2"))
    assert current_night(home) == second
    already_published(home, origin().night)
    assert current_night(home) == second


def test_a_crash_between_rename_and_pointer_is_mended(home: Home) -> None:
    night = run(home, origin())
    home.current.unlink()
    already_published(home, night.folder.name)
    assert current_night(home) == night


def test_the_night_before_is_the_newest_of_an_earlier_date(home: Home) -> None:
    assert previous_night(home, date(2026, 11, 20)) is None
    run(home, origin(day=18))
    second = run(home, origin(day=18, rules="r2"))
    run(home, origin(day=20))
    assert previous_night(home, date(2026, 11, 20)) == second
    assert previous_night(home, date(2026, 11, 18)) is None


@pytest.mark.parametrize("harm", ["manifest.json", "run.json", "name"])
def test_a_broken_night_is_told(home: Home, harm: str) -> None:
    night = run(home, origin())
    if harm == "name":
        night.folder.rename(home.nights / "20261120-00000000")
    else:
        (night.folder / harm).write_text("{", encoding="utf-8")
    with pytest.raises(IntegrityError, match="E-NIGHT-BROKEN"):
        published_nights(home)


def test_a_changed_an_added_and_a_lost_file_are_told(home: Home) -> None:
    night = run(home, origin())
    write_frame(pl.DataFrame({"case_id": ["C9"]}), night.folder / "results" / "cases.parquet")
    (night.folder / "more.txt").write_text("x", encoding="utf-8")
    (night.folder / "review.xlsx").unlink()
    with pytest.raises(IntegrityError) as told:
        verify_night(night)
    assert [p.where.split("/", 1)[1] for p in told.value.problems] == ["more.txt", "results/cases.parquet", "review.xlsx"]


def test_a_night_under_a_foreign_name_is_not_published(home: Home) -> None:
    work = begin(home, origin().night)
    with pytest.raises(IntegrityError, match="E-NIGHT-NAME"):
        publish(home, work, manifest=Manifest(night=origin(day=1).night, origin=origin(), incomplete=False), run={})
    assert published_nights(home) == []


def test_results_are_handed_out_whole(home: Home, tmp_path: Path) -> None:
    hand_out(run(home, origin()), tmp_path / "out" / "results")
    assert [p.name for p in (tmp_path / "out" / "results").iterdir()] == ["cases.parquet"]


def hold(folder: Path, held: multiprocessing.synchronize.Event, done: multiprocessing.synchronize.Event) -> None:
    with one_at_a_time(Home(folder)):
        held.set()
        done.wait(20)


def test_one_night_at_a_time_and_a_killed_one_lets_go(home: Home) -> None:
    spawn = multiprocessing.get_context("spawn")
    held, done = spawn.Event(), spawn.Event()
    other = spawn.Process(target=hold, args=(home.folder, held, done))
    other.start()
    assert held.wait(20)
    with pytest.raises(LockedError, match="E-LOCKED"), one_at_a_time(home):
        pass
    other.kill()
    other.join()
    with one_at_a_time(home):
        pass

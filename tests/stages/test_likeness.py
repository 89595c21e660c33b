"""Whom a cut looks for: nobody whom the match could take for somebody is left out, whatever is written for an ID."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.candidates import near_ids
from verify.citizen_id import id_said, said_by
from verify.id_numbers import as_held, id_keys, on_the_day
from verify.identity.numbers import check_of
from verify.identity.slips import one_slip_apart
from verify.likeness import People, Sought
from verify.store import Store, open_store

AS_OF = date(2026, 11, 20)
BIRTHS = [date(1950, 2, 28), date(1990, 3, 7), date(1990, 3, 17), date(1999, 12, 31), date(2003, 3, 7), date(2030, 1, 1)]
BODIES = [f"{region}{birth:%Y%m%d}{sequence:03d}" for region in ("450102", "459999") for birth in BIRTHS for sequence in (1, 12, 121)]


def slipped(written: str, at: int, how: str) -> str:
    """An ID with a slip at a place."""
    at %= len(written)
    other = {"lost": "", "added": "7" + written[at], "changed": "7", "swapped": written[at : at + 2][::-1]}[how]
    return written[:at] + other + written[at + (2 if how == "swapped" else 1) :]


WHOLE = st.sampled_from(BODIES).map(lambda body: body + check_of(body))
OLD = WHOLE.filter(lambda written: written[6:8] == "19").map(lambda written: written[:6] + written[8:17])
SLIPPED = st.builds(slipped, WHOLE | OLD, st.integers(0, 17), st.sampled_from(["lost", "added", "changed", "swapped"]))
IDS = st.none() | WHOLE | OLD | SLIPPED | st.sampled_from(["X", "1234", "45010219900307X"])
Line = tuple[str | None, date | None, str | None]
FACES = st.lists(st.tuples(IDS, st.none() | st.sampled_from(BIRTHS), st.sampled_from([None, "张三", "李四"])), min_size=1, max_size=12)


def faces_of(lines: list[Line]) -> pl.DataFrame:
    """Faces as reading holds them, with `said`: what the archive has of each."""
    told = pl.DataFrame(lines, schema={"id_key": pl.String, "birth": pl.Date, "name_key": pl.String}, orient="row")
    told = told.with_columns(*said_by(told["id_key"]), face=pl.int_range(pl.len(), dtype=pl.Int64), former_key=pl.lit(None, pl.Categorical))
    return on_the_day(told.with_columns(as_held()), AS_OF).with_columns(born="id_birth")


@given(FACES)
def test_an_id_held_as_a_number_is_said_as_it_was_written(lines: list[Line]) -> None:
    faces = faces_of(lines)
    assert id_keys(faces).to_list() == faces["id_key"].to_list()


@pytest.mark.parametrize("body", ["11010519491231002", "44052418800101001"])
def test_the_examples_of_the_standard(body: str) -> None:
    assert id_said(pl.Series([int(body)])).item() == body + check_of(body)


@given(FACES, FACES)
def test_whoever_could_be_somebody_by_id_or_birth_is_found(many: list[Line], few: list[Line]) -> None:
    faces, others = faces_of(many), faces_of(few)
    people = People(faces)
    by_id, alike = (set(found["face"]) for found in (people.same_id(Sought(others)), people.like(Sought(others))))
    for mine in faces.iter_rows(named=True):
        for other in others.iter_rows(named=True):
            unsure = mine["digits"] is None or other["digits"] is None
            if _one_id(mine, other) or (unsure and one_slip_apart([(mine["id_key"] or "", other["id_key"] or "")])[0] and _nearly_whole(mine, other)):
                assert mine["face"] in by_id
            if unsure and {mine["birth"], mine["born"]} & {other["birth"], other["born"]} - {None}:
                assert mine["face"] in alike


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("slips")) as opened:
        yield opened


def ids_of(faces: pl.DataFrame) -> pl.DataFrame:
    """What the match compares of faces: an ID that is worth nothing on the day is invalid."""
    state = pl.when(pl.col("digits").is_null()).then(pl.lit("invalid")).otherwise("id_state")
    return faces.select("id_key", id_state=state).drop_nulls("id_key")


@pytest.mark.parametrize("spoilt", ["ours", "theirs"])
def test_whomever_the_match_pairs_by_a_slip_is_found_too(store: Store, spoilt: str) -> None:
    """The blocks stand in two places, in SQL for the match and here for few of many: a slip at some places leaves one of the four alike."""
    whole = [body + check_of(body) for body in BODIES]
    slips = [slipped(written, at, how) for written in whole[:2] for at in range(18) for how in ("lost", "added", "changed", "swapped")]
    told = {"ours": whole, "theirs": slips} if spoilt == "theirs" else {"ours": slips, "theirs": whole}
    faces, others = (faces_of([(written, None, None) for written in told[name]]) for name in ("ours", "theirs"))
    for name, some in (("ours", faces), ("theirs", others)):
        store.load(name, ids_of(some))
    assert near_ids(store, "near", "ours", "theirs") > 100
    people = People(faces)
    for mine, theirs in store.rows("SELECT a, b FROM near ORDER BY ALL"):
        found = people.same_id(Sought(others.filter(id_key=theirs)))
        assert set(faces.filter(id_key=mine)["face"]) <= set(found["face"]), (mine, theirs)


def _one_id(mine: dict[str, object], other: dict[str, object]) -> bool:
    return any(mine[name] is not None and mine[name] == other[name] for name in ("id_key", "id15"))


def _nearly_whole(*faces: dict[str, object]) -> bool:
    return all(17 <= len(str(face["id_key"] or "")) <= 19 for face in faces)


@given(FACES, FACES)
def test_two_valid_ids_that_differ_are_two_peoples_whatever_they_share(many: list[Line], few: list[Line]) -> None:
    faces, others = (found.filter(pl.col("digits").is_not_null()) for found in (faces_of(many), faces_of(few)))
    found = People(faces).like(Sought(others))
    assert set(found["digits"]) <= set(others["digits"])

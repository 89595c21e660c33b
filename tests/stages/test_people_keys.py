"""The same person bears one key from night to night; who is only perhaps the same does not, and the night says so."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.small_county import book
from tests.stages.test_match import MAN, SON, STRANGER, WIFE, an_id, wrong
from verify.identity.numbers import VALID, number_of, to_fifteen
from verify.people_keys import KEYED, PORTRAITS, SCHEMA, write_people_keys
from verify.stages.read import TROUBLES
from verify.store import Store, open_store, read_frame, write_frame

PORTRAIT = ("case_id", "member_no", "person_id", "name_key", "id18", "id15", "birth", "sex")
FIRST = date(2026, 11, 20)
OLD, NEW = MAN[:6] + MAN[8:17], MAN  # the same number before and after 1999
Place = tuple[str, int]


@dataclass
class Nights:
    """A home's nights: keys of each by place, and what the last one said."""

    store: Store
    folder: Path
    before: Path | None = None
    day: date = FIRST
    codes: set[str] = field(default_factory=set)
    last: pl.DataFrame = field(default_factory=pl.DataFrame)

    def night(self, portraits: pl.DataFrame, *, days: int = 1) -> dict[Place, str]:
        tables = self.folder / self.day.isoformat()
        tables.mkdir()
        write_frame(portraits, tables / PORTRAITS)
        write_frame(pl.DataFrame(schema=TROUBLES), tables / "troubles.parquet")
        self.store.run("SET VARIABLE as_of = ?::DATE", [self.day])
        write_people_keys(self.store, book(), tables=tables, before=self.before, troubles=tables / "troubles.parquet")
        self.codes = set(read_frame(tables / "troubles.parquet")["code"])
        self.last, self.before, self.day = read_frame(tables / KEYED), tables, self.day + timedelta(days)
        return {(case, no): key for case, no, key in self.last.select("case_id", "member_no", "person_key").iter_rows()}

    def said(self, case: str, no: int = 1) -> dict[str, object]:
        """What became of a person on the last night."""
        return self.last.filter(case_id=case, member_no=no).row(0, named=True)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("store"), threads=1) as opened:
        yield opened


@pytest.fixture
def nights(store: Store, tmp_path: Path) -> Nights:
    return Nights(store, tmp_path)


def families(*cases: Sequence[tuple[str, str | None]], order: int = 0) -> pl.DataFrame:
    """What the match leaves of cases C1, C2, … of (name, ID); one valid ID is one person."""
    found = []
    for at, people in enumerate(cases, 1):
        for no, (name, number) in enumerate(people, 1):
            told = number_of(number, FIRST) if number else None
            valid = told is not None and told.state == VALID
            key = told.key if told and valid else None
            birth, sex = (told.birth, told.sex) if told and valid else (None, None)
            place = {"case_id": f"C{at}", "member_no": no, "person_id": key or f"C{at}:{no}"}
            id15 = to_fifteen(key) if key else None
            found.append({**place, "name_key": name, "birth": birth, "sex": sex})
            found.append({**place, "id18": key if number == key else None, "id15": id15, "birth": birth, "sex": sex})
    random.Random(order).shuffle(found)
    return pl.DataFrame(found, schema={name: SCHEMA.get(name, pl.String) for name in PORTRAIT})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("李国强", MAN), ("李国强", MAN)),
        (("李国强", OLD), ("李国强", NEW)),
        (("李国强", NEW), ("李国强", OLD)),
        (("李国强", wrong(MAN)), ("李国强", MAN)),
        (("李国强", None), ("李国强", MAN)),
        (("李国墙", MAN), ("李国强", MAN)),
        (("李国墙", None), ("李国强", None)),
        (("李国强", MAN), ("李爱军", MAN)),  # another name at the same place with the same ID
    ],
)
def test_a_key_outlives_corrections(nights: Nights, before: tuple[str, str | None], after: tuple[str, str | None]) -> None:
    first = nights.night(families([before, ("王晓芬", WIFE)]))
    assert nights.night(families([after, ("王晓芬", WIFE)])) == first
    assert nights.codes == set()
    assert nights.night(families([before, ("王晓芬", WIFE)])) == first


def test_it_goes_with_the_person_to_another_number_and_another_case_and_says_nothing_of_them(nights: Nights) -> None:
    first = nights.night(families([("李国强", MAN), ("王晓芬", None), ("李明", SON)]))
    moved = nights.night(families([("李国强", MAN), ("李明", SON), ("王晓芬", None)], [("李明", SON)], order=3))
    assert moved == {("C1", 1): first["C1", 1], ("C1", 2): first["C1", 3], ("C1", 3): first["C1", 2], ("C2", 1): first["C1", 3]}
    assert not [piece for key in first.values() for piece in (MAN[6:14], SON[6:14], "C1") if piece in key]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("李国强", MAN), ("李国强", STRANGER)),  # two valid IDs are two people
        (("李国强", None), ("李国", None)),  # half a name
        (("李国强", wrong(MAN)), ("李国", MAN)),
    ],
)
def test_perhaps_the_same_is_a_new_key_and_a_note(nights: Nights, before: tuple[str, str | None], after: tuple[str, str | None]) -> None:
    first = nights.night(families([before]))
    then = nights.night(families([after]))
    assert then["C1", 1] != first["C1", 1]
    assert nights.said("C1")["perhaps"] == [first["C1", 1]]
    assert nights.codes == {"N-PEOPLE-KEYS"}


def test_another_person_at_the_same_place_is_another_person(nights: Nights) -> None:
    first = nights.night(families([("李国强", MAN)]))
    then = nights.night(families([("赵春梅", STRANGER)]))
    assert then["C1", 1] != first["C1", 1]
    assert nights.codes == set()


def test_two_who_turn_out_to_be_one_and_two_again(nights: Nights) -> None:
    """As when a batch that had mended an ID is withdrawn: every key comes back to whom it was."""
    apart = families([("李国强", None)], [("李国强", MAN)], [("李国强", MAN), ("王晓芬", WIFE)])
    one = families([("李国强", MAN)], [("李国强", MAN)], [("李国强", MAN), ("王晓芬", WIFE)])
    first = nights.night(apart)
    assert first["C2", 1] == first["C3", 1] != first["C1", 1]
    joined = nights.night(one)
    assert joined["C1", 1] == joined["C2", 1] == first["C2", 1]
    assert nights.said("C1")["merged"] == [first["C1", 1]]
    assert nights.codes == {"N-PEOPLE-KEYS"}
    assert nights.night(one) == joined
    assert nights.codes == set(), "it is told once"
    assert nights.night(apart) == first
    assert nights.said("C1")["how"] == "returned"


def test_one_who_turns_out_to_be_two(nights: Nights) -> None:
    twin = an_id("19800305", 13)
    first = nights.night(families([("李国强", MAN)], [("李国强", MAN)]))
    then = nights.night(families([("李国强", MAN)], [("李国强", None)]))
    assert then["C1", 1] == first["C1", 1] != then["C2", 1]
    assert nights.said("C2")["split_from"] == first["C1", 1]
    assert nights.codes == {"N-PEOPLE-KEYS"}
    assert nights.night(families([("李国强", MAN)], [("李国强", twin)]))["C2", 1] == then["C2", 1]


def test_who_comes_back_has_the_old_key_while_the_roster_may_be_kept(nights: Nights) -> None:
    first = nights.night(families([("李国强", MAN)], [("赵春梅", STRANGER)]))
    nights.night(families([("李国强", MAN)]), days=1000)
    assert nights.night(families([("李国强", MAN)], [("赵春梅", STRANGER)])) == first
    assert nights.said("C2")["how"] == "returned"
    nights.night(families([("李国强", MAN)]), days=1100)
    assert nights.night(families([("李国强", MAN)])) == {("C1", 1): first["C1", 1]}, "a late night forgets nobody who is on it"
    assert nights.night(families([("李国强", MAN)], [("赵春梅", STRANGER)]))["C2", 1] not in first.values()


def test_namesakes_without_ids_stay_where_they_are(nights: Nights) -> None:
    family = [("李国强", None), ("李国强", None), ("李国墙", None)]
    first = nights.night(families(family))
    assert len(set(first.values())) == 3
    assert nights.night(families(family, order=5)) == first

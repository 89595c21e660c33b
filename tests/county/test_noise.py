"""What goes wrong in a made-up county goes wrong as often as `words/noise.yaml` says, can be switched off, and is told truly."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest

from fixtures.county import refusals
from fixtures.county.lives import lives_of
from fixtures.county.mistakes import check_letters, letters_of, one_character, others
from fixtures.county.neighbours import Neighbours, likenesses, shared
from fixtures.county.noise import Spoiler, dirty_block, fits
from fixtures.county.order import Order
from fixtures.county.page import OWN_FILES, PAGE
from fixtures.county.people import people_of
from fixtures.county.rates import REFUSALS, STRANGERS, Noise, kinds
from fixtures.county.recovery import lost_people, one_step, recoverable
from fixtures.county.registers import registers_of

ORDER = Order(20_000, 600, 3, date(2026, 11, 20))
ONE_IN_TEN_THOUSAND = 3.719  # the standard normal's quantile; a seed is fixed, so a fair county passes or fails once for all
Frames = dict[str, pl.DataFrame]


@cache
def clean() -> Frames:
    people = people_of(ORDER, 0)
    frames = registers_of(ORDER, 0, people) | lives_of(ORDER, 0, people)
    return {x: frame.select(c for c in frame.columns if not c.startswith("true_")) for x, frame in frames.items()}


@cache
def near() -> Neighbours:
    people = people_of(ORDER, 0)
    return Neighbours(people, shared(likenesses(people)), clean()["mz_chengyuan"]["pid"].unique().sort().to_numpy())


@cache
def dirty(level: str, off: frozenset[str] = frozenset()) -> Frames:
    return dirty_block(ORDER, Noise(level, off), near(), clean())


def sides(frames: Frames) -> pl.DataFrame:
    """One line for each side of each row: extract, uid, pid, trap, recoverable, like, status, refused, name, number."""
    parts = []
    for x, frame in frames.items():
        for at, side in enumerate(PAGE[x].sides):
            own = [pl.col(f"{c}{side}").alias(c) for c in ("pid", "trap", "recoverable", "like")]
            name, number = pl.col(PAGE[x].names[at]).alias("name"), pl.col(PAGE[x].ids[at]).str.slice(0, 18).alias("number")
            parts.append(frame.select(pl.lit(x).alias("extract"), pl.lit(side).alias("side"), "uid", *own, "status", "refused", name, number))
    return pl.concat(parts)


def chi_squared_is_small(observed: list[int], expected: list[float]) -> bool:
    """Pearson's statistic below its quantile of 1 in 10,000 (Wilson and Hilferty's cube)."""
    seen, due = np.array(observed), np.array(expected)
    freedom = len(due)
    quantile = freedom * (1 - 2 / (9 * freedom) + ONE_IN_TEN_THOUSAND * np.sqrt(2 / (9 * freedom))) ** 3
    return bool((((seen - due) ** 2 / due).sum()) < quantile)


@pytest.mark.parametrize("level", ["normal", "hard"])
def test_mistakes_in_ids_and_names_are_as_frequent_as_documented(level: str) -> None:
    told, seen, due = Noise(level), [], []
    found = sides(dirty(level)).filter(pl.col("uid") < 1 << 61).group_by("extract", "trap").len()
    count = {(x, trap): n for x, trap, n in found.iter_rows()}
    plain = [kind for kind, of in kinds().items() if of in ("all", "old", "family") and kind not in ("homophone", "lookalike", "variant")]
    for x in (x for x in PAGE if not told.sticks(x)):
        for kind in (kind for kind in plain if fits(kind, PAGE[x])):
            befallen = sum(_who(kind, clean()[x][f"pid{side}"]) for side in PAGE[x].sides)
            expected = befallen * told.share(kind, x)
            if expected >= 8:
                seen.append(count.get((x, kind), 0))
                due.append(expected)
    assert len(due) > 15
    assert chi_squared_is_small(seen, due)


def _who(kind: str, pids: pl.Series) -> int:
    """How many of these rows a kind of noise can befall."""
    rows = near().rows_of(pids)
    rows = rows[rows >= 0]
    return int(near().populations[kinds()[kind]][rows].sum()) if kinds()[kind] in near().populations else len(rows)


@pytest.mark.parametrize("kind", ["former_name", "dot", "pinyin"])
def test_mistakes_of_some_people_are_as_frequent_among_them_as_documented(kind: str) -> None:
    told, seen, due = Noise("hard"), 0, 0.0
    for x in ("sw_geshui", "yb_jiesuan", "rh_cunkuan", "mz_chengyuan", "cl_canji", "ga_cheliang"):
        rows = dirty("hard")[x].filter((pl.col("uid") < 1 << 61) & pl.col("pid").is_not_null() & pl.col("trap").is_in(["", "dot", "pinyin", "former_name"]))
        seen += (rows["trap"] == kind).sum()
        due += told.share(kind, x) * _who(kind, rows["pid"])
    assert abs(seen - due) < ONE_IN_TEN_THOUSAND * np.sqrt(due) + 0.05 * due  # a few rows are taken by an earlier round


@pytest.mark.parametrize("group", [REFUSALS, STRANGERS, ("duplicate",)])
def test_refusals_copies_and_strangers_are_as_frequent_as_documented(group: tuple[str, ...]) -> None:
    told = Noise("hard")
    for kind in group:
        seen, due = 0, 0.0
        for x in (x for x in PAGE if x not in (*OWN_FILES, "ga_huji", "mz_hunyin") and (kind not in REFUSALS or refusals.fits(kind, PAGE[x]))):
            rows, base = dirty("hard")[x], clean()[x]
            seen += (rows["refused"] == kind).sum() + (rows["trap"] == kind).sum()
            befallen = base["pid"].is_in(near().members.tolist()).sum() if kind in STRANGERS else base.height
            due += told.share(kind, x) * befallen
        assert abs(seen - 0.95 * due) < 0.1 * due + ONE_IN_TEN_THOUSAND * np.sqrt(due), kind  # dirty rows and rows without a whole key are left alone


def test_a_clean_county_has_nothing_wrong() -> None:
    for x, frame in dirty("clean").items():
        assert frame.select(clean()[x].columns).sort("uid").equals(clean()[x].sort("uid")), x
        assert frame["status"].unique().to_list() == ["ok"]
    assert sides(dirty("clean"))["trap"].unique().to_list() == [""]


def test_every_kind_of_noise_occurs_in_a_hard_county() -> None:
    found = sides(dirty("hard"))
    assert set(kinds()) == (set(found["trap"]) | set(found["refused"])) - {""}


@pytest.mark.parametrize("kind", ["digit", "duplicate", "no_id", "namesake", "bytes", "former_name"])
def test_switching_one_kind_off_leaves_all_others_where_they_are(kind: str) -> None:
    extract = PAGE["yb_jiesuan"]
    one, all_ = (Spoiler(ORDER.draws, Noise("hard", off), near()).dirty(extract.code, clean()[extract.code]) for off in (frozenset({kind}), frozenset()))
    assert kind not in {*one["trap"], *one["refused"]}
    both = one.join(all_, on="uid", how="inner", suffix="_all").filter((pl.col("trap_all") != kind) & (pl.col("refused_all") != kind))
    assert both.height > 0.9 * all_.height
    before = all_.filter((pl.col("trap") != kind) & (pl.col("refused") != kind) & (pl.col("uid") < 1 << 61))
    assert before.sort("uid").equals(one.join(before, on="uid", how="semi").sort("uid"))


def test_what_was_done_to_an_id_is_what_the_truth_says() -> None:
    rows = sides(dirty("hard")).join(near().people.select("pid", "household", true="id", birth="birth"), on="pid", how="left")

    def of(kind: str) -> pl.DataFrame:
        return rows.filter(pl.col("trap") == kind)

    for kind in ("check_wrong", "digit", "swap"):
        written, true = letters_of(of(kind)["number"]), letters_of(of(kind)["true"])
        assert (check_letters(written) != written[:, 17]).all(), f"{kind}: every such ID is invalid"
        assert ((written != true).sum(axis=1) == (2 if kind == "swap" else 1)).all()
    assert of("check_missing").select(pl.col("number") == pl.col("true").str.slice(0, 17)).to_series().all()
    assert of("id15").select(pl.col("number") == pl.col("true").str.slice(0, 6) + pl.col("true").str.slice(8, 9)).to_series().all()
    assert of("id15")["birth"].max() < date(1999, 10, 1)  # type: ignore[operator]
    relatives = of("family_id").join(near().people.select(like="pid", house="household", theirs="id"), on="like", how="left")
    assert relatives.select((pl.col("number") == pl.col("theirs")) & (pl.col("household") == pl.col("house"))).to_series().all()
    assert not of("family_id")["recoverable"].any()


def test_strangers_are_nobody_of_the_county_and_never_recoverable() -> None:
    people = near().people.select(like="pid", theirs="id", called="name")
    rows = sides(dirty("hard")).filter(pl.col("trap").is_in(STRANGERS)).join(people, on="like", how="left")
    assert rows["pid"].is_null().all()
    assert not rows["recoverable"].any()
    assert rows["like"].is_in(near().members.tolist()).all()
    alike = {kind: part for (kind,), part in rows.group_by("trap")}
    assert alike["stolen_id"].select((pl.col("number") == pl.col("theirs")) & (pl.col("name") != pl.col("called"))).to_series().all()
    for kind in ("namesake", "near_id"):
        letters = letters_of(alike[kind]["number"])
        assert (check_letters(letters) == letters[:, 17]).all()
        assert not alike[kind]["number"].is_in(near().people["id"].implode()).any()
        assert alike[kind].select(pl.col("name") == pl.col("called")).to_series().all()
    assert alike["namesake_no_id"]["number"].is_null().all()


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("459999198001010013", True),  # the last character wrong
        ("45999919800101001", True),  # and missing
        ("459999198001010033", False),
        ("459999198001100011", True),  # two neighbours swapped
        ("459999198001010021", True),
        ("459999198001020021", False),
        ("45999919800102001", False),
    ],
)
def test_an_id_is_near_another_by_one_step_only(written: str, near: bool) -> None:
    assert one_step(written, "459999198001010011") == near


def test_a_damaged_id_that_could_be_a_namesakes_is_beyond_recovery() -> None:
    people = (
        near().people.head(2).with_columns(pl.Series("id", ["459999198001010015", "459999198001010023"]), name=pl.lit("李明"), sex=1, birth=date(1980, 1, 1))
    )
    two = Neighbours(people, shared(likenesses(people)), np.empty(0, dtype=np.int64))
    written = pl.Series(["459999198001010025", "459999198001010115", "459999198001010014"])
    rows, kind = np.array([0, 0, 0]), pl.Series(["digit", "digit", "check_wrong"])
    assert recoverable(two, rows, (pl.Series(["李明"] * 3), written), kind, False).tolist() == [False, True, True]


def test_a_name_that_became_a_relatives_is_beyond_recovery() -> None:
    rows = sides(dirty("hard")).filter(pl.col("trap").is_in(["homophone", "lookalike", "former_name"])).join(near().people.select("pid", "household"), on="pid")
    home = near().people.select("household", "name")
    assert not rows.join(home, on=["household", "name"], how="semi")["recoverable"].any()


def test_rows_of_a_person_whose_declared_ids_are_all_lost_are_beyond_recovery() -> None:
    lost = lost_people(dirty("hard"))
    theirs = sides({x: frame for x, frame in dirty("hard").items() if x not in OWN_FILES}).filter(pl.col("pid").is_in(lost.implode()))
    assert theirs.height > 0
    assert not theirs["recoverable"].any()


@pytest.mark.parametrize(
    ("roster", "application", "register", "known"),
    [
        ("no_id", "", "", True),
        ("no_id", "no_id", "", False),
        ("family_id", "digit", "", True),
        ("family_id", "digit", "swap", False),
        ("check_wrong", "check_wrong", "", True),
        ("digit", "id15", "no_id", True),
        ("digit", "digit", "no_id", False),
        ("id15", "id15", "no_id", True),
        ("refused", "", "", False),
    ],
)
def test_an_applicant_is_known_by_either_declared_id(roster: str, application: str, register: str, known: bool) -> None:
    def row(trap: str) -> pl.DataFrame:
        status = "refused" if trap == "refused" else "ok"
        return pl.DataFrame({"申请编号": ["SQ1"], "pid": [7], "trap": [trap], "status": [status]})

    assert lost_people({"mz_chengyuan": row(roster), "mz_shenqing": row(application), "ga_huji": row(register)}).to_list() == ([] if known else [7])


def test_a_row_without_id_is_recoverable_only_by_name_birth_and_sex_that_nobody_shares() -> None:
    rows = sides(dirty("hard")).filter((pl.col("trap") == "no_id") & pl.col("recoverable"))
    assert set(rows["extract"]) <= {"ga_huji", "mz_huohua"}
    assert not near().alike[near().rows_of(rows["pid"])].any()


@pytest.mark.parametrize("book", ["homophones", "lookalikes", "variants"])
def test_a_damaged_name_differs_in_one_character_that_the_table_knows(book: str) -> None:
    names = pl.Series(["李伟明", "陈国东", "欧阳晴", "马晓梅", "张建"])
    found = one_character(names, np.arange(5, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15), book)
    pairs = [(a, b) for a, b in zip(names, found, strict=True) if b is not None]
    assert pairs
    for name, other in pairs:
        differ = [(a, b) for a, b in zip(name, other, strict=True) if a != b]
        assert len(differ) == 1
        assert differ[0][1] in others(book)[differ[0][0]]


def test_a_gbk_file_gets_names_that_it_can_hold() -> None:
    for x in ("mz_hunyin", "mz_zaixiang", "bdc_fangwu"):
        for name in PAGE[x].names:
            "".join(dirty("hard")[x][name].drop_nulls().to_list()).encode("gbk")


def test_a_stranger_under_a_stolen_id_gets_a_name_that_the_file_can_hold() -> None:
    """Found in a county of ten million: a block wrote the rare character of a stranger's name into a GBK file."""
    people = people_of(ORDER, 0).with_columns(pl.col("name").str.slice(0, 1) + "𬭚")
    found = Spoiler(ORDER.draws, Noise("hard"), Neighbours(people, near().twice, near().members)).dirty("bdc_fangwu", clean()["bdc_fangwu"])
    names = found.filter(pl.col("trap") == "stolen_id")["权利人"]
    assert names.str.contains("chun|CHUN").all()
    assert len(names) > 0


def test_a_row_keeps_its_noise_on_the_next_night() -> None:
    later = Order(20_000, 600, 3, date(2026, 11, 21), night=1)
    people = people_of(later, 0)
    frames = registers_of(later, 0, people) | lives_of(later, 0, people)
    spoiler = Spoiler(later.draws, Noise("hard"), Neighbours(people, near().twice, near().members))
    for x in ("ga_huji", "sw_geshui", "rs_canbao"):
        both = spoiler.dirty(x, frames[x]).join(Spoiler(ORDER.draws, Noise("hard"), near()).dirty(x, clean()[x]), on="uid", suffix="_before")
        assert both.height > 0.98 * clean()[x].height
        assert both.filter(pl.col("status") == "ok").select(pl.col("trap") == pl.col("trap_before")).to_series().all()

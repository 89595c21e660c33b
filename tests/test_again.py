"""One case worked out again from the archive agrees with the night, and says so where a published table was changed."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.tables import a_copy
from tests.test_cli import DROP, hedui
from verify import Home
from verify.again import must_agree
from verify.keys import remove_sealed
from verify.known_then import arrived_then
from verify.link_scores import SHIPPED
from verify.linkage.model import load_model, save_model
from verify.manifest import Published, current_night
from verify.match_model import OWN
from verify.passing import passing_folder, sweep
from verify.problems import IntegrityError, UsageError
from verify.rulebook import Rulebook, load_rulebook
from verify.settings import rules_folder
from verify.store import largest_in, open_store, read_frame, rows_in, write_frame
from verify.store_held import MOST
from verify.store_rows import rows_where


@pytest.fixture(scope="module")
def home(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with another model than that by which its night weighed links."""
    copy, model = a_copy(home, tmp_path_factory.mktemp("again") / "home"), load_model(SHIPPED)
    save_model(replace(model, shares=tuple(share - 1_000_000 * (at == 0) for at, share in enumerate(model.shares))), copy.folder / OWN)
    return copy


@pytest.fixture(scope="module")
def night(home: Home) -> Published:
    found = current_night(home)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_rulebook(rules_folder())


def three(night: Published) -> dict[str, str]:
    """A settled case, one that cannot be told, and one of whose people somebody is in another case."""
    cases = read_frame(night.folder / "results" / "cases.parquet")
    persons = read_frame(night.folder / "tables" / "persons.parquet")
    twice = persons.group_by("person_id").agg(pl.col("case_id").n_unique().alias("n")).filter(pl.col("n") > 1)
    shared = persons.filter(pl.col("person_id").is_in(twice["person_id"].implode()))["case_id"].min()
    assert isinstance(shared, str)
    open_ = cases.filter(pl.col("category") == "cannot_tell", pl.col("needs").list.len() > 1)["case_id"]
    settled = cases.filter(pl.col("category") != "cannot_tell", pl.col("case_id") != shared)["case_id"]
    return {"settled": settled[5], "open": open_[5], "shared": shared}


@pytest.mark.parametrize("which", ["settled", "open", "shared"])
def test_a_case_worked_out_again_agrees(home: Home, night: Published, book: Rulebook, which: str) -> None:
    assert must_agree(home, night, three(night)[which], book=book) > 1
    assert not list(home.folder.glob(".again*"))


def test_little_is_read_for_one_case(home: Home, night: Published, book: Rulebook, tmp_path: Path) -> None:
    """Neither the register, which is the crowd, nor the deaths are held whole."""
    arrived = arrived_then(home, night, three(night)["open"], book=book, tables=tmp_path)
    held = {name: sum(rows_in(part.rows) for part in known.parts) for name, known in arrived.known.items()}
    whole = read_frame(night.folder / "tables" / "files.parquet").group_by("extract").agg(pl.col("kept").sum())
    for extract, kept in whole.filter(pl.col("kept") > 1000).iter_rows():
        assert held[extract] < kept / 5, extract
    assert all(held[name] for name, extract in book.extracts.items() if extract.plays.register_), "by its rows alone it is known that there is a register"


def test_the_window_says_that_it_agrees(home: Home, night: Published) -> None:
    case = three(night)["open"]
    assert "与发布结果一致" in hedui("check", case, "--home", home.folder, "--again").stdout
    told = json.loads(hedui("check", case, "--home", home.folder, "--again", "--json").stdout)
    assert told["again"]["agrees"]


HAN = "[\u3400-\u9fff\U00020000-\U0003ffff]+"
CHANGES = {
    "results/cases": pl.lit("none").alias("category"),
    "results/tests": pl.lit("holds").alias("verdict"),
    "results/evidence": pl.lit("accepted_by_hand").alias("link_status"),
}


@pytest.mark.parametrize("table", CHANGES)
def test_a_changed_table_is_named_and_nothing_of_it(home: Home, night: Published, tmp_path: Path, table: str) -> None:
    case, changed = three(night)["open"], a_copy(home, tmp_path / "changed")
    path = changed.nights / night.folder.name / f"{table}.parquet"
    write_frame(read_frame(path).with_columns(CHANGES[table]), path)
    said = hedui("check", case, "--home", changed.folder, "--again", "--lang", "en")
    assert (said.returncode, said.stdout) == (13, "")
    assert said.stderr.startswith("E-AGAIN ")
    assert table in said.stderr
    assert not list(changed.folder.glob(".again*"))


@pytest.mark.parametrize("table", ["tables/values", "results/links", "tables/margins"])
def test_a_table_that_is_gone_is_not_passed_over_unless_older_nights_lack_it(home: Home, night: Published, book: Rulebook, tmp_path: Path, table: str) -> None:
    bare = a_copy(home, tmp_path / "bare")
    then = current_night(bare)
    assert then is not None
    remove_sealed(then.folder / f"{table}.parquet")
    with nullcontext() if table == "tables/margins" else pytest.raises((IntegrityError, FileNotFoundError)):
        assert must_agree(bare, then, three(night)["open"], book=book) > 1


def test_a_case_is_not_worked_out_by_other_rules_or_without_its_archive(home: Home, night: Published, book: Rulebook, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(rules_folder(), rules)
    (rules / "messages" / "more.yaml").write_text("- {word: stage_new, zh: 新, en: new}\n", encoding="utf-8")
    assert must_agree(home, night, three(night)["open"], book=load_rulebook(rules)), "a sentence decides nothing"
    lines = rules / "parameters" / "lines.yaml"
    lines.write_text(lines.read_text(encoding="utf-8") + "# another word\n", encoding="utf-8")
    with pytest.raises(UsageError, match="E-AGAIN-RULES"):
        must_agree(home, night, three(night)["open"], book=load_rulebook(rules))
    bare = Home(tmp_path / "bare")
    bare.archive.mkdir(parents=True)
    shutil.copy(home.config, bare.config)
    with pytest.raises(IntegrityError, match="E-AGAIN"):
        must_agree(bare, night, three(night)["open"], book=book)


def test_what_a_killed_look_up_left_is_swept_but_not_under_one_at_work(home: Home) -> None:
    left = home.folder / ".again-killed"
    left.mkdir()
    with passing_folder(home) as mine:
        assert not left.exists()
        left.mkdir()
        with passing_folder(home) as theirs:
            assert mine.is_dir()
            assert left.is_dir(), "whoever is not alone cannot tell whose it is"
        assert not theirs.exists()
        sweep(home)
        assert mine.is_dir()
    sweep(home)
    assert not list(home.folder.glob(".again-*"))


@pytest.mark.parametrize("rows", [0, 1, MOST, MOST + 1])
def test_what_a_passing_folder_holds_is_read_like_what_lies_on_disk(home: Home, rows: int) -> None:
    numbers = [None if at % 7 == 3 else at - 5 for at in range(rows)]
    texts = [f"李{at}" for at in range(rows)]
    schema = {"case_id": pl.String, "fen": pl.Int64, "none": pl.Int64, "ids": pl.List(pl.String)}
    some = pl.DataFrame({"case_id": texts, "fen": numbers, "none": [None] * rows, "ids": [[text] for text in texts]}, schema=schema)
    disk = home.folder / "some.parquet"
    write_frame(some, disk)
    with passing_folder(home) as work, open_store(work, threads=1, few_rows=True) as store:
        held = work / "some.parquet"
        write_frame(some, held)
        assert held.is_file()
        assert (held.stat().st_size == 0) == (rows <= MOST)
        for ask in (read_frame, rows_in, largest_in, lambda path: rows_where(path, "case_id", "李3"), lambda path: store.rows(f"FROM {store.source(path)}")):
            assert_equal(ask(held), ask(disk))
        write_frame(some.head(1), held)
        assert rows_in(held) == min(rows, 1), "written anew"
        assert store.one(f"SELECT count(*) FROM {store.source(held)}") == min(rows, 1)
    assert not held.exists()
    with pytest.raises(FileNotFoundError):
        rows_in(held)
    remove_sealed(disk)


def assert_equal(one: object, other: object) -> None:
    assert one.equals(other) if isinstance(one, pl.DataFrame) and isinstance(other, pl.DataFrame) else one == other


# --- nothing of a person leaves ---------------------------------------------------------------------------------------


def clear_texts(home: Home, night: Published) -> dict[str, str]:
    """Everything a night and the desk write or print in clear for people."""
    found = {path.name: path.read_text(encoding="utf-8") for path in (*night.folder.glob("*.json"), *night.folder.glob("*.html"))}
    with zipfile.ZipFile(night.folder / "review.xlsx") as book:
        found |= {name: book.read(name).decode() for name in book.namelist() if name.endswith((".xml", ".rels"))}
    cases = three(night)
    asked: list[tuple[str, ...]] = [("check", cases["shared"], "--again"), ("check", cases["open"], "--json"), ("explain", cases["settled"], "--json")]
    for case in cases.values():
        asked += [("check", case), ("explain", case, "--long")]
    asked += [("status",), ("nights", "list"), ("nights", "show"), ("night", "--drop", str(DROP))]
    for words in asked:
        said = hedui(*words, "--home", home.folder)
        found[" ".join(words)] = said.stdout + said.stderr
    said = hedui("extract", "check", DROP / "ga_huji_20261120.csv", "--as", "ga_huji")
    return found | {"extract check": said.stdout + said.stderr, "ledger": home.ledger.read_text(encoding="utf-8")}


def test_no_id_and_no_name_is_written_or_printed_in_clear(home: Home, night: Published) -> None:
    persons = read_frame(night.folder / "tables" / "persons.parquet")
    names = {name for name in persons["name"].drop_nulls() if len(name) > 2}  # two characters may be any word's
    texts = clear_texts(home, night)
    assert len(texts) > 20
    for where, text in texts.items():
        assert re.search(r"(?<!\d)[1-9]\d{16}[\dXx](?!\d)", text) is None, where
        assert [len(name) for name in standing_in(text, names)] == [], where


def standing_in(text: str, names: set[str]) -> list[str]:
    """The names that stand in a text: those of Han characters looked for in its runs of them, each run once, the few others one by one."""
    runs = sorted(set(re.findall(HAN, text)))
    parts = {run[at : at + size] for run in runs for size in {len(name) for name in names} for at in range(len(run) - size + 1)}
    return sorted(name for name in names if (name in parts if re.fullmatch(HAN, name) else name in text))


def test_a_name_is_found_wherever_it_stands_in_a_text() -> None:
    names = {"欧阳小明", "张伟国", "阿依古丽·买买提", "李Ann"}
    assert standing_in("<c>户主欧阳小明，</c>", names) == ["欧阳小明"]
    assert standing_in("张伟国张伟国 阿依古丽·买买提；李Anna", names) == sorted(names - {"欧阳小明"})
    assert standing_in("张伟 国欧阳小", names) == []

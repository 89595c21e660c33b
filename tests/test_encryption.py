"""Encryption at rest: what is written cannot be read without the key, and says the same as before with it."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from tests.tables import a_copy, table
from tests.test_cli import DROP, hedui
from verify import Home, init_home
from verify.keys import data_key, key_line, use
from verify.manifest import Published, current_night
from verify.problems import HeduiError, IntegrityError
from verify.settings import key_place, tables_of
from verify.stages.publish import verify_night
from verify.store import open_store, read_frame, write_frame
from verify.store_files import digest_of, seal_plain, write_plain

MANY = 300_000


@pytest.fixture(scope="module")
def home(bureau: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    return a_copy(bureau, tmp_path_factory.mktemp("sealed") / "home")


@pytest.fixture(scope="module")
def night(home: Home) -> Published:
    found = current_night(home)
    assert found is not None
    return found


def code_of(error: pytest.ExceptionInfo[HeduiError]) -> str:
    return error.value.problems[0].code


# --- nothing in clear -------------------------------------------------------------------------------------------------


def people_of_the_county() -> tuple[set[bytes], set[bytes]]:
    """Every ID of the county's files, and every name of three characters or more, in each encoding a file may have."""
    texts = [path.read_bytes() for path in DROP.glob("*.csv")]
    ids = {found for text in texts for found in re.findall(rb"(?<!\d)[1-9]\d{16}[\dX](?!\d)", text)}
    rows = csv.DictReader(io.StringIO((DROP / "ga_huji_20261120.csv").read_text(encoding="gb18030", errors="replace")))
    names = {row["姓名"].strip() for row in rows if row["姓名"] and len(row["姓名"].strip()) > 2}
    return ids, {name.encode(code) for name in names if name.isalpha() for code in ("utf-8", "gb18030", "utf-16-le")}


class Names:
    """Names of six bytes or more, to be looked for anywhere in data: by the first two bytes of each, the first six, then whole."""

    def __init__(self, names: set[bytes]) -> None:
        self._begun: dict[int, list[bytes]] = {}
        for name in names:
            self._begun.setdefault(int.from_bytes(name[:6], "little"), []).append(name)
        self._sixes = np.array(sorted(self._begun), dtype=np.uint64)
        self._twos = np.zeros(1 << 16, dtype=np.bool_)
        self._twos[[six & 0xFFFF for six in self._begun]] = True

    def stand_in(self, data: bytes) -> bool:
        each = np.frombuffer(data, dtype=np.uint8)
        twos = each[:-1].astype(np.uint16) | each[1:].astype(np.uint16) << 8
        near = np.flatnonzero(self._twos[twos[: max(len(data) - 5, 0)]])
        sixes = sum((each[near + at].astype(np.uint64) << np.uint64(8 * at) for at in range(6)), np.zeros(len(near), dtype=np.uint64))
        places = near[np.isin(sixes, self._sixes)]
        return any(data.startswith(name, int(at)) for at in places for name in self._begun[int.from_bytes(data[at : at + 6], "little")])


def test_a_name_is_found_wherever_it_stands() -> None:
    names = Names({name.encode(code) for name in ("欧阳小明", "张伟国") for code in ("utf-8", "gb18030", "utf-16-le")})
    assert all(
        names.stand_in(before + name.encode(code) + behind)
        for name in ("欧阳小明", "张伟国")
        for code in ("utf-8", "gb18030", "utf-16-le")
        for before in (b"", b"x,")
        for behind in (b"", b"\xe5\n")
    )
    assert not names.stand_in("张伟民欧阳小".encode())
    assert not names.stand_in(b"")


def test_no_person_and_no_plain_table_lies_anywhere_in_a_home(home: Home) -> None:
    ids, names = people_of_the_county()
    assert len(ids) > 5_000
    assert len(names) > 1_000
    sought = Names(names)
    files = [path for path in home.folder.rglob("*") if path.is_file()]
    assert len(files) > 100
    for path in files:
        parts = [path.read_bytes()]
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                parts += [book.read(name) for name in book.namelist()]
        for data in parts:
            assert not data.startswith(b"PAR1"), path.name
            assert not data.endswith(b"PAR1"), path.name
            assert not ids & set(re.findall(rb"(?<!\d)[1-9]\d{16}[\dX](?!\d)", data)), path.name
            assert not sought.stand_in(data), path.name


def test_every_table_has_a_key_of_its_own(home: Home) -> None:
    keys = [data_key(path) for path in tables_of(home)]
    assert len(set(keys)) == len(keys) > 50
    assert {key_line(path).name for path in tables_of(home)} == {path.name for path in home.folder.rglob("*.key")}


def test_what_lies_outside_a_home_no_other_process_can_read(tmp_path: Path) -> None:
    write_frame(pl.DataFrame({"a": ["x"]}), tmp_path / "t.parquet")
    assert read_frame(tmp_path / "t.parquet")["a"].item() == "x"
    (tmp_path / "hedui.toml").write_text("", encoding="utf-8")  # now a home, whose key is another
    shutil.copy(key_place(init_home(tmp_path / "other")).path, tmp_path.parent / f"{tmp_path.name}.key")
    with pytest.raises(IntegrityError) as told:
        read_frame(tmp_path / "t.parquet")
    assert code_of(told) == "E-KEY-WRONG"


# --- the same content -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More rows than two pages hold, with long texts, gaps and lists."""
    path = tmp_path_factory.mktemp("many") / "many.parquet"
    at = pl.int_range(MANY, eager=True)
    long = at.cast(pl.String) + "示范县某某镇某某村第三组" * 8
    lists = pl.select(pl.concat_list(at.cast(pl.String), at.cast(pl.String))).to_series()
    write_frame(pl.DataFrame({"n": at, "text": long, "gaps": at.replace(dict.fromkeys(range(0, MANY, 7))), "list": lists}), path)
    return path


def test_300_000_rows_with_long_texts_are_read_back_by_pyarrow_and_by_duckdb(many: Path) -> None:
    frame = read_frame(many)
    with open_store(many.parent) as store:
        assert store.frame(f"FROM {store.source(many)}").equals(frame)
        store.load("whole", many)
        store.load("view", many, whole=False)
        for name in ("whole", "view"):
            assert store.rows(f"SELECT n, gaps, list[2] FROM {name} WHERE n = 250001") == [(250_001, 250_001, "250001")]
            assert store.one(f"SELECT count(*) FROM {name} WHERE n IN (SELECT n FROM whole WHERE gaps IS NULL)") == len(range(0, MANY, 7))
            assert [n for (n,) in store.rows(f"SELECT n FROM {name}")] == list(range(MANY)), "in the order of the file"


def test_duckdb_decrypts_a_whole_scan_itself_and_fails_on_filters_and_lists(many: Path) -> None:
    """Why `Store.source` goes through pyarrow. When this fails, DuckDB has mended it: think again (design §5)."""
    with duckdb.connect() as plain:
        plain.execute(f"PRAGMA add_parquet_key('k', '{base64.b64encode(data_key(many)).decode()}')")
        rows = f"read_parquet('{many}', encryption_config = {{footer_key: 'k'}})"
        assert plain.sql(f"SELECT n, text, gaps FROM {rows}").pl().equals(read_frame(many).drop("list"))
        for sql in (f"SELECT n FROM {rows} WHERE n = 7", f"SELECT list FROM {rows}"):
            with pytest.raises(duckdb.InvalidInputException, match="AES tag"):
                plain.execute(sql).fetchall()


def test_ciphertext_differs_and_digests_do_not(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": ["x", None], "l": [["y"], []]})
    for name in ("one", "two"):
        write_frame(frame, tmp_path / f"{name}.parquet")
    assert (tmp_path / "one.parquet").read_bytes() != (tmp_path / "two.parquet").read_bytes()
    assert digest_of(tmp_path / "one.parquet") == digest_of(tmp_path / "two.parquet")


# --- damage and swaps -------------------------------------------------------------------------------------------------


def test_every_flipped_bit_and_every_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_frame(pl.DataFrame({"a": ["x", "y"], "n": [1, None]}), path)
    for file in (path, key_line(path)):
        whole = file.read_bytes()
        harmed = [whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :] for at in range(0, len(whole), 3)]
        for data in (*harmed, b"", whole[:3], whole[: len(whole) // 2], whole[:-1]):
            file.write_bytes(data)
            with pytest.raises(IntegrityError) as told:
                read_frame(path)
            assert code_of(told) in {"E-SEAL-BROKEN", "E-KEY-WRONG"}
        file.write_bytes(whole)
    assert read_frame(path).height == 2


def test_a_flipped_bit_is_told_through_duckdb_too(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_frame(pl.DataFrame({"a": [str(n) for n in range(5_000)]}), path)
    data = bytearray(path.read_bytes())
    data[3_000] ^= 1
    path.write_bytes(data)
    with open_store(tmp_path) as store, pytest.raises(IntegrityError) as told:
        store.load("t", path)
    assert code_of(told) == "E-SEAL-BROKEN"


def test_a_file_of_another_place_is_not_taken_for_the_one_that_was_there(home: Home, night: Published, tmp_path: Path) -> None:
    changed = a_copy(home, tmp_path / "changed")
    results = changed.nights / night.folder.name / "results"
    shutil.copy(results / "tests.parquet", results / "cases.parquet")
    assert refused(results / "cases.parquet") == "E-SEAL-BROKEN"
    shutil.copy(key_line(results / "tests.parquet"), key_line(results / "cases.parquet"))
    assert refused(results / "cases.parquet") == "E-SEAL-MOVED"
    key_line(results / "cases.parquet").unlink()
    assert refused(results / "cases.parquet") == "E-SEAL-NONE"
    said = hedui("check", "SQ2026000001", "--home", changed.folder, "--lang", "en")
    assert (said.returncode, said.stdout) == (13, "")
    assert said.stderr.startswith(f"E-SEAL-NONE  nights/{night.folder.name}/results/cases.parquet: ")
    status = hedui("key", "status", "--home", changed.folder)
    assert status.returncode == 13
    assert "1 个文件打不开" in status.stdout


def refused(path: Path) -> str:
    with pytest.raises(IntegrityError) as told:
        read_frame(path)
    return code_of(told)


def test_a_home_that_was_moved_with_its_key_is_read(home: Home, night: Published, tmp_path: Path) -> None:
    moved = a_copy(home, tmp_path / "elsewhere")
    folder = moved.nights / night.folder.name
    verify_night(Published(folder, night.manifest, night.number))
    use(moved)


# --- the way out ------------------------------------------------------------------------------------------------------


def test_results_go_out_in_clear_and_the_night_records_it(home: Home, night: Published, tmp_path: Path) -> None:
    said = hedui("results", "export", tmp_path / "out", "--home", home.folder, "--json")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["files"] == sorted(path.name for path in (night.folder / "results").glob("*.parquet"))
    for path in (tmp_path / "out").iterdir():
        assert pl.read_parquet(path).equals(table(night.folder / "results" / path.name))
    again = tmp_path / "again"
    assert hedui("night", "--home", home.folder, "--drop", DROP, "--results", again).returncode == 0
    assert {p.name: p.read_bytes() for p in again.iterdir()} == {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    first, second = json.loads((night.folder / "run.json").read_text(encoding="utf-8"))["handed_out"][-2:]
    assert (first["to"], second["to"]) == (str(tmp_path / "out"), str(again))
    assert first["user"]
    assert "cases.parquet" in first["files"]
    assert hedui("nights", "show", "--home", home.folder).stdout.count("明文导出") == 2
    verify_night(night)


def test_results_in_clear_never_go_into_the_home(home: Home) -> None:
    said = hedui("results", "export", home.folder / "out", "--home", home.folder)
    assert (said.returncode, said.stderr[:16]) == (2, "E-RESULTS-INSIDE")
    assert not (home.folder / "out").exists()


# --- a home of an older program ---------------------------------------------------------------------------------------


def in_clear(home: Home, to: Path) -> Home:
    """The home as a program without encryption would have left it."""
    old = a_copy(home, to)
    for path in tables_of(old):
        write_plain(path, path.with_suffix(".plain"))
        path.with_suffix(".plain").replace(path)
        key_line(path).unlink()
    for key in to.parent.glob("*.key"):
        key.unlink()
    old.config.write_text("threads = 2\n", encoding="utf-8")
    use(old)
    return old


def test_a_home_without_a_key_says_what_to_do_and_keeps_its_nights(home: Home, night: Published, tmp_path: Path) -> None:
    old = in_clear(home, tmp_path / "old")
    for words in (("check", "SQ2026000001"), ("night", "--drop", DROP), ("key", "status")):
        said = hedui(*words, "--home", old.folder, "--lang", "en")
        assert (said.returncode, said.stdout) == (13, "")
        assert said.stderr.startswith("E-KEY-NONE")
        assert "`hedui key create`" in said.stderr
    with pytest.raises(IntegrityError, match="E-KEY-NONE"):
        init_home(old.folder)
    made = hedui("key", "create", "--home", old.folder)
    assert made.returncode == 0, made.stderr
    assert not [path for path in tables_of(old) if path.read_bytes().startswith(b"PAR1")]
    verify_night(Published(old.nights / night.folder.name, night.manifest, night.number))
    assert hedui("check", "SQ2026000001", "--home", old.folder).returncode == 0
    assert hedui("key", "create", "--home", old.folder).stderr.startswith("E-KEY-THERE")


def test_a_table_in_clear_is_not_read_where_there_is_a_key(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home")
    pl.DataFrame({"a": [1]}).write_parquet(home.archive / "t.parquet")
    assert refused(home.archive / "t.parquet") == "E-SEAL-NONE"
    seal_plain(home.archive / "t.parquet")
    assert read_frame(home.archive / "t.parquet")["a"].item() == 1
    pl.DataFrame({"a": [2]}).write_parquet(home.archive / "t.parquet")
    assert refused(home.archive / "t.parquet") == "E-SEAL-BROKEN"

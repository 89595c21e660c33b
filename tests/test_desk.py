"""The desk, from a published night of the made-up county: check, explain, status, nights, config, extract check, the ledger."""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.tables import a_copy, renamed, table
from tests.test_cli import DROP, ROOT, hedui
from verify import Home, init_home
from verify.explain import code_block, entries_of, entry_block
from verify.explain_case import case_blocks, case_json, trace
from verify.labels import amount, distance
from verify.layout import laid_out, wrapped
from verify.ledger import Look, record
from verify.manifest import Origin, Published
from verify.nights import status_of
from verify.problems import InputError
from verify.rulebook import load_rulebook
from verify.sending import check_file
from verify.settings import rules_folder
from verify.speech import Speech, display_width, speech
from verify.spot import branch_verdict, read_spot, spot_blocks, spot_json
from verify.typed import purpose_of, safe

AN_ID = "450102199001011234"
LONG_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")


@pytest.fixture(scope="session", params=["zh", "en"])
def voice(request: pytest.FixtureRequest) -> Speech:
    return speech(rules_folder(), request.param)


def ledger(home: Home) -> list[dict[str, str]]:
    return [json.loads(line) for line in home.ledger.read_text(encoding="utf-8").splitlines()] if home.ledger.exists() else []


# --- check ------------------------------------------------------------------------------------------------------------


def test_the_window_answers_with_category_tests_and_whom_to_ask(home: Home, cases: pl.DataFrame) -> None:
    row = cases.filter(pl.col("needs").list.len() > 0).row(0, named=True)
    said = hedui("check", row["case_id"], "--home", home.folder)
    assert (said.returncode, said.stderr) == (0, "")
    first, *rest = said.stdout.splitlines()
    assert first == f"{row['case_id']}  待核实"
    assert "（完整）" in rest[0] or "，完整）" in rest[0]
    for part in ("【低保】", "限额", "与限额之差", "【预警】", "【尚未定的条件】", "【下一步】", "【数据来源】", "2026-11-20  已收"):
        assert part in said.stdout
    assert re.search(r"1\. ", said.stdout)
    assert "\x1b" not in said.stdout


def test_check_in_english_and_as_json(home: Home, cases: pl.DataFrame) -> None:
    case = cases["case_id"][0]
    assert "[what to do next]" in hedui("check", case, "--home", home.folder, "--lang", "en").stdout
    told = json.loads(hedui("check", case, "--home", home.folder, "--json").stdout)
    assert told["case"] == case
    assert told["category"] == cases["category"][0]
    assert {s["as_of"] for s in told["sources"]} == {"2026-11-20"}
    assert len(told["sources"]) == 18


def test_every_answer_is_the_nights_and_its_branches_lead_to_its_category(night: Published, cases: pl.DataFrame) -> None:
    table = load_rulebook(rules_folder()).decision
    for row in cases.head(120).iter_rows(named=True):
        spot = read_spot(night, row["case_id"])
        if not spot.tests:  # nobody counts
            assert (row["members_high"], row["category"]) == (0, table.otherwise.then)
            continue
        verdicts = [branch_verdict([t for t in spot.tests if t["category"] == branch.then]) for branch in table.rows]
        settled = next((branch.then for branch, v in zip(table.rows, verdicts, strict=True) if v != "fails"), table.otherwise.then)
        first = next((v for v in verdicts if v != "fails"), "fails")
        assert row["category"] == (table.unknown.then if first == "open" else settled)
        assert (row["category"] == table.unknown.then) == bool(spot.case["open_tests"])


def test_a_case_in_which_nobody_counts_says_so(night: Published, cases: pl.DataFrame, voice: Speech) -> None:
    empty = cases.filter(pl.col("members_high") == 0)["case_id"].to_list()
    assert empty
    assert voice.word("check_no_tests") in laid_out(spot_blocks(read_spot(night, empty[0]), voice), 100)


def test_nobody_is_named_and_no_line_is_too_wide(night: Published, cases: pl.DataFrame, voice: Speech) -> None:
    persons = table(night.folder / "tables" / "persons.parquet")
    for case in cases["case_id"].gather_every(7):
        spot = read_spot(night, case)
        traced = trace(spot)
        text = laid_out(spot_blocks(spot, voice), 60)
        assert max(map(display_width, text.splitlines())) <= 60
        text += laid_out(case_blocks(traced, voice), 60) + json.dumps([spot_json(spot, voice), case_json(traced, voice)], ensure_ascii=False)
        for name, ids in persons.filter(pl.col("case_id") == case).select("name", "ids").rows():
            assert name not in text
            assert not any(one in text for one in ids)
        assert not LONG_NUMBER.search(text)


def test_check_loads_neither_duckdb_nor_polars(home: Home, cases: pl.DataFrame) -> None:
    script = f"import sys, cli\ntry: cli.app(['check', {cases['case_id'][0]!r}, '--home', {str(home.folder)!r}])\nexcept SystemExit: pass\n"
    script += "print(sorted({'duckdb', 'polars', 'sqlglot', 'xlsxwriter'} & set(sys.modules)))"  # what it costs: bench/desk.py
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONUTF8": "1"})
    assert said.stdout.rstrip().endswith("[]")


def test_a_gbk_terminal_and_a_narrow_one(home: Home, cases: pl.DataFrame) -> None:
    command = [sys.executable, "-m", "cli", "check", cases["case_id"][0], "--home", str(home.folder)]
    env = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "gbk", "COLUMNS": "60", "NO_COLOR": "1"}
    said = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False)
    text = said.stdout.decode("gbk")
    assert said.returncode == 0
    assert "【下一步】" in text
    assert "\\u" not in text
    assert max(map(display_width, text.splitlines())) <= 60


def test_a_reader_who_goes_away_is_no_mistake_of_ours(home: Home, cases: pl.DataFrame) -> None:
    line = f"{sys.executable} -m cli explain {cases['case_id'][0]} --home {home.folder} | head -1"
    said = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in said.stderr
    assert "E-BUG" not in said.stderr


def test_there_is_no_such_case(home: Home) -> None:
    for typed in (AN_ID, "张伟国", "SQ", "4501 0219 9001 0112 34", "\udcff"):
        said = hedui("check", typed, "--home", home.folder)
        assert (said.returncode, said.stdout) == (2, "")
        assert said.stderr.startswith("E-NO-CASE")
        assert AN_ID not in said.stderr
        assert "伟" not in said.stderr
        assert "1990" not in said.stderr


def test_there_is_no_night_yet_and_no_home(tmp_path: Path) -> None:
    assert "E-NO-HOME" in hedui("check", "SQ1", "--home", tmp_path).stderr
    made = init_home(tmp_path / "h")
    for words in (("check", "SQ1"), ("explain", "SQ1"), ("status",), ("nights", "show")):
        said = hedui(*words, "--home", made.folder)
        assert said.returncode == 2
        assert said.stderr.startswith("E-NO-NIGHT")
    assert hedui("nights", "list", "--home", made.folder).returncode == 0


@pytest.mark.parametrize(("program", "exit_code"), [("0.0.9", 0), ("0.1.1", 2), ("0.10", 2), ("odd", 13)])
def test_a_night_of_a_newer_program_is_not_misread(home: Home, cases: pl.DataFrame, tmp_path: Path, program: str, exit_code: int) -> None:
    newer = a_copy(home, tmp_path / "newer")
    path = newer.nights / newer.current.read_text(encoding="utf-8").strip() / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["origin"]["program"] = program
    origin = Origin(**{**manifest["origin"], "as_of": date.fromisoformat(manifest["origin"]["as_of"])})
    manifest["night"] = origin.night
    path.write_text(json.dumps(manifest | ({"what_only_the_newer_knows": 1} if exit_code == 2 else {})), encoding="utf-8")
    folder = renamed(path.parent, newer.nights / origin.night)
    newer.current.write_text(folder.name, encoding="utf-8")
    for words in (("check", cases["case_id"][0]), ("nights", "list"), *((("night", "--drop", DROP),) if exit_code == 2 else ())):
        said = hedui(*words, "--home", newer.folder, "--lang", "en")
        assert said.returncode == exit_code
        assert (exit_code != 2) or (said.stderr.startswith("E-NEWER") and program in said.stderr and not said.stdout)


# --- the ledger -------------------------------------------------------------------------------------------------------


def test_a_look_is_on_record_and_an_unknown_case_too(home: Home, cases: pl.DataFrame) -> None:
    before = len(ledger(home))
    hedui("check", cases["case_id"][1], "--home", home.folder, "--purpose", f"复核 {AN_ID}")
    hedui("explain", cases["case_id"][1], "--home", home.folder)
    hedui("check", AN_ID, "--home", home.folder)
    first, second, third = ledger(home)[before:]
    assert (first["command"], first["case"], first["purpose"]) == ("check", cases["case_id"][1], "复核 ********")
    assert (second["command"], second["purpose"]) == ("explain", "日常核对")
    assert third["case"] == "********"
    assert all(line["user"] and line["when"].endswith("+00:00") for line in (first, second, third))
    assert home.ledger.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("command", ["check", "explain"])
def test_without_a_ledger_nothing_is_shown(home: Home, cases: pl.DataFrame, tmp_path: Path, command: str) -> None:
    shut = a_copy(home, tmp_path / "shut")
    shut.ledger.unlink(missing_ok=True)
    shut.ledger.mkdir()  # root may write to any file, so that a mode would prove nothing here
    for case in (cases["case_id"][0], "SQ-nobody"):
        said = hedui(command, case, "--home", shut.folder)
        assert (said.returncode, said.stdout) == (12, "")
        assert said.stderr.startswith("E-LEDGER")


def test_many_looks_at_once_leave_whole_lines_and_a_torn_line_stays_alone(tmp_path: Path) -> None:
    made = init_home(tmp_path / "h")
    made.ledger.write_text('{"torn": ', encoding="utf-8")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: record(made, Look("check", f"SQ{n}", "x" * 150)), range(100)))
    torn, *lines = made.ledger.read_text(encoding="utf-8").splitlines()
    assert torn == '{"torn": '
    assert {json.loads(line)["case"] for line in lines} == {f"SQ{n}" for n in range(100)}


def test_a_ledger_that_is_a_link_is_not_followed(home: Home, cases: pl.DataFrame, tmp_path: Path) -> None:
    linked = a_copy(home, tmp_path / "linked")
    linked.ledger.unlink(missing_ok=True)
    linked.ledger.symlink_to(tmp_path / "elsewhere")
    assert hedui("check", cases["case_id"][0], "--home", linked.folder).returncode == 12
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_typed_is_made_safe() -> None:
    assert safe("SQ2026000001") == "SQ2026000001"
    assert safe(f"x{AN_ID}") == "x********"
    assert safe("张伟国") == "张**"
    assert safe("") == ""
    assert purpose_of(" 复核\n再看 ") == "复核 再看"


# --- explain ----------------------------------------------------------------------------------------------------------


def test_every_figure_goes_down_to_its_rows(night: Published, cases: pl.DataFrame) -> None:
    said, evidence = speech(rules_folder(), "zh"), table(night.folder / "results" / "evidence.parquet")
    for case in cases["case_id"].gather_every(29):
        told = case_json(trace(read_spot(night, case)), said)
        assert len(told["evidence"]) == evidence.filter(pl.col("case_id") == case).height
        for row in told["evidence"]:
            assert all(row[key] for key in ("department", "batch", "file", "row", "link_status", "as_of", "rules"))
            assert row["method"] or not row["member"]
        assert all(re.search(r"\.yaml:\d+$", figure["rule"]) and figure["law"] for figure in told["figures"])


def test_explain_a_case_in_words(home: Home, cases: pl.DataFrame) -> None:
    said = hedui("explain", cases["case_id"][0], "--home", home.folder, "--long", COLUMNS="120")
    assert said.returncode == 0
    for part in ("【所用标准】", "6,360.00 元/人/年", "2026-07-01", "【怎样算出】", "家庭月人均收入", "身份证号相同", "_20261120", "依据："):
        assert part in said.stdout


def test_every_code_is_explained(voice: Speech) -> None:
    for code in voice.messages:
        block = code_block(voice, code.lower())
        assert block is not None
        assert len(block.lines) == 2
        assert "{" not in laid_out([block], 60)


def test_everything_the_rules_name_is_explained(voice: Speech) -> None:
    book = load_rulebook(rules_folder())
    for entry in book.entries.values():
        if entry.kind in {"rule", "input", "parameter", "extract", "alert", "decision"}:
            assert entry in entries_of(voice, entry.name)
            text = laid_out([entry_block(voice, entry)], 60)
            assert entry.where() in text.replace("\n  ", "")
            assert max(map(display_width, text.splitlines())) <= 60


ASKED = [("E-DRIFT", "also_called"), ("e-required", "E-REQUIRED"), ("line_urban_month", "800"), ("城镇最低生活保障标准", "2027-12-31")]


@pytest.mark.parametrize(("what", "part"), ASKED)
def test_explain_needs_no_home_for_codes_and_rules(what: str, part: str) -> None:
    said = hedui("explain", what)
    assert said.returncode == 0
    assert part in said.stdout
    json.loads(hedui("explain", what, "--json").stdout)


def test_explain_names_what_is_near(home: Home) -> None:
    said = hedui("explain", "monthly_incom", "--lang", "en")
    assert said.returncode == 2
    assert said.stderr.startswith("E-EXPLAIN-WHAT  monthly_incom")
    assert "monthly_income" in said.stderr
    with_home = hedui("explain", "E-DRIFTT", "--home", home.folder)
    assert "E-DRIFT" in with_home.stderr.splitlines()[0].split(":", 1)[1]


# --- nights, status, config -------------------------------------------------------------------------------------------


def test_nights_are_listed_and_shown(home: Home, night: Published) -> None:
    name = night.manifest.night
    assert name in hedui("nights", "list", "--home", home.folder).stdout
    assert name in hedui("nights", "show", name, "--home", home.folder).stdout
    assert json.loads(hedui("nights", "show", "--home", home.folder, "--json").stdout)["night"] == name
    wrong = hedui("nights", "show", "20000101-00000000", "--home", home.folder)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("E-NIGHT-WHICH")


def test_status_knows_how_old_the_last_night_is(home: Home, night: Published) -> None:
    day = night.manifest.origin.as_of
    assert status_of(home, day + timedelta(days=3)).good
    assert not status_of(home, day + timedelta(days=4)).good


def test_status_exits_3_when_the_night_is_old_or_incomplete(home: Home, tmp_path: Path) -> None:
    old = a_copy(home, tmp_path / "old")
    old.config.write_text("oldest_good_night_days = 36500\n", encoding="utf-8")
    assert hedui("status", "--home", old.folder).returncode == 0
    name = old.current.read_text(encoding="utf-8").strip()
    path = old.nights / name / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    extract = min(load_rulebook(rules_folder()).extracts)
    path.write_text(json.dumps({**manifest, "incomplete": True, "late": [extract]}), encoding="utf-8")
    said = hedui("status", "--home", old.folder)
    assert said.returncode == 3
    assert "不完整" in said.stdout
    assert load_rulebook(rules_folder()).extracts[extract].label in said.stdout
    case = hedui("check", "SQ2026000001", "--home", old.folder)
    assert "未到的数据集" in case.stdout


def test_status_says_why_there_is_no_newer_night(home: Home, tmp_path: Path) -> None:
    half = a_copy(home, tmp_path / "half")
    (half.nights / ".20261121-aaaaaaaa.part").mkdir()
    assert status_of(half, date(2026, 11, 21)).unfinished == ("20261121-aaaaaaaa",)
    assert "20261121-aaaaaaaa" in hedui("status", "--home", half.folder).stdout
    with half.lock.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert status_of(half, date(2026, 11, 21)).running


def test_config_says_where_each_value_comes_from(home: Home, tmp_path: Path) -> None:
    said = json.loads(hedui("config", "show", "--origin", "--json", HEDUI_HOME=str(home.folder)).stdout)
    assert said["threads"] == {"value": "2", "origin": "hedui.toml:2"}
    assert said["home"]["origin"] == "环境变量"
    assert said["lang"] == {"value": "zh", "origin": "默认"}
    made = init_home(tmp_path / "h")
    made.config.write_text("oldest_good_night_days = -1\n", encoding="utf-8")
    assert "E-CONFIG" in hedui("config", "show", "--home", made.folder).stderr


# --- a department's own check -----------------------------------------------------------------------------------------


def test_a_file_is_read_as_the_night_reads_it(night: Published) -> None:
    extracts = load_rulebook(rules_folder()).extracts
    files = table(night.folder / "results" / "files.parquet")
    refused = table(night.folder / "results" / "refused.parquet")
    warned = table(night.folder / "tables" / "warnings.parquet").filter(pl.col("row") > 0)
    for line in files.iter_rows(named=True):
        checked = check_file(DROP / line["file"], extracts[line["extract"]])
        counts = (checked.counts.received, checked.counts.kept, checked.counts.refused, checked.counts.duplicate)
        assert counts == tuple(line[key] for key in ("received", "kept", "refused", "duplicate"))
        assert checked.refused == refused.filter(pl.col("file") == line["file"]).select("row", "code", "column").rows()
        assert sorted(checked.warnings) == sorted(warned.filter(pl.col("file") == line["file"]).select("row", "code", "column").rows())


def test_the_check_before_sending_ends_with_0_3_or_10(tmp_path: Path) -> None:
    assert hedui("extract", "check", DROP / "ga_jiguan_20261120.csv", "--as", "ga_jiguan").returncode == 0
    some = hedui("extract", "check", DROP / "ga_huji_20261120.csv", "--as", "ga_huji", "--json")
    assert some.returncode == 3
    assert {"row": 462, "code": "E-REQUIRED", "column": "姓名"} in json.loads(some.stdout)["refused"]
    wrong = hedui("extract", "check", DROP / "ga_jiguan_20261120.csv", "--as", "ga_huji")
    assert (wrong.returncode, wrong.stderr[:7]) == (10, "E-DRIFT")
    page = tmp_path / "x.csv"
    page.write_text("<!DOCTYPE html><html><body>系统超时，请重新登录</body></html>\n", encoding="utf-8")
    assert hedui("extract", "check", page, "--as", "ga_huji").returncode == 10


def test_the_announced_rows_are_held_against_the_file() -> None:
    extract = load_rulebook(rules_folder()).extracts["ga_jiguan"]
    assert check_file(DROP / "ga_jiguan_20261120.csv", extract, rows=15).counts.kept == 15
    assert check_file(DROP / "ga_jiguan_20261120.csv", extract, changes=True).counts.kept == 15
    with pytest.raises(InputError) as refused:
        check_file(DROP / "ga_jiguan_20261120.csv", extract, rows=14)
    assert refused.value.problems[0].code == "E-ROWS"


def test_no_such_file_and_no_such_extract(tmp_path: Path) -> None:
    gone = hedui("extract", "check", tmp_path / f"{AN_ID}.csv", "--as", "ga_huji")
    assert (gone.returncode, gone.stderr[:9]) == (2, "E-NO-FILE")
    assert AN_ID not in gone.stderr
    odd = hedui("extract", "check", DROP / "ga_jiguan_20261120.csv", "--as", "ga_jigan")
    assert (odd.returncode, odd.stderr[:14]) == (2, "E-EXTRACT-WHAT")
    assert "ga_jiguan" in odd.stderr


def test_a_file_whose_name_begins_with_its_extract_needs_no_code(tmp_path: Path) -> None:
    told = hedui("extract", "check", DROP / "ga_jiguan_20261120.csv", "--json")
    assert json.loads(told.stdout)["extract"] == "ga_jiguan"
    other = tmp_path / f"在押{AN_ID}.csv"
    other.write_bytes((DROP / "ga_jiguan_20261120.csv").read_bytes())
    odd = hedui("extract", "check", other)
    assert (odd.returncode, odd.stderr[:14]) == (2, "E-EXTRACT-WHAT")
    assert AN_ID not in odd.stderr


# --- whatever is typed ------------------------------------------------------------------------------------------------

# Each line as the command hears it, in one process: the rules and the commands themselves are the same each time, and are made ready once.
FUZZ = """
import functools, sys, json, typer.main, verify.speech, verify.rulebook, cli
typer.main.get_command = functools.cache(typer.main.get_command)
verify.speech.load_rulebook = verify.rulebook.load_rulebook = functools.cache(verify.rulebook.load_rulebook)
for words in json.load(open(sys.argv[1])):
    print('#', file=sys.stderr)
    try: cli.app(words)
    except SystemExit as end: print('exit', end.code, file=sys.stderr)
"""


def test_two_hundred_odd_command_lines_end_in_words(home: Home, tmp_path: Path) -> None:
    dice = random.Random(20261120)
    verbs = [["check"], ["explain"], ["status"], ["nights", "list"], ["nights", "show"], ["config", "show"], ["extract", "check"], ["rules"], ["fly"], []]
    odd = [AN_ID, "张伟国", "", "-", "--", "--json", "--lang", "en", "fr", "--home", str(home.folder), str(tmp_path), "--as", "ga_huji", "E-DRIFT"]
    odd += ["SQ2026000001"]
    odd += ["\x00", "\n", "😀", "--purpose", "x" * 5000, "--origin", "'; DROP TABLE x", "../../etc/passwd", "%s{}", "--rules", "--help", "--rows", "-1"]
    lines = [dice.choice(verbs) + [dice.choice(odd) for _ in range(dice.randrange(5))] for _ in range(200)]
    (tmp_path / "lines.json").write_text(json.dumps(lines), encoding="utf-8")
    command = [sys.executable, "-c", FUZZ, str(tmp_path / "lines.json")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONUTF8": "1"})
    assert said.returncode == 0, said.stderr[-2000:]
    for words, told in zip(lines, said.stderr.split("#\n")[1:], strict=True):
        assert "Traceback" not in told, words
        assert "E-BUG" not in told, (words, told)
        assert "Error" not in told, (words, told)  # the library's own words for a wrong line
        assert int(re.findall(r"exit (\d+)", told)[-1]) in {0, 2, 3, 10, 12}, (words, told)
    assert AN_ID not in said.stdout + said.stderr


# --- layout -----------------------------------------------------------------------------------------------------------


def test_lines_wrap_between_wide_characters_and_never_begin_with_a_closing_sign() -> None:
    assert wrapped("家庭收入，低于标准。", 8) == ["家庭收", "入，低于", "标准。"]
    assert wrapped("≥ 1,000.00 ～ 2", 10) == ["≥ 1,000.00", "～ 2"]
    assert wrapped("", 10) == [""]
    assert all(display_width(line) <= 12 for line in wrapped("x" * 50 + " 家" * 20, 12))


def test_a_small_distance_is_never_shown_as_none() -> None:
    assert distance(Decimal("529.999999"), Decimal("529.999999"), Decimal(530), "yuan") == "-0.000001"
    assert distance(Decimal("0.599999"), Decimal("0.599999"), Decimal("0.6"), "ratio") == "-0.0001%"
    assert amount(Decimal("1234567.80"), "yuan") == "1,234,567.80"
    assert amount(Decimal("100.000000"), "count") == "100"
    assert distance(Decimal(10), None, Decimal(5), "count") == "≥ +5"

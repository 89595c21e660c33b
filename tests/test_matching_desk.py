"""`hedui match` on the golden night: whose row it is and why, in words, masked and on record; the model; the links held against a truth."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.tables import a_copy, table
from tests.test_cli import hedui
from tests.test_desk import LONG_NUMBER, ledger
from verify import Home
from verify.expected import has_risen
from verify.faces import name_tables_of
from verify.layout import laid_out
from verify.linkage.people import plan_of_people
from verify.linkage.telling import turning
from verify.manifest import current_night
from verify.match_chart import write_chart
from verify.match_drift import drift_blocks, drift_json, drift_of
from verify.match_explain import explain_row, explained_blocks, explained_json, in_bits, level_word, rival_of
from verify.match_model import OWN, fit_model, model_blocks, model_in_force, model_json
from verify.match_rows import Found, asked_for
from verify.match_scores import Counted, _unfair, evaluate, score_blocks, score_json
from verify.nights import newest_night
from verify.problems import HeduiError
from verify.rule_extracts import Extract
from verify.rulebook import Rulebook, load_rulebook
from verify.settings import rules_folder
from verify.speech import Speech
from verify.store import write_frame


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_rulebook(rules_folder())


@pytest.fixture(scope="module", params=["zh", "en"])
def voice(request: pytest.FixtureRequest, book: Rulebook) -> Speech:
    return Speech(request.param, book.messages, book.words, book)


@pytest.fixture(scope="module")
def voices(book: Rulebook) -> list[Speech]:
    return [Speech(language, book.messages, book.words, book) for language in ("zh", "en")]


@pytest.fixture(scope="module")
def links(home: Home) -> pl.DataFrame:
    night = current_night(home)
    assert night is not None
    return table(night.folder / "results" / "links.parquet")


def first(links: pl.DataFrame, **wanted: str) -> dict[str, object]:
    return links.filter(**wanted).row(0, named=True)


def code_of(error: pytest.ExceptionInfo[HeduiError]) -> str:
    return error.value.problems[0].code


def test_a_row_that_two_could_own_names_the_other_and_how_far_the_one_is_ahead(home: Home, book: Rulebook, voices: list[Speech]) -> None:
    beside = table(newest_night(home).folder / "tables" / "margins.parquet").drop_nulls("second_case").row(0, named=True)
    explained = explain_row(home, book, model_in_force(home, book).model, (beside["extract"], beside["row"], beside["file"]), "复核")
    other = f"{beside['second_case']}/{beside['second_member']}"
    for voice, words in zip(voices, ("这一行也可能是", "could also be of"), strict=True):
        said = laid_out(explained_blocks(explained, voice), 400)
        assert any(words in line and other in line and f"{abs(beside['ahead']) / 1_000:.1f}" in line for line in said.splitlines())
    told = [link["next"] for one in explained_json(explained) for link in one["links"] if link["next"]]
    assert {"case_id": beside["second_case"], "member_no": beside["second_member"], "method": beside["second_method"]}.items() <= told[0].items()
    assert told[0]["ahead"] == told[0]["score"] - told[0]["second"]


def test_a_row_is_explained_field_by_field_masked_and_on_record(home: Home, links: pl.DataFrame) -> None:
    link = first(links, status="accepted", method="exact_id")
    before = len(ledger(home))
    said = hedui("match", "explain", link["extract"], link["row"], "--home", home.folder, "--purpose", "复核")
    assert (said.returncode, said.stderr) == (0, "")
    for part in ("当夜结论", "确认", "证件号", "姓名", "相同", "最像的另一种解释", "比特", f"{link['case_id']}/{link['member_no']}"):
        assert part in said.stdout
    assert LONG_NUMBER.search(said.stdout) is None
    assert len(ledger(home)) == before + 1
    assert ledger(home)[-1] | {"when": "", "user": ""} == {
        "when": "",
        "user": "",
        "command": "match explain",
        "case": f"{link['extract']}:{link['row']}",
        "purpose": "复核",
    }


def test_no_name_is_shown_whole(home: Home, book: Rulebook, links: pl.DataFrame, voices: list[Speech]) -> None:
    night = newest_night(home)
    names = [name for name in table(night.folder / "tables" / "persons.parquet")["name"] if name and len(name) > 1]
    model = model_in_force(home, book).model
    doubtful = links.filter(pl.col("status") != "accepted").unique(["extract", "method", "reasons"], keep="first", maintain_order=True)
    assert doubtful.height > 20
    for link in doubtful.iter_rows(named=True):
        told = explain_row(home, book, model, (link["extract"], link["row"], link["file"]), "测试")
        text = "".join(laid_out(explained_blocks(told, voice), 100) for voice in voices) + json.dumps(explained_json(told), ensure_ascii=False)
        assert not [name for name in names if name in text]
        assert LONG_NUMBER.search(text) is None


def test_an_equal_row_weighs_for_its_person_and_says_what_would_change_it(home: Home, book: Rulebook, links: pl.DataFrame) -> None:
    link, model = first(links, status="accepted", method="exact_id"), model_in_force(home, book).model
    (told,) = explain_row(home, book, model, (str(link["extract"]), int(str(link["row"])), None), "测试")
    best = told.told[0]
    assert told.others[best.left].told_as == f"{link['case_id']}/{link['member_no']}"
    assert best.bits > 10_000
    assert best.level["id"] == "equal"
    assert best.stories[0][1] > 0
    assert all(bits <= best.bits or best.level[name] != "equal" for name, bits in turning(best, told.plan, told.model))


def test_the_fields_and_what_stood_before_them_add_up_to_a_story(home: Home, book: Rulebook, links: pl.DataFrame) -> None:
    link, model = first(links, status="review"), model_in_force(home, book).model
    for one in explain_row(home, book, model, (str(link["extract"]), int(str(link["row"])), None), "测试"):
        for told in one.told:
            rival = told.before + sum(bits for _, _, bits in told.fields)
            assert rival in {bits for _, bits in told.stories}


def test_a_field_that_is_blank_or_differs_is_never_called_shared(home: Home, book: Rulebook, links: pl.DataFrame, voice: Speech) -> None:
    model, asked, spoken_of = model_in_force(home, book).model, links.unique("method", keep="first", maintain_order=True), 0
    for extract, row, file in asked.select("extract", "row", "file").iter_rows():
        for told in (told for one in explain_row(home, book, model, (extract, row, file), "测试") for told in one.told):
            said = rival_of(told, voice)
            for name in ("phone", "address", "birth", "name", "id"):
                if told.level[name] in {"nothing", "other"}:
                    assert voice.named("match", f"field_{name}") not in said
                    spoken_of += 1
    assert spoken_of


def test_a_pair_of_a_row_and_a_person(home: Home, links: pl.DataFrame) -> None:
    link = first(links, status="accepted", method="exact_id")
    whom = f"{link['case_id']}/{link['member_no']}"
    said = hedui("match", "pair", f"{link['extract']}:{link['file']}:{link['row']}", whom, "--home", home.folder, "--json")
    (told,) = json.loads(said.stdout)
    assert told["against"][0]["who"] == whom
    assert told["against"][0]["bits"] == told["against"][0]["stories"][0]["bits"] or told["against"][0]["bits"] > 0
    assert ledger(home)[-1]["command"] == "match pair"


def test_a_pair_is_drawn_on_a_page_that_stands_alone_masked_and_adds_up(home: Home, links: pl.DataFrame, book: Rulebook, voice: Speech, tmp_path: Path) -> None:
    link, model = first(links, status="review"), model_in_force(home, book).model
    told = explain_row(home, book, model, (str(link["extract"]), int(str(link["row"])), None), "测试")
    assert write_chart(told, tmp_path / "pair.html", voice) == sum(min(len(one.told), 3) for one in told)
    page = (tmp_path / "pair.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r"(src|href)=|url\(", page)
    assert LONG_NUMBER.search(page) is None
    best = told[0].told[0]
    for part in ("<svg", voice.word("chart_before"), in_bits(best.before), in_bits(best.before + sum(bits for _, _, bits in best.fields))):
        assert part in page
    write_chart(told, tmp_path / "again.html", voice)
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "pair.html").read_bytes()


def test_the_page_is_written_beside_the_answer_or_the_command_says_why_not(home: Home, links: pl.DataFrame, tmp_path: Path) -> None:
    link = first(links, status="accepted", method="exact_id")
    pair = ("match", "pair", f"{link['extract']}:{link['file']}:{link['row']}", f"{link['case_id']}/{link['member_no']}", "--home", home.folder)
    assert hedui(*pair, "--html", tmp_path / "pair.html").returncode == 0
    assert (tmp_path / "pair.html").stat().st_size > 2_000
    assert hedui(*pair, "--html", tmp_path / "no" / "pair.html").stderr.startswith("E-OUT-FILE ")


def test_a_household_is_told_masked_and_on_record_and_only_of_a_case_that_is_there(home: Home) -> None:
    night = newest_night(home)
    persons = table(night.folder / "tables" / "persons.parquet")
    twice = persons.filter(pl.col("case_id").n_unique().over("person_id") > 1)["case_id"].min()
    said = hedui("match", "household", twice, "--home", home.folder)
    assert (said.returncode, said.stderr) == (0, "")
    assert "号成员也在" in said.stdout
    assert not [name for name in persons["name"] if name and len(name) > 1 and name in said.stdout]
    assert ledger(home)[-1]["command"] == "match household"
    told = json.loads(hedui("match", "household", twice, "--home", home.folder, "--json").stdout)
    assert {hint["kind"] for hint in told["hints"]} >= {"two_cases"}
    assert hedui("match", "household", "SQ2026999999", "--home", home.folder).stderr.startswith("E-NO-CASE ")


def test_the_keys_of_a_case_are_told_masked_and_on_record(home: Home) -> None:
    persons = table(newest_night(home).folder / "tables" / "persons.parquet").filter(case_id="SQ2026000002")
    said = hedui("match", "people", "SQ2026000002", "--home", home.folder)
    assert (said.returncode, said.stderr) == (0, "")
    assert not [name for name in persons["name"] if name and len(name) > 1 and name in said.stdout]
    assert ledger(home)[-1]["command"] == "match people"
    told = json.loads(hedui("match", "people", "SQ2026000002", "--home", home.folder, "--json").stdout)["people"]
    assert [one["member"] for one in told] == persons["member_no"].to_list()
    assert all(one["person_key"] in said.stdout and one["how"] == "new" for one in told)
    assert hedui("match", "people", "SQ2026999999", "--home", home.folder).stderr.startswith("E-NO-CASE ")


@pytest.mark.parametrize(
    ("what", "code"),
    [("nothing", "E-MATCH-WHAT"), ("ga_huji:999999", "E-MATCH-NONE"), ("no_extract:1", "E-EXTRACT-WHAT"), ("SQ2026999999/1", "E-NO-CASE")],
)
def test_what_cannot_be_asked_about(home: Home, book: Rulebook, what: str, code: str) -> None:
    with pytest.raises(HeduiError) as error:
        asked_for(what, Found(home, newest_night(home), book))
    assert code_of(error) == code


def test_a_member_that_is_not_there_and_a_file_that_is_not_named(home: Home, book: Rulebook, links: pl.DataFrame) -> None:
    found, link = Found(home, newest_night(home), book), first(links, status="accepted")
    with pytest.raises(HeduiError) as error:
        found.person(str(link["case_id"]), 99)
    assert code_of(error) == "E-MATCH-PERSON"
    with pytest.raises(HeduiError) as error:
        found.row(str(link["extract"]), int(str(link["row"])), "another.csv")
    assert code_of(error) == "E-MATCH-NONE"


def test_the_shipped_model_is_of_the_plan_in_force(home: Home, book: Rulebook, voice: Speech) -> None:
    found = model_in_force(home, book)
    assert not found.own
    assert found.model.plan == plan_of_people(name_tables_of(book)).digest
    assert found.model.digest[:12] in laid_out(model_blocks(found, voice), 100)
    assert model_json(found)["fields"]["id"]["levels"][1] == "equal"


def test_every_level_of_every_field_has_a_word_that_fits_it(home: Home, book: Rulebook, voice: Speech) -> None:
    model = model_in_force(home, book).model
    told = {(field, level): level_word(field, level, voice) for field in model.order for level in model.fields[field]}
    assert all({f"match_level_{level}", f"match_level_{field}_{level}"} & set(book.words) for field, level in told)
    assert told["address", "near"] != told["name", "near"], "a house sounds like nothing"


def test_what_weighs_nothing_has_no_sign() -> None:
    assert [in_bits(weight) for weight in (-40, 0, 49, 60, -60, 12_345)] == ["0.0", "0.0", "0.0", "+0.1", "-0.1", "+12.3"]


def test_a_home_fits_a_model_of_its_own_and_a_damaged_one_is_refused(home: Home, book: Rulebook) -> None:
    fitted = fit_model(home, book)
    try:
        assert model_in_force(home, book) == type(fitted)(fitted.model, own=True)
        assert fitted.linked is not None
        (home.folder / OWN).write_text("{}", encoding="utf-8")
        with pytest.raises(HeduiError) as error:
            model_in_force(home, book)
        assert code_of(error) == "E-MATCH-MODEL"
    finally:
        (home.folder / OWN).unlink()


def test_the_night_says_how_many_of_its_links_are_expected_to_be_wrong(home: Home, links: pl.DataFrame, voice: Speech) -> None:
    drift = drift_of(home)
    night = newest_night(home)
    ((name, wrong),) = drift.nights
    assert name == night.manifest.night
    assert json.loads((night.folder / "run.json").read_text(encoding="utf-8"))["expected_false"] == wrong
    assert {one["method"] for one in drift.methods} == set(links.filter(status="accepted")["method"])
    assert sum(one["accepted"] for one in drift.methods) <= links.filter(status="accepted").height
    assert all(one["people"] > 0 for one in drift.methods if one["method"] != "officer")
    said = laid_out(drift_blocks(drift, voice), 100)
    assert name in said
    assert voice.word("drift_risen") not in said
    assert json.loads(hedui("match", "model", "--home", home.folder, "--json").stdout)["drift"] == drift_json(drift)


@pytest.mark.parametrize(
    ("nights", "risen"),
    [([9_000], False), ([100, 120, 499], False), ([100, 120, 700], True), ([600, 500, 900], False), ([600, 500, 1_300], True), ([0, 0, 600], True)],
)
def test_a_rise_is_told_when_it_is_one(nights: list[int], risen: bool) -> None:
    assert has_risen(nights) is risen


def test_the_links_against_a_truth(home: Home, links: pl.DataFrame, voice: Speech, tmp_path: Path) -> None:
    truth = links.filter(pl.col("status") == "accepted").select("extract", "file", "row", "side", "case_id", "member_no")
    truth.write_parquet(tmp_path / "truth.parquet")
    scores = evaluate(home, tmp_path / "truth.parquet")
    assert (scores.whole.precision, scores.whole.recall, scores.unfair) == (1.0, 1.0, ())
    half = truth.with_row_index().filter(pl.col("index") % 2 == 0).drop("index")
    half.write_parquet(tmp_path / "half.parquet")
    worse = evaluate(home, tmp_path / "half.parquet")
    assert worse.whole.wrong > 0
    assert worse.whole.right + worse.whole.wrong == scores.whole.right
    assert sum(one.right for one in worse.by["extract"]) == worse.whole.right
    assert score_json(worse)["all"]["wrong"] == worse.whole.wrong
    assert worse.night in laid_out(score_blocks(worse, voice), 120)


def test_what_is_no_truth(home: Home, tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    for path, code in ((tmp_path / "a.parquet", "E-MATCH-TRUTH"), (tmp_path / "none.parquet", "E-NO-FILE")):
        with pytest.raises(HeduiError) as error:
            evaluate(home, path)
        assert code_of(error) == code


def test_a_group_with_twice_the_errors_is_named() -> None:
    usual, long = Counted("usual", 1_000, 995, 1, 2, 3), Counted("long", 100, 95, 0, 5, 0)
    assert _unfair([usual, long]) == ("long",)
    assert _unfair([usual, Counted("long", 100, 100, 0, 0, 0)]) == ()


def test_a_row_whose_batch_is_gone_cannot_be_compared(home: Home, book: Rulebook, links: pl.DataFrame, tmp_path: Path) -> None:
    link, copied = first(links, status="accepted"), a_copy(home, tmp_path / "copy")
    for path in copied.archive.glob("*.parquet"):
        path.unlink()
    with pytest.raises(HeduiError) as error:
        Found(copied, newest_night(copied), book).row(str(link["extract"]), int(str(link["row"])))
    assert code_of(error) == "E-MATCH-GONE"


def test_without_a_register_no_model_is_fitted(home: Home, book: Rulebook) -> None:
    kept = {key: entry for key, entry in book.entries.items() if not (isinstance(entry.shape, Extract) and entry.shape.plays.register_)}
    with pytest.raises(HeduiError) as error:
        fit_model(home, replace(book, entries=kept))
    assert code_of(error) == "E-MATCH-REGISTER"
    assert not (home.folder / OWN).exists()


def test_a_row_number_that_two_files_have_wants_the_files_name(home: Home, book: Rulebook, links: pl.DataFrame, tmp_path: Path) -> None:
    copied = a_copy(home, tmp_path / "copy")
    path, link = newest_night(copied).folder / "results" / "links.parquet", links.filter(status="accepted").head(1)
    write_frame(pl.concat([links, link.with_columns(file=pl.lit("changes.csv"))]), path)
    with pytest.raises(HeduiError) as error:
        Found(copied, newest_night(copied), book).row(link["extract"].item(), link["row"].item())
    assert code_of(error) == "E-MATCH-FILES"

"""The rule book on paper: everything the rules name, in the words of its labels, on a page that stands alone."""

from __future__ import annotations

from pathlib import Path

from tests.test_cli import hedui
from verify.labels import book_of
from verify.printed_book import chapters, in_words, spoken
from verify.settings import rules_folder
from verify.speech import speech


def test_the_printed_book_holds_every_rule_and_value_and_stands_alone(tmp_path: Path) -> None:
    out = tmp_path / "book.html"
    said = hedui("rules", "book", out)
    assert (said.returncode, said.stderr) == (0, "")
    page = out.read_text(encoding="utf-8")
    book = book_of(speech(rules_folder(), "zh"))
    for name, one in (book.rules | book.parameters | book.inputs).items():
        assert f"<code>{name}</code>" in page
        assert one.label in page
    assert page.count("没有数值：没有查到依据") == sum(not one.values for one in book.parameters.values()) > 0
    assert "家庭年收入 ＜ 月保障标准 × 十二个月 × 家庭人数" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert hedui("rules", "book", tmp_path / "no" / "such" / "book.html").stderr.startswith("E-OUT-FILE")


def test_a_formula_is_read_in_the_words_of_its_labels() -> None:
    voice = speech(rules_folder(), "zh")
    words = spoken(voice, book_of(voice))
    assert in_words("case when area = '农村' then 1 else unheard_of end", words) == "若 城乡类别 ＝ “农村” 则 1；否则 unheard_of"
    assert in_words("case when a then 1 when b then 2 else unknown() end", words) == "若 a 则 1；若 b 则 2；否则 未知"
    assert in_words("coalesce(ZT, '') not in ('E', 'M') and a is not null", words) == "首个有值的(ZT, 空白) 不属于 (“E”, “M”) 且 a 不为 空白"
    heads = [chapter.heading for chapter in chapters(voice, book_of(voice))]
    assert heads[:4] == ["对象类别怎样定", "每类家庭每月发多少", "认定条件", "标准与限额"]


def test_rules_show_finds_by_name_and_by_label() -> None:
    by_name, by_label = hedui("rules", "show", "line_urban_month"), hedui("rules", "show", "城镇最低生活保障标准")
    assert by_name.stdout == by_label.stdout
    assert "2027-12-31" in by_name.stdout
    assert hedui("rules", "show", "no_such_rule").stderr.startswith("E-EXPLAIN-WHAT")

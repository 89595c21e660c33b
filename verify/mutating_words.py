"""What mutants and coverage of a rule book say in words: a table of kinds, and for each survivor what would tell it apart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from verify.coverage import Point
from verify.layout import Block
from verify.mutating import Score, Survivor
from verify.opinion_rows import Family, Line
from verify.rule_facts import Example
from verify.speech import Speech


def score_blocks(score: Score, voice: Speech) -> list[Block]:
    """The survivors, worst first to act on, then the table of kinds and the score."""
    head = tuple(voice.word(key) for key in ("head_mistake", "head_made", "head_noticed"))
    rows = tuple((kind, str(made), str(score.killed.get(kind, 0))) for kind, made in score.mutants.items())
    made, killed = sum(score.mutants.values()), sum(score.killed.values())
    title = voice.word("mutation_score", pack=score.pack, percent=f"{100 * score.score:.1f}", killed=killed, made=made)
    return [*(_survivor(one, voice) for one in score.survivors), Block(title, (), head, rows, frozenset({1, 2}))]


def _survivor(one: Survivor, voice: Speech) -> Block:
    lines = [one.mutant.reads]
    if one.example is not None and one.answer is not None:
        lines.append(voice.word("mutant_example", example=example_line(one.example, one.answer)))
    if one.family is not None:
        lines += [voice.word("mutant_family", family=family_line(one.family))]
        named = [(f"{name}@{number}" if number else name, right, wrong) for number, name, right, wrong in one.differs]
        lines += [voice.word("mutant_differs", name=name, right=right, wrong=wrong) for name, right, wrong in named]
    elif one.example is None:
        lines.append(voice.word("mutant_same"))
    return Block(f"{one.mutant.where}  {one.mutant.entry[1]}: {one.mutant.kind}", tuple(lines))


def example_line(example: Example, answer: str) -> str:
    """An example as a line of a rule file, with what the rule now says as its expectation."""
    low, _, high = answer.partition(" ～ ")
    expect: Any = low if high in ("", low) else [low, None if high == "∞" else high]
    stated = {"example": example.example, "as_of": example.as_of and str(example.as_of), "area": example.area, "given": example.given, "expect": expect}
    return "- " + _yaml({key: value for key, value in stated.items() if value is not None})


def _yaml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def family_line(family: Family) -> str:
    """A made-up family: where it lives, its people, and the rows that speak of them, money in fen."""
    people = "; ".join(" ".join((f"#{one.number}", *_plain(one.age, one.presence, one.authorised), *_rows(one.rows))) for one in family.people)
    return " | ".join(part for part in (f"{family.region} {family.area or '–'}", people, " ".join(_rows(family.rows))) if part)


def _plain(age: int | None, presence: str, authorised: bool) -> Iterator[str]:
    yield str(age) if age is not None else "?"
    yield from (presence,) if presence != "certain" else ()
    yield from () if authorised else ("not_authorised",)


def _rows(rows: Any) -> Iterator[str]:
    for extract, lines in rows.items():
        yield from (f"{extract}{_cells(line)}" for line in lines)


def _cells(line: Line) -> str:
    told = ", ".join(f"{name}: {cell}" for name, cell in line.cells.items() if cell is not None)
    return f"{'?' if line.grey else ''}{{{told}}}"


def coverage_blocks(points: Iterable[Point], voice: Speech) -> list[Block]:
    """What no example reaches, and how much is."""
    found = list(points)
    missed = tuple((p.kind, p.name, p.what, p.where) for p in found if not p.hit)
    hit = len(found) - len(missed)
    title = voice.word("coverage_score", percent=f"{100 * hit / max(1, len(found)):.1f}", hit=hit, points=len(found))
    head = tuple(voice.word(key) for key in ("head_kind", "head_name", "head_what", "head_rule"))
    return [Block(title, (), head if missed else (), missed)]

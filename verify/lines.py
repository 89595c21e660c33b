"""All that known rows say of people, held while rows are looked for: of each part the few columns that it tells anything by.

A million people have four million faces and thirteen million lines. What an extract does not declare is not read; a valid ID
is a number; and which lines name some faces is asked of a mask over the faces of their part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from verify.at_once import at_once
from verify.id_numbers import HELD, on_the_day
from verify.model import Spoken
from verify.rule_extracts import Extract
from verify.store import frame_at, read_frame

PLACE = ("extract", "file", "row")
LINE = (*PLACE, "side", "face", "household", "document")
_NO_LINE = pl.DataFrame(schema=dict.fromkeys(LINE, pl.String) | {"row": pl.Int32, "face": pl.Int64})


@dataclass(frozen=True, slots=True)
class PartLines:
    """What one part says: its lines (row, face, and what of side, household, document and file is not the same in all), and where its faces begin."""

    spoken: Spoken
    extract: Extract
    lines: pl.DataFrame
    faces: pl.DataFrame
    first: int

    def told(self, found: pl.DataFrame) -> pl.DataFrame:
        """Some of its lines as `LINE`, their faces numbered as among all."""
        alike = {"extract": self.spoken.extract, "file": self.spoken.part.file, "side": self.extract.people[0].side, "household": None, "document": None}
        missing = [pl.lit(value, dtype=pl.String).alias(name) for name, value in alike.items() if name not in found.columns]
        return found.with_columns(pl.col("face").cast(pl.Int64) + self.first, *missing).select(LINE)

    def of(self, wanted: pl.Series) -> pl.DataFrame:
        """Its lines of the faces that are wanted, by a mask over all faces."""
        mask = wanted.slice(self.first, self.faces.height)
        return self.told(self.lines.filter(mask.gather(self.lines["face"]))) if mask.any() else _NO_LINE

    def of_rows(self, places: pl.DataFrame) -> pl.DataFrame:
        """Its lines that stand in the rows at some places."""
        here, file = places.filter(extract=self.spoken.extract), self.spoken.part.file
        if file is not None:
            here = here.filter(file=file)
        if not here.height:
            return _NO_LINE
        found = self.told(self.lines.filter(pl.col("row").is_in(here["row"].unique().implode())))
        return found if file is not None else found.join(here, on=PLACE, how="semi")

    def plays(self, *roles: str) -> bool:
        """Whether its extract plays one of these parts."""
        return any(getattr(self.extract.plays, role) for role in roles)


@dataclass(frozen=True, slots=True)
class Lines:
    """What all parts say, and all their faces (name_key, former_key, birth, their IDs as `HELD` on the day, and face), numbered through.

    `born` is the birth that a valid ID says.
    """

    parts: tuple[PartLines, ...]
    faces: pl.DataFrame

    def playing(self, *roles: str) -> Lines:
        """Those whose extracts play one of these parts."""
        parts = tuple(part for part in self.parts if part.plays(*roles))
        return Lines(parts, pl.concat([self.faces.head(0), *(part.faces for part in parts)]))

    def of(self, faces: pl.DataFrame) -> pl.DataFrame:
        """The lines that name some faces."""
        last = max((part.first + part.faces.height for part in self.parts), default=0)
        known = faces["face"].filter(faces["face"] < last)
        wanted = pl.repeat(value=False, n=last, eager=True).scatter(known, values=True)
        return pl.concat([_NO_LINE, *(part.of(wanted) for part in self.parts)])

    def saying(self, column: str, values: pl.Series) -> pl.DataFrame:
        """The lines with one of these households or documents."""
        known = values.drop_nulls().unique()
        parts = [part for part in self.parts if column in part.lines.columns] if len(known) else []
        return pl.concat([_NO_LINE, *(part.told(part.lines.filter(pl.col(column).is_in(known.implode()))) for part in parts)])

    def of_rows(self, places: pl.DataFrame) -> pl.DataFrame:
        """All lines of the rows at some places."""
        return pl.concat([_NO_LINE, *(part.of_rows(places) for part in self.parts)])

    def with_other_sides(self, some: pl.DataFrame) -> pl.DataFrame:
        """Some lines, and what else their rows say."""
        return pl.concat([some, *(part.of_rows(some) for part in self.parts if len(part.extract.people) > 1)])

    def firsts(self) -> pl.DataFrame:
        """The first line of each part."""
        return pl.concat([_NO_LINE, *(part.told(part.lines.head(1)) for part in self.parts)])

    def named_by(self, lines: pl.DataFrame) -> pl.DataFrame:
        """The faces that lines name, each once; asked of all parts together, where each face stands at its number."""
        return self.faces.select(pl.all().gather(lines["face"].unique().sort()))


def with_sexes(lines: Lines, faces: pl.DataFrame) -> pl.DataFrame:
    """Some faces with the sex that each is said to have."""
    telling = [part for part in lines.parts if any(person.sex or person.sex_is for person in part.extract.people)]
    told = pl.concat([pl.DataFrame(schema={"face": pl.Int64, "sex": pl.String}), *at_once(lambda part: _sexes_of(part, faces["face"]), telling)])
    return faces.join(told, on="face", how="left")


def _sexes_of(part: PartLines, faces: pl.Series) -> pl.DataFrame:
    mine = faces.filter(faces.is_between(part.first, part.first + part.faces.height, closed="left")).sort()
    return frame_at(part.spoken.faces, mine - part.first, ["sex"]).select(mine, "sex")


def read_lines(spoken: Sequence[Spoken], extracts: Mapping[str, Extract], as_of: date) -> Lines:
    """What rows say, read of all their parts."""
    read = at_once(lambda one: (_lines_of(one, extracts[one.extract]), _faces_of(one, extracts[one.extract], as_of)), spoken)
    parts, first = [], 0
    for one, (lines, faces) in zip(spoken, read, strict=True):
        numbered = faces.with_columns(face=pl.int_range(first, first + faces.height, dtype=pl.Int64))
        parts.append(PartLines(one, extracts[one.extract], lines, numbered, first))
        first += faces.height
    return Lines(tuple(parts), pl.concat(part.faces for part in parts))


def _lines_of(one: Spoken, extract: Extract) -> pl.DataFrame:
    columns = ["row", "face"]
    columns += ["side"] if len(extract.people) > 1 else []
    columns += ["household"] if any(person.household for person in extract.people) else []
    columns += ["document"] if extract.joint_document else []
    lines = read_frame(one.said, [*columns, "file"] if one.part.file is None else columns)
    left = lines.filter(~pl.col("row").is_in(read_frame(one.part.gone)["_row"].implode())) if one.part.gone else lines
    return left.with_columns(pl.col("face").cast(pl.UInt32))  # as it is looked up by, again and again


def _faces_of(one: Spoken, extract: Extract, as_of: date) -> pl.DataFrame:
    former = any(person.former_name for person in extract.people)
    faces = on_the_day(read_frame(one.faces, ["name_key", *(["former_key"] if former else []), *HELD, "id_birth", "birth"]), as_of)
    told = pl.col("former_key") if former else pl.lit(None, pl.String).alias("former_key")
    return faces.select("name_key", told.cast(pl.Categorical), *HELD, "birth", born="id_birth")  # four million times nothing is long to write as text

"""Whom rows speak of, made comparable once a batch: what is said (a line for each side of each row) and the faces behind it.

A face is what a line says of somebody: name, former name, ID, birth date and sex. Many rows have one face, and nearly all
of the matching needs the faces alone. Both tables lie beside the batch in the archive, under a digest of all that makes
them what they are, so that another night, or a check of one case, only reads them.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import polars as pl

from verify.citizen_id import id_keys, said_by
from verify.id_numbers import as_held
from verify.identity.name_keys import NameTables, name_keys, name_tables
from verify.keys import remove_sealed
from verify.model import Part, Spoken
from verify.rule_extracts import Extract, Person
from verify.rulebook import Rulebook
from verify.store import Store, frames_into, frames_of, quoted, read_frame, rows_in, write_frame

MAKE = "2"  # raise it when the same rows would give other faces, so that they are made anew
AT_ONCE = 4_000_000  # rows among which a face is told once
FEW = 100_000  # lines that are rather held than read where they lie
RAW = ("name", "former", "id", "birth", "sex")
SAID = ("row", "side", "face", "household", "document")
FACE = ("face", "name_key", "former_key", "id_key", "id_state", "id15", "id_birth", "id_sex", "birth", "sex")
# What is true of an ID or a birth date on every night lies in the tables; what hangs on the date of the night is said here.
_TONIGHT = """
SELECT * REPLACE (
  CASE WHEN id_birth > getvariable('as_of') THEN 'invalid' ELSE id_state END AS id_state,
  CASE WHEN id_birth <= getvariable('as_of') THEN id15 END AS id15,
  CASE WHEN id_birth <= getvariable('as_of') THEN id_birth END AS id_birth,
  CASE WHEN id_birth <= getvariable('as_of') THEN id_sex END AS id_sex,
  CASE WHEN birth <= getvariable('as_of') AND birth > getvariable('as_of') - INTERVAL 130 YEAR THEN birth END AS birth
) FROM ({faces})
"""

_NOTHING_SAID = "SELECT '' AS extract, '' AS file, 0::INTEGER AS row, '' AS side, 0::BIGINT AS fno, '' AS household, '' AS document WHERE FALSE"
_NO_FACE = (
    "SELECT 0::BIGINT AS fno, '' AS extract, '' AS name_key, '' AS former_key, '' AS id_key, '' AS id_state, '' AS id15, NULL::DATE AS id_birth, "
    "'' AS id_sex, NULL::DATE AS birth, '' AS sex WHERE FALSE"
)


def spoken_of(part: Part, extract: Extract, tables: NameTables, into: Path | None = None) -> Spoken:
    """The tables of a part of known rows, which are made beside it unless they are there, or in the folder `into`."""
    said, faces = _places(part.rows, tables)
    if not said.exists() and into is not None:
        said, faces = into / said.name, into / faces.name
    if not said.exists():
        _write(part, extract, tables, (said, faces))
        for old in sorted(said.parent.glob(f"{_name(part.rows)}.*-*.parquet")):
            if old not in (said, faces):
                remove_sealed(old)
    return Spoken(extract.extract, part, said, faces)


def _places(rows: Path, tables: NameTables) -> tuple[Path, Path]:
    said, faces = (rows.with_name(f"{_name(rows)}.{kind}-{_digest(tables)}.parquet") for kind in ("said", "faces"))
    return said, faces


def _name(rows: Path) -> str:
    return rows.name.removesuffix(".parquet")


def name_tables_of(book: Rulebook) -> NameTables:
    """The character tables that the rule book names."""
    rules = book.matching
    return name_tables(
        book.tables[rules.variants],
        book.tables[rules.lookalikes],
        simplified=rules.traditional_to_simplified,
        homophones=rules.homophones,
    )


def _digest(tables: NameTables) -> str:
    plain = f"({MAKE!r}, {tables.plain})"
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


def _write(part: Part, extract: Extract, tables: NameTables, to: tuple[Path, Path]) -> None:
    """Both tables, the faces on disk before what names them; and their IDs as they are held where many are looked through (`id_numbers`)."""
    wanted = {column for person in extract.people for column in _columns_of(person)} | set(extract.joint_document)
    columns = ["_row", *(["_file"] if part.file is None else []), *sorted(wanted)]
    first = 0
    with ExitStack() as after:
        said, faces = (after.enter_context(frames_into(path)) for path in to)
        for rows in frames_of(part.rows, columns, AT_ONCE):
            told, distinct = compared(rows, extract, tables)
            said(told.with_columns(pl.col("face") + first))
            faces(distinct.with_columns(pl.col("face") + first, *as_held()))
            first += distinct.height


def compared(rows: pl.DataFrame, extract: Extract, tables: NameTables) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What rows of an extract say of people, and their faces numbered from 0.

    The first: row, side, face, household, document, and file where the rows name theirs. The second: face, name_key,
    former_key, id_key, id_state, id15, id_birth, id_sex (NULL unless the ID is valid), birth, sex.
    """
    lines = pl.concat(_side(rows, extract, person) for person in extract.people)
    told = [name for name in RAW if lines[name].null_count() < lines.height] or ["name"]
    first, face = _told_apart(lines.select(told))
    distinct = lines.select(pl.col(RAW).gather(first)).with_columns(face=pl.int_range(pl.len(), dtype=pl.Int32))
    lines = lines.with_columns(face.alias("face"))
    return lines.select(*SAID, *(name for name in lines.columns if name == "file")), _faces(distinct, tables)


def _told_apart(said: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """The places of the first lines that say what no line before has said, and for every line the number of the one that says the same.

    Lines are told apart by a digest; that those of one digest say the same is checked by another.
    """
    for seed in itertools.count(step=2):
        digest, other = said.hash_rows(seed=seed).alias("digest"), said.hash_rows(seed=seed + 1)
        first = digest.is_first_distinct()
        at, face = first.arg_true(), (first.cum_sum() - 1).cast(pl.Int32)
        if at.len() < digest.len():  # only what was said before is looked up
            again = (~first).arg_true()
            known = digest.gather(at).to_frame().with_row_index("face")
            found = digest.gather(again).to_frame().join(known, on="digest", how="left", maintain_order="left")["face"]
            face = face.scatter(again, found.cast(pl.Int32))
        if (other.gather(at).gather(face) == other).all():
            return at, face
    raise AssertionError


def _faces(distinct: pl.DataFrame, tables: NameTables) -> pl.DataFrame:
    keys = id_keys(distinct["id"])
    names = [name_keys(distinct[raw], tables).alias(f"{made}_key") for raw, made in (("name", "name"), ("former", "former"))]
    return distinct.with_columns(*names, *said_by(keys), id_key=keys).select(FACE)


def _side(rows: pl.DataFrame, extract: Extract, person: Person) -> pl.DataFrame:
    """What one side of an extract's rows says, under the names that all share."""

    def column(name: str | None, kind: type[pl.DataType] = pl.String) -> pl.Expr:
        return pl.col(name).cast(kind) if name else pl.lit(None, dtype=kind)

    number = column(person.id).str.head(18) if person.id_part == "first_18" else column(person.id)
    document = pl.concat_str([pl.col(name).cast(pl.String) for name in extract.joint_document], separator="\x1f") if extract.joint_document else column(None)
    told = {"row": pl.col("_row"), "side": pl.lit(person.side), "name": column(person.name), "former": column(person.former_name), "id": number}
    told |= {"birth": column(person.birth, pl.Date), "sex": _sex(person), "household": column(person.household), "document": document}
    return rows.select(**told, **({"file": pl.col("_file")} if "_file" in rows.columns else {}))


def _sex(person: Person) -> pl.Expr:
    """A side's sex: fixed by the side, or read from the codes of a column."""
    if person.sex_is or person.sex is None:
        return pl.lit(person.sex_is, dtype=pl.String)
    code = pl.col(person.sex.column)
    return pl.when(code.is_in(person.sex.male)).then(pl.lit("male")).when(code.is_in(person.sex.female)).then(pl.lit("female"))


def _columns_of(person: Person) -> list[str]:
    columns = (person.name, person.former_name, person.id, person.birth, person.household, person.sex.column if person.sex else None)
    return [column for column in columns if column]


# --- as frames --------------------------------------------------------------------------------------------------------


def read_spoken(spoken: Sequence[Spoken], kinds: tuple[pl.DataType, pl.DataType] = (pl.String(), pl.String())) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All that rows say: extract and file (of these kinds), row, side, face, household, document of every line that is known,
    and the faces with their extract, numbered through."""
    said, faces, first = [], [], 0
    for one in spoken:
        lines, distinct = read_frame(one.said), read_frame(one.faces)
        if one.part.gone:
            lines = lines.join(read_frame(one.part.gone), left_on="row", right_on="_row", how="anti")
        extract = pl.lit(one.extract, dtype=kinds[0]).alias("extract")
        file = (pl.col("file") if one.part.file is None else pl.lit(one.part.file)).cast(kinds[1])
        said.append(lines.select(extract, file.alias("file"), *SAID).with_columns(pl.col("face").cast(pl.Int64) + first))
        faces.append(distinct.select(pl.col("face").cast(pl.Int64) + first, extract, *FACE[1:]))
        first += distinct.height
    return pl.concat(said), pl.concat(faces)


def put_spoken(rows: Path, said: pl.DataFrame, faces: pl.DataFrame, tables: NameTables) -> None:
    """Put what rows put together say of people where `spoken_of` looks for it."""
    where = _places(rows, tables)
    write_frame(faces.join(said, on="face", how="semi").select(FACE), where[1])
    write_frame(said.select("file", *SAID), where[0])


# --- in SQL -----------------------------------------------------------------------------------------------------------


def load_spoken(store: Store, spoken: Sequence[Spoken], called: str = "") -> None:
    """Views whose names begin with `called`: `said` (extract, file, row, side, fno, household, document), `faces` (fno, extract
    and what a face says tonight) and `mentions`, the one joined to the other. Needs the variable as_of."""
    said, faces = _held(store, spoken, called) if _few(spoken) else _where_they_lie(store, spoken)
    store.run(f"CREATE OR REPLACE VIEW {called}said AS {said}")
    store.run(f"CREATE OR REPLACE VIEW {called}faces AS {_TONIGHT.format(faces=faces)}")
    store.run(f"CREATE OR REPLACE VIEW {called}mentions AS SELECT s.*, f.* EXCLUDE (fno, extract) FROM {called}said s JOIN {called}faces f USING (fno)")


def _few(spoken: Sequence[Spoken]) -> bool:
    return bool(spoken) and sum(rows_in(one.said) for one in spoken) <= FEW


def load_lines(store: Store, spoken: Sequence[Spoken], called: str, wanted: str) -> None:
    """Make the table `lines`: extract, file, row, side and fno of each line whose face the query `wanted` tells (as `fno`);
    what is said stands in views `called` so.

    File by file: DuckDB takes any for a row or two, and holds its lines to look the faces up among them; of all the files
    of a million people that was a gigabyte at once.
    """
    few = _few(spoken)
    store.table("lines", f"SELECT extract, file, row, side, fno FROM {called}said WHERE {f'fno IN ({wanted})' if few else 'FALSE'}")
    for at, one in enumerate(() if few else spoken):
        store.run(f"INSERT INTO lines SELECT extract, file, row, side, fno FROM ({_lines(store, at, one)}) WHERE fno IN ({wanted})")


def _held(store: Store, spoken: Sequence[Spoken], called: str) -> tuple[str, str]:
    """All lines and faces in two tables: for few of them the names of forty files in every query cost more than the lines."""
    said, faces = read_spoken(spoken)
    store.load(f"{called}held_said", said.rename({"face": "fno"}))
    store.load(f"{called}held_faces", faces.rename({"face": "fno"}))
    return f"FROM {called}held_said", f"FROM {called}held_faces"


def _where_they_lie(store: Store, spoken: Sequence[Spoken]) -> tuple[str, str]:
    """The lines and the faces of many files, read when they are asked for."""
    said, faces = [_NOTHING_SAID], [_NO_FACE]
    for at, one in enumerate(spoken):
        said.append(_lines(store, at, one))
        faces.append(f"SELECT {at << 32} + face AS fno, {quoted(one.extract)} AS extract, {', '.join(FACE[1:])} FROM {store.source(one.faces)}")
    return " UNION ALL ".join(said), " UNION ALL ".join(faces)


def _lines(store: Store, at: int, one: Spoken) -> str:
    """The lines of the file at this place of the list."""
    file = "file" if one.part.file is None else quoted(one.part.file)
    left = f"ANTI JOIN {store.source(one.part.gone)} g ON g._row = s.row" if one.part.gone else ""
    place = f"{quoted(one.extract)} AS extract, {file} AS file, row, side, {at << 32} + face AS fno"
    return f"SELECT {place}, household, document FROM {store.source(one.said)} s {left}"

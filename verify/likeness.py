"""Which faces could be one of some others: by ID, by birth and by name, always more widely than the match itself looks.

Equal IDs and those one slip apart where either is unsure; equal births where either is; equal names. A valid ID is the number
of its first seventeen digits; only what is in doubt is looked at as text.
"""

from __future__ import annotations

from functools import cached_property

import polars as pl

from verify.citizen_id import birth_of, digits_of
from verify.id_numbers import HELD, id_keys
from verify.identity.name_grades import FOREIGN, grade_names
from verify.identity.name_keys import NameTables
from verify.identity.slips import one_slip_apart

_BLOCKS = ("tail", "ends", "month", "head")  # as in `candidates`: two IDs one slip apart share one of these


class Sought:
    """Faces that others could be: their names, births and IDs, each worked out once."""

    def __init__(self, faces: pl.DataFrame) -> None:
        self.faces = faces

    @cached_property
    def names(self) -> pl.Series:
        """Their names, today's and former ones."""
        return pl.concat([self.faces["name_key"], self.faces["former_key"].cast(pl.String).rename("name_key")]).drop_nulls().unique()

    @cached_property
    def ids(self) -> pl.DataFrame:
        """Their IDs, each once."""
        return _with_blocks(self.faces)

    @cached_property
    def unsure(self) -> pl.DataFrame:
        """Those whose ID is worth nothing."""
        return self.faces.filter(pl.col("digits").is_null())

    @cached_property
    def births(self) -> pl.Series:
        """Their births."""
        return _births_of(self.faces)


class People:
    """Faces (as in `Lines`) among which others are looked for. An ID that is worth nothing on that day is unsure, and told by its text."""

    def __init__(self, faces: pl.DataFrame) -> None:
        self.faces = faces
        self._unsure = _where(faces, pl.col("digits").is_null())

    def named(self, others: Sought) -> pl.DataFrame:
        """The faces that bear a name of others, today or formerly."""
        return _where(self.faces, _bear(others.names))

    def named_and_born(self, others: Sought) -> pl.DataFrame:
        """Those that bear a name of others and have a birth of others."""
        return self.named(others).filter(_any_in(("birth", "born"), others.births))

    def same_id(self, others: Sought) -> pl.DataFrame:
        """The faces with the ID of one of others, or one slip apart from it where either is unsure: a valid ID is never another valid one."""
        same, written = pl.col("digits").is_in(_in(others.ids["digits"])), pl.col("id_key").is_in(_in(others.ids["id_key"]))
        near = pl.col("id_key").is_in(_in(_one_slip_from(self._ids, others.ids)))
        return pl.concat([_where(self.faces, same), self._near(others.ids.filter(pl.col("unsure"))), self._unsure_by_id(same | written | near)])

    def like(self, others: Sought, names: NameTables | None = None) -> pl.DataFrame:
        """The faces that could by ID or birth be one of others: by birth where either is unsure, and where the names agree, if tables are given."""
        found = [self._unsure_by_id(pl.col("born").is_in(_in(others.births))), self._unsure.filter(_any_in(("birth",), others.births))]
        if others.unsure.height:
            found.append(_where(self.faces, pl.col("digits").is_not_null() & _any_in(("birth", "born"), _births_of(others.unsure))))
        born = pl.concat(found)
        return pl.concat([self.same_id(others), born if names is None else _named_alike(born, others, names)])

    @cached_property
    def _ids(self) -> pl.DataFrame:
        """What unsure IDs say, worked out once for each."""
        return _with_blocks(self._unsure)

    def _near(self, ids: pl.DataFrame) -> pl.DataFrame:
        """The sure faces whose ID is one slip apart from one of these: looked for by numbers first, for blocks of every ID are long to make."""
        if not ids.height:
            return self.faces.head(0)
        blocks = _numbers_of(ids)
        sequences = pl.concat([blocks["tail"], blocks["ends"]]) % 10**3
        months = pl.concat([blocks["month"] // 10, blocks["head"] // 10**3]) % 10**6
        near = _where(self.faces, (pl.col("digits") % 10**3).is_in(_in(sequences)) | pl.col("born").is_in(_in(_days_of(months))))
        near = near.filter(_share_numbers(blocks))
        told = _with_blocks(near)
        return near.join(told.filter(pl.col("id_key").is_in(_in(_one_slip_from(told, ids)))), on=("digits", "old"), how="semi")

    def _unsure_by_id(self, which: pl.Expr) -> pl.DataFrame:
        """The unsure faces whose ID, by what it says, is one of these."""
        return self._unsure.filter(pl.col("doubt").is_in(_in(self._ids.filter(which)["id_key"])).fill_null(value=False))


def _where(faces: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    """The few of very many faces on which something holds: to gather them costs a tenth of what a filter does that looks at every column (measured)."""
    return faces.select(pl.all().gather(faces.select(pl.arg_where(which)).to_series()))


def _with_blocks(faces: pl.DataFrame) -> pl.DataFrame:
    """Each ID of some faces once (digits, old, id_key, unsure), with its blocks and the birth inside it (born); of one in doubt the digits it would have."""
    key = pl.col("id_key")
    blocks = {
        "tail": key.str.tail(8),
        "ends": key.str.head(8) + key.str.tail(4),
        "month": key.str.head(12) + key.str.tail(2),
        "head": key.str.head(15),
    }
    held = faces.select(HELD).unique()
    ids = held.with_columns(id_keys(held)).drop_nulls("id_key")
    return ids.drop("doubt").with_columns(**blocks, digits=pl.coalesce("digits", digits_of(key)), born=birth_of(key), unsure=pl.col("digits").is_null())


def _births_of(faces: pl.DataFrame) -> pl.Series:
    said = faces.select(birth_of(pl.col("doubt"))).to_series()
    return pl.concat([faces["birth"], faces["born"].rename("birth"), said.rename("birth")]).drop_nulls().unique()


def _one_slip_from(ids: pl.DataFrame, theirs: pl.DataFrame) -> pl.Series:
    """Which IDs are one slip apart from one of theirs: of those that share a block, as in `candidates`."""
    each = [ids.select(block, "id_key").join(theirs.select(block, theirs="id_key"), on=block).select("id_key", "theirs") for block in _BLOCKS]
    pairs = pl.concat(each).unique()
    return pairs["id_key"].filter(pl.Series(one_slip_apart(zip(pairs["id_key"], pairs["theirs"], strict=True)), dtype=pl.Boolean))


def _numbers_of(ids: pl.DataFrame) -> pl.DataFrame:
    """The blocks of IDs without the check character, as numbers, where they are some."""
    key = pl.col("id_key")
    blocks = {
        "tail": key.str.tail(8).str.head(7),
        "ends": key.str.head(8) + key.str.tail(4).str.head(3),
        "month": key.str.head(12) + key.str.tail(2).str.head(1),
        "head": key.str.head(15),
    }
    return ids.select(text.cast(pl.Int64, strict=False).alias(block) for block, text in blocks.items())


def _share_numbers(theirs: pl.DataFrame) -> pl.Expr:
    """Whether a valid ID shares a block with one of these but perhaps for the check character."""
    digits = pl.col("digits")
    blocks = {
        "tail": digits % 10**7,
        "ends": digits // 10**9 * 10**3 + digits % 10**3,
        "month": digits // 10**5 * 10 + digits % 10,
        "head": digits // 100,
    }
    return pl.any_horizontal(number.is_in(_in(theirs[block])) for block, number in blocks.items())


def _days_of(months: pl.Series) -> pl.Series:
    """Every day of some months, as numbers YYYYMM; of what is no month none."""
    first = (pl.col("month").cast(pl.String).str.zfill(6) + "01").str.to_date("%Y%m%d", strict=False)
    known = months.unique().to_frame("month").select(first.alias("first")).drop_nulls()
    return known.select(pl.date_ranges("first", pl.col("first").dt.month_end())).to_series().explode().cast(pl.Date)


def _bear(names: pl.Series) -> pl.Expr:
    return _any_in(("name_key", "former_key"), names)


def _any_in(columns: tuple[str, ...], values: pl.Series) -> pl.Expr:
    known = _in(values)
    return pl.any_horizontal(pl.col(column).is_in(known).fill_null(value=False) for column in columns)


def _named_alike(faces: pl.DataFrame, others: Sought, names: NameTables) -> pl.DataFrame:
    """The faces whose names are not strange to all of the others; a missing one, or one given as former, tells nothing."""
    ours, told = sorted(others.names), sorted(Sought(faces).names)
    fitting = pl.Series([name for name in told if any(grade > FOREIGN for grade, _ in grade_names(((name, one) for one in ours), names))], dtype=pl.String)
    blank = others.faces["name_key"].null_count() > 0
    untold = pl.col("name_key").is_null() | (pl.col("name_key") == pl.col("former_key").cast(pl.String)) | pl.lit(blank)
    return faces.filter(untold.fill_null(value=False) | _bear(fitting))


def _in(values: pl.Series) -> pl.Series:
    return values.drop_nulls().unique().implode()

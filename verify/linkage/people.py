"""People of Chinese administrative records: their columns normalised once, and the plan by which they are linked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import polars as pl

from verify.identity.addresses import address_of
from verify.identity.name_keys import NameTables, name_keys
from verify.identity.names import plain_name, sounds_of, surname_of, surname_readings
from verify.identity.numbers import cleaned, to_eighteen
from verify.identity.phones import phone_of
from verify.linkage.compare_ids import Digits, IdNumber
from verify.linkage.compare_names import HanName
from verify.linkage.compare_plain import Birth, Exact, House
from verify.linkage.plan import Certain, Key, Limits, Override, Plan

WRITTEN = ("name", "id", "birth", "sex", "phone", "address", "former")  # what a table may bring; NULL columns for what it has not
MALE, FEMALE = ("男", "M", "1", "male"), ("女", "F", "2", "female")
_USUAL = re.compile("[1-9][0-9]{16}[0-9X]")
_DATE = r"^(\d{4})\D?(\d{1,2})\D?(\d{1,2})\D?$"
NORMAL = ("id", "id_birth", "name", "former", "sound", "surname", "first_sound", "birth", "sex", "phone", "county", "town", "place", "house", "first_house")

# An ID of somebody else by its name is a conflict. Another name than the person's takes an ID to be believed, or all else:
# twins share house, date of birth and the character of their generation.
_NO_ID, _OTHER_ID = ("nothing", "other"), ("same_head", "both_valid")
_DAMAGED = ("one_of_more", "one_of_two", "near", "surname", "other")
_NEVER: tuple[Mapping[str, tuple[str, ...]], ...] = (
    {"id": ("conflict",)},
    {"id": _OTHER_ID, "name": _DAMAGED},
    {"id": _NO_ID, "name": _DAMAGED, "phone": ("slip", "slips", "other")},
    {"id": _NO_ID, "name": _DAMAGED, "phone": ("nothing",), "address": ("nothing", "place", "town", "other")},
)
_NEVER_STRICT: tuple[Mapping[str, tuple[str, ...]], ...] = ({"id": _OTHER_ID}, {"id": _NO_ID, "name": _DAMAGED})



def normalised(written: pl.DataFrame, tables: NameTables) -> pl.DataFrame:
    """The columns of `WRITTEN`, all texts, as those of `NORMAL`; a column that is not there says nothing.

    Every distinct value is worked on once. Rows keep their order.
    """
    missing = {name: pl.lit(None, dtype=pl.String) for name in WRITTEN if name not in written.columns}
    said = written.with_columns(**missing).select(pl.col(name).cast(pl.String) for name in WRITTEN)
    numbers = _of_distinct(said["id"], _number, ("id",))
    names = _of_distinct(said["name"], _named(said["name"], tables), ("name", "sound", "surname", "first_sound"))
    houses = _of_distinct(said["address"], _housed, ("county", "town", "place", "house", "first_house"))
    phones = _of_distinct(said["phone"], lambda text: (phone_of(text),), ("phone",))
    birth = said["birth"].str.strip_chars().to_frame("birth").select(_date(pl.col("birth")))
    former = _of_distinct(said["former"], _former(said["former"], tables), ("former",))
    found = pl.concat([numbers, names, former, houses, phones, birth, said.select("sex")], how="horizontal")
    digits = pl.col("id").str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    by_id = pl.col("id").str.slice(16, 1).cast(pl.Int8, strict=False) % 2
    sex = pl.when(pl.col("sex").is_in(MALE)).then(pl.lit("M")).when(pl.col("sex").is_in(FEMALE)).then(pl.lit("F"))
    shaped = pl.col("id").str.contains(r"^[1-9]\d{16}[\dX]$")
    found = found.with_columns(
        id_birth=pl.when(shaped).then(digits),
        sex=pl.coalesce(sex, pl.when(shaped & (by_id == 1)).then(pl.lit("M")).when(shaped & (by_id == 0)).then(pl.lit("F"))),
    )
    return found.select(NORMAL)


def _date(column: pl.Expr) -> pl.Expr:
    """A date as year, month and day with any sign between, or none; NULL where it is not real."""
    parts = [column.str.extract(_DATE, group) for group in (1, 2, 3)]
    return (parts[0] + parts[1].str.zfill(2) + parts[2].str.zfill(2)).str.to_date("%Y%m%d", strict=False).alias("birth")


def _of_distinct(column: pl.Series, what: Callable[[str], tuple[str | None, ...]], names: tuple[str, ...]) -> pl.DataFrame:
    """Several texts of each value, worked out once for each distinct one."""
    values = column.drop_nulls().unique().sort()
    made = [what(value) for value in values.to_list()]
    table = pl.DataFrame({"_": values, **{name: pl.Series([one[at] for one in made], dtype=pl.String) for at, name in enumerate(names)}})
    return column.to_frame("_").join(table, on="_", how="left", maintain_order="left").select(names)


def _number(text: str) -> tuple[str | None]:
    if _USUAL.fullmatch(text):
        return (text if len(set(text)) > 2 else None,)
    key = cleaned(text).replace("O", "0")
    if len(key) == 15 and key.isdigit():
        key = to_eighteen(key)
    return (key if len(key) >= 15 and len(set(key)) > 2 else None,)


def _named(column: pl.Series, tables: NameTables) -> Callable[[str], tuple[str | None, ...]]:
    """Name key, sound, surname and its sound of a written name, with all characters folded at once."""
    written = column.drop_nulls().unique().sort().to_list()
    keys = _keys_of(written, tables)
    sounds: dict[str, str] = {}

    def said(character: str) -> str:
        if character not in sounds:
            sounds[character] = min(sounds_of(character)[0], default="")
        return sounds[character]

    known: Mapping[str, str] = surname_readings()

    def named(text: str) -> tuple[str | None, ...]:
        key = keys[text]
        if not key:
            return None, None, None, None
        surname = surname_of(key)
        first = known.get(surname) or " ".join(said(c) for c in surname)
        rest = key[len(surname) :] if not key.isascii() else ""
        sound = key if key.isascii() else " ".join([first, *(said(c) for c in rest)]).strip()
        return key, sound or None, surname or None, first or None

    return named


def _keys_of(written: list[str], tables: NameTables) -> dict[str, str | None]:
    """What each written name is compared by."""
    plain = pl.Series([plain_name(text) for text in written], dtype=pl.String)
    return dict(zip(written, name_keys(plain, tables), strict=True))


def _former(column: pl.Series, tables: NameTables) -> Callable[[str], tuple[str | None, ...]]:
    """The key of a former name."""
    written = column.drop_nulls().unique().sort().to_list()
    keys = _keys_of(written, tables)
    return lambda text: (keys[text],)


def _housed(text: str) -> tuple[str | None, ...]:
    found = address_of(text)
    if found is None:
        return None, None, None, None, None
    county = found.division[-3:]
    return county or None, found.town or None, found.place or None, "-".join(found.house) or None, found.house[0] if found.house else None


_PARTS = (
    *(("id",), ("id_head",), ("id_from_birth",), ("id_place_tail", "first_sound"), ("id_tail", "first_sound"), ("id_twelve", "first_sound")),
    *(("name", "born"), ("sound", "born"), ("born", "sex", "county"), ("born", "first_sound", "sex"), ("born", "spot"), ("name", "spot")),
    *(("sound", "year", "sex"), ("phone",), ("name", "county", "sex"), ("spot", "sex", "first_sound")),
)
_KEYS = tuple(Key(one, 12 if one == ("phone",) else 100) for one in _PARTS)  # a number that more than twelve share is an office's


def _derived() -> dict[str, pl.Expr]:
    """The parts of keys that are not columns."""
    ident = pl.col("id")
    return {
        "id_head": ident.str.slice(0, 14),
        "id_from_birth": ident.str.slice(6),
        "id_place_tail": ident.str.slice(0, 6) + ident.str.slice(-4),
        "id_tail": ident.str.slice(-6),
        "id_twelve": ident.str.slice(0, 12),
        "born": pl.coalesce("birth", "id_birth"),
        "year": pl.coalesce("birth", "id_birth").dt.year(),
        "spot": pl.col("place") + pl.lit("/") + pl.col("house").fill_null(""),
    }


def plan_of_people(tables: NameTables, limits: Limits | None = None, *, each_left_once: bool = False, strict: bool = False) -> Plan:
    """How normalised people are linked: the verified ID first, then sixteen keys, levels by character, and vetoes.

    `strict`, as the reference rules are: a row with a valid ID is never accepted for somebody with another one (a relative's ID
    in the row's own field is then a review), and a damaged name only with an ID.
    """
    foreign = ("surname", "other")
    agrees = ("equal", "homophone")
    return Plan(
        fields=(
            IdNumber("id"),
            HanName("name", "sound", "surname", "former", tables),
            Birth("birth", "id_birth"),
            Exact("sex", "sex"),
            Digits("phone", "phone"),
            House("town", "place", "house", "first_house"),
        ),
        keys=_KEYS,
        derived=_derived(),
        certain=(Certain(Key(("id",)), {"id": ("equal",), "name": agrees, "birth": ("nothing", "equal")}),),
        overrides=(
            Override("id", "conflict", {"id": ("equal",), "name": foreign}),
            Override("id", "conflict", {"id": ("equal",), "name": ("one_of_more", "one_of_two", "part", "near"), "birth": ("year", "other")}),
        ),
        never=_NEVER + (_NEVER_STRICT if strict else ()),
        weighed_by_share={"name": agrees},
        each_left_once=each_left_once,
        limits=limits or Limits(),
    )

"""What a link weighs: for each way in which a row was found to be somebody's, the linkage model's weight, in thousandths of a bit.

The weight is that of the same person against the best other story of the model, in whole numbers throughout, of the levels that
the finding stands for; a name that many bear weighs less, where the model knows names. They are the model's and not tonight's, so
that no family's weights change because another one came. It says how much is known; what is accepted stands in the rules and never
hangs on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import polars as pl

from verify.linkage.model import Model, load_model

SHIPPED = Path(__file__).parent / "linkage" / "people_model.json"
WEIGHTS, NAMES, MARGINS = "link_weights.parquet", "name_weights.parquet", "margins.parquet"  # below a night's tables
FEWEST = 10  # people who bear a name; rarer ones are in no list, for a list of them would be one of people
MOST = 3_000  # thousandths of a bit, as in the linker
_BY_NAME = {"name_key": pl.String, "bits": pl.Int64}
NO_NAMES = pl.DataFrame(schema=_BY_NAME)
SAYS = ("nothing", "equal", "other")  # what a row's birth date or sex says beside the person's

# What an officer has decided is no finding: 2^40 to one, stated.
_STATED = {"officer": 40_000, "officer_not": -40_000}
# The model knows no household and no joint document. Whoever shares them shares an address, and so do the relatives from whom the
# person must be told apart: the level of an equal address is what they weigh. An ID that fails its check is no more than a slip.
_FOUND_BY: Mapping[str, Mapping[str, str]] = {
    "exact_id": {"id": "equal"},
    "exact_id15": {"id": "equal"},
    "corrected_id": {"id": "slip"},
    "name_birth_sex": {"birth": "equal", "sex": "equal"},
    "name_household": {"address": "equal"},
    "name_document": {"address": "equal"},
    "doubtful_id": {"id": "slip"},
    "near_doubtful": {"id": "slips"},
    "id_damaged_name": {"id": "equal"},
    "name_birth": {"birth": "equal"},
    "name_family_id": {"id": "both_valid", "address": "equal"},
    "family_id": {"id": "both_valid", "address": "equal"},
    "identity_conflict": {"id": "conflict"},
    "name_only": {},
    "other_id": {"id": "both_valid", "birth": "equal"},
}
# A former name that the register tells is as good as one that sounds alike; lists without former names teach a model nothing of them.
_NAMED = {
    "name_equal": "equal",
    "name_agrees": "homophone",
    "name_former": "homophone",
    "name_homophone": "homophone",
    "name_variant": "lookalike",
    "name_lookalike": "lookalike",
    "name_slip": "lookalike",
    "name_pinyin": "part",
    "name_masked": "part",
    "name_romanised": "part",
    "name_absent": "nothing",
    "name_damaged": "near",
    "name_foreign": "other",
}


def link_weights(model: Model) -> pl.DataFrame:
    """A line for each method, reason of the name, and what birth date and sex say: method, name_reason, birth, sex, bits."""
    schema = {**dict.fromkeys(("method", "name_reason", "birth", "sex"), pl.String), "bits": pl.Int64}
    return pl.DataFrame(list(_lines(model)), schema=schema, orient="row")


@cache
def shipped_weights() -> pl.DataFrame:
    """Those of the model that comes with the program."""
    return link_weights(load_model(SHIPPED))


def name_weights(model: Model) -> pl.DataFrame:
    """What names weigh more or less than the usual one where they agree: name_key (NULL: any other), bits; empty where none are known."""
    lines = [*sorted(model.names.items()), (None, model.rare)] if model.names else []
    return pl.DataFrame(lines, schema=_BY_NAME, orient="row")


def with_names(model: Model, keys: pl.Series) -> Model:
    """The model with the names that many of a list of people bear (`keys`: one a person).

    A name weighs half of how much rarer it is than what people of the list are called on average, as in the linker.
    """
    known = keys.drop_nulls().value_counts().rows()
    listed = {name: n for name, n in sorted(known) if n >= FEWEST}
    if not listed:
        return model
    usual, others = _average(n for _, n in known), _average(n for _, n in known if n < FEWEST)
    names = {name: max(-MOST, min(MOST, (usual - _logarithm(n)) // 2)) for name, n in listed.items()}
    return replace(model, names=names, rare=(usual - others) // 2)


def _average(bearing: Iterable[int]) -> int:
    """How many bear a name, on average over the people who do: the logarithm of it, in thousandths."""
    counts = Counter(bearing)
    people = sum(n * names for n, names in counts.items())
    return sum(_logarithm(n) * n * names for n, names in counts.items()) // max(people, 1)


@cache
def _logarithm(number: int) -> int:
    """The binary logarithm in thousandths, rounded down, by whole numbers alone."""
    return int((number**1_000).bit_length()) - 1


def _lines(model: Model) -> Iterator[tuple[str, str, str, str, int]]:
    for method, found in [*_FOUND_BY.items(), *((stated, {}) for stated in _STATED)]:
        for reason, name in _NAMED.items():
            for birth in SAYS:
                for sex in SAYS:
                    said = {"birth": birth, "sex": sex} | {"name": name} | dict(found)
                    yield method, reason, birth, sex, _STATED[method] if method in _STATED else _against_the_best(model, said)


def _against_the_best(model: Model, said: Mapping[str, str]) -> int:
    """The same person against the other story that fits these levels best; rounded half up."""
    fits = list(model.shares)
    for field, level in said.items():
        at = model.fields[field].index(level)
        fits = [fit + line[at] for fit, line in zip(fits, model.levels[field], strict=True)]
    return (fits[0] - max(fits[1:]) + 500) // 1_000

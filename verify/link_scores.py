"""What a link weighs: for each way in which a row was found to be somebody's, the linkage model's weight, in thousandths of a bit.

The weight is that of the same person against the best other story of the model, in whole numbers throughout, of the levels that
the finding stands for. It says how much is known; what is accepted stands in the rules and never hangs on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import polars as pl

from verify.linkage.model import Model, load_model

SHIPPED = Path(__file__).parent / "linkage" / "people_model.json"
WEIGHTS, MARGINS = "link_weights.parquet", "margins.parquet"  # below a night's tables
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

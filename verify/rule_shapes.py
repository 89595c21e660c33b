"""What every entry of a rule file shares: closed, frozen, read as text; and how days, amounts, names and divisions are written."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _as_list(value: Any) -> Any:
    """One text where a list is asked for means a list of one."""
    return [value] if isinstance(value, str) else value


def _as_day(value: Any) -> Any:
    """A day is written 2026-07-01 and in no other way (a bare number would be read as seconds)."""
    if isinstance(value, str) and not DAY.fullmatch(value):
        raise ValueError("a day is written YYYY-MM-DD")
    return value


def _as_amount(value: Any) -> Any:
    """An amount is plain digits: no sign, no exponent, no leading zero, nothing of another width, and below a million million."""
    if isinstance(value, str) and not AMOUNT.fullmatch(value):
        raise ValueError("an amount is written in plain digits, without a leading zero, below 1000000000000")
    return value


DAY = re.compile(r"[12]\d{3}-\d{2}-\d{2}", flags=re.ASCII)
REGION = re.compile(r"00|\d{2}|\d{4}|\d{6}", flags=re.ASCII)
AMOUNT = re.compile(r"(0|[1-9]\d{0,11})(\.\d{1,6})?", flags=re.ASCII)
Day = Annotated[date, BeforeValidator(_as_day)]
Amount = Annotated[Decimal, BeforeValidator(_as_amount)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Region = Annotated[str, Field(pattern=r"^(00|[0-9]{2}|[0-9]{4}|[0-9]{6})$")]


class Shape(BaseModel):
    """What all entries share: no unknown key, nothing changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

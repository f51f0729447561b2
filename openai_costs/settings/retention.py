"""`[retention]`: how long days are kept. Pure."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator

from openai_costs.kernel.days import months_before
from openai_costs.settings.error_texts import SettingRefused
from openai_costs.settings.section import Section

FOREVER = "forever"
MONTHS = 12
"""How long days are kept where the settings say nothing, once a person has agreed to it."""

MOST_MONTHS = 1200


def _months(value: object) -> object:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if value == FOREVER or (is_number and 1 <= int(str(value)) <= MOST_MONTHS):
        return value
    raise SettingRefused(
        f'must be a whole number of months from 1 to {MOST_MONTHS:,}, such as 12, or "{FOREVER}"'
    )


Months = Annotated[int | Literal["forever"], BeforeValidator(_months)]


class Retention(Section):
    """How long days are kept. Nothing is deleted before the settings name a number."""

    months: Months | None = None
    """Whole months that are older than this are deleted; `forever` keeps all."""
    keep_totals: bool = True
    """Whether the dollars of a deleted month are kept as one sum for each connection."""


def first_kept_day(months: Months, today: date) -> date | None:
    """Return the first day that is kept: that of the month so many months ago; None for all.

    A month is deleted when all of its days are older: on 2026-11-28, twelve months keep November
    2025 and everything after it.
    """
    if isinstance(months, str):
        return None
    return months_before(today, months)

"""What can be set about the detector. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from openai_costs.anomalies.series import ID, PEOPLE, level_of

Sensitivity = Literal["low", "normal", "high"]

SIGMAS: Mapping[Sensitivity, float] = {"low": 5.5, "normal": 4.5, "high": 3.5}
"""How many spreads above the expected a day must lie to be news."""
SHARE_OF_PEOPLE = 0.9
"""Of it, for a day of people: what one of them does is small beside the sums, which seldom tell it.

Not for what lasts: there days add up to certainty."""


@dataclass(frozen=True)
class Knobs:
    """What the owner of a scope may set.

    Args:
        sensitivity: How far from the expected is news.
        minimum_usd: A day whose excess is smaller is no news of its own; unusual days within
            three come to it together.
        minimum_share: Nor is one smaller than this share of the organisation's mean day.
        minimum_growth: Nor is one that grew by less than this fraction.
        newcomer_usd: A series in its first week is news from this much a day.
    """

    sensitivity: Sensitivity = "normal"
    minimum_usd: float = 10.0
    minimum_share: float = 0.01
    minimum_growth: float = 0.25
    newcomer_usd: float = 50.0

    @property
    def sigmas(self) -> float:
        """The threshold of the score."""
        return SIGMAS[self.sensitivity]


def knobs_of(days: pl.DataFrame, knobs: Knobs, scopes: Mapping[str, Knobs]) -> pl.DataFrame:
    """Return series_id and a column for every knob: those of the series, its level, or all.

    sigmas is asked of a day, alarm of days that add up.

    Args:
        days: Rows with a series_id.
        knobs: For every series without its own.
        scopes: Knobs by series_id (`user:ada`) or by level (`user`); the series_id wins.
    """
    told = days.select(pl.col(ID).unique().sort()).with_columns(level=level_of(pl.col(ID)))
    set_for = [
        scopes.get(series_id, scopes.get(level, knobs)) for series_id, level in told.iter_rows()
    ]
    names = ("sigmas", "minimum_usd", "minimum_share", "minimum_growth", "newcomer_usd")
    columns = [
        pl.Series(name, [getattr(one, name) for one in set_for], pl.Float64) for name in names
    ]
    is_person = pl.col("level") == PEOPLE
    mild = pl.when(is_person).then(SHARE_OF_PEOPLE * pl.col("sigmas")).otherwise("sigmas")
    told = told.with_columns(columns).with_columns(alarm="sigmas", sigmas=mild)
    return told.select(ID, *names, "alarm")

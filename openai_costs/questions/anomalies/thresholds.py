"""What can be set about the detector. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from openai_costs.questions.anomalies.ledger_series import WHOLE, level_called
from openai_costs.questions.series import ID, LEVELS_APART, PEOPLE, level_of
from openai_costs.settings import Anomalies, AnomalyScope

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


# What the whole organisation says of a day: what is small money, what a person costs. Pure.

ORGANISATION = "org"

DAYS = 28

MOST = 0.95


def surroundings(dense: pl.DataFrame) -> pl.DataFrame:
    """Return day, mean_usd, peers_usd: from the 28 days before each day.

    mean_usd: the organisation's mean day; without a series of the whole, the largest stands for it.
    peers_usd: median of the daily 95th percentile of what people who spent cost; null without any.
    """
    whole = dense.filter(pl.col(ID) == ORGANISATION)
    largest = (whole if whole.height else dense).group_by("day").agg(pl.col("cost").max())
    people = dense.filter((level_of(pl.col(ID)) == PEOPLE) & (pl.col("cost") > 0))
    dear = people.group_by("day").agg(dear=pl.col("cost").quantile(MOST))
    daily = largest.join(dear, on="day", how="left").sort("day")
    return daily.select(
        "day",
        mean_usd=pl.col("cost").shift(1).rolling_mean(DAYS, min_samples=1),
        peers_usd=pl.col("dear").shift(1).rolling_median(DAYS, min_samples=1),
    )


def with_minimums(days: pl.DataFrame, around: pl.DataFrame, knobs: pl.DataFrame) -> pl.DataFrame:
    """Add the knobs and minimum: the larger of minimum_usd and the share of the mean day."""
    told = days.join(around, on="day", how="left", maintain_order="left")
    told = told.join(knobs, on=ID, how="left", maintain_order="left")
    share = (pl.col("minimum_share") * pl.col("mean_usd")).fill_null(0.0)
    return told.with_columns(minimum=pl.max_horizontal("minimum_usd", share))


# What the settings say of the detector, as it wants to know it. Pure. Knobs are floats: they
# bound statistics and are never booked.


def knobs_for_all(said: Anomalies) -> Knobs:
    """Return the knobs of every series without its own."""
    return Knobs(
        sensitivity=said.sensitivity,
        minimum_usd=float(said.minimum_usd),
        minimum_share=float(said.minimum_pct) / 100,
        minimum_growth=float(said.minimum_growth_pct) / 100,
        newcomer_usd=float(said.newcomer_usd),
    )


def knobs_by_scope(said: Anomalies, connection: str) -> dict[str, Knobs]:
    """Return the knobs of some series or levels of a connection, as the detector names them."""
    scopes = [one for one in said.scopes if one.connection in ("*", connection)]
    return {_series(one.scope, connection): _over(said, one) for one in scopes}


def _series(scope: str, connection: str) -> str:
    """`api_key:key_1` is the detector's `key:key_1`; an organization has one series."""
    kind, apart, name = scope.partition(LEVELS_APART)
    level = level_called(kind)
    if level == WHOLE:
        return WHOLE if name in ("", connection) else scope
    return f"{level}{apart}{name}"


def _over(said: Anomalies, scope: AnomalyScope) -> Knobs:
    own = scope.model_dump(include=set(Anomalies.model_fields), exclude_none=True)
    return knobs_for_all(said.model_copy(update=own))

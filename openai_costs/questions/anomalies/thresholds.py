"""Thresholds and materiality: from when a change of spend is reported. Pure.

Thresholds are floats: they bound statistics and are never booked.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from openai_costs.questions.anomalies.frame import OF_A_DAY
from openai_costs.questions.anomalies.series_ids import WHOLE, id_in, level_called
from openai_costs.questions.series import ID, LEVEL_SEPARATOR, PEOPLE
from openai_costs.settings import Anomalies, AnomalyScope, Sensitivity

SIGMAS: Mapping[Sensitivity, float] = {"low": 5.5, "normal": 4.5, "high": 3.5}
"""How many scales above the expected a day must lie to be unusual."""


@dataclass(frozen=True)
class Thresholds:
    """What the owner of a scope may set.

    Args:
        sensitivity: How far from the expected a day must lie.
        minimum_usd: The least excess of a day that is material; unusual days within three add up.
        minimum_share: The same, as a share of the organization's mean day.
        minimum_growth: The least growth of a day that is material, as a fraction.
        newcomer_usd: From how many dollars a day a series is reported in its first week.
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


def thresholds_of(
    days: pl.DataFrame, thresholds: Thresholds, scopes: Mapping[str, Thresholds]
) -> pl.DataFrame:
    """Return series_id and a column for every threshold: of the series, its level, or all.

    Args:
        days: Rows with a series_id.
        thresholds: For every series without its own.
        scopes: Thresholds by series_id (`user:ada`) or by level (`user`); the series_id wins.
    """
    series = days.select(ID, "series_level").unique().sort(ID)
    set_for = [
        scopes.get(series_id, scopes.get(level, thresholds))
        for series_id, level in series.iter_rows()
    ]
    names = ("sigmas", "minimum_usd", "minimum_share", "minimum_growth", "newcomer_usd")
    columns = [
        pl.Series(name, [getattr(one, name) for one in set_for], pl.Float64) for name in names
    ]
    return series.with_columns(columns).select(ID, *names)


DAYS = 28

MOST = 0.95

LARGEST_USUAL = 1.3


def organisation_context(dense: pl.DataFrame) -> pl.DataFrame:
    """Return group, day, mean_usd, peers_usd: from the 28 days before each day.

    mean_usd: the organization's mean day, each cut at 1.3 times the median, so that an incident
    does not hide the next; without a series of the whole, the largest stands for it. peers_usd:
    median of the daily 95th percentile of what people who spent cost; null without any.

    Args:
        dense: The days of the series of one group.
    """
    whole = dense.filter(series_level=WHOLE)
    largest = (whole if whole.height else dense).group_by(OF_A_DAY).agg(pl.col("cost").max())
    people = dense.filter(pl.col("cost") > 0, series_level=PEOPLE)
    high = people.group_by("day").agg(high=pl.col("cost").quantile(MOST))
    daily = largest.join(high, on="day", how="left").sort("day")
    usual = pl.col("cost").shift(1).rolling_median(DAYS, min_samples=1)
    cut = pl.min_horizontal("cost", LARGEST_USUAL * usual.fill_null(pl.col("cost")))
    return daily.select(
        *OF_A_DAY,
        mean_usd=cut.shift(1).rolling_mean(DAYS, min_samples=1),
        peers_usd=pl.col("high").shift(1).rolling_median(DAYS, min_samples=1),
    )


def with_materiality(
    days: pl.DataFrame, context: pl.DataFrame, thresholds: pl.DataFrame
) -> pl.DataFrame:
    """Add the thresholds and material_usd: the larger of minimum_usd and minimum_share."""
    days = days.join(context, on=OF_A_DAY, how="left", maintain_order="left")
    days = days.join(thresholds, on=ID, how="left", maintain_order="left")
    share = (pl.col("minimum_share") * pl.col("mean_usd")).fill_null(0.0)
    return days.with_columns(material_usd=pl.max_horizontal("minimum_usd", share))


def thresholds_in(settings: Anomalies, connection: str) -> tuple[Thresholds, dict[str, Thresholds]]:
    """Return the thresholds of a connection: for all its series, and by series_id or level.

    Series ids name the connection.

    Args:
        settings: What the settings say.
        connection: The connection, or `*`.
    """
    scopes = [one for one in settings.scopes if one.connection in ("*", connection)]
    own = {_series(one.scope, connection): _scope(settings, one) for one in scopes}
    return _thresholds(settings), own


def _thresholds(settings: Anomalies) -> Thresholds:
    return Thresholds(
        sensitivity=settings.sensitivity,
        minimum_usd=float(settings.minimum_usd),
        minimum_share=float(settings.minimum_pct) / 100,
        minimum_growth=float(settings.minimum_growth_pct) / 100,
        newcomer_usd=float(settings.newcomer_usd),
    )


def _series(scope: str, connection: str) -> str:
    """`api_key:key_1` is `key:acme/key_1`; an organization has one series, that of its level."""
    kind, _, name = scope.partition(LEVEL_SEPARATOR)
    level = level_called(kind)
    if level == WHOLE:
        return WHOLE if name in ("", connection) else scope
    return id_in(connection, level, name) if name else level


def _scope(settings: Anomalies, scope: AnomalyScope) -> Thresholds:
    own = scope.model_dump(include=set(Anomalies.model_fields), exclude_none=True)
    return _thresholds(settings.model_copy(update=own))

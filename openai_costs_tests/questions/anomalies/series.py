"""Small literal series: a number for every day, from Monday 5 January 2026 on."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

import polars as pl

from openai_costs.questions.anomalies.cross_level import Hierarchy
from openai_costs.questions.anomalies.detector import Group, detect_in_groups
from openai_costs.questions.anomalies.thresholds import Thresholds

MONDAY = date(2026, 1, 5)
RIPPLE = (0, 3, -2, 5, -4, 2, -1, 4, -3, 1)
"""What keeps a flat series from being ruled with a ruler, in per cent."""


def on(number: int) -> date:
    return MONDAY + timedelta(days=number)


def frame(**costs: Iterable[float]) -> pl.DataFrame:
    """Series by name; `user_ada` is the series_id user:ada."""
    rows = [
        (name.replace("_", ":", 1), on(number), float(cost))
        for name, series in costs.items()
        for number, cost in enumerate(series)
    ]
    return pl.DataFrame(rows, schema=["series_id", "day", "cost"], orient="row")


def flat(days: int, usd: float = 100.0) -> list[float]:
    return [usd * (1 + RIPPLE[number % len(RIPPLE)] / 100) for number in range(days)]


def shaped(days: int, cost: Callable[[int], float]) -> list[float]:
    """A flat series whose level is a function of the day's number."""
    return [one * cost(number) for number, one in enumerate(flat(days, 1.0))]


def detect(
    spend: pl.DataFrame,
    thresholds: Thresholds | None = None,
    scopes: Mapping[str, Thresholds] | None = None,
    hierarchy: Hierarchy = None,
) -> pl.DataFrame:
    """What the detector says of one group, without its number."""
    group = Group(spend, thresholds or Thresholds(), scopes or {})
    return detect_in_groups([group], hierarchy).drop("group")


def flagged(spend: pl.DataFrame, series_id: str) -> dict[date, str]:
    """Day and kind of every anomaly of a series."""
    found = detect(spend).filter((pl.col("series_id") == series_id) & pl.col("is_anomaly"))
    return dict(found.select("day", "kind").iter_rows())

"""What a period will have cost by its end, with bands from each series' own past errors. Pure.

Forecasts are floats: they say what dollars are likely, they are never booked.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.budgets.bands import BANDS, PERIOD, banded
from openai_costs.questions.budgets.forecast_model import DAYS_AHEAD, outlook, without_credits
from openai_costs.questions.series import ID, every_day

PAST = 20

APART = 7
"""Past forecasts are a week apart, for the same number of days ahead, and all have ended."""

RECENT = 90
"""Days among which the highest limits how far a band reaches."""

ASKED_AT_ONCE = 500
"""Forecasts whose past ones are made together: bounds the memory of it."""


def forecast(spend: pl.DataFrame, as_of: date, start: date, end: date) -> pl.DataFrame:
    """Return series_id, forecast, low80, high80, low95, high95, sorted by series_id.

    Args:
        spend: series_id, day, cost (dollars, Decimal or Float64); a day without a row cost nothing.
        as_of: The last day that is known; later rows are ignored.
        start: The first day of the period. Days between as_of and it are in no forecast.
        end: Its last day.
    """
    asked = spend.select(pl.col(ID).unique()).with_columns(as_of=as_of, start=start, end=end)
    return forecasts(spend, asked).drop(PERIOD)


def forecasts(spend: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return asked with forecast, low80, high80, low95, high95, sorted by series_id and period.

    Credits and refunds count in what was spent so far, and nowhere else: neither the days ahead nor
    the errors of past forecasts have any. What did not spend before that day has no row.

    Args:
        spend: series_id, day, cost, as `forecast` takes it.
        asked: series_id, as_of, start, end, as `forecast` takes them.
    """
    days = every_day(spend, asked["as_of"].max())  # type: ignore[arg-type]  # a column of days
    so_far = _so_far(days, asked)
    names, is_open = ("forecast", *BANDS), pl.col("ahead") > 0
    ended = so_far.filter(~is_open).select(
        ID, *PERIOD, *(pl.col("so_far").alias(name) for name in names)
    )
    seen = without_credits(days)
    rows = [_past_and_now(seen, some) for some in so_far.filter(is_open).iter_slices(ASKED_AT_ONCE)]
    if not rows:
        return ended.sort(ID, *PERIOD)
    made, is_now = pl.concat(rows), pl.col("origin") == pl.col("as_of")
    now = made.filter(is_now).join(so_far, on=[ID, *PERIOD, *DAYS_AHEAD])
    return pl.concat([ended, banded(now, made.filter(~is_now))]).sort(ID, *PERIOD)


def _so_far(days: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return asked with so_far, highest and the days ahead, sorted; without what never spent."""
    known = asked.join(days, on=ID, maintain_order="left_right").filter(
        pl.col("day") <= pl.col("as_of")
    )
    inside = pl.col("day").is_between("start", "end")
    is_recent = pl.col("day") > pl.col("as_of") - timedelta(days=RECENT)
    spent = known.group_by(ID, *PERIOD).agg(
        so_far=pl.col("cost").filter(inside).sum(),
        highest=pl.col("cost").filter(is_recent).max().fill_null(0.0),
    )
    ahead = (pl.col("end") - pl.col("as_of")).dt.total_days()
    skipped = (pl.col("start") - pl.col("as_of")).dt.total_days() - 1
    return spent.with_columns(skipped=skipped.clip(0), ahead=ahead).sort(ID, *PERIOD)


def _past_and_now(days: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return the forecasts of now and before for the same number of days ahead.

    series_id, as_of, start, end, skipped, ahead, origin, volatility, rest, seen (days before),
    actual (null: not ended).
    """
    keys = (ID, *PERIOD, *DAYS_AHEAD)
    back = pl.DataFrame({"back": range(PAST)})
    ago = pl.duration(days=pl.col("ahead") + APART * pl.col("back"))
    before = asked.join(back, how="cross").select(*keys, origin=pl.col("as_of") - ago)
    origins = pl.concat([asked.select(*keys, origin="as_of"), before])
    mine = days.join(asked, on=ID, how="semi")
    rows = origins.join(outlook(mine, origins), on=[ID, "origin", *DAYS_AHEAD])
    seen = mine.select(ID, "day", seen=pl.int_range(1, pl.len() + 1).over(ID))
    rows = rows.join(seen, left_on=[ID, "origin"], right_on=[ID, "day"])
    running = mine.select(ID, "day", total=pl.col("cost").cum_sum().over(ID))
    for name in DAYS_AHEAD:
        day = pl.col("origin") + pl.duration(days=name)
        until = running.rename({"total": f"through_{name}"})
        rows = rows.with_columns(day=day).join(until, on=[ID, "day"], how="left")
    actual = pl.col("through_ahead") - pl.col("through_skipped")
    return rows.with_columns(actual=actual).drop("through_ahead", "through_skipped", "day")


# The cost of each budget's period by its end, as forecast on each of the newest days.

DOLLARS = {
    "forecast": "forecast_usd",
    "low80": "forecast_low_usd",
    "high80": "forecast_high_usd",
    "low95": "forecast_low95_usd",
    "high95": "forecast_high95_usd",
}

DECIMALS = 4
"""A forecast is an estimate, and must not look exact."""

SCHEMA = pl.Schema(
    {"budget": pl.String(), "day": pl.Date()} | dict.fromkeys(DOLLARS.values(), MONEY)
)


class Origin(NamedTuple):
    """A day from which the end of a period is forecast.

    Args:
        day: The last day that is known.
        first: The first day of the period.
        last: Its last day.
        budget: Whose period it is.
    """

    day: date
    first: date
    last: date
    budget: str


def period_forecasts(origins: Sequence[Origin], daily: pl.DataFrame) -> pl.DataFrame:
    """Return budget, day and the forecast with its bands; no row for what never spent.

    Args:
        origins: What to forecast.
        daily: What each budget counts, by its name, as `without_gaps` takes it.
    """
    if not origins:
        return pl.DataFrame(schema=SCHEMA)
    asked = pl.DataFrame(origins, schema=["as_of", "start", "end", ID], orient="row")
    estimate = pl.Decimal(38, DECIMALS)
    dollars = {column: pl.col(name).cast(estimate).cast(MONEY) for name, column in DOLLARS.items()}
    return forecasts(without_gaps(daily), asked).select(budget=ID, day="as_of", **dollars)


def without_gaps(daily: pl.DataFrame) -> pl.DataFrame:
    """Return series_id, day, cost of which forecasts learn: settled days, and nothing else.

    Any other day costs what its weekday last did on a settled one.

    Args:
        daily: series_id, day, cost, is_settled: every day of each series, oldest first.
    """
    settled = pl.when("is_settled").then(pl.col("cost").fill_null(0))
    usual = settled.forward_fill().over(ID, pl.col("day").dt.weekday())
    return daily.select(ID, "day", cost=usual.fill_null(0))

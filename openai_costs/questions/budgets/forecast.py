"""What a period will have cost by its end, with bands from each series' own past errors. Pure.

What was spent is exact and is the caller's: a forecast adds what the rest of the period will cost.
That is a float: it says what dollars are likely, they are never booked.
"""

from datetime import timedelta

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.budgets.bands import PERIOD, banded
from openai_costs.questions.budgets.forecast_model import DAYS_AHEAD, outlook
from openai_costs.questions.series import ID, every_day

PAST = 20

APART = 7
"""Past forecasts are a week apart, for the same number of days ahead, and all have ended."""

RECENT = 90
"""Days among which the highest limits how far a band reaches."""

ASKED_AT_ONCE = 500
"""Forecasts whose past ones are made together: bounds the memory of it."""

DOLLARS = {
    "rest": "forecast_usd",
    "low80": "forecast_low_usd",
    "high80": "forecast_high_usd",
    "low95": "forecast_low95_usd",
    "high95": "forecast_high95_usd",
}

DECIMALS = 4
"""What is not spent yet is an estimate, and must not look exact."""


def forecasts(daily: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return asked with forecast_usd and the ends of its bands, sorted by series_id and period.

    A forecast is what was spent so far, and above it what the other days of the period will cost:
    those ahead, and those so far that have not settled. Credits and refunds count in what was spent
    and nowhere else. What did not spend before that day has no row.

    Args:
        daily: series_id, day, cost (dollars that were charged, without credits and refunds),
            is_settled: every day of each series, oldest first.
        asked: series_id, as_of (the last day that is known; later ones are ignored), start, end
            (the period; days between as_of and it are in no forecast), spent_usd (what its settled
            days so far cost).
    """
    usual = _usual(daily)
    rests = _rests(every_day(usual, asked["as_of"].max()), asked)  # type: ignore[arg-type]  # days
    unsettled = asked.join(usual.filter(~pl.col("is_settled")), on=ID).filter(
        pl.col("day").is_between("start", pl.min_horizontal("as_of", "end"))
    )
    not_read = unsettled.group_by(ID, *PERIOD).agg(not_read=pl.col("cost").cast(pl.Float64).sum())
    told = asked.join(rests, on=[ID, *PERIOD]).join(not_read, on=[ID, *PERIOD], how="left")
    estimates = {
        name: (pl.col(of) + pl.col("not_read").fill_null(0.0)).cast(pl.Decimal(38, DECIMALS))
        for of, name in DOLLARS.items()
    }
    dollars = {name: pl.col("spent_usd") + usd.cast(MONEY) for name, usd in estimates.items()}
    return told.select(*asked.columns, **dollars).sort(ID, *PERIOD)


def _usual(daily: pl.DataFrame) -> pl.DataFrame:
    """Return daily with the cost of which forecasts learn: settled days, and nothing else.

    Any other day costs what its weekday last did on a settled one, as does a day below zero, whose
    charges are not known apart from its credits.
    """
    cost = pl.col("cost").fill_null(0)
    known = pl.when("is_settled", cost >= 0).then(cost)
    usual = known.forward_fill().over(ID, pl.col("day").dt.weekday())
    return daily.with_columns(cost=usual.fill_null(0))


def _rests(days: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return series_id, as_of, start, end, rest, low80, high80, low95, high95 of the days ahead."""
    known = _known(days, asked)
    is_open = pl.col("ahead") > 0
    nothing = (pl.lit(0.0).alias(name) for name in DOLLARS)
    ended = known.filter(~is_open).select(ID, *PERIOD, *nothing)
    rows = [_past_and_now(days, some) for some in known.filter(is_open).iter_slices(ASKED_AT_ONCE)]
    if not rows:
        return ended
    made, is_now = pl.concat(rows), pl.col("origin") == pl.col("as_of")
    now = made.filter(is_now).join(known, on=[ID, *PERIOD, *DAYS_AHEAD])
    return pl.concat([ended, banded(now, made.filter(~is_now))])


def _known(days: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return asked with highest and the days ahead, sorted; without what never spent."""
    known = asked.join(days, on=ID, maintain_order="left_right").filter(
        pl.col("day") <= pl.col("as_of")
    )
    is_recent = pl.col("day") > pl.col("as_of") - timedelta(days=RECENT)
    highest = pl.col("cost").filter(is_recent).max().fill_null(0.0)
    ahead = (pl.col("end") - pl.col("as_of")).dt.total_days()
    skipped = (pl.col("start") - pl.col("as_of")).dt.total_days() - 1
    spent = known.group_by(ID, *PERIOD).agg(highest=highest)
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

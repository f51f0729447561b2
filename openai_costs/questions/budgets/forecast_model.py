"""What the next days will cost: a level that follows, weekdays as they were, some trend. Pure.

Exponentially weighted level over a weekday shape, the weights' half-life chosen by how steady a
series is: steady ones follow the last days, noisy ones the last weeks.
"""

import polars as pl

from openai_costs.questions.series import ID

# A series' past as it was known on several days.

MEMORY_DAYS = 84
"""The last 12 weeks: whole weeks, so that every weekday is seen equally often."""

WEEK = 7

DAYS_AHEAD = ("skipped", "ahead")
"""Which days after the last known one are forecast: those after `skipped` days, through `ahead`."""

PAST = "past"
"""The number of a past: a series as it was known on one day."""


def known_on(days: pl.DataFrame, pasts: pl.DataFrame) -> pl.DataFrame:
    """Return past, lag, weekday, cost: the last 84 days before and on each origin.

    A series that began after an origin is not there.

    Args:
        days: series_id, day, cost, from `every_day`: the day before is the row before.
        pasts: past, series_id, origin.
    """
    rows = days.with_row_index("row").with_columns(seen=pl.int_range(1, pl.len() + 1).over(ID))
    oldest_first = pl.DataFrame({"lag": pl.Series(range(MEMORY_DAYS - 1, -1, -1), dtype=pl.Int32)})
    last = pasts.join(rows, left_on=[ID, "origin"], right_on=[ID, "day"]).select(
        PAST, "row", "seen"
    )
    asked = last.join(oldest_first, how="cross").filter(pl.col("lag") < pl.col("seen"))
    before = asked.select(PAST, "lag", row=pl.col("row") - pl.col("lag").cast(pl.UInt32))
    return before.join(rows.select("row", "day", "cost"), on="row", maintain_order="left").select(
        PAST, "lag", weekday=pl.col("day").dt.weekday().cast(pl.Int32) - 1, cost="cost"
    )


def without_flukes(known: pl.DataFrame) -> pl.DataFrame:
    """Cut single days that are far above all others: what happened once is not a forecast.

    The cut lies five robust sigmas above the median of ln(cost + 1) of spending days; where more
    than three days lie above it the level has changed, and nothing is cut.
    """
    x = (pl.col("cost") + 1).log()
    spent = pl.when(pl.col("cost") > 0).then(x)
    told = known.with_columns(_x=spent, _middle=spent.median().over(PAST))
    scatter = (pl.col("_x") - pl.col("_middle")).abs().median().over(PAST)
    told = told.with_columns(_cut=pl.col("_middle") + 5 * (1.4826 * scatter).clip(0.15))
    high = pl.col("_x") > pl.col("_cut")
    few = high.sum().over(PAST) <= 3  # noqa: PLR2004 - told in the docstring
    enough = pl.col("_x").count().over(PAST) >= 10  # noqa: PLR2004 - a median of fewer says little
    cut = pl.when(high & few & enough).then(pl.col("_cut").exp() - 1).otherwise("cost")
    return told.with_columns(cost=cut).drop("_x", "_middle", "_cut")


SHAPE_HALF_LIFE = 42

SHORTEST, LONGEST = 4.0, 21.0

DAYS_PER_VOLATILITY = 60.0

UNKNOWN_VOLATILITY = 0.5

MAD_TO_SIGMA = 1.4826

TREND_DAYS = 28

LARGEST_TREND = 0.12

BELIEVED = 0.15

FEWEST_WEEKS = 4


def outlook(days: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return series_id, origin, skipped, ahead, volatility and rest: dollars of the days ahead.

    rest = level x sum of the weekday factors ahead x trend. A weekday's factor is its weighted
    mean over the mean of all; level = sum(w cost) / sum(w factor), w = 0.5^(lag / half-life),
    half-life = 60 x volatility within 4 and 21 days.

    Args:
        days: series_id, day, cost, from `every_day`.
        asked: series_id, origin, ahead, how many days after it, and skipped, how many of these are
            not added up: the first ones, which are before the period.
    """
    wanted = asked.select(ID, "origin", *DAYS_AHEAD).unique()
    pasts = wanted.select(ID, "origin").unique().sort(ID, "origin").with_row_index(PAST)
    known = known_on(days, pasts)
    steady = without_flukes(known)
    volatility = _volatility(known)
    factors = _factors(steady)
    told = steady.join(volatility, on=PAST, how="left").join(
        factors, on=[PAST, "weekday"], how="left"
    )
    weight = 0.5 ** (pl.col("lag") / pl.col("half_life"))
    level = (weight * pl.col("cost")).sum() / (weight * pl.col("factor")).sum()
    levels = told.group_by(PAST).agg(level=level, volatility=pl.col("volatility").first())
    told = levels.join(_trend(known), on=PAST)
    told = told.join(_ahead(factors, wanted.join(pasts, on=[ID, "origin"])), on=PAST)
    rest = pl.col("level") * pl.col("factors") * _growth()
    told = told.with_columns(rest=rest.fill_nan(0.0).fill_null(0.0))
    return told.select(ID, "origin", *DAYS_AHEAD, "volatility", "rest")


def _volatility(known: pl.DataFrame) -> pl.DataFrame:
    """Robust scatter of week-to-week changes of ln(week + $7), over up to 12 weeks."""
    weeks = known.group_by(PAST, week=pl.col("lag") // WEEK).agg(
        n=pl.len(), x=(pl.col("cost").sum() + WEEK).log()
    )
    whole = weeks.filter(pl.col("n") == WEEK).sort(PAST, "week")
    change = pl.col("x").diff().drop_nulls()
    scatter = MAD_TO_SIGMA * (change - change.median()).abs().median() / 2**0.5
    told = whole.group_by(PAST).agg(weeks=pl.len(), volatility=scatter)
    enough = pl.col("weeks") >= FEWEST_WEEKS
    some = pl.when(enough).then("volatility").otherwise(UNKNOWN_VOLATILITY)
    everyone = known.select(PAST).unique().join(told, on=PAST, how="left")
    told = everyone.with_columns(volatility=some.fill_null(UNKNOWN_VOLATILITY))
    half_life = (DAYS_PER_VOLATILITY * pl.col("volatility")).clip(SHORTEST, LONGEST)
    return told.select(PAST, "volatility", half_life=half_life)


def _factors(steady: pl.DataFrame) -> pl.DataFrame:
    """Return past, weekday, factor: all seven weekdays, 1 on average.

    A weekday's mean is mixed with the mean of all days, which counts as one day.
    """
    weight = 0.5 ** (pl.col("lag") / SHAPE_HALF_LIFE)
    seen = steady.group_by(PAST, "weekday").agg(
        n=pl.len(), weight=weight.sum(), spent=(weight * pl.col("cost")).sum()
    )
    seven = pl.DataFrame({"weekday": pl.Series(range(WEEK), dtype=pl.Int32)})
    told = seen.select(PAST).unique().join(seven, how="cross")
    told = told.join(seen, on=[PAST, "weekday"], how="left")
    total = pl.col("spent").sum().over(PAST) / pl.col("weight").sum().over(PAST)
    n = pl.col("n").fill_null(0)
    own = (pl.col("spent") / pl.col("weight")).fill_null(0.0)
    told = told.with_columns(mean=(own * n + total) / (n + 1), days=n.sum().over(PAST))
    factor = pl.col("mean") / pl.col("mean").mean().over(PAST)
    known_shape = (pl.col("days") >= WEEK) & factor.is_finite()
    return told.select(PAST, "weekday", factor=pl.when(known_shape).then(factor).otherwise(1.0))


def _ahead(factors: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return asked with factors, the sum of the factors of the days ahead that are not skipped."""
    after = (pl.col("weekday") - pl.col("origin").dt.weekday().cast(pl.Int32)) % WEEK

    def times(days: pl.Expr) -> pl.Expr:
        return days // WEEK + (after < days % WEEK).cast(pl.Int32)

    counted = times(pl.col("ahead")) - times(pl.col("skipped"))
    every = asked.join(factors, on=PAST, maintain_order="left_right")
    summed = every.group_by(PAST, *DAYS_AHEAD).agg(factors=(counted * pl.col("factor")).sum())
    return asked.join(summed, on=[PAST, *DAYS_AHEAD])


def _trend(known: pl.DataFrame) -> pl.DataFrame:
    """Log growth of the last four weeks over the four before; 0 where either is missing."""

    def spent(first: int) -> pl.Expr:
        inside = pl.col("lag").is_between(first, first + TREND_DAYS - 1)
        return pl.col("cost").filter(inside).sum()

    whole = pl.col("lag").max() >= 2 * TREND_DAYS - 1
    growth = (spent(0) / spent(TREND_DAYS)).log().clip(-LARGEST_TREND, LARGEST_TREND)
    told = known.group_by(PAST).agg(growth=growth, whole=whole)
    sound = pl.col("whole") & pl.col("growth").is_finite()
    return told.select(PAST, growth=pl.when(sound).then("growth").otherwise(0.0))


def _growth() -> pl.Expr:
    """Trend of the middle of the days ahead, a seventh believed, less the noisier a series is."""
    believed = BELIEVED * (
        1 - pl.col("volatility").clip(0, UNKNOWN_VOLATILITY) / UNKNOWN_VOLATILITY
    )
    ahead = (pl.col("skipped") + pl.col("ahead") + 1) / 2 + WEEK
    return (believed * pl.col("growth") * ahead / TREND_DAYS).exp()

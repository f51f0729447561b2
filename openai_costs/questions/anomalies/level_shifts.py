"""Rises that last: level shifts and slow leaks that no single day gives away. Pure.

A one-sided CUSUM (E. S. Page, Biometrika 41, 1954) of the daily scores against a slow level.
"""

import polars as pl

from openai_costs.questions.series import ID, KEY, PEOPLE, lag

ALLOWANCE = 0.6

MOST_A_DAY = 2.5

LEAST_A_DAY = -2.0

MEMORY_DAYS = 29

ALARM, ALARM_OF_KEYS, ALARM_OF_PEOPLE = 8.5, 10.2, 6.4
"""The sum that is a rise. A program's day resembles the day before, so its days add up by chance;
a person's days do so less."""

ALARM_SIGMAS = 4.5

AT_THE_MINIMUM, FEWEST = 1.2, 0.7
"""The share of the alarm that a rise must reach: at the minimum dollars, and at the very most."""

LESS_PER_E = 0.1
"""So much less of it for a rise of e times the dollars: a large rise needs fewer sigmas."""

GROWTH_DAYS = 14

NORMAL_GROWTH = 0.012
"""Growth a day that is taken as normal: 43 % a month."""

AHEAD_DAYS = 14
"""The middle of the slow level's 28 days lies this far back."""

RISE_DAYS = 5

SLOW_RISE_DAYS = 28
"""A small rise is material too when it goes on for so long that its days add up."""

RECENT = 0.2
"""Of those dollars: how much the last five days must be, so that a rise that is over ends."""

SUDDEN = 0.7

STILL = 1.9
"""The score from which a rise that was found is still there."""

STILL_GROWTH = 0.5
"""Of minimum_growth: how far above the base a day of it must be."""


def with_cusum(days: pl.DataFrame) -> pl.DataFrame:
    """Add base, rise, lasting, still and is_sudden.

    base: what the slow level, carried forward by its own growth, expects in dollars.
    S = sum of (z - 0.6) since its lowest point in 29 days, z = (x - slow level - season) / (s + s^2
    / 2) within -2 and 2.5, s the scale.
    lasting = 4.5 S / alarm, so that 4.5 means what it means for a single day; null unless the day
    is above the base by minimum_growth and the last five days, rise dollars together, by five times
    material_usd, or by a fifth of that while the last 28 reach it. The alarm is 8.5 (keys 10.2,
    people 6.4), times 1.2 at just these dollars in five days and less for more. still: the same
    whatever the dollars, null unless S is large enough, the series usually spends on the day, and
    the day is above the base by half of minimum_growth. is_sudden: most of S came in the last five
    days.
    """
    days = _with_base(days).with_columns(_path=_step().cum_sum().over(ID))
    lowest = pl.col("_path").rolling_min(MEMORY_DAYS, min_samples=1).over(ID)
    days = days.with_columns(height=pl.col("_path") - lowest, rise=_excess_of(RISE_DAYS))
    is_high = pl.col("cost") >= (1 + pl.col("minimum_growth")) * pl.col("base")
    lasting = pl.when((pl.col("height") > 0) & _is_much() & is_high).then("height")
    score = pl.col("height") * ALARM_SIGMAS / ALARM
    growth = STILL_GROWTH * pl.col("minimum_growth")
    is_above = pl.col("is_usual") & (pl.col("cost") >= (1 + growth) * pl.col("base"))
    is_still = (score > STILL) & is_above
    gained = pl.col("height") - lag(pl.col("height"), RISE_DAYS).fill_null(0.0)
    return days.with_columns(
        lasting=lasting * ALARM_SIGMAS / _alarm(),
        still=pl.when(is_still).then(score),
        is_sudden=gained >= SUDDEN * pl.col("height"),
    ).drop("_path", "height", "slow_mu")


def _is_much() -> pl.Expr:
    """Five times the minimum dollars in five days; or in 28, and a fifth of it in five."""
    enough = RISE_DAYS * pl.col("material_usd")
    is_slow = _excess_of(SLOW_RISE_DAYS) >= enough
    return (pl.col("rise") >= enough) | (is_slow & (pl.col("rise") >= RECENT * enough))


def _excess_of(days: int) -> pl.Expr:
    return (pl.col("cost") - pl.col("base")).rolling_sum(days, min_samples=1).over(ID)


def _alarm() -> pl.Expr:
    """The sum from which a rise is certain: of its level, and less for many dollars."""
    level = pl.col("series_level")
    own = pl.when(level == KEY).then(ALARM_OF_KEYS).when(level == PEOPLE).then(ALARM_OF_PEOPLE)
    times = (pl.col("rise") / (RISE_DAYS * pl.col("material_usd"))).clip(1.0)
    return own.otherwise(ALARM) * (AT_THE_MINIMUM - LESS_PER_E * times.log()).clip(FEWEST)


def _with_base(days: pl.DataFrame) -> pl.DataFrame:
    growth = (pl.col("slow") - lag(pl.col("slow"), GROWTH_DAYS)) / GROWTH_DAYS
    ahead = AHEAD_DAYS * growth.clip(0, NORMAL_GROWTH).fill_null(0.0)
    days = days.with_columns(slow_mu=pl.col("slow") + ahead + pl.col("season"))
    base = pl.when("is_usual").then(pl.col("slow_mu").exp() - 1).otherwise(0.0)
    return days.with_columns(base=base.clip(0).fill_null(0.0))


def _step() -> pl.Expr:
    """What a day adds to the path: nothing where the series is usually idle."""
    wider = pl.col("scale") * (1 + pl.col("scale") / 2)
    z = ((pl.col("x") - pl.col("slow_mu")) / wider).clip(LEAST_A_DAY, MOST_A_DAY)
    counts = ~pl.col("is_monthly") & (pl.col("age") >= GROWTH_DAYS)
    days = pl.when(counts).then(z.fill_null(0.0)).otherwise(0.0)
    return pl.when("is_usual").then(days - ALLOWANCE).otherwise(0.0)


OVER_DAYS = 3
"""So many days in a row that are no longer above the old level end a rise."""


def extended(days: pl.DataFrame) -> pl.DataFrame:
    """Return the days with is_lasting also where a rise that was found goes on.

    To begin, a rise must be certain and much money in five days, or high. To go on, it need only
    stay above the old level (still): lower days make no holes in it.

    Args:
        days: series_id, is_lasting, is_high, still; every day, sorted by series and day.
    """
    begins = pl.col("is_lasting") | pl.col("is_high")
    still = pl.col("still").is_not_null()
    seen = (begins | still).cast(pl.Int8).rolling_max(OVER_DAYS, min_samples=1).over(ID)
    state = pl.when(begins).then(statement=True).when(seen == 0).then(statement=False)
    is_open = state.forward_fill().over(ID).fill_null(value=False)
    return days.with_columns(is_lasting=pl.col("is_lasting") | (is_open & still))

"""What a day is expected to cost, and how far it usually lies from that. Pure.

All in x = ln(cost + 1). Only days before the day are used: every statistic is shifted by one.
"""

import polars as pl

from openai_costs.questions.series import ID, KEY, lag, level_of

SEASON_DAYS = 56

LEVEL_DAYS = 10

LEVEL_HALF_LIFE = 4

LARGEST_STEP = 0.5

LARGEST_WEEKDAY_EFFECT = 0.7

SLOW_DAYS = 28

AMOUNT_DAYS = 25

WEEKS_SEEN = 8


def with_baseline(days: pl.DataFrame) -> pl.DataFrame:
    """Add season, level, slow, amount_median, amount_p95, amount_mad, n_on, is_usual, mu, residual.

    season: median weekend x minus median working-day x of the last 8 weeks; 0 on working days.
    level: weighted mean of spending days without the season, each cut at half a unit around the
    median of the last 10, a weight halving every 4: follows, and no single day pulls it.
    slow: median of the last 28 spending days without the season.
    amount_median, amount_p95, amount_mad: median, 95th percentile and median absolute deviation of
    the last 25 spending days as they were, for series that are mostly idle; n_on: spending days so
    far.
    is_usual: the series spent on at least half of the same weekdays of the last 8 weeks.
    mu = level + season + how the same weekdays of the last 8 weeks differed from that, shrunk by
    half; residual = x - mu.
    """
    known = _as_known(_seasoned(days))
    same = [lag(pl.col("is_on").cast(pl.Float64), 7 * week) for week in range(1, WEEKS_SEEN + 1)]
    known = known.with_columns(
        is_usual=pl.mean_horizontal(same).fill_null(1.0) >= 0.5,  # noqa: PLR2004
        mu=pl.col("level") + pl.col("season"),
    )
    known = known.with_columns(mu=pl.col("mu") + _weekday_effect())
    return known.with_columns(residual=pl.col("x") - pl.col("mu"))


def _weekday_effect() -> pl.Expr:
    """Mean difference of the same weekdays, shrunk: n weeks are believed n / (n + 8)."""
    off = (
        pl.when("is_on")
        .then(pl.col("x") - pl.col("mu"))
        .clip(-LARGEST_WEEKDAY_EFFECT, LARGEST_WEEKDAY_EFFECT)
    )
    weeks = [lag(off, 7 * week) for week in range(1, WEEKS_SEEN + 1)]
    return (pl.sum_horizontal(weeks) / (_count(weeks) + WEEKS_SEEN)).fill_null(0.0)


def _count(columns: list[pl.Expr]) -> pl.Expr:
    return pl.sum_horizontal([column.is_not_null() for column in columns])


def _seasoned(days: pl.DataFrame) -> pl.DataFrame:
    spent, weekend = pl.col("is_on"), pl.col("is_weekend")
    median = {
        name: lag(pl.when(of).then("x").rolling_median(SEASON_DAYS, min_samples=1))
        for name, of in (("_working", spent & ~weekend), ("_weekend", spent & weekend))
    }
    offset = pl.when(weekend).then(pl.col("_weekend") - pl.col("_working")).otherwise(0.0)
    days = days.with_columns(**median).with_columns(season=offset.fill_null(0.0))
    return days.drop(median)


def _as_known(days: pl.DataFrame) -> pl.DataFrame:
    """Statistics of spending days, carried to the days that follow each."""
    flat = (pl.col("x") - pl.col("season")).alias("flat")
    spending = days.filter("is_on").with_columns(flat)
    spending = spending.select(
        ID,
        "day",
        "x",
        level=_followed("flat"),
        slow=_median("flat", SLOW_DAYS),
        amount_median=_median("x", AMOUNT_DAYS),
        amount_p95=pl.col("x")
        .rolling_quantile(0.95, window_size=AMOUNT_DAYS, min_samples=1)
        .over(ID),
        n_on=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(ID),
    )
    off = (pl.col("x") - pl.col("amount_median")).abs()
    spending = spending.with_columns(
        amount_mad=off.rolling_median(AMOUNT_DAYS, min_samples=1).over(ID)
    ).drop("x")
    return carried(days, spending)


def carried(days: pl.DataFrame, some: pl.DataFrame) -> pl.DataFrame:
    """Join statistics of some days: every day has the latest from before it."""
    names = [name for name in some.columns if name not in (ID, "day")]
    joined = days.join(some, on=[ID, "day"], how="left", maintain_order="left")
    return joined.with_columns(pl.col(names).forward_fill().shift(1).over(ID))


def _followed(name: str) -> pl.Expr:
    middle = pl.col(name).rolling_median(LEVEL_DAYS, min_samples=1)
    cut = pl.col(name).clip(middle - LARGEST_STEP, middle + LARGEST_STEP)
    return cut.ewm_mean(half_life=LEVEL_HALF_LIFE).over(ID)


def _median(name: str, days: int) -> pl.Expr:
    return pl.col(name).rolling_median(days, min_samples=1).over(ID)


BODY_DAYS = 60

YOUNG_DAYS = 28

FIRST_DAYS = 7

TAIL_WEEKS = 13

FEWEST_WEEKS = 4

PRIOR, PRIOR_OF_KEYS = 0.5, 0.3
"""The scale assumed for a young series: programs spend more steadily than people."""

WILDNESS = 2.0

PRIOR_DAYS = 6.0

NARROWEST = 0.08

MAD_TO_SIGMA = 1.4826

TAIL_SIGMAS = 1.9
"""Where the third largest of 13 weekly maxima lies in a normal distribution, in sigmas."""

AMOUNT_PRIOR_DAYS = 4.0

FEW_AMOUNTS = 6

SIGMAS_OF_95 = 1.645


def with_scale(days: pl.DataFrame) -> pl.DataFrame:
    """Add calm and spread, of usual days, and amount_scale, of idle series' spending days.

    body = 1.4826 x median |residual| of 60 days, mixed with 0.5 (keys: 0.3) while there are few;
    tail = third largest weekly maximum of 13 weeks / 1.9; s = body and tail by half, 0.08 at
    least. scale = s (1 + s), for tests that add days up; day_scale = s (1 + s + 2 s^2), for single
    days: the noisier a series, the longer its tail compared with a normal one.
    """
    prior = pl.when(level_of(pl.col(ID)) == KEY).then(PRIOR_OF_KEYS).otherwise(PRIOR)
    days = _with_tails(_bodies(_judged(days))).with_columns(_prior=prior)
    body = _with_prior(pl.col("n_judged").fill_null(0).clip(0, BODY_DAYS), pl.col("body"))
    seen = pl.when(pl.col("_weeks") >= FEWEST_WEEKS).then("_weeks").otherwise(0)
    share = 0.5 * seen / TAIL_WEEKS
    tail = (pl.col("_third").clip(0) / TAIL_SIGMAS).fill_null(0.0)
    days = days.with_columns(_s=(body * (1 - share) + tail * share).clip(NARROWEST))
    s = pl.col("_s")
    return days.with_columns(
        scale=s * (1 + s),
        day_scale=s * (1 + s + WILDNESS * s**2),
        amount_scale=_amount_scale(),
    ).drop("_s", "_weeks", "_third", "_prior", "judged")


def _judged(days: pl.DataFrame) -> pl.DataFrame:
    counts = pl.col("is_on") & pl.col("is_usual") & (pl.col("age") >= FIRST_DAYS)
    return days.with_columns(judged=pl.when(counts).then("residual"))


def _bodies(days: pl.DataFrame) -> pl.DataFrame:
    some = days.filter(pl.col("judged").is_not_null())
    middle = pl.col("judged").abs().rolling_median(BODY_DAYS, min_samples=1).over(ID)
    counted = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(ID)
    return carried(days, some.select(ID, "day", body=MAD_TO_SIGMA * middle, n_judged=counted))


def _with_prior(n: pl.Expr, body: pl.Expr) -> pl.Expr:
    prior = pl.when(n < YOUNG_DAYS).then(PRIOR_DAYS).otherwise(0.0)
    assumed = pl.col("_prior")
    square = (n * body.fill_null(assumed) ** 2 + prior * assumed**2) / (n + prior)
    return square.sqrt()


def _with_tails(days: pl.DataFrame) -> pl.DataFrame:
    """Add _weeks and _third: how many of the last 13 weeks there are, the third largest maximum.

    A week counts back from the day before.
    """
    weekly = pl.col("judged").fill_null(-9.0).rolling_max(7, min_samples=1).over(ID)
    days = days.with_columns(_weekly=weekly)
    maxima = [lag(pl.col("_weekly"), 1 + 7 * week) for week in range(TAIL_WEEKS)]
    days = days.with_columns(_tops=pl.concat_list(maxima).list.drop_nulls())
    tops = pl.col("_tops").list
    return days.with_columns(
        _weeks=tops.len(), _third=tops.sort(descending=True).list.get(2, null_on_oob=True)
    ).drop("_tops", "_weekly")


def _amount_scale() -> pl.Expr:
    n = pl.col("n_on").fill_null(0).clip(0, AMOUNT_DAYS)
    scatter = MAD_TO_SIGMA * pl.col("amount_mad").fill_null(1.0)
    body = ((n * scatter**2 + AMOUNT_PRIOR_DAYS) / (n + AMOUNT_PRIOR_DAYS)).sqrt()
    tail = (pl.col("amount_p95") - pl.col("amount_median")) / SIGMAS_OF_95
    return pl.max_horizontal(body, pl.when(n >= FEW_AMOUNTS).then(tail))

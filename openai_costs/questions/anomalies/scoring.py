"""How unusual a single day is, in scales: usual days, idle series, weekends, new series. Pure."""

import polars as pl

from openai_costs.questions.anomalies.baseline import HIGHEST_DAYS, SEASON_DAYS
from openai_costs.questions.anomalies.kinds.awake_at_the_weekend import ACTIVITY_SCORE
from openai_costs.questions.anomalies.monthly_recurrence import recurs
from openai_costs.questions.anomalies.scale import ON_IDLE_WEEKENDS
from openai_costs.questions.series import ID, KEY, PEOPLE, lag

SETTLED_DAYS = 28
"""From this age on a series has habits."""

TENFOLD = 10
"""A material day above so many times the highest of 90 days is unusual whatever the noise."""

FIRST_DAYS = 7
"""So long a series is new, and judged as one; from then on it has a highest day."""

FIRST_MONTH_DAYS = 31
"""A series that has not seen the end of a month may have a job there."""

LAST_DAYS_LEFT = 1

MOSTLY = 0.6

ORDINARY_AMOUNT = -0.7

LEAST_SCORE = 2.7

FORGIVEN = 1.0


def with_scores(days: pl.DataFrame) -> pl.DataFrame:
    """Add score, jump, is_weekend_activity, is_monthly and is_tenfold.

    A usual day: residual / day_scale. A day on which the series is usually idle: how far the
    amount lies above those of its spending days; an idle day as usual: 0. The first end of a month
    is judged of people only.
    """
    usual = pl.col("is_usual")
    amount = (pl.col("x") - pl.col("amount_median")) / pl.col("amount_scale")
    plain = (
        pl.when(usual)
        .then(pl.col("residual") / pl.col("day_scale"))
        .when("is_on")
        .then(amount)
        .otherwise(0.0)
    )
    jump = pl.when(usual).then("residual").otherwise(pl.col("x") - pl.col("amount_median"))
    days = days.with_columns(score=plain, jump=jump, is_weekend_activity=_weekend_activity())
    monthly = (
        recurs(pl.col("jump")) & ~pl.col("is_weekend_activity") & (pl.col("score") > LEAST_SCORE)
    )
    days = days.with_columns(is_monthly=monthly.fill_null(value=False))
    plain_amount = ON_IDLE_WEEKENDS * pl.col("score")
    activity = pl.max_horizontal(plain_amount, pl.lit(ACTIVITY_SCORE))
    active = pl.when("is_weekend_activity").then(activity)
    days = days.with_columns(score=active.otherwise("score"))
    days = days.with_columns(score=pl.when("is_monthly").then(FORGIVEN).otherwise("score"))
    days = days.with_columns(score=pl.when(_first_month_end()).then(0.0).otherwise("score"))
    return days.with_columns(is_tenfold=_tenfold())


def _first_month_end() -> pl.Expr:
    is_first = (pl.col("age") < FIRST_MONTH_DAYS) & (pl.col("days_left") <= LAST_DAYS_LEFT)
    is_person = pl.col("series_level") == PEOPLE
    return is_first & ~is_person & ~pl.col("is_weekend_activity") & (pl.col("score") > 0)


def _tenfold() -> pl.Expr:
    """Above ten times the highest of 90 days; of a series that was silent for those, any day."""
    has_highest = (pl.col("highest") > 0) | (pl.col("age") >= HIGHEST_DAYS)
    is_above = pl.col("cost") > TENFOLD * pl.col("highest")
    is_known = pl.col("age") >= FIRST_DAYS
    return (is_above & has_highest & is_known).fill_null(value=False)


def _weekend_activity() -> pl.Expr:
    """Never at weekends (or never on working days) in 8 weeks, mostly on the others, and now.

    The day before does not count: a Sunday after a Saturday is the same weekend.
    """
    weekend, on = pl.col("is_weekend"), pl.col("is_on").cast(pl.Float64)
    at = {of: _share(on, weekend == of) for of in (True, False)}
    same = pl.when(weekend).then(at[True]).otherwise(at[False])
    other = pl.when(weekend).then(at[False]).otherwise(at[True])
    is_new = (same == 0) & (other >= MOSTLY) & (pl.col("age") >= SETTLED_DAYS)
    is_much = pl.col("x") >= pl.col("amount_median") + ORDINARY_AMOUNT
    return (pl.col("is_on") & ~pl.col("is_usual") & is_new & is_much).fill_null(value=False)


def _share(on: pl.Expr, of: pl.Expr) -> pl.Expr:
    return pl.when(of).then(on).rolling_mean(SEASON_DAYS, min_samples=1).shift(2).over(ID)


TOGETHER_DAYS = 3


def is_material() -> pl.Expr:
    """Return whether a day's excess reaches the minimum dollars and the minimum growth.

    Unusual days in a row are one episode, and small amounts add up: of an unusual day, the excess
    of the unusual days among the two before counts too.
    """
    excess = pl.col("cost") - pl.col("expected")
    unusual = (pl.col("score") > pl.col("sigmas")).fill_null(value=False)
    episode = pl.when(unusual).then(excess).otherwise(0.0)
    together = pl.when(unusual).then(episode.rolling_sum(TOGETHER_DAYS, min_samples=1).over(ID))
    is_much = pl.max_horizontal(excess, together) >= pl.col("material_usd")
    has_grown = pl.col("cost") >= (1 + pl.col("minimum_growth")) * pl.col("expected")
    return is_much & has_grown


BEGINNING_DAYS = 14
"""On the first days of the first reading everything is new, so nothing is."""

EARLY_DAYS = 42
"""In the first weeks, what seldom spends looks new: it must spend on two days in a row."""

SMALL_SHARE = 0.05
"""In a small organization a newcomer is news from this share of its mean day already."""

TIMES_PEERS = 5.0

WHAT_IS_USED = ("model", "usage_type")
"""Levels that do not spend: a new model is the matter of the key or user that uses it."""

NEWS = 60.0


def with_new_series(days: pl.DataFrame) -> pl.DataFrame:
    """Add is_new, newcomer (from how many dollars it is news), and score new days.

    Reported from newcomer_usd, or a twentieth of the organization's mean day where that is less,
    and from twice the material dollars in any case. A key is reported for small days too, when
    they add up to that. People are hired all the time, so a person is reported only from five
    times what an expensive day of the others costs.

    Args:
        days: Scored days with their thresholds.
    """
    is_new = (pl.col("age") < FIRST_DAYS) | pl.col("level").is_null()
    small = (SMALL_SHARE * pl.col("mean_usd")).fill_null(0.0)
    limit = pl.max_horizontal(pl.min_horizontal("newcomer_usd", small), 2 * pl.col("material_usd"))
    as_people = pl.max_horizontal(limit, TIMES_PEERS * pl.col("peers_usd").fill_null(0.0))
    level = pl.col("series_level")
    newcomer = pl.when(level == PEOPLE).then(as_people).otherwise(limit)
    days = days.with_columns(is_new=is_new, newcomer=newcomer)
    since_beginning = (pl.col("day") - pl.col("beginning")).dt.total_days()
    seen = since_beginning >= BEGINNING_DAYS
    so_far = pl.col("cost").rolling_sum(FIRST_DAYS, min_samples=1).over(ID)
    is_much = (so_far >= pl.col("newcomer")) & (pl.col("cost") >= pl.col("material_usd"))
    by_and_by = (level == KEY) & is_much
    is_early = since_beginning < EARLY_DAYS
    again = lag(pl.col("is_on")).fill_null(value=False) | (level == PEOPLE) | ~is_early
    is_spender = ~level.is_in(WHAT_IS_USED)
    is_news = is_spender & seen & again & ((pl.col("cost") >= pl.col("newcomer")) | by_and_by)
    news = pl.when(is_news).then(NEWS).otherwise(0.0)
    return days.with_columns(score=pl.when("is_new").then(news).otherwise("score"))


STEADY_SCALES = 16.0
"""A series whose usual day is this many scales above nothing never just has a day off."""

LIVELY_SCALES = 5.0

STEADY_DAYS = 14

LIVELY_DAYS = 28

LIVELY_SILENCE = 3

LATEST = 5


def with_silence(days: pl.DataFrame) -> pl.DataFrame:
    """Add is_silent: a series without a silent day in its streak of spending days has stopped.

    A steady one (mu / calm >= 16, a streak of 14 days) is noticed on the first silent day, a lively
    one (5, and 28 days) on the third. Reported for five days; then the silence is the new normal.
    """
    on, age = pl.col("is_on"), pl.col("age")
    days = days.with_columns(
        _last_on=pl.when(on).then(age).forward_fill().over(ID).fill_null(-1),
        _streak=_streak(),
    ).with_columns(silent_days=age - pl.col("_last_on"))
    depth = pl.col("mu") / (pl.col("scale") * (1 + pl.col("scale")))
    steady = (depth >= STEADY_SCALES) & (pl.col("_streak") >= STEADY_DAYS)
    lively = (depth >= LIVELY_SCALES) & (pl.col("_streak") >= LIVELY_DAYS)
    stopped = steady | (lively & (pl.col("silent_days") >= LIVELY_SILENCE))
    is_silent = ~on & (pl.col("silent_days") <= LATEST) & stopped.fill_null(value=False)
    return days.with_columns(is_silent=is_silent).drop("_last_on", "_streak")


def _streak() -> pl.Expr:
    """Spending days in a row up to the last spending day, however long the silence since."""
    on, age = pl.col("is_on"), pl.col("age")
    last_off = pl.when(~on).then(age).forward_fill().over(ID).fill_null(-1)
    return pl.when(on).then(age - last_off).forward_fill().over(ID)

"""The detector: a verdict on every series and day, from the days before it alone. Pure.

Statistics are floats: they measure how unusual dollars are and are never booked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from openai_costs.questions.anomalies.baseline import with_baseline
from openai_costs.questions.anomalies.cross_level import Hierarchy, across_levels, with_explained
from openai_costs.questions.anomalies.frame import ACROSS_SERIES, VERDICT
from openai_costs.questions.anomalies.kinds import kind_of_day
from openai_costs.questions.anomalies.kinds.kind import LASTING_GAP_DAYS
from openai_costs.questions.anomalies.level_shifts import extended, with_cusum
from openai_costs.questions.anomalies.scale import with_scale
from openai_costs.questions.anomalies.scoring import (
    FIRST_DAYS,
    TENFOLD,
    is_material,
    with_new_series,
    with_scores,
    with_silence,
)
from openai_costs.questions.anomalies.thresholds import (
    Thresholds,
    organisation_context,
    thresholds_of,
    with_materiality,
)
from openai_costs.questions.series import ID, every_day, lag, level_of, with_calendar

SERIES_AT_ONCE = 400
AGAIN, TOGETHER = 0.6, 1.4
"""Shares of the threshold that each of two days in a row, and both together, must exceed."""
WIDEST = 12.0
"""exp(12) times the expected: wider bands say nothing and overflow."""
STOPPED = -10.0
HIGHEST = 60.0


class Group(NamedTuple):
    """The series of one organization, which are compared with each other.

    Args:
        spend: series_id, day, cost (dollars, Decimal or Float64); a day without a row cost nothing.
            A series_id begins with its level: `org`, `project:p`, `user:u`, `key:k`, `model:m`.
        thresholds: For all series.
        scopes: For some, by series_id or by level.
    """

    spend: pl.DataFrame
    thresholds: Thresholds
    scopes: Mapping[str, Thresholds]


def detect_in_groups(groups: Sequence[Group], hierarchy: Hierarchy = None) -> pl.DataFrame:
    """Return a verdict on every day of every series from its first spending on.

    All groups pass through each step together: most of a step's time does not depend on the rows.

    Args:
        groups: At least one; a series_id is in one of them.
        hierarchy: child, parent, both series_id: which sums a user or key is part of, if known.

    Returns:
        group (its number), series_id, day, cost, is_anomaly, kind, score, direction, expected,
        lower, upper and is_explained. kind: the name of a kind (kinds/), null without an anomaly.
        score is in scales of the series; direction is up or down; is_explained: an anomaly of a sum
        that a person or key explains, who reports it.
    """
    series = pl.Enum(pl.concat([one.spend[ID].unique().sort() for one in groups]))
    days = [_days(one, number, series) for number, one in enumerate(groups)]
    context = pl.concat([organisation_context(one) for one in days])
    thresholds = pl.concat(
        [
            thresholds_of(its, one.thresholds, one.scopes)
            for its, one in zip(days, groups, strict=True)
        ]
    )
    dense = pl.concat(days, rechunk=True).with_columns(pl.col(ID).set_sorted())
    del days
    judged = [
        one_by_one(some, context, thresholds).select(ACROSS_SERIES) for some in _batches(dense)
    ]
    del dense
    kin = None if hierarchy is None else hierarchy.cast(series, strict=False)
    verdicts = _verdicts(extended(across_levels(pl.concat(judged), kin)))
    explained = with_explained(verdicts, kin).select("group", *VERDICT)
    return explained.with_columns(pl.col(ID).cast(pl.String))


def _days(group: Group, number: int, series: pl.Enum) -> pl.DataFrame:
    """Every day of a group; its series are numbers in their order, which steps find fastest."""
    return every_day(group.spend.cast({ID: series})).with_columns(
        group=pl.lit(number, pl.Int32),
        beginning=pl.col("day").min(),
        series_level=level_of(pl.col(ID).cast(pl.String)),
    )


def _batches(dense: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Some series at a time, so that memory does not grow with their number."""
    starts = dense.with_row_index("row").group_by(ID).agg(pl.col("row").min())["row"].sort()
    edges = [*starts.gather_every(SERIES_AT_ONCE).to_list(), dense.height]
    for first, last in zip(edges or [0], edges[1:] or [0], strict=False):
        yield dense.slice(first, last - first)


def one_by_one(
    dense: pl.DataFrame, context: pl.DataFrame, thresholds: pl.DataFrame
) -> pl.DataFrame:
    """Return the frame with all its columns (frame.py): each series is judged by itself.

    Args:
        dense: What `every_day` returns, the group of each series, its beginning, and the level.
        context: What `organisation_context` returns.
        thresholds: What `thresholds_of` returns.
    """
    days = with_scale(with_baseline(with_calendar(dense)))
    days = with_scores(with_materiality(days, context, thresholds))
    days = with_new_series(with_silence(with_cusum(days)))
    return _with_verdict(_with_expected(days))


def _with_expected(days: pl.DataFrame) -> pl.DataFrame:
    usual = pl.col("is_usual") & ~pl.col("is_new")
    mu, width = pl.col("mu"), _width("day_scale")
    above_idle = pl.col("amount_median") + _width("amount_scale")
    return days.with_columns(
        expected=pl.when(usual).then(_dollars(mu)).otherwise(0.0),
        lower=pl.when(usual).then(_dollars(mu - width)).otherwise(0.0),
        upper=pl.when("is_new")
        .then("newcomer")
        .when("is_usual")
        .then(_dollars(mu + width))
        .otherwise(_dollars(above_idle)),
    ).with_columns(upper=_not_above_tenfold())


def _not_above_tenfold() -> pl.Expr:
    """No series is so noisy that a material day above ten times its highest would be normal."""
    tenfold = pl.max_horizontal(
        TENFOLD * pl.col("highest"), pl.col("expected") + pl.col("material_usd")
    )
    is_bounded = (pl.col("age") >= FIRST_DAYS) & (pl.col("highest") > 0)
    return pl.when(is_bounded).then(pl.min_horizontal("upper", tenfold)).otherwise("upper")


def _width(scale: str) -> pl.Expr:
    return (pl.col("sigmas") * pl.col(scale)).clip(0, WIDEST)


def _dollars(x: pl.Expr) -> pl.Expr:
    return (x.exp() - 1).clip(0)


def _with_verdict(days: pl.DataFrame) -> pl.DataFrame:
    lasting = (pl.col("lasting") > pl.col("sigmas")).fill_null(value=False)
    days = days.with_columns(is_material=is_material())
    days = days.with_columns(is_lasting=lasting, score=pl.col("score").fill_null(0))
    return days.with_columns(
        is_high=((pl.col("score") > pl.col("sigmas")) | _again()) & pl.col("is_material"),
        is_stopped=pl.col("is_silent") & (pl.col("expected") >= 2 * pl.col("material_usd")),
    )


def _again() -> pl.Expr:
    """The second of two days that are each nearly high enough: chance seldom strikes twice.

    Not in the two weeks after a rise that lasts: until the new level and its weekends are the
    expected ones, such days are what was reported already.
    """
    score, before = pl.col("score"), lag(pl.col("score"))
    both = pl.min_horizontal(score, before) > AGAIN * pl.col("sigmas")
    enough = score + before > TOGETHER * pl.col("sigmas")
    lasts = (pl.col("lasting") > pl.col("sigmas")).fill_null(value=False).cast(pl.Int8)
    is_reported = lasts.rolling_max(LASTING_GAP_DAYS, min_samples=1).over(ID) > 0
    return (both & enough & ~pl.col("is_new") & ~is_reported).fill_null(value=False)


def _of_base() -> dict[str, pl.Expr]:
    """The expected day of a slow rise is that of the level before it, and its range as wide."""
    base = pl.min_horizontal("base", "cost")
    times = ((base + 1) / (pl.col("expected") + 1)).clip(upper_bound=1.0)
    lower, upper = ((pl.col(name) + 1) * times - 1 for name in ("lower", "upper"))
    return {
        "expected": base,
        "lower": pl.min_horizontal(lower.clip(0), base),
        "upper": pl.max_horizontal(upper, base),
    }


def _verdicts(days: pl.DataFrame) -> pl.DataFrame:
    high, lasting, stopped = pl.col("is_high"), pl.col("is_lasting"), pl.col("is_stopped")
    slow_only = lasting & ~high & ~stopped
    score = (
        pl.when(stopped)
        .then(STOPPED)
        .when(slow_only)
        .then(pl.coalesce("lasting", "still"))
        .when(high & pl.col("is_tenfold"))
        .then(pl.max_horizontal("score", "sigmas"))
        .otherwise("score")
    )
    days = days.with_columns(
        is_anomaly=high | lasting | stopped,
        kind=kind_of_day(),
        score=score.clip(-HIGHEST, HIGHEST),
        **{name: pl.when(slow_only).then(end).otherwise(name) for name, end in _of_base().items()},
    )
    up = pl.col("cost") >= pl.col("expected")
    return days.with_columns(direction=pl.when(up).then(pl.lit("up")).otherwise(pl.lit("down")))

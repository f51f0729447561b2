"""The detector: a verdict on every series and day, from the days before it alone. Pure.

Statistics are floats: they say how unusual dollars are, they are never booked.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from openai_costs.questions.anomalies.baseline import shaped, spread
from openai_costs.questions.anomalies.cross_level import Belongs, agreed
from openai_costs.questions.anomalies.level_shifts import ongoing, sustained
from openai_costs.questions.anomalies.scoring import newcomers, scored, silent, worth
from openai_costs.questions.anomalies.thresholds import Knobs, knobs_of, surroundings, with_minimums
from openai_costs.questions.series import ID, described, every_day, past

SERIES_AT_ONCE = 400
AGAIN, TOGETHER = 0.67, 1.4
"""Shares of the threshold that each of two days in a row, and both together, must exceed."""
WIDEST = 12.0
"""exp(12) times the expected: wider bands say nothing and overflow."""
STOPPED = -10.0
HIGHEST = 60.0
KEPT = (
    *(ID, "day", "cost", "score", "lasting", "base", "sigmas", "minimum"),
    *("expected", "lower", "upper", "is_worth", "is_high", "is_lasting", "is_stopped"),
    *("is_new", "is_awake", "is_sudden", "still"),
)
VERDICT = (
    *(ID, "day", "cost", "is_anomaly", "kind", "score", "direction"),
    *("expected", "lower", "upper"),
)


def detect(
    spend: pl.DataFrame,
    knobs: Knobs | None = None,
    scopes: Mapping[str, Knobs] | None = None,
    belongs: Belongs = None,
) -> pl.DataFrame:
    """Return a verdict on every day of every series from its first spending on.

    Args:
        spend: series_id, day, cost (dollars, Decimal or Float64); a day without a row cost nothing.
            A series_id begins with its level: `org`, `project:p`, `user:u`, `key:k`, `model:m`.
        knobs: For all series.
        scopes: Knobs for some, by series_id or by level.
        belongs: child, parent, both series_id: which sums a user or key is part of, if known.

    Returns:
        series_id, day, cost, is_anomaly, kind, score, direction, expected, lower, upper.
        kind: spike, awake (at a weekend, for one), new_entity, level_shift, leak, drop; null
        without an anomaly. score is in spreads; direction is up or down.
    """
    dense = every_day(spend)
    around, beginning = surroundings(dense), pl.lit(dense["day"].min(), pl.Date)
    told = [
        _judged(some, around, knobs_of(some, knobs or Knobs(), scopes or {}), beginning)
        for some in _batches(dense)
    ]
    del dense
    return _told(ongoing(agreed(pl.concat(told), belongs)))


def _batches(dense: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Some series at a time, so that memory does not grow with their number."""
    starts = dense.with_row_index("row").group_by(ID).agg(pl.col("row").min())["row"].sort()
    edges = [*starts.gather_every(SERIES_AT_ONCE).to_list(), dense.height]
    for first, last in zip(edges or [0], edges[1:] or [0], strict=False):
        yield dense.slice(first, last - first)


def _judged(
    dense: pl.DataFrame, around: pl.DataFrame, knobs: pl.DataFrame, beginning: pl.Expr
) -> pl.DataFrame:
    """Each series by itself."""
    days = with_minimums(spread(shaped(described(dense))), around, knobs)
    days = newcomers(silent(sustained(scored(days))), beginning)
    return _decided(worth(_expected(days))).select(KEPT)


def _expected(days: pl.DataFrame) -> pl.DataFrame:
    usual = pl.col("is_usual") & ~pl.col("is_new")
    mu, width = pl.col("mu"), _width("spread")
    above_idle = pl.col("middle") + _width("amount_spread")
    return days.with_columns(
        expected=pl.when(usual).then(_dollars(mu)).otherwise(0.0),
        lower=pl.when(usual).then(_dollars(mu - width)).otherwise(0.0),
        upper=pl.when("is_new")
        .then("newcomer")
        .when("is_usual")
        .then(_dollars(mu + width))
        .otherwise(_dollars(above_idle)),
    )


def _width(spread_name: str) -> pl.Expr:
    return (pl.col("sigmas") * pl.col(spread_name)).clip(0, WIDEST)


def _dollars(x: pl.Expr) -> pl.Expr:
    return (x.exp() - 1).clip(0)


def _decided(days: pl.DataFrame) -> pl.DataFrame:
    lasting = (pl.col("lasting") > pl.col("alarm")).fill_null(value=False)
    days = days.with_columns(is_lasting=lasting, score=pl.col("score").fill_null(0))
    return days.with_columns(
        is_high=((pl.col("score") > pl.col("sigmas")) | _again()) & pl.col("is_worth"),
        is_stopped=pl.col("is_silent") & (pl.col("expected") >= 2 * pl.col("minimum")),
    )


def _again() -> pl.Expr:
    """The second of two days that are each nearly high enough: chance seldom strikes twice."""
    score, before = pl.col("score"), past(pl.col("score"))
    both = pl.min_horizontal(score, before) > AGAIN * pl.col("sigmas")
    enough = score + before > TOGETHER * pl.col("sigmas")
    return (both & enough & ~pl.col("is_new")).fill_null(value=False)


def _told(days: pl.DataFrame) -> pl.DataFrame:
    high, lasting, stopped = pl.col("is_high"), pl.col("is_lasting"), pl.col("is_stopped")
    slow_only = lasting & ~high & ~stopped
    score = (
        pl.when(stopped)
        .then(STOPPED)
        .when(slow_only)
        .then(pl.coalesce("lasting", "still"))
        .otherwise("score")
    )
    base = pl.min_horizontal("base", "cost")
    told = days.with_columns(
        is_anomaly=high | lasting | stopped,
        kind=_kind(),
        score=score.clip(-HIGHEST, HIGHEST),
        expected=pl.when(slow_only).then(base).otherwise("expected"),
    )
    up = pl.col("cost") >= pl.col("expected")
    return told.with_columns(
        direction=pl.when(up).then(pl.lit("up")).otherwise(pl.lit("down"))
    ).select(VERDICT)


def _kind() -> pl.Expr:
    kinds = (
        (pl.col("is_stopped"), "drop"),
        (pl.col("is_high") & pl.col("is_new"), "new_entity"),
        (pl.col("is_high") & pl.col("is_awake"), "awake"),
        (pl.col("is_high"), "spike"),
        (pl.col("is_lasting") & pl.col("is_sudden"), "level_shift"),
        (pl.col("is_lasting"), "leak"),
    )
    return pl.coalesce([pl.when(when).then(pl.lit(kind)) for when, kind in kinds])

"""Monthly recurrence: the same jump on the same day of another month is a monthly job. Pure.

The first run of a monthly job cannot be distinguished from a spike. When the same jump comes a
month later, the first is no longer reported; the verdict on its day stays.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from openai_costs.kernel.days import month_of
from openai_costs.questions.series import ID, lag

MONTH = range(27, 35)

LAST_DAYS = 4

ALIKE = 0.6

SHORT = 2
"""A job of more days a month is work."""

Excess = Mapping[tuple[str, date], float]


def recurred_next_month(reported: pl.DataFrame, verdicts: pl.DataFrame) -> list[str]:
    """Return the incidents, of at most two days, whose every day came again a month later.

    Args:
        reported: The days of incidents, of the series that reports them: incident_id, series_id,
            day, cost, expected.
        verdicts: What `detect_in_groups` says of all days: series_id, day, cost, expected.
    """
    short = reported.filter(pl.len().over("incident_id") <= SHORT)
    series = verdicts.join(short.select(ID).unique(), on=ID, how="semi")
    excess = (pl.col("cost") - pl.col("expected")).cast(pl.Float64)
    known: dict[tuple[str, date], float] = {
        (series_id, day): usd
        for series_id, day, usd in series.select(ID, "day", excess).iter_rows()
    }
    return [
        str(days["incident_id"][0])
        for days in short.partition_by("incident_id", maintain_order=True)
        if all(_is_seen_again(row, known) for row in days.iter_rows(named=True))
    ]


def _is_seen_again(row: Mapping[str, Any], known: Excess) -> bool:
    day, usd = row["day"], float(row["cost"] - row["expected"])
    later = [day + timedelta(days=days) for days in MONTH]
    same = [known.get((row[ID], one), 0.0) for one in later if _is_same_day(day, one)]
    return usd > 0 and any(one >= ALIKE * usd for one in same)


def _is_same_day(day: date, other: date) -> bool:
    """The same day of the month, or of its end; weekends move jobs by up to two days."""
    left, left_other = _days_left(day), _days_left(other)
    from_end = abs(left - left_other) <= SHORT and min(left, left_other) <= LAST_DAYS
    return abs(day.day - other.day) <= SHORT or from_end


def _days_left(day: date) -> int:
    return (month_of(day).last - day).days


MONTHS_BACK = (range(27, 34), range(58, 65))
"""How many days ago the same day of the last two months was, a day or three more or less."""


def recurs(jump: pl.Expr) -> pl.Expr:
    """Whether a jump of nearly this size was seen on this day of one of the last two months.

    The day is counted from the start of the month, or, in its last four days, from the end; one
    day off is the same day, for months and weekends move jobs.

    Args:
        jump: How far a day lies above what was expected of it, in x.
    """
    return pl.any_horizontal(_seen(jump))


def recurs_each_month(jump: pl.Expr) -> pl.Expr:
    """Whether it was seen on this day of both of the last two months: by chance it rarely is.

    Args:
        jump: As of `recurs`.
    """
    return pl.all_horizontal(_seen(jump))


def _seen(jump: pl.Expr) -> list[pl.Expr]:
    """Return whether a jump of nearly this size was seen on this day, for each month back."""
    months = (
        pl.max_horizontal(pl.when(_same_day(days)).then(lag(jump, days)) for days in month)
        for month in MONTHS_BACK
    )
    return [(one >= ALIKE * jump).fill_null(value=False) for one in months]


def _same_day(days: int) -> pl.Expr:
    from_start = _close("day_of_month", days)
    from_end = _close("days_left", days) & (pl.col("days_left") <= LAST_DAYS)
    return from_start | from_end


def _close(name: str, days: int) -> pl.Expr:
    return (lag(pl.col(name), days) - pl.col(name)).abs() <= 1

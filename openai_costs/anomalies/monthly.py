"""Jobs that run once a month: the same jump on the same day of an earlier month. Pure."""

import polars as pl

from openai_costs.anomalies.series import past

LAST_DAYS = 4
MONTHS_BACK = (*range(27, 34), *range(58, 65))
"""How many days ago the same day of the last two months was, a day or three more or less."""
ALIKE = 0.6


def recurs(jump: pl.Expr) -> pl.Expr:
    """Whether a jump of nearly this size was seen on this day of one of the last two months.

    The day is counted from the start of the month, or, in its last four days, from the end; one
    day off is the same day, for months and weekends move jobs.

    Args:
        jump: How far a day lies above what was expected of it, in x.
    """
    seen = [pl.when(_same_day(days)).then(past(jump, days)) for days in MONTHS_BACK]
    return (pl.max_horizontal(seen) >= ALIKE * jump).fill_null(value=False)


def _same_day(days: int) -> pl.Expr:
    from_start = _close("day_of_month", days)
    from_end = _close("days_left", days) & (pl.col("days_left") <= LAST_DAYS)
    return from_start | from_end


def _close(name: str, days: int) -> pl.Expr:
    return (past(pl.col(name), days) - pl.col(name)).abs() <= 1

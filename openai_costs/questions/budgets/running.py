"""Which budgets are running: the newest row of each, the fullest first. Pure."""

from datetime import date

import polars as pl


def newest(status: pl.DataFrame, through: date | None) -> pl.DataFrame:
    """Return the newest row of each budget with is_over, the fullest first, ended ones last.

    A budget is over when a day after its newest period has settled and that period is still its
    newest: until then its next period may begin.

    Args:
        status: mart.budget_status.
        through: The newest day that has settled at every connection; None before any has.
    """
    last = pl.col("day") == pl.col("day").max().over("budget")
    latest = status.filter(last).with_columns(is_over=pl.col("period_end") < (through or date.min))
    return latest.sort("is_over", "spent_pct", "budget", descending=[False, True, False])


def running(status: pl.DataFrame, through: date | None) -> pl.DataFrame:
    """Return the newest row of each budget that is not over, the fullest first.

    Args:
        status: mart.budget_status.
        through: As for `newest`.
    """
    return newest(status, through).filter(~pl.col("is_over"))

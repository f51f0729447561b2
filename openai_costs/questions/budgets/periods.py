"""The period a day belongs to: calendar days, weeks, months, quarters, years, or a range. Pure."""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange, month_of
from openai_costs.questions.coverage import since_first_read
from openai_costs.settings import Budget

WEEK = 7

TWO = 2
"""The current period and the one before are always included."""

MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}


def period_of(budget: Budget, day: date) -> DayRange | None:
    """Return the budget's period with a day in it; None when the budget does not cover that day.

    Weeks begin on Monday (ISO 8601). A budget that starts or ends within a period
    has its whole limit for the days that it covers.
    """
    if (budget.start and day < budget.start) or (budget.end and day > budget.end):
        return None
    whole = _whole(budget, day)
    return DayRange(
        max(whole.first, budget.start or whole.first), min(whole.last, budget.end or whole.last)
    )


def period_before(budget: Budget, period: DayRange) -> DayRange | None:
    """Return the period before; None when there is none."""
    if budget.period == "range":
        return None
    return period_of(budget, period.first - ONE_DAY)


def periods_through(budget: Budget, through: date, since: date) -> list[DayRange]:
    """Return the period with a day in it and those before, two at least, back to a day.

    Oldest first; empty when the budget does not cover that day.
    """
    found: list[DayRange] = []
    period = period_of(budget, through)
    while period is not None and (len(found) < TWO or period.last >= since):
        found.insert(0, period)
        period = period_before(budget, period)
    return found


def compared_with(budget: Budget, so_far: DayRange) -> DayRange:
    """Return the days that the days of a period so far are compared with.

    As many from the start of the period before, at most all of it; where there is none, those
    just before.
    """
    before = period_before(budget, so_far)
    if before is None:
        return DayRange(so_far.first - ONE_DAY * len(so_far), so_far.first - ONE_DAY)
    return DayRange(before.first, min(before.last, before.first + ONE_DAY * (len(so_far) - 1)))


def _whole(budget: Budget, day: date) -> DayRange:
    if budget.period == "daily":
        return DayRange(day, day)
    if budget.period == "weekly":
        monday = day - timedelta(days=day.weekday())
        return DayRange(monday, monday + timedelta(days=WEEK - 1))
    if budget.period == "range":
        return DayRange(budget.start or day, budget.end or day)
    months = MONTHS[budget.period]
    first_month = (day.month - 1) // months * months + 1
    last_month = date(day.year, first_month + months - 1, 1)
    return DayRange(date(day.year, first_month, 1), month_of(last_month).last)


# On which days a budget is known: by the connections that it counts.


def known_days(coverage: pl.DataFrame, budget: Budget) -> pl.DataFrame:
    """Return day, state of every day from the first that was read, oldest first.

    A day is missing when a connection that the budget counts was not read, settled when all of
    them have settled, and provisional otherwise. Other connections do not matter.

    Args:
        coverage: mart.coverage of costs.
        budget: Its connections count.
    """
    read = since_first_read(_mine(coverage, budget.connections))
    is_settled, is_missing = (pl.col("state") == word for word in ("settled", "missing"))
    state = (
        pl.when(is_missing.any())
        .then(pl.lit("missing"))
        .when(is_settled.all())
        .then(pl.lit("settled"))
        .otherwise(pl.lit("provisional"))
    )
    return read.group_by("day").agg(state=state).sort("day")


def whole_since(coverage: pl.DataFrame, budget: Budget) -> date:
    """Return the first day from which all connections that a budget counts were read.

    Earlier days may lack spend that was never read, so nothing is compared with them.

    Args:
        coverage: mart.coverage of costs.
        budget: Its connections count.
    """
    read = since_first_read(_mine(coverage, budget.connections))
    newest = read.group_by("connection").agg(pl.col("day").min())["day"].max()
    return newest if isinstance(newest, date) else date.min


def newest_read(frame: pl.DataFrame) -> date | None:
    """Return the newest day of mart.coverage that was read from a connection; None if none was."""
    newest = frame.filter(pl.col("state") != "missing")["day"].max()
    return newest if isinstance(newest, date) else None


def settled_through(known: pl.DataFrame) -> date | None:
    """Return the newest settled day; None if there is none."""
    newest = known.filter(state="settled")["day"].max()
    return newest if isinstance(newest, date) else None


def _mine(coverage: pl.DataFrame, connections: Sequence[str]) -> pl.DataFrame:
    return coverage.filter(pl.col("connection").is_in(connections)) if connections else coverage

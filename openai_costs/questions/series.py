"""Series as the detector wants them: a row for every day from the first spending on. Pure."""

from collections.abc import Collection
from datetime import date, timedelta

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange

ID = "series_id"

PEOPLE, KEY = "user", "key"

PRINCIPALS = (PEOPLE, KEY)
"""The levels that spend; all others are sums over them."""

LEVEL_SEPARATOR = ":"
"""What stands between the level and the name in a series_id: `user:ada`, `key:k-1`."""


def level_of(series_id: pl.Expr) -> pl.Expr:
    """Return the level that a series_id names: all of it where it names no level (`org`)."""
    return series_id.str.split_exact(LEVEL_SEPARATOR, 1).struct.field("field_0")


def every_day(spend: pl.DataFrame, until: date | None = None) -> pl.DataFrame:
    """Return a row per series and day, from its first spending to the last day.

    A day without a row cost nothing. Days before the first spending say nothing and are left out.

    Args:
        spend: series_id, day, cost (Decimal or Float64); one row per series and day at most.
        until: The last day that is known; later rows are ignored. Without it, the frame's last.

    Returns:
        series_id, day, cost (Float64), sorted by series and day.
    """
    last: date | None = until or spend["day"].max()  # type: ignore[assignment]  # a column of days
    known = spend.filter(pl.col("day") <= pl.lit(last, pl.Date)).select(
        ID, "day", pl.col("cost").cast(pl.Float64)
    )
    first = known.filter(pl.col("cost") > 0).group_by(ID).agg(pl.col("day").min()).sort(ID)
    days = first.select(ID, day=pl.date_ranges("day", pl.lit(last, pl.Date))).explode("day")
    joined = days.join(known, on=[ID, "day"], how="left", maintain_order="left")
    return joined.with_columns(pl.col("cost").fill_null(0.0))


def with_calendar(dense: pl.DataFrame) -> pl.DataFrame:
    """Add what later steps ask of a day.

    x = ln(cost + 1): spend is multiplicative, and a dollar is where noise begins. is_on: it spent.
    is_weekend. age: days since the first. day_of_month and days_left, to the end of the month.
    """
    day = pl.col("day")
    return dense.with_columns(
        x=(pl.col("cost").clip(0) + 1).log(),
        is_on=pl.col("cost") > 0,
        is_weekend=day.dt.weekday() > 5,  # noqa: PLR2004 - Saturday is 6 in Polars
        age=pl.int_range(pl.len(), dtype=pl.Int32).over(ID),
        day_of_month=day.dt.day().cast(pl.Int32),
        days_left=(day.dt.month_end() - day).dt.total_days().cast(pl.Int32),
    )


def lag(expression: pl.Expr, days: int = 1) -> pl.Expr:
    """Return what the expression was that many days before, in its own series.

    Args:
        expression: Of the row itself, or over its series: of a frame with a row for every day, with
            age, sorted by series and day.
        days: How many.
    """
    return pl.when(pl.col("age") >= days).then(expression.shift(days))


# Which days of a connection are known, and what stands in for those that are not. A day
# that was not read, has not settled or came without rows says nothing about spend: it is no
# silent day. So that weeks stay weeks it takes the dollars of a day a week before, and no
# verdict.

WEEK = timedelta(days=7)

SCHEMA = {"day": pl.Date, "as_of": pl.Date}


def known_days(coverage: pl.DataFrame, connection: str) -> set[date]:
    """Return the settled days of a connection's costs, without those that lost their rows.

    One that is no longer connected has none.

    One day without rows between days with rows, the same weekday before among them, is a hole in
    the data; two days in a row are silence.

    Args:
        coverage: mart.coverage.
        connection: Which.
    """
    costs = coverage.filter("is_connected", source="costs", connection=connection, state="settled")
    rows: dict[date, int] = dict(costs.select("day", "rows").iter_rows())
    return {day for day, count in rows.items() if count or not _had_rows(rows, day)}


def holes(coverage: pl.DataFrame) -> dict[str, set[date]]:
    """Return the settled days of each connection of today that are holes in its data.

    Args:
        coverage: mart.coverage.
    """
    costs = coverage.filter("is_connected", source="costs", state="settled")
    return {
        str(name): set(days["day"]) - known_days(coverage, str(name))
        for (name,), days in costs.partition_by("connection", as_dict=True).items()
    }


def _had_rows(rows: dict[date, int], day: date) -> bool:
    return bool(rows.get(day - ONE_DAY) and rows.get(day - WEEK))


def calendar(known: Collection[date]) -> pl.DataFrame:
    """Return day, as_of for every day from the first to the last known one.

    as_of is the day whose dollars it has: itself if it is known, else the same weekday of the
    newest week before that has it, else the newest day before.
    """
    if not known:
        return pl.DataFrame(schema=SCHEMA)
    days = DayRange(min(known), max(known))
    rows = [(day, day if day in known else _stand_in(known, day)) for day in days]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _stand_in(known: Collection[date], day: date) -> date:
    first, earlier = min(known), day - WEEK
    while earlier >= first:
        if earlier in known:
            return earlier
        earlier -= WEEK
    return max(one for one in known if one < day)

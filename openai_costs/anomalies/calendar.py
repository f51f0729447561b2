"""Which days of a connection are known, and what stands in for those that are not. Pure.

A day that was not read, has not settled or came without rows says nothing about spend: it is no
silent day. So that weeks stay weeks it takes the dollars of a day a week before, and no verdict.
"""

from collections.abc import Collection
from datetime import date, timedelta

import polars as pl

from openai_costs.days import ONE_DAY, DayRange

WEEK = timedelta(days=7)
SCHEMA = {"day": pl.Date, "as_of": pl.Date}


def known_days(coverage: pl.DataFrame, connection: str) -> set[date]:
    """Return the settled days of a connection's costs, without those that lost their rows.

    One day without rows between days with rows, the same weekday before among them, is a hole in
    the data; two days in a row are silence.

    Args:
        coverage: mart.coverage.
        connection: Which.
    """
    costs = coverage.filter(source="costs", connection=connection, state="settled")
    rows: dict[date, int] = dict(costs.select("day", "rows").iter_rows())
    return {day for day, count in rows.items() if count or not _had_rows(rows, day)}


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

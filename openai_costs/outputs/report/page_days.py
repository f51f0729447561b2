"""The days of the page: which are settled, provisional or missing, and the ranges of them. Pure.

Days have a letter per connection, so that a year is a short text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange, consecutive
from openai_costs.kernel.formatting import counted
from openai_costs.questions.coverage import former_connections

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date


PAGE_DAYS: Final = 800
"""Two years and some weeks, so that a year has one to be compared with."""

SETTLED: Final = "s"

PROVISIONAL: Final = "p"

MISSING: Final = "m"

NOT_EXPECTED: Final = "-"

UNFINISHED: Final = "u"
"""A provisional day that was not over when it was read: it is compared with no other day."""

NO_LONGER: Final = "no longer connected"

_SOURCE: Final = "costs"

_WORST_FIRST: Final = (MISSING, PROVISIONAL, SETTLED)


class Calendar(NamedTuple):
    """The page's days and the state of each, per connection.

    Args:
        days: Every UTC day, without gaps; empty when nothing is known.
        connections: Sorted names.
        states: Per connection, one letter per day.
        hidden_days: How many older days the page leaves to the database.
        former: The connections that are no longer connected.
        comparable: The states, in which unfinished days have a letter of their own.
    """

    days: tuple[date, ...]
    connections: tuple[str, ...]
    states: tuple[str, ...]
    hidden_days: int
    former: tuple[str, ...] = ()
    comparable: tuple[str, ...] = ()


def calendar(coverage: pl.DataFrame, spend: pl.DataFrame, today: date) -> Calendar:
    """Return the newest `PAGE_DAYS` days of mart.coverage and mart.spend.

    Today is only a day of the page once it was read: a day that is not over is not missing. A day
    with spend that coverage does not list counts as provisional, and as unfinished.
    """
    known = _known(coverage, spend).filter((pl.col("day") < today) | (pl.col("state") != MISSING))
    if known.is_empty():
        return Calendar((), tuple(_sorted(known, coverage)), (), 0)
    first, last = known["day"].min(), known["day"].max()
    every = DayRange(first, last)  # type: ignore[arg-type]  # Polars types min() of any column
    days = tuple(every.newest(PAGE_DAYS))
    letters = {(name, day): state for name, day, state in known.iter_rows()}
    connections, former = tuple(_sorted(known, coverage)), tuple(former_connections(coverage))
    comparable = tuple(
        "".join(letters.get((name, day), NOT_EXPECTED) for day in days) for name in connections
    )
    states = tuple(each.replace(UNFINISHED, PROVISIONAL) for each in comparable)
    return Calendar(days, connections, states, len(every) - len(days), former, comparable)


def combined(states: Sequence[str]) -> str:
    """Return the state of each day over several connections: the worst of them."""
    return "".join(
        next((state for state in _WORST_FIRST if state in of_day), NOT_EXPECTED)
        for of_day in zip(*states, strict=True)
    )


def days_in(state: str, states: str, days: Sequence[date]) -> list[date]:
    """Return the days that have this state, oldest first."""
    return [day for day, letter in zip(days, states, strict=True) if letter == state]


def expected_days(states: str, days: Sequence[date]) -> list[date]:
    """Return the days on or after the connection's first, read or not."""
    return [day for day, state in zip(days, states, strict=True) if state != NOT_EXPECTED]


def in_words(days: Sequence[date], shown: int = 4) -> str:
    """Return the days as ranges: `2026-01-03, 2026-01-05 to 2026-01-07 and 2 earlier ranges`."""
    ranges = consecutive(days)
    more = len(ranges) - shown
    named = ", ".join(map(str, ranges[-shown:]))
    return f"{named} and {counted(more, 'earlier range')}" if more > 0 else named


def span(days: Sequence[date]) -> str:
    """Return first and last day: `2026-01-03 to 2026-01-07`."""
    return str(DayRange(days[0], days[-1])) if days else "no day"


def weeks(days: Sequence[date]) -> Iterator[tuple[int, int]]:
    """Yield (week, weekday) of each day, counted from the Monday on or before the first."""
    monday = days[0] - ONE_DAY * days[0].weekday()
    for day in days:
        yield divmod((day - monday).days, 7)


def _known(coverage: pl.DataFrame, spend: pl.DataFrame) -> pl.DataFrame:
    is_unfinished = (pl.col("state") == "provisional") & ~pl.col("is_over").fill_null(value=False)
    letter = pl.when(is_unfinished).then(pl.lit(UNFINISHED)).otherwise(pl.col("state").str.head(1))
    stated = coverage.filter(pl.col("source") == _SOURCE).select("connection", "day", state=letter)
    billed = spend.select("connection", "day").unique()
    unstated = billed.join(stated, on=["connection", "day"], how="anti")
    return pl.concat([stated, unstated.with_columns(state=pl.lit(UNFINISHED))])


def _sorted(known: pl.DataFrame, coverage: pl.DataFrame) -> list[str]:
    return sorted({*known["connection"], *coverage["connection"]})

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from openai_costs.questions.series import (
    calendar,
    every_day,
    holes,
    known_days,
    lag,
    with_calendar,
)

MONDAY: Final = date(2026, 1, 5)


def on(number: int) -> date:
    return date.fromordinal(MONDAY.toordinal() + number)


def spending(*costs: float) -> pl.DataFrame:
    """A series that spends on Monday and the days after it."""
    rows = [("org", on(number), cost) for number, cost in enumerate(costs)]
    return pl.DataFrame(rows, schema=["series_id", "day", "cost"], orient="row")


def test_a_series_that_falls_silent_costs_nothing_up_to_the_last_known_day() -> None:
    assert every_day(spending(4, 2), until=on(3))["cost"].to_list() == [4, 2, 0, 0]


def test_without_a_last_known_day_a_series_ends_with_its_rows() -> None:
    assert every_day(spending(4, 2))["day"].to_list() == [on(0), on(1)]


def test_rows_after_the_last_known_day_are_ignored() -> None:
    assert every_day(spending(0, 4, 2), until=on(1)).select("day", "cost").rows() == [(on(1), 4)]


def coverage(*rows: int | None, provisional: tuple[int, ...] = ()) -> pl.DataFrame:
    """Rows of each day from Monday on; None was never read."""
    return pl.DataFrame(
        [
            (
                "acme",
                "costs",
                on(number),
                "missing"
                if count is None
                else "provisional"
                if number in provisional
                else "settled",
                count,
                True,
            )
            for number, count in enumerate(rows)
        ],
        schema=["connection", "source", "day", "state", "rows", "is_connected"],
        orient="row",
    )


def test_only_settled_days_are_known() -> None:
    assert known_days(coverage(5, None, 5, 5, provisional=(3,)), "acme") == {on(0), on(2)}
    assert known_days(coverage(5), "other") == set()


def test_one_day_without_rows_between_days_with_rows_is_a_hole_in_the_data() -> None:
    known = known_days(coverage(*[5] * 7, 0, 5), "acme")
    assert on(7) not in known
    assert len(known) == 8


def test_the_holes_of_each_connection_are_known() -> None:
    assert holes(coverage(*[5] * 7, 0, 5, provisional=(8,))) == {"acme": {on(7)}}


def test_the_second_day_without_rows_is_silence() -> None:
    known = known_days(coverage(*[5] * 7, 0, 0), "acme")
    assert (on(7) in known, on(8) in known) == (False, True)


def test_a_weekday_that_never_has_rows_is_silence() -> None:
    working_week = (5, 5, 5, 5, 5, 0, 0)
    assert len(known_days(coverage(*working_week, *working_week), "acme")) == 14


def test_an_unknown_day_has_the_dollars_of_the_week_before() -> None:
    known = {on(number) for number in range(15)} - {on(9), on(2)}
    told = dict(calendar(known).iter_rows())
    assert told[on(10)] == on(10)
    assert told[on(9)] == on(8)
    assert len(told) == 15


def test_without_such_a_week_it_has_those_of_the_day_before() -> None:
    assert dict(calendar({on(0), on(2)}).iter_rows())[on(1)] == on(0)


def test_without_a_known_day_there_is_no_calendar() -> None:
    assert calendar(set()).is_empty()


def test_the_days_before_a_day_are_those_of_its_own_series() -> None:
    both = pl.concat(
        [spending(1, 2, 3), spending(0, 7, 8).with_columns(series_id=pl.lit("user:a"))]
    )
    days = with_calendar(every_day(both))
    before = days.select(one=lag(pl.col("cost")), two=lag(pl.col("cost"), 2))
    assert before.rows() == [(None, None), (1, None), (2, 1), (None, None), (7, None)]

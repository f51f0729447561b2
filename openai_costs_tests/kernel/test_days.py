from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_costs.kernel.days import (
    DayRange,
    consecutive,
    day_named,
    epoch,
    is_settled,
    midnight,
    month_of,
    months_before,
    utc_now,
)

MARCH_1 = date(2026, 3, 1)


def test_a_day_range_holds_both_its_ends():
    days = DayRange(date(2026, 2, 27), MARCH_1)
    assert list(days) == [date(2026, 2, 27), date(2026, 2, 28), MARCH_1]
    assert len(days) == 3


def test_a_name_is_that_of_a_day_in_one_writing_only():
    names = ("2026-03-01", "20260301", "2026-02-30", "2026-03-01_ahead_of_time", "")
    assert [day_named(name) for name in names] == [MARCH_1, None, None, None, None]


def test_a_day_range_that_ends_before_it_begins_has_no_days():
    nothing = DayRange(MARCH_1, date(2026, 2, 1))
    assert (list(nothing), len(nothing)) == ([], 0)


def test_a_day_range_reads_as_a_person_would_say_it():
    assert str(DayRange(MARCH_1, date(2026, 3, 7))) == "2026-03-01 to 2026-03-07"
    assert str(DayRange(MARCH_1, MARCH_1)) == "2026-03-01"


def test_a_sum_names_its_day_or_its_days():
    first, last = date(2026, 1, 5), date(2026, 1, 7)
    assert DayRange(first, first).span == "on 2026-01-05"
    assert DayRange(first, last).span == "from 2026-01-05 to 2026-01-07"


@pytest.mark.parametrize(("asked", "first_day"), [(1, 31), (3, 29), (31, 1), (500, 1)])
def test_the_newest_days_of_a_range_end_where_it_ends(asked: int, first_day: int):
    march = DayRange(MARCH_1, date(2026, 3, 31))
    assert march.newest(asked) == DayRange(date(2026, 3, first_day), date(2026, 3, 31))


def test_a_day_begins_at_utc_midnight():
    assert midnight(MARCH_1) == datetime(2026, 3, 1, tzinfo=UTC)
    assert epoch(MARCH_1) == 1_772_323_200


@given(st.dates(date(1970, 1, 1), date(2200, 1, 1)))
def test_every_day_begins_on_a_multiple_of_its_seconds(day: date):
    assert epoch(day) % 86_400 == 0
    assert datetime.fromtimestamp(epoch(day), UTC).date() == day


@pytest.mark.parametrize(
    ("read_at", "settled"),
    [
        (datetime(2026, 3, 1, 23, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 3, tzinfo=UTC), True),
        (datetime(2026, 3, 9, tzinfo=UTC), True),
    ],
)
def test_a_day_settles_a_day_of_grace_after_its_end(read_at: datetime, settled: bool):  # noqa: FBT001
    assert is_settled(MARCH_1, read_at, timedelta(hours=24)) is settled


def test_without_grace_a_day_settles_at_its_end():
    assert is_settled(MARCH_1, datetime(2026, 3, 2, tzinfo=UTC), timedelta(0))


def test_days_with_a_gap_become_two_ranges():
    days = [date(2026, 3, 5), MARCH_1, date(2026, 3, 2), MARCH_1]
    two = DayRange(MARCH_1, date(2026, 3, 2)), DayRange(date(2026, 3, 5), date(2026, 3, 5))
    assert consecutive(days) == list(two)


def test_no_days_are_no_ranges():
    assert consecutive([]) == []


@given(st.sets(st.dates(date(2025, 12, 20), date(2026, 1, 20))))
def test_ranges_hold_exactly_the_days_they_were_made_of(days: set[date]):
    ranges = consecutive(days)
    assert [day for days in ranges for day in days] == sorted(days)
    gaps = pairwise(ranges)
    assert all(later.first - earlier.last > timedelta(days=1) for earlier, later in gaps)


@pytest.mark.parametrize(
    ("day", "last"),
    [
        (date(2026, 2, 14), date(2026, 2, 28)),
        (date(2028, 2, 29), date(2028, 2, 29)),
        (date(2026, 12, 31), date(2026, 12, 31)),
    ],
)
def test_a_month_has_all_of_its_days(day: date, last: date):
    assert month_of(day) == DayRange(last.replace(day=1), last)


def test_months_are_counted_back_from_the_days_own():
    assert months_before(date(2026, 3, 31), 0) == MARCH_1
    assert months_before(date(2026, 3, 31), 3) == date(2025, 12, 1)
    assert months_before(MARCH_1, 12 * 2026) is None


def test_the_clock_is_utc():
    assert utc_now().utcoffset() == timedelta(0)

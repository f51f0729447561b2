from datetime import date

import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.sources.daily_reader import History, up_to_today

TODAY = date(2026, 11, 28)
KEPT = DayRange(date(2026, 10, 29), date(2026, 11, 27))


def days(first: int, last: int) -> DayRange:
    return DayRange(date(2026, 10, first), date(2026, 10, last))


@pytest.mark.parametrize(
    ("asked", "owed", "there", "lost"),
    [
        (days(30, 31), date(2026, 1, 1), days(30, 31), ""),
        (days(27, 30), date(2026, 1, 1), days(29, 30), "2026-10-27 to 2026-10-28 can be read no"),
        (days(27, 30), date(2026, 10, 28), days(29, 30), "2026-10-28 can be read no more: 30 days"),
        (days(1, 2), date(2026, 1, 1), None, "2026-10-01 to 2026-10-02 can be read no more"),
        (days(1, 2), date(2026, 10, 29), None, ""),
        (days(1, 2), date(2026, 10, 20), None, ""),
    ],
)
def test_days_that_a_provider_deleted_are_not_read_and_reported_if_they_were_owed(
    asked: DayRange, owed: date, there: DayRange | None, lost: str
):
    history = History(KEPT, owed, "30 days are kept")
    assert history.of(asked) == there
    assert history.lost(asked).startswith(lost)
    assert bool(history.lost(asked)) == bool(lost)


def test_a_provider_that_deletes_nothing_has_every_day_up_to_today():
    history = History(up_to_today(TODAY), date(2024, 1, 1), "")
    asked = DayRange(date(2024, 1, 1), date(2026, 12, 31))
    assert history.of(asked) == DayRange(date(2024, 1, 1), TODAY)
    assert history.lost(asked) == ""

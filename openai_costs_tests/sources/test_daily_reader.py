from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from upath import UPath

from openai_costs.kernel.clock_skew import SkewAwareClock
from openai_costs.kernel.days import DayRange
from openai_costs.sources.daily_reader import (
    History,
    answered_at,
    note_day,
    noted_day,
    say_lost,
    up_to_today,
)
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive, DayRead

TODAY = date(2026, 11, 28)
KEPT = DayRange(date(2026, 10, 29), date(2026, 11, 27))


def days(first: int, last: int) -> DayRange:
    return DayRange(date(2026, 10, first), date(2026, 10, last))


@pytest.mark.parametrize(
    ("asked", "owed", "there", "lost"),
    [
        (days(30, 31), date(2026, 1, 1), days(30, 31), []),
        (days(27, 30), date(2026, 1, 1), days(29, 30), [27, 28]),
        (days(27, 30), date(2026, 10, 28), days(29, 30), [28]),
        (days(1, 2), date(2026, 1, 1), None, [1, 2]),
        (days(1, 2), date(2026, 10, 29), None, []),
        (days(1, 2), date(2026, 10, 20), None, []),
    ],
)
def test_days_that_a_provider_deleted_are_not_read_and_reported_if_they_were_owed(
    asked: DayRange, owed: date, there: DayRange | None, lost: list[int]
):
    history = History(KEPT, owed, "30 days are kept")
    assert history.of(asked) == there
    assert history.lost(asked) == [date(2026, 10, day) for day in lost]


def test_a_provider_that_deletes_nothing_has_every_day_up_to_today():
    history = History(up_to_today(TODAY), date(2024, 1, 1), "")
    asked = DayRange(date(2024, 1, 1), date(2026, 12, 31))
    assert history.of(asked) == DayRange(date(2024, 1, 1), TODAY)
    assert history.lost(asked) == []


def test_a_lost_day_is_named_once_and_a_day_that_was_read_never(tmp_path: Path):
    archive, told = Archive(UPath(tmp_path)), list[str]()
    read_at = datetime(2026, 10, 27, tzinfo=UTC)
    archive.keep(DayRead("acme_ai", "acme", "costs", date(2026, 10, 26), read_at, {}, {"a": b"1"}))
    history = History(KEPT, date(2026, 10, 1), "30 days are kept")
    for asked in (days(27, 30), days(25, 30), days(25, 30)):
        say_lost(history, asked, archive, ("acme_ai", "acme", "costs"), told.append)
    assert told == [
        "acme: 2026-10-27 to 2026-10-28 can no longer be read: 30 days are kept",
        "acme: 2026-10-25 can no longer be read: 30 days are kept",
    ]


def test_the_first_day_is_noted_once_and_again_where_a_clock_ahead_noted_it(tmp_path: Path):
    archive = Archive(UPath(tmp_path))
    for first, noted in ((20, 20), (25, 20), (12, 12), (14, 12)):
        note_day(archive, "acme_ai", "acme", date(2026, 10, first))
        assert noted_day(archive, "acme_ai", "acme") == date(2026, 10, noted)


def test_what_a_server_still_has_is_of_the_servers_day():
    acme, now = OpenAIConnection(name="acme"), datetime(2026, 11, 28, tzinfo=UTC)
    for wrong in (timedelta(days=40), -timedelta(days=40)):
        clock = SkewAwareClock(lambda ours=now + wrong: ours)
        clock.compare("acme", now)
        assert answered_at(Reach(clock=clock), acme, now + wrong) == now
    assert answered_at(Reach(), acme, now) == now

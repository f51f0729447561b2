"""The incidents themselves, one function each, placed on days relative to today."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from openai_costs.sample.company.activity import SATURDAY, SUNDAY, is_weekend
from openai_costs.sample.company.company import LEAVER_LEFT_AGE, NEW_KEY_AGE
from openai_costs.sample.company.events import Event, EventKind, ExtraLine, Seen
from openai_costs.sample.company.workloads import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_costs.sample.company.fixtures import Fixtures

# Ages (days before today) at which each story starts or is looked for.
_CREDIT_AGE: Final = 3
_RESTATED_AGE: Final = 5
_RUNAWAY_AGE: Final = 9
_REFUND_AGE: Final = 10
_WEEKEND_AGE: Final = 30
_LAUNCH_AGE: Final = 24
_NO_ROWS_AGE: Final = 45
_LEAK_AGE: Final = 42
# How far the open-ended stories run on after today, and how far back the monthly job goes.
_RUN_ON_DAYS: Final = 30
_MONTH_END_AGE: Final = 1100
_LEAK_STEP_TOKENS: Final = 500_000
_LAUNCH_FULL_DAYS: Final = 10


def _weekday_before(today: date, weekday: int, age: int) -> date:
    """The newest such weekday at least `age` days ago."""
    latest = today - timedelta(days=age)
    return latest - timedelta(days=(latest.weekday() - weekday) % 7)


def _days_from(today: date, age: int) -> tuple[date, ...]:
    return tuple(today + timedelta(days=step) for step in range(-age, _RUN_ON_DAYS + 1))


def _workdays_from(today: date, age: int) -> tuple[date, ...]:
    return tuple(day for day in _days_from(today, age) if not is_weekend(day))


def _place(fixtures: Fixtures, key_id: str) -> Place:
    key = fixtures.key_by_id[key_id]
    return Place(key.project_id, key.billed_user_id, key.id, "unlabeled")


def _event(kind: EventKind, because: str, today: date, lines: Iterable[ExtraLine]) -> Event:
    return Event(kind, because, today - timedelta(days=1), tuple(lines))


def _runaway_key(fixtures: Fixtures, today: date) -> Event:
    saturday = _weekday_before(today, SATURDAY, _RUNAWAY_AGE)
    place = _place(fixtures, "key_labs_hyejin")
    item = "gpt-5.6-sol, output"
    lines = (
        ExtraLine(saturday, place, item, 18_000_000),
        ExtraLine(saturday + timedelta(days=1), place, item, 26_000_000),
    )
    because = "an agent loop was left running on a personal key from Saturday to Sunday"
    return _event(EventKind.RUNAWAY_KEY, because, today, lines)


def _model_launch(fixtures: Fixtures, today: date) -> Event:
    place = _place(fixtures, "key_route_prod")
    lines = []
    for step, day in enumerate(_days_from(today, _LAUNCH_AGE), start=1):
        tenths = min(step, _LAUNCH_FULL_DAYS)
        lines.append(ExtraLine(day, place, "gpt-6-astra, input_tokens", 240_000 * tenths))
        lines.append(ExtraLine(day, place, "gpt-6-astra, output_tokens", 50_000 * tenths))
    because = "route planning began to use gpt-6-astra beside the old model, in ten daily steps"
    return _event(EventKind.MODEL_LAUNCH, because, today, lines)


def _slow_leak(fixtures: Fixtures, today: date) -> Event:
    place = _place(fixtures, "key_search_reindex")
    item = "gpt-5-mini-2025-08-07, output"
    days = enumerate(_workdays_from(today, _LEAK_AGE), start=1)
    lines = (ExtraLine(day, place, item, step * _LEAK_STEP_TOKENS) for step, day in days)
    because = "the nightly reindex re-reads a little more every workday, one dollar at a time"
    return _event(EventKind.SLOW_LEAK, because, today, lines)


def _leaver_key(fixtures: Fixtures, today: date) -> Event:
    place = _place(fixtures, "key_labs_jonas")
    item = "gpt-5.4-2026-03-05, output"
    days = _workdays_from(today, LEAVER_LEFT_AGE - 1)
    because = "Jonas Marten left, the account was removed, and the key still works every weekday"
    lines = (ExtraLine(day, place, item, 1_200_000) for day in days)
    return _event(EventKind.LEAVER_KEY, because, today, lines)


def _weekend_activity(fixtures: Fixtures, today: date) -> Event:
    saturday = _weekday_before(today, SATURDAY, _WEEKEND_AGE)
    place = _place(fixtures, "key_finance_freya")
    item = "gpt-5-mini-2025-08-07, input"
    days = (saturday, saturday + timedelta(days=1))
    because = "Finance close, which only ever works on weekdays, spent on a Saturday and a Sunday"
    lines = (ExtraLine(day, place, item, 64_000_000) for day in days)
    return _event(EventKind.WEEKEND_ACTIVITY, because, today, lines)


def _new_key(fixtures: Fixtures, today: date) -> Event:
    place = _place(fixtures, "key_labs_new")
    days = _days_from(today, NEW_KEY_AGE)
    lines = (ExtraLine(day, place, "gpt-5.6-sol, input", 5_000_000) for day in days)
    because = "a key made six days ago spends from its first day"
    return _event(EventKind.NEW_KEY, because, today, lines)


def _last_workday_of_month(day: date) -> date:
    last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return last - timedelta(days=max(0, last.weekday() - 4))


def _month_end_job(fixtures: Fixtures, today: date) -> Event:
    place = _place(fixtures, "key_finance_close")
    window = _days_from(today, _MONTH_END_AGE)
    days = (day for day in window if day == _last_workday_of_month(day))
    because = "the books are closed on the last workday of each month, in one large job"
    lines = (ExtraLine(day, place, "gpt-5.4-2026-03-05, input", 34_000_000) for day in days)
    return _event(EventKind.MONTH_END_JOB, because, today, lines)


def _restated_day(fixtures: Fixtures, today: date) -> Event:
    day = today - timedelta(days=_RESTATED_AGE)
    while is_weekend(day):
        day -= timedelta(days=1)
    grown, lost = _place(fixtures, "key_route_prod"), _place(fixtures, "key_search_kaveh")
    gone_item = "gpt-5-search-api-2025-10-14, output"
    lines = (
        ExtraLine(day, grown, "gpt-5.4-2026-03-05, output", 1_800_000, Seen.ONCE_RESTATED),
        ExtraLine(day, lost, gone_item, 420_000, Seen.UNTIL_RESTATED),
    )
    because = "four days later the vendor added $27.00 to one line and took one of $4.20 away"
    return _event(EventKind.RESTATED_DAY, because, today, lines)


def _no_rows(today: date) -> Event:
    sunday = _weekday_before(today, SUNDAY, _NO_ROWS_AGE)
    because = "the vendor answered one Sunday with an empty bucket and never filled it"
    return Event(EventKind.NO_ROWS, because, today - timedelta(days=1), empty_day=sunday)


def _refund(fixtures: Fixtures, today: date) -> Event:
    key = fixtures.key_by_id["key_studio_render"]
    place = Place(key.project_id, None, None, None)
    day = today - timedelta(days=_REFUND_AGE)
    lines = (ExtraLine(day, place, "gpt-image-2.5-flare image, output", -810_000),)
    because = "the vendor took back what pictures had cost that came out black, without a key"
    return _event(EventKind.REFUND, because, today, lines)


def _credit(_fixtures: Fixtures, today: date) -> Event:
    place = Place(None, None, None, None)
    day = today - timedelta(days=_CREDIT_AGE)
    lines = (ExtraLine(day, place, "Service credit", 6_000),)
    because = "the vendor credited $60.00 to the whole organization after an outage"
    return _event(EventKind.CREDIT, because, today, lines)


def planted_events(fixtures: Fixtures, today: date) -> tuple[Event, ...]:
    """Every incident of the sample organization, as seen from `today` (a UTC date)."""
    stories = (
        _runaway_key,
        _model_launch,
        _slow_leak,
        _leaver_key,
        _weekend_activity,
        _new_key,
        _month_end_job,
        _restated_day,
        _refund,
        _credit,
    )
    return (*(story(fixtures, today) for story in stories), _no_rows(today))

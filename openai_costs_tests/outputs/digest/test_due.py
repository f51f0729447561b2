"""When a digest is due, and for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from openai_costs.outputs.alerts.rows import Delivery
from openai_costs.outputs.digest.due import cron_of, due, waiting, week_of
from openai_costs.settings.alerts import Alerts, Weekly
from openai_costs_tests.outputs.alerts.fixtures import alerts, route

MONDAY = datetime(2026, 11, 23, 7)  # noqa: DTZ001 - tables are naive UTC
SETTINGS = alerts(route("a"), route("b"), route("c"), weekly=Weekly(routes=("a", "b")))
SENT = Delivery("weekly-2026-11-23", 1, "a", "weekly", "sent", attempt=1)


def names(at: datetime, *logged: Delivery, settings: Alerts = SETTINGS) -> list[str]:
    return [one.route.name for one in due(settings, logged, at)]


def test_it_is_due_from_its_hour_on_for_three_days() -> None:
    assert names(MONDAY) == ["a", "b"]
    assert names(MONDAY + timedelta(days=3, seconds=-1)) == ["a", "b"]
    assert names(MONDAY + timedelta(days=3)) == []
    assert names(MONDAY - timedelta(seconds=1)) == []


def test_a_person_who_asks_need_not_be_on_time() -> None:
    asked = due(SETTINGS, [SENT], MONDAY + timedelta(days=6), is_asked=True)
    assert [one.route.name for one in asked] == ["b"]


@pytest.mark.parametrize("status", ["sent", "failed", "unclear", "skipped"])
def test_a_route_that_is_done_with_it_gets_it_again_next_week_only(status: str) -> None:
    done = replace(SENT, status=status)
    assert names(MONDAY + timedelta(hours=1), done) == ["b"]
    assert names(MONDAY + timedelta(days=7), done) == ["a", "b"]


def test_one_that_failed_is_tried_again_at_its_time() -> None:
    again = MONDAY + timedelta(minutes=5)
    failed = replace(SENT, status="waiting", next_try_at=again)
    assert names(MONDAY, failed) == ["b"]
    assert names(again, failed) == ["a", "b"]
    assert [one.route.name for one in waiting(SETTINGS, [failed], again)] == ["a"]


def test_a_message_about_a_finding_is_no_digest() -> None:
    other = replace(SENT, finding_id="f1a2b3c4d5e6", kind="opened")
    assert names(MONDAY, other) == ["a", "b"]


def test_without_weekly_routes_nothing_is_due() -> None:
    assert names(MONDAY, settings=alerts(route("a"))) == []


def test_week_and_schedule_begin_on_the_same_hour() -> None:
    sunday = Weekly(routes=("a",), day="sunday", hour=22)
    assert (cron_of(sunday), cron_of(Weekly(routes=("a",)))) == ("0 22 * * 0", "0 7 * * 1")
    assert str(week_of(sunday, MONDAY)) == "2026-11-22"
    assert str(week_of(sunday, MONDAY - timedelta(hours=10))) == "2026-11-15"


def test_a_digest_that_a_clock_ahead_sent_is_sent_again_in_its_week() -> None:
    ahead = replace(SENT, tried_at=MONDAY + timedelta(days=2))
    assert names(MONDAY, ahead) == ["a", "b"]
    assert names(MONDAY + timedelta(days=2), ahead) == ["b"]

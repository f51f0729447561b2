from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from openai_costs.outputs.alerts.data_rules import late
from openai_costs.tables.candidate import Finding
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.outputs.alerts.fixtures import NOW, day

READ = datetime(2026, 11, 23, tzinfo=UTC).replace(tzinfo=None)
DAY = timedelta(hours=24)


def coverage(settled: range, *others: tuple[int, str]) -> pl.DataFrame:
    rows: list[Any] = [("acme", "costs", day(n), "settled", 1, 1, READ) for n in settled]
    for number, state in others:
        read = (None,) * 3 if state == "missing" else (1, 1, READ)
        rows.append(("acme", "costs", day(number), state, *read))
    return pl.DataFrame(rows, schema=Coverage.types(), orient="row")


def said(frame: pl.DataFrame, now: datetime = NOW) -> list[dict[str, Any]]:
    found = late(frame, now, DAY, "team:finops")
    assert Finding.broken_rules(found) == []
    return found.to_dicts()


def test_days_that_settled_in_time_are_not_late() -> None:
    usual = coverage(range(1, 22), (22, "provisional"), (23, "provisional"))
    assert said(usual) == []


def test_before_the_daily_refresh_nothing_is_late() -> None:
    usual = coverage(range(1, 21), (21, "provisional"), (22, "provisional"))
    assert said(usual, NOW.replace(hour=3)) == []
    assert len(said(usual, NOW.replace(hour=6))) == 1


def test_a_day_that_did_not_settle_is_late_since_that_day() -> None:
    (one,) = said(coverage(range(1, 21), (21, "provisional"), (22, "provisional")))
    assert (one["since_day"], one["day"], one["severity"]) == (day(21), day(23), "warning")
    assert (one["connection"], one["subject_id"]) == ("acme", "costs")
    assert one["owner"] == "team:finops"
    assert one["impact_usd"] is None
    assert "1 day of costs are not settled through 2026-11-21" in one["because"]
    assert "newest settled day 2026-11-20" in one["because"]


def test_three_late_days_are_critical() -> None:
    (one,) = said(coverage(range(1, 19), (19, "missing"), (20, "missing"), (21, "missing")))
    assert (one["severity"], one["observed"]) == ("critical", 3)


def test_days_that_nobody_even_wrote_down_are_late_too() -> None:
    (one,) = said(coverage(range(1, 16)))
    assert (one["since_day"], one["observed"]) == (day(16), 6)


def test_a_connection_that_was_never_read_is_late_once_a_day_was_due() -> None:
    (one,) = said(coverage(range(0), (20, "missing"), (21, "missing"), (22, "missing")))
    assert (one["since_day"], one["observed"]) == (day(20), 2)
    assert "newest settled day none" in one["because"]
    assert said(coverage(range(0), (22, "missing"), (23, "missing"))) == []
    assert said(Coverage.no_rows()) == []


def test_days_before_the_first_that_was_read_are_not_late() -> None:
    usual = coverage(range(15, 22), (13, "missing"), (14, "missing"))
    assert said(usual) == []

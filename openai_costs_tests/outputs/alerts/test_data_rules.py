from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from openai_costs.outputs.alerts.data_rules import Settling, late, undelivered
from openai_costs.outputs.alerts.rows import Delivery, deliveries_frame
from openai_costs.sources.account_notes import Refused
from openai_costs.tables.candidate import Finding
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import connected
from openai_costs_tests.outputs.alerts.fixtures import NOW, day

READ = datetime(2026, 11, 23, tzinfo=UTC).replace(tzinfo=None)
DAY = timedelta(hours=24)


def coverage(settled: range, *others: tuple[int, str]) -> pl.DataFrame:
    rows: list[Any] = [("acme", "costs", day(n), "settled", 1, 1, READ) for n in settled]
    for number, state in others:
        read = (None,) * 3 if state == "missing" else (1, 1, READ)
        rows.append(("acme", "costs", day(number), state, *read))
    return connected(rows)


def late_rows(frame: pl.DataFrame, now: datetime = NOW) -> list[dict[str, Any]]:
    made = late(frame, now, Settling(DAY), "team:finops")
    assert Finding.broken_rules(made) == []
    return made.to_dicts()


def test_days_that_settled_in_time_are_not_late() -> None:
    usual = coverage(range(1, 22), (22, "provisional"), (23, "provisional"))
    assert late_rows(usual) == []


def test_before_the_daily_refresh_nothing_is_late() -> None:
    usual = coverage(range(1, 21), (21, "provisional"), (22, "provisional"))
    assert late_rows(usual, NOW.replace(hour=3)) == []
    assert len(late_rows(usual, NOW.replace(hour=6))) == 1


def test_a_day_that_did_not_settle_is_late_since_that_day() -> None:
    (one,) = late_rows(coverage(range(1, 21), (21, "provisional"), (22, "provisional")))
    assert (one["since_day"], one["day"], one["severity"]) == (day(21), day(23), "warning")
    assert (one["connection"], one["subject_id"]) == ("acme", "costs")
    assert one["owner"] == "team:finops"
    assert one["impact_usd"] is None
    assert "1 day of costs through 2026-11-21 not settled" in one["because"]
    assert "the newest settled day is 2026-11-20" in one["because"]


def test_three_late_days_are_critical() -> None:
    (one,) = late_rows(coverage(range(1, 19), (19, "missing"), (20, "missing"), (21, "missing")))
    assert (one["severity"], one["observed"]) == ("critical", 3)


def test_days_that_coverage_does_not_list_are_late_too() -> None:
    (one,) = late_rows(coverage(range(1, 16)))
    assert (one["since_day"], one["observed"]) == (day(16), 6)


def test_a_connection_that_was_never_read_is_late_once_a_day_should_have_settled() -> None:
    (one,) = late_rows(coverage(range(0), (20, "missing"), (21, "missing"), (22, "missing")))
    assert (one["since_day"], one["observed"]) == (day(20), 2)
    assert "the newest settled day is none" in one["because"]
    assert late_rows(coverage(range(0), (22, "missing"), (23, "missing"))) == []
    assert late_rows(Coverage.no_rows()) == []


def test_days_that_are_late_for_months_are_all_counted_from_the_first() -> None:
    first = day(21) - timedelta(days=80)
    days = [first - timedelta(days=1) + timedelta(days=n) for n in range(81 + 1)]
    rows = [("acme", "costs", one, "missing", None, None, None) for one in days]
    rows[0] = ("acme", "costs", days[0], "settled", 1, 1, READ)
    (one,) = late_rows(connected(rows))
    assert (one["since_day"], one["observed"]) == (first, 81)
    rows[40] = ("acme", "costs", days[40], "settled", 1, 1, READ)
    (one,) = late_rows(connected(rows))
    assert (one["since_day"], one["observed"]) == (days[41], 41)


def test_the_newest_settled_day_is_named_however_old_it_is() -> None:
    old = coverage(range(1, 3), *((number, "missing") for number in range(3, 24)))
    long_ago = old.with_columns(pl.col("day") - timedelta(days=60))
    (one,) = late_rows(pl.concat([long_ago.filter(state="settled"), old.filter(state="missing")]))
    assert f"the newest settled day is {day(2) - timedelta(days=60)}." in one["because"]


def test_the_second_connection_of_an_organization_is_never_late() -> None:
    never_read = coverage(range(0), *((n, "missing") for n in range(18, 24)))
    counted_as_another = {"acme": Refused("Remove one of the two.", holder="acme-old")}
    assert len(late_rows(never_read)) == 1
    assert late(never_read, NOW, Settling(DAY), "team:finops", counted_as_another).is_empty()


def test_late_days_that_were_refused_say_what_helps_against_the_refusal() -> None:
    days = coverage(range(1, 20), (20, "missing"), (21, "missing"), (22, "missing"))
    why = "Connection 'acme': this key reads org-b. Use a key of org-a."
    (one,) = late(days, NOW, Settling(DAY), "team:finops", {"acme": Refused(why)}).to_dicts()
    assert one["because"].endswith(f"wait until they settle. {why}")
    (other,) = late(days, NOW, Settling(DAY), "team:finops", {"labs": Refused(why)}).to_dicts()
    assert "Run `openai-costs backfill`" in other["because"]


def test_days_before_the_first_that_was_read_are_not_late() -> None:
    usual = coverage(range(15, 22), (13, "missing"), (14, "missing"))
    assert late_rows(usual) == []


# --- data.delivery_failed ----------------------------------------------------------------------

AT = NOW.replace(tzinfo=None)


def row(number: int, status: str, *, hours: int = 0, attempt: int = 1) -> Delivery:
    at = AT + timedelta(hours=hours)
    reason = None if status == "sent" else "HTTP 503"
    return Delivery(f"f{number}", 1, "finops", "opened", status, attempt, tried_at=at, said=reason)


def failing(*logged: Delivery) -> list[dict[str, object]]:
    made = undelivered(deliveries_frame(logged), ["finops", "idle"], NOW.date(), "team:finops")
    assert Finding.broken_rules(made) == []
    return made.to_dicts()


def test_a_message_that_was_given_up_is_reported_with_the_reason() -> None:
    (one,) = failing(row(1, "failed", attempt=8), row(2, "waiting", attempt=2))
    assert (one["subject_id"], one["severity"], one["observed"]) == ("finops", "critical", 2)
    assert "HTTP 503" in str(one["because"])
    assert one["since_day"] == day(23)


def test_the_third_failed_attempt_is_reported_and_no_earlier_one() -> None:
    assert failing(row(1, "waiting", attempt=2)) == []
    assert len(failing(row(1, "waiting", attempt=3))) == 1


def test_a_route_that_delivers_again_is_not_reported() -> None:
    assert failing(row(1, "failed", attempt=8), row(2, "sent", hours=1)) == []


def test_what_failed_before_the_last_success_is_not_counted() -> None:
    (one,) = failing(row(1, "failed"), row(2, "sent", hours=1), row(3, "failed", hours=2))
    assert one["observed"] == 1


def test_a_skipped_message_says_nothing_about_the_route() -> None:
    assert failing(row(1, "skipped")) == []


def test_a_provisional_day_is_late_only_after_the_time_in_which_its_provider_settles_it() -> None:
    waiting = coverage(range(1, 5), *((n, "provisional") for n in range(5, 24)))
    of_cloud = {"acme": timedelta(days=15)}
    late_since = late(waiting, NOW, Settling(DAY, of_cloud), "team:finops")
    assert late_since.select("since_day", "observed").rows() == [(day(5), 3)]
    soon = late(waiting, NOW, Settling(DAY, {"acme": timedelta(days=41)}), "team:finops")
    assert soon.height == 0


def test_a_day_that_was_not_read_is_late_whenever_its_provider_settles_it() -> None:
    gap = coverage(range(1, 20), (20, "missing"), (21, "provisional"), (22, "provisional"))
    slow = Settling(DAY, {"acme": timedelta(days=41)})
    (one,) = late(gap, NOW, slow, "team:finops").to_dicts()
    assert (one["since_day"], one["observed"]) == (day(20), 1)

from __future__ import annotations

from datetime import timedelta

from openai_costs.outputs.alerts.data_rules import undelivered
from openai_costs.outputs.alerts.rows import Delivery, deliveries_frame
from openai_costs.tables.candidate import Finding
from openai_costs_tests.outputs.alerts.fixtures import NOW, day

AT = NOW.replace(tzinfo=None)


def row(number: int, status: str, *, hours: int = 0, attempt: int = 1) -> Delivery:
    at = AT + timedelta(hours=hours)
    said = None if status == "sent" else "HTTP 503"
    return Delivery(f"f{number}", 1, "finops", "opened", status, attempt, tried_at=at, said=said)


def said(*told: Delivery) -> list[dict[str, object]]:
    found = undelivered(deliveries_frame(told), ["finops", "idle"], NOW.date(), "team:finops")
    assert Finding.broken_rules(found) == []
    return found.to_dicts()


def test_a_message_that_was_given_up_is_reported_with_what_the_channel_said() -> None:
    (one,) = said(row(1, "failed", attempt=8), row(2, "waiting", attempt=2))
    assert (one["subject_id"], one["severity"], one["observed"]) == ("finops", "critical", 2)
    assert "HTTP 503" in str(one["because"])
    assert one["since_day"] == day(23)


def test_one_failed_try_is_no_news_and_the_third_is() -> None:
    assert said(row(1, "waiting", attempt=2)) == []
    assert len(said(row(1, "waiting", attempt=3))) == 1


def test_a_route_that_delivers_again_is_well() -> None:
    assert said(row(1, "failed", attempt=8), row(2, "sent", hours=1)) == []


def test_what_failed_before_the_last_success_is_not_counted() -> None:
    (one,) = said(row(1, "failed"), row(2, "sent", hours=1), row(3, "failed", hours=2))
    assert one["observed"] == 1


def test_what_was_skipped_says_nothing_about_the_channel() -> None:
    assert said(row(1, "skipped")) == []

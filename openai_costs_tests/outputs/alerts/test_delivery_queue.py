from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from openai_costs.outputs.alerts.delivery_queue import delivery_queue
from openai_costs.outputs.alerts.rows import Delivery
from openai_costs_tests.outputs.alerts.fixtures import NOW, change, day, finding, route

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_costs.outputs.alerts.rows import Change, Finding
    from openai_costs.settings import Route

AT = NOW.replace(tzinfo=None)


def sent(number: int = 1, name: str = "finops", status: str = "sent", **other: object) -> Delivery:
    made: dict[str, object] = {"attempt": 1, "sent_at": AT if status == "sent" else None}
    return Delivery("f1a2b3c4d5e6", number, name, "opened", status, **(made | other))  # type: ignore[arg-type]


def messages(
    changes: Iterable[Change],
    *routes: Route,
    logged: Iterable[Delivery] = (),
    about: Finding | None = None,
    hours: int = 0,
) -> list[tuple[str, list[int]]]:
    at = AT + timedelta(hours=hours)
    queue = delivery_queue([about or finding()], changes, logged, routes or [route()], at)
    return [
        (one.route.name, [each.change.change for each in one.changes]) for one in queue.messages
    ]


def test_a_change_goes_to_every_route_that_matches_it() -> None:
    both = (route("a"), route("b"))
    assert messages([change()], *both) == [("a", [1]), ("b", [1])]
    assert messages([change()], *both, logged=[sent(name="a")]) == [("b", [1])]


def test_a_route_chooses_by_rule_severity_connection_and_owner() -> None:
    for choice in (
        {"rules": ("budgets.*",)},
        {"min_severity": "critical"},
        {"connections": ("labs",)},
        {"owners": ("finance",)},
    ):
        assert messages([change()], route(**choice)) == []
    fitting = route(rules=("anomalies.*",), connections=("ac*",), owners=("data-*",))
    assert messages([change()], fitting) == [("finops", [1])]


def test_findings_about_data_go_only_to_routes_that_name_their_rules() -> None:
    late = finding(rule="data.late")
    assert messages([change()], route(), about=late) == []
    assert messages([change()], route(rules=("data.*",)), about=late) == [("finops", [1])]
    assert messages([change()], route(rules=("data.*",))) == []


def test_the_changes_of_a_finding_are_sent_in_order() -> None:
    changes = [change(), change(2, "growing")]
    assert messages(changes) == [("finops", [1])]
    assert messages(changes, logged=[sent()]) == [("finops", [2])]


def test_a_later_change_waits_for_one_that_will_be_retried() -> None:
    waiting = sent(status="waiting", next_try_at=AT + timedelta(minutes=5))
    changes = [change(), change(2, "growing")]
    assert messages(changes, logged=[waiting]) == []
    assert messages(changes, logged=[waiting], hours=1) == [("finops", [1])]


def test_of_a_finding_that_grew_several_times_the_newest_message_is_sent() -> None:
    grown = [change(), *(change(number, "growing") for number in (2, 3, 4))]
    assert messages(grown, logged=[sent()]) == [("finops", [4])]
    assert messages(grown, route(digest=True)) == [("finops", [1, 4])]
    queue = delivery_queue([finding()], grown, [sent()], [route()], AT)
    assert [(one.change, one.status) for one in queue.skipped] == [(2, "skipped"), (3, "skipped")]


def test_a_growth_is_sent_where_the_next_is_not_or_where_it_ended_between() -> None:
    again = [change(2, "growing"), change(3, "closed"), change(4), change(5, "growing")]
    logged = [sent()]
    assert messages([change(), *again], logged=logged) == [("finops", [2])]
    untold = change(3, "growing", is_told=False)
    assert messages([change(), again[0], untold], logged=logged) == [("finops", [2])]


def test_a_closing_is_sent_only_where_the_opening_was() -> None:
    changes = [change(), change(2, "closed", severity="info")]
    critical = route(min_severity="critical")
    assert messages(changes, critical) == []
    assert messages(changes, logged=[sent()]) == [("finops", [2])]
    assert messages(changes, logged=[sent(status="failed")]) == []
    assert messages(changes, logged=[sent(status="unclear")]) == [("finops", [2])]


def test_a_finding_that_becomes_critical_reaches_the_route_for_critical_ones() -> None:
    changes = [change(), change(2, "growing", severity="critical")]
    assert messages(changes, route(min_severity="critical")) == [("finops", [2])]


def test_a_mute_is_sent_only_to_a_channel_that_keeps_incidents() -> None:
    changes = [change(), change(2, "muted")]
    muted = finding(state="muted")
    assert messages(changes, logged=[sent()], about=muted) == []
    assert messages(changes, route(channel="pagerduty"), logged=[sent()], about=muted) == [
        ("finops", [2])
    ]
    assert messages(changes, route(channel="pagerduty"), about=muted) == []


def test_a_change_during_a_mute_is_not_sent() -> None:
    assert messages([change(), change(2, "closed", is_told=False)], logged=[sent()]) == []


def test_an_end_that_is_no_message_resolves_an_incident_once() -> None:
    replaced = [change(), change(2, "closed", is_told=False)]
    assert messages(replaced, logged=[sent()]) == []
    assert messages(replaced, route(channel="pagerduty"), logged=[sent()]) == [("finops", [2])]
    muted = [change(), change(2, "muted"), change(3, "closed", is_told=False)]
    logged = [sent(), sent(2)]
    assert messages(muted, route(channel="pagerduty"), logged=logged) == []


def test_a_finding_muted_before_it_was_sent_is_skipped() -> None:
    for logged in ([], [sent(status="waiting")]):
        queue = delivery_queue([finding(state="muted")], [change()], logged, [route()], AT)
        assert list(queue.messages) == []
        assert [one.said for one in queue.skipped] == ["muted before it was sent"]


def test_a_new_route_does_not_begin_with_old_changes() -> None:
    queue = delivery_queue([finding()], [change(changed_day=day(19))], [], [route()], AT)
    assert list(queue.messages) == []
    assert [(one.status, one.change) for one in queue.skipped] == [("skipped", 1)]
    assert messages([change(changed_day=day(20))]) == [("finops", [1])]


def test_a_change_that_was_tried_in_time_is_not_skipped_as_old() -> None:
    old = change(changed_day=day(19))
    assert messages([old], logged=[sent(status="waiting")]) == [("finops", [1])]


def test_a_failing_route_does_not_receive_its_own_failure() -> None:
    down = finding(rule="data.delivery_failed", subject_id="finops")
    both = (route(rules=("data.*",)), route("ops", rules=("data.*",)))
    assert messages([change()], *both, about=down) == [("ops", [1])]


def test_new_changes_wait_with_a_digest_that_was_not_delivered() -> None:
    """Otherwise they would be today's digest, and the first would wait until tomorrow."""
    daily = route(digest=True)
    waiting = sent(1, status="waiting", sent_at=None, next_try_at=AT + timedelta(minutes=5))
    found = [finding(), finding(finding_id="other")]
    changes = [change(), change(finding_id="other")]
    assert delivery_queue(found, changes, [waiting], [daily], AT).messages == []
    later = AT + timedelta(minutes=5)
    (message,) = delivery_queue(found, changes, [waiting], [daily], later).messages
    assert len(message.changes) == 2


def test_a_digest_reports_every_change_once_a_day_from_its_hour() -> None:
    daily = route(digest=True, digest_hour=14)
    changes = [change(), change(2, "growing"), change(3, "closed")]
    assert messages(changes, daily) == []
    assert messages(changes, daily, hours=2) == [("finops", [1, 2, 3])]
    logged = [sent(number, sent_at=AT + timedelta(hours=2)) for number in (1, 2)]
    assert messages(changes, daily, logged=logged, hours=5) == []
    assert messages(changes, daily, logged=logged, hours=26) == [("finops", [3])]


def test_a_digest_of_a_delivery_once_a_day_before_its_hour_has_what_changed_the_days_before() -> (
    None
):
    daily = route(digest=True, digest_hour=14)
    assert messages([change()], daily, hours=0) == []
    assert messages([change()], daily, hours=24) == [("finops", [1])]
    before = [sent(sent_at=AT + timedelta(hours=24))]
    later = [change(), change(2, "growing", changed_day=day(24))]
    assert messages(later, daily, logged=before, hours=25) == []
    assert messages(later, daily, logged=before, hours=48) == [("finops", [2])]
    at_its_hour = [sent(sent_at=AT + timedelta(hours=3))]
    assert messages([change(), change(2, "growing")], daily, logged=at_its_hour, hours=24) == []


def test_what_a_clock_ahead_skipped_is_sent_by_the_next_right_one() -> None:
    ahead = sent(status="skipped", tried_at=AT + timedelta(days=40))
    assert messages([change()], logged=[ahead]) == [("finops", [1])]
    behind = sent(status="skipped", tried_at=AT + timedelta(days=2))
    assert messages([change()], logged=[behind]) == []


def test_an_attempt_that_a_clock_ahead_put_off_is_made_now() -> None:
    much_later = AT + timedelta(days=40)
    waiting = sent(status="waiting", tried_at=much_later, next_try_at=much_later)
    assert messages([change()], logged=[waiting]) == [("finops", [1])]
    assert messages([change()], route(digest=True), logged=[waiting]) == [("finops", [1])]

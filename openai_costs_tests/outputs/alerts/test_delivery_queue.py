from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from openai_costs.outputs.alerts.delivery_queue import due
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


def parcels(
    changes: Iterable[Change],
    *routes: Route,
    told: Iterable[Delivery] = (),
    about: Finding | None = None,
    hours: int = 0,
) -> list[tuple[str, list[int]]]:
    at = AT + timedelta(hours=hours)
    found = due([about or finding()], changes, told, routes or [route()], at)
    return [(one.route.name, [item.change.change for item in one.items]) for one in found.parcels]


def test_a_change_goes_to_every_route_that_wants_it() -> None:
    both = (route("a"), route("b"))
    assert parcels([change()], *both) == [("a", [1]), ("b", [1])]
    assert parcels([change()], *both, told=[sent(name="a")]) == [("b", [1])]


def test_a_route_chooses_by_rule_severity_connection_and_owner() -> None:
    for choice in (
        {"rules": ("budgets.*",)},
        {"min_severity": "critical"},
        {"connections": ("labs",)},
        {"owners": ("finance",)},
    ):
        assert parcels([change()], route(**choice)) == []
    fitting = route(rules=("anomalies.*",), connections=("ac*",), owners=("data-*",))
    assert parcels([change()], fitting) == [("finops", [1])]


def test_findings_about_data_go_only_where_they_are_asked_for() -> None:
    late = finding(rule="data.late")
    assert parcels([change()], route(), about=late) == []
    assert parcels([change()], route(rules=("data.*",)), about=late) == [("finops", [1])]
    assert parcels([change()], route(rules=("data.*",))) == []


def test_changes_of_a_finding_go_out_one_after_the_other() -> None:
    changes = [change(), change(2, "growing")]
    assert parcels(changes) == [("finops", [1])]
    assert parcels(changes, told=[sent()]) == [("finops", [2])]


def test_a_later_change_waits_for_one_that_is_tried_again() -> None:
    waiting = sent(status="waiting", next_try_at=AT + timedelta(minutes=5))
    changes = [change(), change(2, "growing")]
    assert parcels(changes, told=[waiting]) == []
    assert parcels(changes, told=[waiting], hours=1) == [("finops", [1])]


def test_an_end_is_told_only_where_the_beginning_was() -> None:
    changes = [change(), change(2, "closed", severity="info")]
    critical = route(min_severity="critical")
    assert parcels(changes, critical) == []
    assert parcels(changes, told=[sent()]) == [("finops", [2])]
    assert parcels(changes, told=[sent(status="failed")]) == []
    assert parcels(changes, told=[sent(status="unclear")]) == [("finops", [2])]


def test_a_finding_that_becomes_critical_reaches_the_route_for_critical_ones() -> None:
    changes = [change(), change(2, "growing", severity="critical")]
    assert parcels(changes, route(min_severity="critical")) == [("finops", [2])]


def test_only_an_incident_keeper_is_told_of_a_mute() -> None:
    changes = [change(), change(2, "muted")]
    muted = finding(state="muted")
    assert parcels(changes, told=[sent()], about=muted) == []
    assert parcels(changes, route(channel="pagerduty"), told=[sent()], about=muted) == [
        ("finops", [2])
    ]
    assert parcels(changes, route(channel="pagerduty"), about=muted) == []


def test_what_happens_during_a_mute_is_not_told() -> None:
    assert parcels([change(), change(2, "closed", is_told=False)], told=[sent()]) == []


def test_an_end_that_is_no_message_resolves_an_incident_once() -> None:
    replaced = [change(), change(2, "closed", is_told=False)]
    assert parcels(replaced, told=[sent()]) == []
    assert parcels(replaced, route(channel="pagerduty"), told=[sent()]) == [("finops", [2])]
    muted = [change(), change(2, "muted"), change(3, "closed", is_told=False)]
    told = [sent(), sent(2)]
    assert parcels(muted, route(channel="pagerduty"), told=told) == []


def test_what_was_muted_before_it_was_sent_is_skipped() -> None:
    for told in ([], [sent(status="waiting")]):
        found = due([finding(state="muted")], [change()], told, [route()], AT)
        assert list(found.parcels) == []
        assert [one.said for one in found.skipped] == ["muted before it was sent"]


def test_a_new_route_does_not_begin_with_old_changes() -> None:
    found = due([finding()], [change(changed_day=day(19))], [], [route()], AT)
    assert list(found.parcels) == []
    assert [(one.status, one.change) for one in found.skipped] == [("skipped", 1)]
    assert parcels([change(changed_day=day(20))]) == [("finops", [1])]


def test_a_change_that_was_tried_in_time_is_not_forgotten() -> None:
    old = change(changed_day=day(19))
    assert parcels([old], told=[sent(status="waiting")]) == [("finops", [1])]


def test_a_route_that_is_down_is_not_asked_to_say_so() -> None:
    down = finding(rule="data.delivery_failed", subject_id="finops")
    both = (route(rules=("data.*",)), route("ops", rules=("data.*",)))
    assert parcels([change()], *both, about=down) == [("ops", [1])]


def test_what_is_new_waits_with_a_digest_that_was_not_taken() -> None:
    """Else it would be today's digest, and what was not taken would wait until tomorrow."""
    daily = route(digest=True)
    waiting = sent(1, status="waiting", sent_at=None, next_try_at=AT + timedelta(minutes=5))
    found = [finding(), finding(finding_id="other")]
    changes = [change(), change(finding_id="other")]
    assert due(found, changes, [waiting], [daily], AT).parcels == []
    (parcel,) = due(found, changes, [waiting], [daily], AT + timedelta(minutes=5)).parcels
    assert len(parcel.items) == 2


def test_a_digest_takes_everything_once_a_day_from_its_hour() -> None:
    daily = route(digest=True, digest_hour=14)
    changes = [change(), change(2, "growing"), change(3, "closed")]
    assert parcels(changes, daily) == []
    assert parcels(changes, daily, hours=2) == [("finops", [1, 2, 3])]
    told = [sent(number, sent_at=AT + timedelta(hours=2)) for number in (1, 2)]
    assert parcels(changes, daily, told=told, hours=5) == []
    assert parcels(changes, daily, told=told, hours=26) == [("finops", [3])]

from __future__ import annotations

from openai_costs.outputs.alerts.incident_identity import (
    finding_id,
    handed_over,
    incidents,
    matched,
)
from openai_costs_tests.outputs.alerts.fixtures import candidate, day, finding


def test_episodes_two_days_apart_are_one_incident_with_the_newer_numbers() -> None:
    one, two = candidate(3, 4), candidate(6, 7, because="again")
    (merged,) = incidents([two, one])[one.key]
    assert (merged.since_day, merged.day, merged.because) == (day(3), day(7), "again")


def test_episodes_three_days_apart_are_two_incidents() -> None:
    assert len(incidents([candidate(3, 4), candidate(7)])[candidate(3).key]) == 2


def test_periods_stay_apart_when_the_subject_id_names_them() -> None:
    found = incidents(
        [candidate(29, 30, subject_id="ml/2026-11"), candidate(31, subject_id="ml/2026-12")]
    )
    assert len(found) == 2


def test_a_restatement_that_moves_the_start_by_a_day_is_the_same_finding() -> None:
    for first in (16, 17, 18, 19, 20):
        continued, new = matched([finding(18)], [candidate(first, 20)], [], 2)
        assert list(continued) == ["f1a2b3c4d5e6"]
        assert new == []


KEY_ALSO = {"also_seen_by": '[["api_key", "key_etl"], ["organization", "acme"]]'}
ANA = {"subject_kind": "user", "subject_id": "ana", "subject_name": "Ana"}


def test_a_finding_goes_over_to_the_subject_that_reports_its_incident_now() -> None:
    (one,) = handed_over([finding(18)], incidents([candidate(17, 18, **ANA, **KEY_ALSO)]))
    assert (one.finding_id, one.subject_id, one.subject_name) == ("f1a2b3c4d5e6", "ana", "Ana")
    assert (one.day, one.because) == (finding(18).day, finding(18).because)


def test_a_finding_comes_back_to_the_subject_it_began_with_where_that_is_unusual_alone() -> None:
    began = candidate(18, 20)
    gone_over = finding(18, 20, **ANA, finding_id=finding_id(began, ()))
    for since in (16, 17, 18, 19, 20):
        (one,) = handed_over([gone_over], incidents([candidate(since, 20)]))
        assert (one.finding_id, one.subject_id) == (gone_over.finding_id, "key_etl")
    for other in (candidate(15, 20), candidate(18, connection="labs"), candidate(18, **ANA)):
        assert handed_over([gone_over], incidents([other])) == [gone_over]
    both = incidents([began, candidate(18, **ANA)])
    assert handed_over([gone_over], both) == [gone_over]


def test_a_finding_stays_with_its_subject_where_that_is_another_incident() -> None:
    known = [finding(18)]
    for other in (
        candidate(18, **ANA),
        candidate(22, **ANA, **KEY_ALSO),
        candidate(18, **ANA, **KEY_ALSO, connection="labs"),
        candidate(18, **ANA, **KEY_ALSO, rule="anomalies.drop"),
    ):
        assert handed_over(known, incidents([other])) == known
    both = [candidate(18), candidate(18, **ANA, **KEY_ALSO)]
    assert handed_over(known, incidents(both)) == known
    has_one = [*known, finding(18, **ANA, finding_id="000000000000")]
    assert handed_over(has_one, incidents(both[1:])) == has_one


def test_an_incident_three_days_after_a_closed_one_is_new() -> None:
    closed = finding(15, 16, state="closed")
    continued, new = matched([closed], [candidate(19)], [], 2)
    assert continued == {}
    assert new == [candidate(19)]


def test_an_open_finding_continues_over_days_that_were_not_judged() -> None:
    continued, _ = matched([finding(10, 11)], [candidate(18)], [day(10), day(11), day(18)], 2)
    assert list(continued) == ["f1a2b3c4d5e6"]


def test_an_open_finding_with_two_quiet_judged_days_does_not_continue() -> None:
    judged = [day(number) for number in range(10, 19)]
    _, new = matched([finding(10, 11)], [candidate(18)], judged, 2)
    assert new == [candidate(18)]


def test_two_episodes_of_one_finding_continue_it_together() -> None:
    continued, new = matched([finding(10, 16)], [candidate(10, 11), candidate(15, 16)], [], 2)
    assert new == []
    assert continued["f1a2b3c4d5e6"].since_day == day(10)
    assert continued["f1a2b3c4d5e6"].day == day(16)


def test_an_id_depends_only_on_the_subject_and_the_first_day() -> None:
    name = finding_id(candidate(18), set())
    assert name == finding_id(candidate(18, 22, impact_usd=None, severity="critical"), set())
    assert len({name, finding_id(candidate(17), set()), finding_id(candidate(18), {name})}) == 3
    assert name != finding_id(candidate(18, connection="labs"), set())

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.outputs.alerts.judged_days import merged
from openai_costs.outputs.alerts.lifecycle import decide
from openai_costs.questions.rules import Rule
from openai_costs.settings import Alerts, Mute
from openai_costs_tests.outputs.alerts.fixtures import (
    LATE,
    candidate,
    day,
    finding,
    judged,
    through,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_costs.outputs.alerts.judged_days import JudgedDays
    from openai_costs.outputs.alerts.rows import Candidate, Change, Finding


@dataclass
class Life:
    """Findings over several evaluations, and every change there was."""

    alerts: Alerts = field(default_factory=Alerts)
    findings: list[Finding] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def evaluate(self, today: int, judged: JudgedDays, *found: Candidate) -> list[tuple[str, bool]]:
        decision = decide(self.findings, found, judged, self.alerts, day(today))
        self.findings = decision.findings
        self.changes += decision.changes
        return [(one.kind, one.is_told) for one in decision.changes]

    @property
    def only(self) -> Finding:
        (one,) = self.findings
        return one


def muted(until: int, **about: str) -> Alerts:
    about = about or {"rule": "anomalies.*"}
    return Alerts(mutes=(Mute(reason="known migration", until=day(until), by="Ada", **about),))


# --- open and close ----------------------------------------------------------------------------


def test_a_candidate_opens_a_finding_once() -> None:
    life = Life()
    assert life.evaluate(20, through(18), candidate(18)) == [("opened", True)]
    assert life.evaluate(20, through(18), candidate(18)) == []
    assert (life.only.state, life.only.change, life.only.opened_day) == ("open", 1, day(20))
    assert life.only.docs == "docs/alerts.md#anomalies-spike"


def test_a_finding_closes_after_two_quiet_judged_days() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(18))
    assert life.evaluate(21, through(19), candidate(18)) == []
    assert life.evaluate(22, through(20), candidate(18)) == [("closed", True)]
    assert life.evaluate(23, through(21), candidate(18)) == []
    assert (life.only.state, life.only.closed_day) == ("closed", day(22))


def test_the_end_of_what_another_rule_has_replaced_is_recorded_without_a_message() -> None:
    forecast = Rule("budgets.forecast_exceeds", replaced_by="budgets.exceeded")
    exceeded = Rule("budgets.exceeded")

    def both(number: int) -> JudgedDays:
        return merged([through(number, rule=forecast), through(number, rule=exceeded)])

    for over, is_told in ((19, False), (17, True)):
        life = Life()
        life.evaluate(20, both(18), candidate(18, rule=forecast.id))
        now = candidate(over, rule=exceeded.id)
        told = life.evaluate(22, both(20), now)
        assert ("closed", is_told) in told
    other = candidate(19, rule=exceeded.id, subject_id="another budget")
    life = Life()
    life.evaluate(20, both(18), candidate(18, rule=forecast.id))
    assert ("closed", True) in life.evaluate(22, both(20), other)


def test_it_closes_the_same_way_when_a_question_returns_only_the_newest_day() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(18))
    life.evaluate(21, through(19))
    assert life.evaluate(22, through(20)) == [("closed", True)]


def test_a_restatement_that_takes_the_condition_away_closes_it_too() -> None:
    life = Life()
    life.evaluate(21, through(19), candidate(18, 19))
    assert life.evaluate(22, through(20)) == []
    assert life.evaluate(23, through(21)) == [("closed", True)]


def test_a_finding_that_comes_back_within_two_days_is_opened_again_under_its_id() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(18))
    life.evaluate(22, through(20), candidate(18))
    first = life.only.finding_id
    assert life.evaluate(23, judged(*range(1, 22)), candidate(18), candidate(20, 21)) == [
        ("opened", True)
    ]
    assert (life.only.finding_id, life.only.state, life.only.change) == (first, "open", 3)


def test_one_evaluation_without_the_condition_closes_a_finding_about_data() -> None:
    life = Life()
    late = candidate(23, rule="data.late", impact_usd=None)
    assert life.evaluate(23, judged(23, rule=LATE), late) == [("opened", True)]
    assert life.evaluate(23, judged(23, rule=LATE)) == [("closed", True)]
    assert life.evaluate(23, judged(23, rule=LATE)) == []


def test_a_restatement_that_moves_the_start_opens_nothing() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(17, 18))
    assert life.evaluate(21, through(19), candidate(18, 19)) == []
    assert life.only.since_day == day(17)


def test_a_restatement_that_names_the_user_instead_of_the_key_keeps_id_and_mute() -> None:
    user = {"subject_kind": "user", "subject_id": "ana", "subject_name": "Ana"}
    by_user = candidate(18, **user, also_seen_by='[["api_key", "key_etl"]]')
    life = Life()
    life.evaluate(21, through(20), candidate(18))
    name = life.only.finding_id
    assert life.evaluate(22, through(20), by_user) == []
    assert (life.only.finding_id, life.only.subject_id, life.only.state) == (name, "ana", "closed")
    held = Life(muted(25, finding=name))
    held.evaluate(20, through(18), candidate(18))
    assert held.evaluate(20, through(18), by_user) == []
    assert (held.only.finding_id, held.only.state) == (name, "muted")


def test_findings_of_other_rules_do_not_change() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(18))
    assert life.evaluate(30, judged(30, rule=LATE)) == []
    assert life.only.state == "open"


# --- old, late and provisional -----------------------------------------------------------------


def test_a_backfill_of_old_days_is_recorded_without_a_message() -> None:
    life = Life()
    assert life.evaluate(30, through(28), candidate(3, 4)) == []
    assert (life.only.state, life.only.change) == ("closed", 0)


def test_old_days_judged_alone_send_no_message_either() -> None:
    life = Life()
    assert life.evaluate(30, judged(3, 4), candidate(3, 4)) == []
    assert life.only.state == "closed"


def test_an_incident_that_began_long_ago_and_still_holds_is_reported() -> None:
    assert Life().evaluate(30, through(28), candidate(3, 28)) == [("opened", True)]


def test_an_old_finding_that_turns_out_to_continue_is_opened() -> None:
    life = Life()
    life.evaluate(30, through(10), candidate(3, 10))
    assert life.evaluate(30, through(28), candidate(3, 28)) == [("opened", True)]
    assert len(life.findings) == 1


def test_a_fresh_incident_that_is_already_over_is_opened_and_closed() -> None:
    assert Life().evaluate(23, through(21), candidate(18)) == [("opened", True), ("closed", True)]


def test_a_day_that_was_not_judged_opens_nothing() -> None:
    life = Life()
    assert life.evaluate(20, through(18), candidate(19)) == []
    assert life.findings == []


def test_a_day_that_was_not_judged_closes_nothing() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(18))
    assert life.evaluate(28, through(18)) == []
    assert life.evaluate(28, judged()) == []
    assert life.only.state == "open"


def test_a_condition_that_held_before_and_after_a_long_pause_is_one_finding() -> None:
    """A run after 40 days looks at the newest 30: of those before there is no candidate."""
    life = Life()
    life.evaluate(20, through(18), candidate(10, 18))
    assert life.evaluate(62, judged(*range(31, 61)), candidate(31, 60)) == []
    assert (life.only.since_day, life.only.day) == (day(10), day(60))
    ended = Life(findings=life.findings)
    assert ended.evaluate(122, judged(*range(91, 121))) == [("closed", True)]


def test_an_evaluation_of_fewer_days_changes_nothing() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(17, 18))
    before = life.findings
    assert life.evaluate(20, through(17), candidate(17, 17, impact_usd=Decimal(9999))) == []
    assert life.findings == before


# --- growing -----------------------------------------------------------------------------------


def test_a_finding_grows_by_factor_and_by_step() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(18, impact_usd=Decimal(100)))
    assert life.evaluate(21, through(19), candidate(18, 19, impact_usd=Decimal("149.99"))) == []
    assert life.evaluate(22, through(20), candidate(18, 20, impact_usd=Decimal(150))) == [
        ("growing", True)
    ]
    assert life.evaluate(22, through(20), candidate(18, 20, impact_usd=Decimal(150))) == []
    assert life.evaluate(23, through(21), candidate(18, 21, impact_usd=Decimal(224))) == []
    assert life.only.state == "growing"


def test_cents_do_not_make_a_finding_grow() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(18, impact_usd=Decimal(1)))
    assert life.evaluate(21, through(19), candidate(18, 19, impact_usd=Decimal(9))) == []


def test_a_finding_grows_when_it_becomes_more_severe_and_only_the_first_time() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(18))
    worse: dict[str, Any] = {"severity": "critical"}
    assert life.evaluate(21, through(19), candidate(18, 19, **worse)) == [("growing", True)]
    assert life.evaluate(22, through(20), candidate(18, 20)) == []
    assert life.evaluate(23, through(21), candidate(18, 21, **worse)) == []


def test_a_finding_without_dollars_does_not_grow() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(18, impact_usd=None))
    assert life.evaluate(21, through(19), candidate(18, 19, impact_usd=Decimal(900))) == []


# --- muted -------------------------------------------------------------------------------------


def test_a_mute_records_its_last_day_its_reason_and_its_author() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(18))
    life.alerts = muted(25, finding=life.only.finding_id)
    assert life.evaluate(20, through(18), candidate(18)) == [("muted", True)]
    assert life.evaluate(20, through(18), candidate(18)) == []
    one = life.only
    assert (one.state, one.muted_until, one.mute_reason, one.muted_by) == (
        "muted",
        day(25),
        "known migration",
        "Ada",
    )


def test_the_author_and_reason_of_a_mute_are_kept_after_it_ends() -> None:
    made = decide([finding()], [], judged(), muted(25, finding=finding().finding_id), day(20))
    (muting,) = made.changes
    assert muting.because == (
        "The key etl made 34 times as many requests as on other Wednesdays "
        "(muted through 2026-11-25 by Ada: known migration)"
    )


def test_a_mute_takes_effect_without_any_judged_day() -> None:
    life = Life()
    life.evaluate(20, through(18), candidate(18))
    life.alerts = muted(25)
    assert life.evaluate(20, judged()) == [("muted", True)]


def test_a_muted_finding_does_not_grow_and_its_closing_is_not_reported() -> None:
    life = Life(muted(25))
    life.evaluate(20, through(18), candidate(18))
    assert life.evaluate(21, through(19), candidate(18, 19, impact_usd=Decimal(90000))) == []
    assert life.evaluate(23, through(21), candidate(18, 19)) == [("closed", False)]


def test_a_condition_that_still_holds_after_a_mute_is_opened_again() -> None:
    life = Life(muted(21))
    life.evaluate(20, through(18), candidate(18))
    assert life.evaluate(21, through(19), candidate(18, 19)) == []
    assert life.evaluate(22, through(20), candidate(18, 20)) == [("opened", True)]
    assert (life.only.state, life.only.mute_reason) == ("open", None)


# --- thirty days, in any order -----------------------------------------------------------------

HISTORY = [
    candidate(3, 4),
    candidate(5, 9, subject_id="key_b", severity="critical"),
    candidate(12, 12, subject_id="key_c"),
    candidate(20, 28, subject_id="key_d"),
    candidate(15, 15, subject_id="key_b"),
    candidate(14, 15, connection="labs"),
]


def as_of(last: int) -> list[Candidate]:
    """The incidents as they could be seen when all days up to one had settled."""
    seen = []
    for one in HISTORY:
        end = min((one.day - date(2026, 10, 31)).days, last)
        start = (one.since_day - date(2026, 10, 31)).days
        if start <= last:
            grown = Decimal(100) * (end - start + 1)
            kept = {"subject_id": one.subject_id, "connection": one.connection}
            seen.append(candidate(start, end, impact_usd=grown, severity=one.severity, **kept))
    return seen


def both(last: int) -> JudgedDays:
    return merged([through(last), judged(*range(1, last + 1), connection="labs")])


def replay(order: Iterable[tuple[int, int]]) -> Life:
    """Evaluate on `today` the data through a day, in the order given."""
    life = Life()
    for today, last in order:
        life.evaluate(today, both(last), *as_of(last))
    return life


def reported(life: Life) -> Counter[tuple[str, str, date]]:
    return Counter((one.finding_id, one.kind, one.day) for one in life.changes)


STRAIGHT = [(last + 2, last) for last in range(1, 31)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_thirty_days_replayed_with_any_reruns_give_each_change_once(data: st.DataObject) -> None:
    """Every day is judged in turn; after each, some older days are judged again, any number."""
    order: list[tuple[int, int]] = []
    for today, last in STRAIGHT:
        order.append((today, last))
        older = st.lists(st.integers(1, last), max_size=4)
        order += [(today, again) for again in data.draw(older)]
    life, straight = replay(order), replay(STRAIGHT)
    assert reported(life) == reported(straight)
    assert set(reported(life).values()) == {1}
    assert state_of(life) == state_of(straight)


@settings(max_examples=60, deadline=None)
@given(st.permutations(STRAIGHT))
def test_thirty_days_in_any_order_never_give_a_change_twice(order: list[tuple[int, int]]) -> None:
    life = replay([*order, *order])
    kinds = Counter((one.finding_id, one.kind) for one in life.changes if one.kind != "growing")
    assert set(reported(life).values()) | set(kinds.values()) <= {1}
    assert state_of(life) == state_of(replay(STRAIGHT))


def state_of(life: Life) -> dict[str, tuple[str, date, date]]:
    return {one.finding_id: (one.state, one.since_day, one.day) for one in life.findings}

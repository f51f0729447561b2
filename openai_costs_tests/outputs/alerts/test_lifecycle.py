from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.outputs.alerts.lifecycle import review
from openai_costs.settings import Alerts, Mute
from openai_costs_tests.outputs.alerts.fixtures import LATE, day, finding, judged, spell, through

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_costs.outputs.alerts.judged_days import Judged
    from openai_costs.outputs.alerts.rows import Candidate, Change, Finding


@dataclass
class Life:
    """Findings over several looks, and every change there was."""

    alerts: Alerts = field(default_factory=Alerts)
    findings: list[Finding] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def look(self, today: int, seen: Judged, *found: Candidate) -> list[tuple[str, bool]]:
        done = review(self.findings, found, seen, self.alerts, day(today))
        self.findings = done.findings
        self.changes += done.changes
        return [(one.kind, one.is_told) for one in done.changes]

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
    assert life.look(20, through(18), spell(18)) == [("opened", True)]
    assert life.look(20, through(18), spell(18)) == []
    assert (life.only.state, life.only.change, life.only.opened_day) == ("open", 1, day(20))
    assert life.only.docs == "docs/alerts.md#anomalies-spike"


def test_a_finding_closes_after_two_quiet_judged_days() -> None:
    life = Life()
    life.look(20, through(18), spell(18))
    assert life.look(21, through(19), spell(18)) == []
    assert life.look(22, through(20), spell(18)) == [("closed", True)]
    assert life.look(23, through(21), spell(18)) == []
    assert (life.only.state, life.only.closed_day) == ("closed", day(22))


def test_it_closes_the_same_way_when_a_question_hands_over_the_newest_day_only() -> None:
    life = Life()
    life.look(20, through(18), spell(18))
    life.look(21, through(19))
    assert life.look(22, through(20)) == [("closed", True)]


def test_a_restatement_that_takes_the_condition_away_closes_it_too() -> None:
    life = Life()
    life.look(21, through(19), spell(18, 19))
    assert life.look(22, through(20)) == []
    assert life.look(23, through(21)) == [("closed", True)]


def test_a_finding_that_comes_back_within_two_days_is_opened_again_under_its_id() -> None:
    life = Life()
    life.look(20, through(18), spell(18))
    life.look(22, through(20), spell(18))
    first = life.only.finding_id
    assert life.look(23, judged(*range(1, 22)), spell(18), spell(20, 21)) == [("opened", True)]
    assert (life.only.finding_id, life.only.state, life.only.change) == (first, "open", 3)


def test_one_look_without_the_condition_closes_a_finding_about_data() -> None:
    life = Life()
    late = spell(23, rule="data.late", impact_usd=None)
    assert life.look(23, judged(23, rule=LATE), late) == [("opened", True)]
    assert life.look(23, judged(23, rule=LATE)) == [("closed", True)]
    assert life.look(23, judged(23, rule=LATE)) == []


def test_a_restatement_that_moves_the_start_opens_nothing() -> None:
    life = Life()
    life.look(20, through(18), spell(17, 18))
    assert life.look(21, through(19), spell(18, 19)) == []
    assert life.only.since_day == day(17)


def test_the_rules_of_other_questions_are_left_alone() -> None:
    life = Life()
    life.look(20, through(18), spell(18))
    assert life.look(30, judged(30, rule=LATE)) == []
    assert life.only.state == "open"


# --- old, late and provisional -----------------------------------------------------------------


def test_a_backfill_of_old_days_is_recorded_and_told_to_nobody() -> None:
    life = Life()
    assert life.look(30, through(28), spell(3, 4)) == []
    assert (life.only.state, life.only.change) == ("closed", 0)


def test_old_days_judged_alone_are_not_told_either() -> None:
    life = Life()
    assert life.look(30, judged(3, 4), spell(3, 4)) == []
    assert life.only.state == "closed"


def test_what_began_long_ago_and_still_holds_is_told() -> None:
    assert Life().look(30, through(28), spell(3, 28)) == [("opened", True)]


def test_an_old_finding_that_turns_out_to_go_on_is_opened() -> None:
    life = Life()
    life.look(30, through(10), spell(3, 10))
    assert life.look(30, through(28), spell(3, 28)) == [("opened", True)]
    assert len(life.findings) == 1


def test_a_fresh_incident_that_is_already_over_is_opened_and_closed() -> None:
    assert Life().look(23, through(21), spell(18)) == [("opened", True), ("closed", True)]


def test_a_day_that_was_not_judged_opens_nothing() -> None:
    life = Life()
    assert life.look(20, through(18), spell(19)) == []
    assert life.findings == []


def test_a_day_that_was_not_judged_closes_nothing() -> None:
    life = Life()
    life.look(20, through(18), spell(18))
    assert life.look(28, through(18)) == []
    assert life.look(28, judged()) == []
    assert life.only.state == "open"


def test_an_older_look_changes_nothing() -> None:
    life = Life()
    life.look(20, through(18), spell(17, 18))
    before = life.findings
    assert life.look(20, through(17), spell(17, 17, impact_usd=Decimal(9999))) == []
    assert life.findings == before


# --- growing -----------------------------------------------------------------------------------


def test_a_finding_grows_by_factor_and_by_step() -> None:
    life = Life()
    life.look(20, through(18), spell(18, impact_usd=Decimal(100)))
    assert life.look(21, through(19), spell(18, 19, impact_usd=Decimal("149.99"))) == []
    assert life.look(22, through(20), spell(18, 20, impact_usd=Decimal(150))) == [("growing", True)]
    assert life.look(22, through(20), spell(18, 20, impact_usd=Decimal(150))) == []
    assert life.look(23, through(21), spell(18, 21, impact_usd=Decimal(224))) == []
    assert life.only.state == "growing"


def test_cents_do_not_make_a_finding_grow() -> None:
    life = Life()
    life.look(20, through(18), spell(18, impact_usd=Decimal(1)))
    assert life.look(21, through(19), spell(18, 19, impact_usd=Decimal(9))) == []


def test_a_finding_grows_when_it_becomes_more_severe_and_only_the_first_time() -> None:
    life = Life()
    life.look(20, through(18), spell(18))
    worse: dict[str, Any] = {"severity": "critical"}
    assert life.look(21, through(19), spell(18, 19, **worse)) == [("growing", True)]
    assert life.look(22, through(20), spell(18, 20)) == []
    assert life.look(23, through(21), spell(18, 21, **worse)) == []


def test_a_finding_without_dollars_does_not_grow() -> None:
    life = Life()
    life.look(20, through(18), spell(18, impact_usd=None))
    assert life.look(21, through(19), spell(18, 19, impact_usd=Decimal(900))) == []


# --- muted -------------------------------------------------------------------------------------


def test_a_mute_says_until_when_why_and_who() -> None:
    life = Life()
    life.look(20, through(18), spell(18))
    life.alerts = muted(25, finding=life.only.finding_id)
    assert life.look(20, through(18), spell(18)) == [("muted", True)]
    assert life.look(20, through(18), spell(18)) == []
    one = life.only
    assert (one.state, one.muted_until, one.mute_reason, one.muted_by) == (
        "muted",
        day(25),
        "known migration",
        "Ada",
    )


def test_who_muted_what_and_why_is_kept_when_the_mute_is_over() -> None:
    made = review([finding()], [], judged(), muted(25, finding=finding().finding_id), day(20))
    (muting,) = made.changes
    assert muting.because == (
        "key etl made 34 times as many requests as on other Wednesdays "
        "(muted through 2026-11-25 by Ada: known migration)"
    )


def test_a_mute_takes_effect_without_any_judgement() -> None:
    life = Life()
    life.look(20, through(18), spell(18))
    life.alerts = muted(25)
    assert life.look(20, judged()) == [("muted", True)]


def test_nothing_grows_during_a_mute_and_its_end_is_not_told() -> None:
    life = Life(muted(25))
    life.look(20, through(18), spell(18))
    assert life.look(21, through(19), spell(18, 19, impact_usd=Decimal(90000))) == []
    assert life.look(23, through(21), spell(18, 19)) == [("closed", False)]


def test_what_is_still_there_after_a_mute_is_opened_again() -> None:
    life = Life(muted(21))
    life.look(20, through(18), spell(18))
    assert life.look(21, through(19), spell(18, 19)) == []
    assert life.look(22, through(20), spell(18, 20)) == [("opened", True)]
    assert (life.only.state, life.only.mute_reason) == ("open", None)


# --- thirty days, in any order -----------------------------------------------------------------

HISTORY = [
    spell(3, 4),
    spell(5, 9, subject_id="key_b", severity="critical"),
    spell(12, 12, subject_id="key_c"),
    spell(20, 28, subject_id="key_d"),
    spell(15, 15, subject_id="key_b"),
    spell(14, 15, connection="labs"),
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
            seen.append(spell(start, end, impact_usd=grown, severity=one.severity, **kept))
    return seen


def both(last: int) -> Judged:
    return through(last) | judged(*range(1, last + 1), connection="labs")


def replay(order: Iterable[tuple[int, int]]) -> Life:
    """Look on `today` at data through a day, in the order given."""
    life = Life()
    for today, last in order:
        life.look(today, both(last), *as_of(last))
    return life


def told(life: Life) -> Counter[tuple[str, str, date]]:
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
    assert told(life) == told(straight)
    assert set(told(life).values()) == {1}
    assert state_of(life) == state_of(straight)


@settings(max_examples=60, deadline=None)
@given(st.permutations(STRAIGHT))
def test_thirty_days_in_any_order_never_give_a_change_twice(order: list[tuple[int, int]]) -> None:
    life = replay([*order, *order])
    kinds = Counter((one.finding_id, one.kind) for one in life.changes if one.kind != "growing")
    assert set(told(life).values()) | set(kinds.values()) <= {1}
    assert state_of(life) == state_of(replay(STRAIGHT))


def state_of(life: Life) -> dict[str, tuple[str, date, date]]:
    return {one.finding_id: (one.state, one.since_day, one.day) for one in life.findings}

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openai_costs.outputs.alerts.judged_days import judged_days, judged_today, settled_days
from openai_costs.questions.rules import Question
from openai_costs.tables.candidate import Finding
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import connected
from openai_costs_tests.outputs.alerts.fixtures import LATE, SPIKE, day

if TYPE_CHECKING:
    import polars as pl

TODAY = day(23)
READ = datetime(2026, 11, 23, tzinfo=UTC).replace(tzinfo=None)
QUESTION = Question((SPIKE,), (), lambda _lake, _facts: Finding.no_rows())


def coverage(*states: tuple[str, int, str], source: str = "costs") -> pl.DataFrame:
    rows = [(name, source, day(number), state, 1, 1, READ) for name, number, state in states]
    return connected(rows)


STATES = (
    ("acme", 1, "settled"),
    ("acme", 2, "settled"),
    ("acme", 3, "provisional"),
    ("labs", 1, "settled"),
    ("labs", 2, "missing"),
)


def test_only_settled_days_of_costs_are_judged() -> None:
    both = coverage(*STATES).vstack(coverage(("acme", 3, "settled"), source="usage"))
    assert settled_days(both) == {"acme": {day(1), day(2)}, "labs": {day(1)}, "*": {day(1)}}


def test_without_a_connection_nothing_is_judged() -> None:
    assert settled_days(Coverage.no_rows()) == {"*": frozenset()}


def test_a_day_that_a_daily_table_does_not_hold_is_not_judged() -> None:
    settled = settled_days(coverage(*STATES))
    made = judged_days(QUESTION, settled, [{"acme": {day(1)}, "labs": {day(1)}}], today=TODAY)
    assert made.of(SPIKE.id, "acme") == {day(1)}
    assert made.of(SPIKE.id, "*") == {day(1)}


def test_a_table_that_was_never_computed_judges_nothing() -> None:
    made = judged_days(QUESTION, settled_days(coverage(*STATES)), [{}], today=TODAY)
    assert made.of(SPIKE.id, "acme") == made.of(SPIKE.id, "*") == frozenset()


def test_a_connection_removed_from_the_settings_delays_no_other() -> None:
    """Its days stay in the lake; no new ones follow."""
    settled = settled_days(coverage(("acme", 1, "settled"), ("acme", 2, "settled")))
    made = judged_days(
        QUESTION, settled, [{"acme": {day(1), day(2)}, "sold": {day(1)}}], today=day(23)
    )
    assert made.of(SPIKE.id, "*") == {day(1), day(2)}


def test_a_connection_that_begins_later_or_was_never_read_delays_no_other() -> None:
    rows = coverage(("acme", 1, "settled"), ("acme", 2, "settled"), ("labs", 2, "settled"))
    never = coverage(("labs", 1, "missing"), ("new", 1, "missing"), ("new", 2, "missing"))
    settled = settled_days(rows.vstack(never))
    assert settled["*"] == {day(1), day(2)}
    made = judged_days(
        QUESTION, settled, [{"acme": {day(1), day(2)}, "labs": {day(2)}}], today=day(23)
    )
    assert made.of(SPIKE.id, "*") == {day(1), day(2)}


def test_a_connection_that_is_gone_is_judged_with_the_others() -> None:
    made = judged_days(QUESTION, settled_days(coverage(*STATES)), [], today=TODAY)
    assert made.of(SPIKE.id, "sold") == {day(1)}


def test_rules_about_data_judge_today_everywhere() -> None:
    made = judged_today([LATE], day(23))
    assert made.of(LATE.id, "any") == {day(23)}
    assert made.of(SPIKE.id, "any") == ()

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from openai_costs.questions.anomalies.explanation import comparisons
from openai_costs.questions.anomalies.ledger_series import History
from openai_costs_tests.questions.anomalies.bill import on

if TYPE_CHECKING:
    from datetime import date


def before(day: date, since: date, known: set[date], series: str = "key:acme/k") -> list[date]:
    """The days that a day of a series of acme is compared with."""
    history = History([], {"acme": known}, {"acme": "openai"}, {})
    flagged = pl.DataFrame({"series_id": [series], "day": [day], "since_day": [since]})
    (compared,) = comparisons(flagged, history)
    return compared.before["acme"]


def test_a_day_is_compared_with_the_same_weekday_before_the_incident() -> None:
    known = {on(number) for number in range(40)} - {on(21)}
    assert before(on(37), on(35), known) == [on(30), on(23), on(16), on(9)]
    assert before(on(35), on(35), known) == [on(28), on(14), on(7), on(0)]


def test_without_such_a_weekday_it_is_compared_with_the_newest_days() -> None:
    assert before(on(4), on(3), {on(0), on(1), on(3), on(4)}) == [on(1), on(0)]


def test_a_provider_is_compared_with_days_of_each_of_its_connections() -> None:
    assert before(on(7), on(7), {on(0), on(7)}, "provider:*/openai") == [on(0)]

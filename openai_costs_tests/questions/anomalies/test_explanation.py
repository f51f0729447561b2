from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openai_costs.kernel.money import MONEY
from openai_costs.questions.anomalies.contributors import leaf_rows
from openai_costs.questions.anomalies.explanation import comparisons, explain
from openai_costs.questions.anomalies.ledger_series import History
from openai_costs_tests.questions.anomalies.bill import bill, line, on

if TYPE_CHECKING:
    from datetime import date


def before(day: date, since: date, known: set[date], series: str = "key:acme/k") -> list[date]:
    """The days that a day of a series of acme is compared with."""
    history = History([], {"acme": known}, {"acme": "openai"}, {})
    flagged = pl.DataFrame({"series_id": [series], "day": [day], "since_day": [since]})
    (compared,) = comparisons(flagged, history)
    return compared.before["acme"]


def whose(lines: list[dict[str, Any]], day: int, series: str) -> tuple[str | None, str | None]:
    """The team and the owner of a flagged day of a series; all other days are the days before."""
    made = bill(*lines)
    known = set(made.spend["day"]) | {on(day)}
    names = {
        f"user:{user}": name
        for user, name in made.attribution.select("user_id", "user_name").iter_rows()
        if name
    }
    history = History([], {"acme": known}, {"acme": "openai"}, {"acme": names})
    flagged = pl.DataFrame(
        {"series_id": [series], "day": [on(day)], "since_day": [on(day)], "expected": ["1"]}
    ).with_columns(pl.col("expected").cast(MONEY))
    (one,) = explain(comparisons(flagged, history), history, leaf_rows(*made))
    return one.team, one.owner


BEFORE = line(0, "k", "ada", "90", team="labs")
"""A day of k, before it was given to bo and another team."""


def test_an_incident_is_of_who_spent_on_its_day_and_not_of_who_did_before() -> None:
    lines = [BEFORE, line(7, "k", "bo", "5"), line(7, "k", "ada", "2", team="labs")]
    assert whose(lines, 7, "key:acme/k") == ("search", "bo name")
    assert whose([BEFORE, line(7, "k", "bo", "900")], 0, "key:acme/k") == ("labs", "ada name")


def test_a_day_on_which_nothing_was_spent_is_of_who_spent_before() -> None:
    lines = [BEFORE, line(7, "j", "bo", "5")]
    assert whose(lines, 7, "key:acme/k") == ("labs", "ada name")
    assert whose(lines, 7, "user:acme/ada") == ("labs", "ada name")


SERIES = ("org:acme/", "project:acme/p", "model:acme/m", "usage_type:acme/output", "key:acme/k")


@pytest.mark.parametrize("series", SERIES)
def test_whatever_a_series_is_of_it_has_whose_more_than_half_of_the_day_is(series: str) -> None:
    lines = [BEFORE, line(0, "k", "bo", "89.99")]
    assert whose(lines, 0, series) == ("labs", "ada name")
    assert whose([BEFORE, line(0, "k", "bo", "90")], 0, series) == (None, None)


def test_dollars_without_a_team_or_a_person_are_not_those_of_the_others() -> None:
    lines = [line(0, "k", "eve", "90", team=None), line(0, "k", "ada", "5", team="labs")]
    assert whose(lines, 0, "project:acme/p") == (None, "eve name")
    unnamed = [line(0, "k", None, "90", team=None), line(0, "k", "ada", "5", team="labs")]
    assert whose(unnamed, 0, "key:acme/k") == (None, None)


def test_the_team_of_a_key_is_known_where_users_are_named_apart_from_keys() -> None:
    made, people = bill(BEFORE), bill(line(0, "k", "ada", "90", project_id=None, api_key_id=None))
    rows = leaf_rows(made.spend, people.attribution, made.ledger)
    assert rows.filter(~pl.col("is_of_people"))["team"].to_list() == ["labs"]


def test_a_name_that_is_an_address_is_not_an_owner() -> None:
    address = "ada" + "@" + "acme.example"
    assert whose([BEFORE | {"user_name": address}], 0, "key:acme/k") == ("labs", "ada")
    assert whose([BEFORE | {"user_name": None}], 0, "key:acme/k") == ("labs", "ada")


def test_a_day_is_compared_with_the_same_weekday_before_the_incident() -> None:
    known = {on(number) for number in range(40)} - {on(21)}
    assert before(on(37), on(35), known) == [on(30), on(23), on(16), on(9)]
    assert before(on(35), on(35), known) == [on(28), on(14), on(7), on(0)]


def test_without_such_a_weekday_it_is_compared_with_the_newest_days() -> None:
    assert before(on(4), on(3), {on(0), on(1), on(3), on(4)}) == [on(1), on(0)]


def test_a_provider_is_compared_with_days_of_each_of_its_connections() -> None:
    assert before(on(7), on(7), {on(0), on(7)}, "provider:*/openai") == [on(0)]

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from openai_costs.questions.anomalies.ledger_series import (
    Seen,
    facts_about,
    filled,
    kind_of,
    level_called,
    seen,
    together,
)
from openai_costs.questions.series import calendar
from openai_costs_tests.questions.anomalies.bill import Bill, bill, line, on

if TYPE_CHECKING:
    from datetime import date

TWO = bill(line(0, "k1", "ada", "1.5"), line(0, "k2", "ada", "2"), line(1, "k2", None, "4"))


def seen_in(made: Bill) -> Seen:
    return seen(made.spend, made.attribution)


def costs(frame: pl.DataFrame) -> dict[tuple[str, date], Decimal]:
    return {(name, day): cost for name, day, cost in frame.iter_rows()}


def test_a_line_is_in_the_series_of_everything_it_names() -> None:
    told = costs(seen_in(TWO).spend)
    names = ("org", "project:p", "user:ada", "key:k1", "model:m", "usage_type:output")
    assert [told[name, on(0)] for name in names] == [
        *map(Decimal, ("3.5", "3.5", "3.5", "1.5", "3.5", "3.5"))
    ]
    assert ("user:ada", on(1)) not in told
    assert told["key:k2", on(1)] == 4


def test_series_that_meet_in_a_line_belong_together_and_all_to_the_whole() -> None:
    pairs = set(seen_in(TWO).belongs.iter_rows())
    assert {("key:k1", "user:ada"), ("user:ada", "key:k2"), ("key:k1", "project:p")} <= pairs
    assert {("key:k1", "org"), ("model:m", "org"), ("user:ada", "org")} <= pairs
    assert ("key:k1", "key:k2") not in pairs


def test_a_key_is_its_dearest_users_and_everything_has_its_newest_name() -> None:
    made = bill(
        line(0, "k", "ada", "1", api_key_name="old"),
        line(1, "k", "bo", "5", api_key_name="new", team="labs"),
        line(1, "k", "ada", "2", api_key_name="new"),
    )
    told = {row[0]: row[1:] for row in facts_about(together([seen_in(made)]).about).iter_rows()}
    assert told["key:k"] == ("new", "labs", "bo name")
    assert told["user:ada"] == ("ada name", "search", "ada name")
    assert told["project:p"][0] == "Search"


def test_a_name_that_is_an_address_is_not_an_owner() -> None:
    made = bill(line(0, "k", "ada", "1", user_name="ada" + "@" + "acme.example"))
    told = {row[0]: row[3] for row in facts_about(seen_in(made).about).iter_rows()}
    assert told["key:k"] == "ada"


def test_an_unknown_day_takes_the_dollars_of_the_day_that_stands_in() -> None:
    spend = seen_in(bill(*(line(number, "k", "ada", f"{number + 1}") for number in range(9)))).spend
    known = {on(number) for number in range(10)} - {on(8)}
    told = costs(filled(spend, calendar(known)))
    assert told["key:k", on(8)] == told["key:k", on(1)] == 2
    assert told["key:k", on(7)] == 8


def test_several_stretches_of_days_are_one_history() -> None:
    parts = [seen_in(bill(line(0, "k", "ada", "1"))), seen_in(bill(line(1, "k", "ada", "2")))]
    assert costs(together(parts).spend)["org", on(1)] == 2
    assert together(parts).about.filter(pl.col("series_id") == "key:k")["usd"].sum() == 6


def test_levels_are_called_as_in_tables() -> None:
    for level, kind in {"org": "organization", "key": "api_key", "user": "user"}.items():
        assert (kind_of(level), level_called(kind)) == (kind, level)

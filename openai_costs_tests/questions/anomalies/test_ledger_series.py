from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from openai_costs.questions.anomalies.ledger_series import History, history_of
from openai_costs.questions.anomalies.ledger_sums import Bill as Sums
from openai_costs.questions.anomalies.ledger_sums import (
    LedgerSeries,
    People,
    ledger_series,
    of_bill,
    of_people,
)
from openai_costs.questions.anomalies.series_ids import kind_of, level_called
from openai_costs.storage.slices import slices_frame
from openai_costs_tests.questions.anomalies.bill import Bill, bill, line, on

if TYPE_CHECKING:
    from datetime import date

TWO = bill(line(0, "k1", "ada", "1.5"), line(0, "k2", "ada", "2"), line(1, "k2", None, "4"))


def series_of(made: Bill, *unknown: tuple[str, date]) -> LedgerSeries:
    slices = slices_frame(unknown)
    bill = Sums(*pl.collect_all(of_bill(made.spend.lazy(), slices)))
    people = People(*pl.collect_all(of_people(made.attribution.lazy(), slices)))
    return ledger_series(bill, people)["acme"]


def history(series: LedgerSeries, known: set[date]) -> History:
    return history_of({"acme": series}, {"acme": known}, {"acme": "openai"})


def costs(frame: pl.DataFrame) -> dict[tuple[str, date], Decimal]:
    return {(name, day): cost for name, day, cost in frame.iter_rows()}


def test_a_line_is_in_the_series_of_everything_it_names() -> None:
    told = costs(series_of(TWO).spend)
    names = ("org", "project:p", "user:ada", "key:k1", "model:m", "usage_type:output")
    assert [told[name, on(0)] for name in names] == [
        *map(Decimal, ("3.5", "3.5", "3.5", "1.5", "3.5", "3.5"))
    ]
    assert ("user:ada", on(1)) not in told
    assert told["key:k2", on(1)] == 4


def test_series_that_meet_in_a_line_belong_together_and_all_to_the_whole() -> None:
    pairs = set(series_of(TWO).hierarchy.iter_rows())
    assert {("key:k1", "user:ada"), ("user:ada", "key:k2"), ("key:k1", "project:p")} <= pairs
    assert {("key:k1", "org"), ("model:m", "org"), ("user:ada", "org")} <= pairs
    assert ("key:k1", "key:k2") not in pairs


def test_everything_has_its_newest_name_that_is_one() -> None:
    made = bill(
        line(0, "k", "ada", "1", api_key_name="old"),
        line(1, "k", "bo", "5", api_key_name="new"),
        line(1, "j", "ada", "2", api_key_name=""),
    )
    told = history(series_of(made), known={on(0), on(1)}).names["acme"]
    assert told == {
        "key:k": "new",
        "user:ada": "ada name",
        "user:bo": "bo name",
        "project:p": "Search",
    }


def test_an_unknown_day_takes_the_dollars_of_the_day_that_stands_in() -> None:
    lines = [line(number, "k", "ada", f"{number + 1}") for number in range(9)]
    known = {on(number) for number in range(10)} - {on(8)}
    group = history(series_of(bill(*lines)), known=known).groups[0]
    told = costs(group.spend)
    assert told["key:acme/k", on(8)] == told["key:acme/k", on(1)] == 2
    assert told["key:acme/k", on(7)] == 8


def test_the_dollars_of_an_unknown_day_say_nothing() -> None:
    lines = [line(0, "k", "ada", "1"), line(1, "j", "bo", "2", api_key_name="new")]
    some, without = series_of(bill(*lines), ("acme", on(1))), series_of(bill(*lines[:1]))
    for one, other in zip(some, without, strict=True):
        assert sorted(map(str, one.rows())) == sorted(map(str, other.rows()))


def test_each_of_three_providers_is_a_series_of_its_own_dollars() -> None:
    usd = {"openai": "1", "anthropic": "2", "google": "4"}
    parts = {who: series_of(bill(line(0, "k", None, some))) for who, some in usd.items()}
    made = history_of(parts, {who: {on(0)} for who in usd}, {who: who for who in usd})
    wholes = [one for one in made.groups if one.connection == "*"]
    found = {name: cost for one in wholes for (name, _), cost in costs(one.spend).items()}
    assert found == {f"provider:*/{who}": Decimal(some) for who, some in usd.items()}


def test_the_connections_of_a_provider_are_one_series_on_the_days_that_all_have() -> None:
    series = series_of(bill(*(line(day, "k", "ada", "2") for day in (0, 1))))
    known = {"acme": {on(0), on(1)}, "labs": {on(0)}}
    both = history_of(dict.fromkeys(known, series), known, dict.fromkeys(known, "openai"))
    provider = both.groups[-1]
    assert costs(provider.spend) == {("provider:*/openai", on(0)): 4}
    assert (provider.connection, provider.judged) == ("*", {on(0)})
    assert ("org:labs/", "provider:*/openai") in both.hierarchy.rows()


def test_levels_are_called_as_in_tables() -> None:
    for level, kind in {"org": "organization", "key": "api_key", "user": "user"}.items():
        assert (kind_of(level), level_called(kind)) == (kind, level)

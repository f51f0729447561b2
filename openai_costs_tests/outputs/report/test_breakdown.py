from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from openai_costs.outputs.report.breakdown import QueryError, breakdown, query_of
from openai_costs.tables.core.usage import Usage
from openai_costs_tests.outputs.report.bill import january, of, page

if TYPE_CHECKING:
    import polars as pl

LINES = [
    (1, "a", "ana", "1.000000000000000001"),
    (2, "a", "bo", "2"),
    (2, "b", None, "4"),
    (9, "b", "ana", "8"),
]


def rows(**parameters: str) -> pl.DataFrame:
    keys = {key.rstrip("_"): value for key, value in parameters.items()}
    return breakdown(page(LINES, "s" * 9).cube, query_of(keys.items()))


def test_a_row_per_group_the_most_dollars_first_to_the_last_digit() -> None:
    made = rows(by="user")
    assert made.select("user", "user_name", "billed_usd").rows() == [
        ("ana", "ana", Decimal("9.000000000000000001")),
        ("~none", "(no user)", Decimal(4)),
        ("bo", "bo", Decimal(2)),
    ]
    assert made["tokens"].to_list() == [None, None, None]


def test_filters_are_any_set_of_ids_and_none_is_one_of_them() -> None:
    assert sum(rows(by="project", user="~none,bo")["billed_usd"]) == 6
    assert rows(by="project", user="cy").is_empty()
    assert rows(by="project", from_="2026-01-02", to="2026-01-02")["billed_usd"].to_list() == [4, 2]


def test_days_are_taken_as_the_page_takes_them_also_those_that_it_does_not_have() -> None:
    turned = rows(by="project", from_="2026-01-05", to="2026-01-02")
    assert not turned.is_empty()
    assert turned.equals(rows(by="project", from_="2026-01-02", to="2026-01-05"))
    for days in ({"from_": "2027-01-01"}, {"to": "2025-01-31"}):
        assert rows(by="project", **days).is_empty()


def test_two_groups_and_a_grain_give_a_row_for_each_period() -> None:
    made = rows(by="project", then="user", grain="week")
    assert made.columns[:5] == ["period", "project", "project_name", "user", "user_name"]
    assert [str(day) for day in made["period"]] == ["2025-12-29"] * 3 + ["2026-01-05"]


def test_what_only_the_page_draws_changes_no_row() -> None:
    assert rows(by="user", unit="tokens", chart="lines", sort="tokens.up").equals(rows(by="user"))


def test_a_comparison_that_no_row_would_show_is_refused() -> None:
    assert rows(by="user", compare="none").equals(rows(by="user"))
    with pytest.raises(QueryError, match=r"compare=last_month is of the page alone\. Request the"):
        rows(by="user", compare="last_month")


def test_tokens_whose_dollars_are_elsewhere_have_no_price_and_not_the_price_0() -> None:
    tokens = [{"day": january(1), "connection": "acme", "provider": "openai", "user_id": "ana"}]
    counts = {"endpoint": "completions", "input_tokens": 10, "output_tokens": 5}
    usage = of(Usage, *(one | counts for one in tokens), tokens[0] | counts | {"user_id": "cy"})
    made = breakdown(page(LINES, "s" * 9, usage=usage).cube, query_of([("by", "user")]))
    prices = dict(made.select("user", "usd_per_million_tokens").iter_rows())
    assert prices["ana"] == pytest.approx(9e6 / 15)
    assert prices["cy"] is None


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"by": "planet"}, "planet is not a dimension. Dimensions: provider, "),
        ({"user_id": "u"}, "user_id is not a key. Keys: by, then, from, to, grain, "),
        ({"from": "yesterday"}, "from=yesterday is not a day: write it as 2026-10-31."),
        ({"grain": "hour"}, "hour is not a grain. Grains: day, week, month."),
    ],
)
def test_what_is_not_understood_has_a_sentence(parameters: dict[str, str], sentence: str) -> None:
    with pytest.raises(QueryError) as refused:
        query_of(parameters.items())
    assert str(refused.value).startswith(sentence)

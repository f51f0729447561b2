from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import polars as pl

from openai_costs.questions.optimization.measured import (
    PERIOD_DAYS,
    lines,
    paid,
    periods,
    together,
    tokens,
)
from openai_costs_tests.questions.optimization.month import (
    FIRST,
    LAST,
    MONTH,
    Month,
    billed,
    coverage,
    line,
    used,
)
from openai_costs_tests.questions.usage.frames import tokens as counts

DAYS = periods(coverage())
EARLIER = FIRST - timedelta(days=1)


def test_a_period_is_the_newest_thirty_days_up_to_the_last_that_is_settled() -> None:
    newer = coverage([LAST + timedelta(days=1)], "provisional")
    older = coverage([EARLIER])
    found = periods(pl.concat([older, coverage(), newer]))
    assert found.height == PERIOD_DAYS
    assert (found["day"].min(), found["day"].max()) == (FIRST, LAST)


def test_each_connection_has_a_period_of_its_own() -> None:
    other = coverage(MONTH[:3]).with_columns(connection=pl.lit("bolt"))
    found = periods(pl.concat([coverage(), other])).group_by("connection").agg(pl.col("day").max())
    assert dict(found.rows()) == {"acme": LAST, "bolt": MONTH[2]}


def test_the_days_of_usage_and_directory_say_nothing_about_the_ledger() -> None:
    assert periods(coverage().with_columns(source=pl.lit("usage"))).is_empty()


def test_what_is_outside_of_the_period_is_not_measured() -> None:
    assert tokens(used(counts(1) | {"day": EARLIER}), DAYS).is_empty()
    assert lines(billed(line("gpt-4.1, input", "1", "1", day=EARLIER)), DAYS).is_empty()


def test_users_of_a_key_are_added_up_and_tiers_are_not() -> None:
    row = counts(5) | {"day": LAST}
    found = tokens(used(row, row | {"user_id": "u"}, row | {"batch": True}), DAYS)
    assert dict(found.select("service_tier", "input").rows()) == {"batch": 5, "standard": 10}


def test_days_and_batches_of_one_label_are_added_up() -> None:
    first, last = (line("gpt-4.1, input", "2", "1000000", day=day) for day in (FIRST, LAST))
    unknown = line("gpt-4.1, input", "3", None, quantity_unit="tokens")
    found = together(lines(billed(row), DAYS) for row in (first, last, unknown))
    assert found.select("billed_usd", "quantity").rows() == [(Decimal(7), Decimal(2_000_000))]


def test_what_was_paid_of_list_price_is_known_where_both_are() -> None:
    rows = [
        line("gpt-4.1, input", "1", "1000000"),
        line("gpt-4.1, output", "8", "1000000"),
        line("gpt-4.1, cached input", "9", None),
        line("gpt-99-nova, input", "9", "1000000"),
    ]
    found = paid(Month(spend=billed(*rows)).price_check, DAYS)
    assert found.select("model", "billed_usd", "expected_usd").rows() == [
        ("gpt-4.1", Decimal(9), Decimal(10))
    ]


def test_a_connection_without_settled_days_has_no_facts() -> None:
    assert Month(coverage=coverage([])).all_facts == []

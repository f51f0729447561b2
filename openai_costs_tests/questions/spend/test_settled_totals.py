from datetime import datetime
from decimal import Decimal

import polars as pl
import pytest

from openai_costs.questions.spend.settled_totals import changes
from openai_costs.tables.mart.restatements import Restatements
from openai_costs_tests.org import day


def change(
    previous: str, current: str, seen: int = 21, connection: str = "acme"
) -> dict[str, object]:
    was, now = Decimal(previous), Decimal(current)
    return {
        "connection": connection,
        "day": day(14),
        "seen_at": datetime(2026, 11, seen, 6),  # noqa: DTZ001 - as stored
        "previous_read_at": datetime(2026, 11, seen - 1, 6),  # noqa: DTZ001 - as stored
        "previous_usd": was,
        "current_usd": now,
        "change_usd": now - was,
        "lines_changed": 1,
        "what_changed": "p / gpt-5, input",
    }


def restated(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=Restatements.types(), orient="row")


@pytest.mark.parametrize(
    ("previous", "current", "size"),
    [
        ("512.30", "0", "very large"),
        ("0.05", "0", "very large"),
        ("100", "125", "large"),
        ("100", "125.01", "very large"),
        ("100", "74.99", "very large"),
        ("200", "220", "small"),
        ("200", "220.01", "large"),
        ("0.50", "1.40", "small"),
        ("0", "80", "large"),
        ("-40", "0", "very large"),
        ("100", "100", "small"),
    ],
)
def test_a_change_of_a_settled_day_is_judged_by_its_share_and_its_dollars(
    previous: str, current: str, size: str
) -> None:
    (one,) = changes(restated(change(previous, current)))
    assert one.size == size


def test_the_newest_change_of_a_day_counts() -> None:
    (one,) = changes(restated(change("100", "0", seen=21), change("100", "101", seen=20)))
    assert (one.size, one.current_usd) == ("very large", Decimal(0))


def test_a_day_that_is_back_at_an_earlier_total_is_not_judged() -> None:
    (one,) = changes(restated(change("100", "0", seen=20), change("0", "100", seen=21)))
    assert one.size == "small"


def test_days_of_two_connections_are_judged_apart() -> None:
    found = changes(restated(change("9", "0", connection="bolt"), change("200", "201")))
    assert [(one.connection, one.size) for one in found] == [
        ("acme", "small"),
        ("bolt", "very large"),
    ]


def test_the_sentence_has_both_totals_the_day_the_connection_and_what_to_do() -> None:
    gone, moved = changes(restated(change("512.30", "0"), change("100", "150", connection="bolt")))
    assert str(gone) == (
        "The settled spend of connection acme on 2026-11-14 changed from $512.30 to $0.00 "
        "(-$512.30) with the read of 2026-11-21 06:00 UTC. The provider may have reversed "
        "the charges, or the key may read another organization: run openai-costs doctor."
    )
    assert str(moved).endswith("mart.restatements lists the lines that changed.")

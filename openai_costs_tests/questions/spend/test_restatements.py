from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import polars as pl

from openai_costs.questions.spend.restatements import (
    LINES_SHOWN,
    Reading,
    changed_lines,
    restatements,
)
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.mart.restatements import Restatements
from openai_costs_tests.org import day

RICH = "project_id,user_id,api_key_id,line_item"
PLAIN = "project_id,api_key_id,line_item"
Line = tuple[str | None, str | None, str, str]
WAS = (("p", "ada", "gpt-5, input", "10"), ("p", "bo", "gpt-5, output", "4.2"))


def ledger(*lines: Line, grouping: str = RICH) -> pl.DataFrame:
    """Lines as (project, user, label, USD)."""
    blank = dict.fromkeys(Ledger.types())
    known = {"connection": "acme", "provider": "openai", "day": day(1), "grouping": grouping}
    rows = [
        blank
        | known
        | {"project_id": project, "user_id": user, "line_item": label, "billed_usd": Decimal(usd)}
        | {"cost_basis": "billed"}
        for project, user, label, usd in lines
    ]
    return pl.DataFrame(rows, schema=Ledger.types())


def reading(number: int, *lines: Line, settled: bool = True, grouping: str = RICH) -> Reading:
    at = datetime(2026, 11, number, tzinfo=UTC)
    return Reading("acme", day(1), at, settled, ledger(*lines, grouping=grouping), at)


def test_a_read_dated_after_the_one_behind_it_settled_nothing() -> None:
    changed = (("p", "ada", "gpt-5, input", "37"),)
    assert restatements([reading(20, *WAS), reading(6, *changed)]).is_empty()


def test_a_clock_that_falls_behind_hides_no_change_of_a_settled_day() -> None:
    behind = reading(2, ("p", "ada", "gpt-5, input", "37"))
    behind = behind._replace(latest_at=datetime(2026, 11, 6, tzinfo=UTC))
    assert restatements([reading(3, *WAS), behind]).height == 1


def test_a_settled_day_that_changed_is_recorded_from_when_to_when_and_by_how_much() -> None:
    now = (("p", "ada", "gpt-5, input", "37"), ("p", "bo", "gpt-5, output", "4.2"))
    (row,) = restatements([reading(3, *WAS), reading(6, *now)]).rows(named=True)
    assert row == {
        "connection": "acme",
        "day": day(1),
        "seen_at": datetime(2026, 11, 6),  # noqa: DTZ001 - the table is naive UTC
        "previous_read_at": datetime(2026, 11, 3),  # noqa: DTZ001
        "previous_usd": Decimal("14.2"),
        "current_usd": Decimal("41.2"),
        "change_usd": Decimal("27.0"),
        "lines_changed": 1,
        "cost_basis": "billed",
        "what_changed": "p / ada / none / gpt-5, input: $10.00 -> $37.00",
    }


def test_a_provisional_day_that_changed_was_only_filling_up() -> None:
    assert restatements([reading(1, *WAS[:1], settled=False), reading(6, *WAS)]).is_empty()


def test_the_same_lines_in_another_order_are_no_change() -> None:
    assert restatements([reading(3, *WAS), reading(6, *WAS[::-1])]).is_empty()


def test_the_same_dollars_on_more_rows_are_no_change() -> None:
    halves = (("p", "ada", "gpt-5, input", "5"),) * 2 + WAS[1:]
    assert restatements([reading(3, *WAS), reading(6, *halves)]).is_empty()


def test_a_line_that_is_gone_is_reported_as_gone_to_zero() -> None:
    (row,) = restatements([reading(3, *WAS), reading(6, *WAS[:1])]).rows(named=True)
    assert row["change_usd"] == Decimal("-4.2")
    assert row["what_changed"] == "p / bo / none / gpt-5, output: $4.20 -> $0.00"


def test_a_day_that_lost_every_line_is_recorded() -> None:
    (row,) = restatements([reading(3, *WAS), reading(6)]).rows(named=True)
    assert (row["previous_usd"], row["current_usd"]) == (Decimal("14.2"), Decimal(0))
    assert row["lines_changed"] == 2


def test_a_settled_day_without_rows_that_is_filled_later_is_recorded() -> None:
    (row,) = restatements([reading(3), reading(6, *WAS)]).rows(named=True)
    assert row["change_usd"] == Decimal("14.2")


def test_dollars_that_moved_between_lines_are_recorded_with_a_change_of_zero() -> None:
    moved = (("p", "ada", "gpt-5, input", "4.2"), ("p", "bo", "gpt-5, output", "10"))
    (row,) = restatements([reading(3, *WAS), reading(6, *moved)]).rows(named=True)
    assert row["change_usd"] == Decimal(0)
    assert row["lines_changed"] == 2


def test_a_change_in_the_eighteenth_decimal_is_a_change() -> None:
    now = (("p", "ada", "gpt-5, input", "10.000000000000000001"), WAS[1])
    (row,) = restatements([reading(3, *WAS), reading(6, *now)]).rows(named=True)
    assert row["change_usd"] == Decimal("0.000000000000000001")


def test_reads_in_other_groupings_are_compared_in_what_both_were_asked_for() -> None:
    without_users = (("p", None, "gpt-5, input", "10"), ("p", None, "gpt-5, output", "4.2"))
    plain = reading(6, *without_users, grouping=PLAIN)
    assert restatements([reading(3, *WAS), plain]).is_empty()


def test_a_change_between_other_groupings_is_reported_in_the_shared_dimensions() -> None:
    without_users = (("p", None, "gpt-5, input", "12"), ("p", None, "gpt-5, output", "4.2"))
    plain = reading(6, *without_users, grouping=PLAIN)
    (row,) = restatements([reading(3, *WAS), plain]).rows(named=True)
    assert row["what_changed"] == "p / none / gpt-5, input: $10.00 -> $12.00"


def test_spend_of_no_project_is_one_line_and_not_many() -> None:
    nobody = ((None, None, "storage", "1"),)
    assert changed_lines(ledger(*nobody), ledger(*nobody)).is_empty()
    (row,) = changed_lines(ledger(*nobody), ledger((None, None, "storage", "3"))).rows()
    assert row[-2:] == (Decimal(1), Decimal(3))


def test_each_change_is_a_row_of_its_own() -> None:
    one, two, three = ((("p", "ada", "x, input", usd),) for usd in ("1", "2", "5"))
    found = restatements([reading(3, *one), reading(5, *two), reading(6, *two), reading(8, *three)])
    assert found.select("previous_usd", "current_usd").rows() == [
        (Decimal(1), Decimal(2)),
        (Decimal(2), Decimal(5)),
    ]
    assert Restatements.broken_rules(found) == []


def test_the_largest_changes_are_shown_first_and_the_rest_is_counted() -> None:
    count = LINES_SHOWN + 2
    was = [("p", "ada", f"m{n}, input", "0") for n in range(count)]
    now = [("p", "ada", f"m{n}, input", str(n + 1)) for n in range(count)]
    (row,) = restatements([reading(3, *was), reading(6, *now)]).rows(named=True)
    said = row["what_changed"].split("; ")
    assert said[0] == f"p / ada / none / m{count - 1}, input: $0.00 -> ${count}.00"
    assert said[-1] == "and 2 more lines"
    assert len(said) == LINES_SHOWN + 1


def test_one_reading_or_none_has_nothing_to_compare() -> None:
    assert restatements([]).schema == Restatements.no_rows().schema
    assert restatements([reading(3, *WAS)]).is_empty()

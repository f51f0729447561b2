from __future__ import annotations

from decimal import Decimal

import polars as pl

from openai_costs.outputs.report.tiers import with_tiers
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs_tests.org import added
from openai_costs_tests.outputs.report.bill import attribution, january, of

Line = tuple[str | None, str | None, str | None, str]


def ledger(*lines: Line) -> pl.DataFrame:
    """core.spend of 1 January: project, user, tier, USD."""
    return of(
        Ledger,
        *(
            {
                "day": january(1),
                "connection": "acme",
                "project_id": project,
                "user_id": user,
                "model": "gpt-5",
                "usage_type": "input",
                "service_tier": tier,
                "billed_usd": Decimal(usd),
            }
            for project, user, tier, usd in lines
        ),
    )


def tiers(rows: pl.DataFrame) -> list[tuple[str | None, str | None, Decimal]]:
    summed = rows.group_by("user_id", "service_tier").agg(pl.col("billed_usd").sum())
    return sorted(summed.rows(), key=str)


def test_a_user_of_the_bill_has_the_tiers_of_the_bill() -> None:
    rows = attribution([(1, "a", "u", "3"), (1, "a", "v", "1")])
    bill = ledger(("a", "u", "standard", "2"), ("a", "u", "batch", "1"), ("a", "v", None, "1"))
    assert tiers(with_tiers(rows, bill)) == [
        ("u", "batch", Decimal(1)),
        ("u", "standard", Decimal(2)),
        ("v", None, Decimal(1)),
    ]


def test_people_who_share_lines_of_several_tiers_share_each_to_the_last_digit() -> None:
    thirds = [(1, "a", "u", "0.333333333333333333"), (1, "a", "v", "0.666666666666666667")]
    rows = attribution(thirds)
    bill = ledger(("a", None, "standard", "0.9"), ("a", None, "priority", "0.1"))
    made = with_tiers(rows, bill)
    by_tier = dict(made.group_by("service_tier").agg(pl.col("billed_usd").sum()).iter_rows())
    by_user = dict(made.group_by("user_id").agg(pl.col("billed_usd").sum()).iter_rows())
    assert by_tier == {"standard": Decimal("0.9"), "priority": Decimal("0.1")}
    assert by_user == {user: Decimal(usd) for _, _, user, usd in thirds}


def test_a_bill_that_names_users_and_projects_apart_still_has_its_tier() -> None:
    rows = attribution([(1, None, "u", "2"), (1, None, "v", "1")])
    bill = ledger(("a", None, "standard", "1.5"), ("b", None, "standard", "1.5"))
    assert {tier for _, tier, _ in tiers(with_tiers(rows, bill))} == {"standard"}


def test_a_credit_beside_a_charge_is_not_shared_in_proportion() -> None:
    rows = attribution([(1, "a", "u", "3"), (1, "a", "v", "-1")])
    bill = ledger(("a", None, "standard", "2.5"), ("a", None, "batch", "-0.5"))
    made = with_tiers(rows, bill)
    assert tiers(made) == [("u", None, Decimal(3)), ("v", None, Decimal(-1))]


def test_what_the_ledger_does_not_have_keeps_its_dollars() -> None:
    rows = attribution([(1, "a", "u", "3"), (2, "a", "u", "4")])
    made = with_tiers(rows, ledger(("a", "u", "standard", "2")))
    assert added(made["billed_usd"]) == 7
    assert made["service_tier"].to_list() == [None, None]


def test_an_item_of_one_tier_has_it_whoever_has_its_dollars_and_a_credit_of_it_too() -> None:
    rows = attribution([(1, "a", "u", "3"), (1, None, "v", "-1"), (1, "b", None, "0")])
    bill = ledger(("a", None, "batch", "2.5"), ("c", "w", "batch", "-0.5"))
    assert tiers(with_tiers(rows, bill)) == [
        ("u", "batch", Decimal(3)),
        ("v", "batch", Decimal(-1)),
    ]


def test_an_item_of_one_tier_that_does_not_tie_out_is_matched_line_by_line() -> None:
    rows = attribution([(1, "a", "u", "3"), (1, "b", "v", "1")])
    bill = ledger(("a", "u", "batch", "3"), ("b", "v", "batch", "2"))
    assert tiers(with_tiers(rows, bill)) == [("u", "batch", Decimal(3)), ("v", None, Decimal(1))]

from __future__ import annotations

from decimal import Decimal

import polars as pl

from openai_costs.questions.spend.team_split import split_by_team
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.questions.spend.acme import ACME, ledger, line, rows

Cut = dict[tuple[str | None, str | None], Decimal]


def attributed(*parts: tuple[str | None, str | None, str]) -> pl.DataFrame:
    """mart.spend_attribution from (project, team, USD)."""
    known = ACME | {"model": "gpt-5", "usage_type": "input", "attribution": "direct"}
    said = (
        known | {"project_id": project, "team": team, "billed_usd": Decimal(usd)}
        for project, team, usd in parts
    )
    return rows(SpendAttribution, said)


def cut(spent: pl.DataFrame, whose: pl.DataFrame) -> Cut:
    """Dollars by project and team."""
    found = split_by_team(spent, whose)
    return {
        (row[0], row[1]): row[2]
        for row in found.select("project_id", "team", "billed_usd").iter_rows()
    }


def test_the_dollars_of_a_project_are_split_as_the_attribution_splits_them() -> None:
    spent = ledger(line("app", None, "5"), line("lab", None, "1"))
    whose = attributed(("app", "routing", "3"), ("app", "search", "2"), ("lab", None, "1"))
    assert cut(spent, whose) == {
        ("app", "routing"): Decimal(3),
        ("app", "search"): Decimal(2),
        ("lab", None): Decimal(1),
    }


def test_dollars_named_apart_from_projects_are_allocated_to_them_in_proportion() -> None:
    spent = ledger(line("app", None, "6"), line("lab", None, "3"), line("ops", None, "1"))
    whose = attributed((None, "routing", "8"), (None, "search", "2"))
    assert cut(spent, whose) == {
        ("app", "routing"): Decimal("4.8"),
        ("app", "search"): Decimal("1.2"),
        ("lab", "routing"): Decimal("2.4"),
        ("lab", "search"): Decimal("0.6"),
        ("ops", "routing"): Decimal("0.8"),
        ("ops", "search"): Decimal("0.2"),
    }


def test_one_team_named_apart_has_all_the_dollars_of_the_projects() -> None:
    spent = ledger(line("app", None, "6"), line("lab", None, "3"))
    assert cut(spent, attributed((None, "routing", "9"))) == {
        ("app", "routing"): Decimal(6),
        ("lab", "routing"): Decimal(3),
    }


def test_with_a_credit_both_sums_hold_and_only_the_largest_project_is_divided() -> None:
    spent = ledger(line("app", None, "10"), line("lab", None, "-2"))
    whose = attributed((None, "routing", "9"), (None, "search", "-1"))
    assert cut(spent, whose) == {
        ("app", "routing"): Decimal(11),
        ("app", "search"): Decimal(-1),
        ("lab", "routing"): Decimal(-2),
    }


def test_dollars_that_no_attribution_has_are_of_no_team() -> None:
    spent = ledger(line("app", None, "5"))
    assert cut(spent, attributed(("app", "routing", "3"))) == {
        ("app", "routing"): Decimal(3),
        ("app", None): Decimal(2),
    }
    assert cut(spent, SpendAttribution.no_rows()) == {("app", None): Decimal(5)}


def test_the_attribution_of_other_slices_is_left_alone() -> None:
    other = attributed(("app", "routing", "5")).with_columns(connection=pl.lit("bolt"))
    assert cut(Ledger.no_rows(), other) == {}

"""Where each budget stands: numbers in words, and the lengths of a bar. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from openai_costs.budgets.glance import newest
from openai_costs.report.dollars import NONE, cents, dollars, share
from openai_costs.report.facts import BudgetBar
from openai_costs.report.names import without_address

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH: Final = 160


def budget_bars(status: pl.DataFrame) -> tuple[BudgetBar, ...]:
    """Return the budgets whose period is not over, the fullest first.

    Args:
        status: mart.budget_status.
    """
    rows = newest(status).filter(~pl.col("is_over")).iter_rows(named=True)
    return tuple(map(_bar, rows))


def _bar(row: Mapping[str, Any]) -> BudgetBar:
    spent, limit = cents(row["spent_usd"]), cents(row["limit_usd"])
    expected = None if row["forecast_usd"] is None else cents(row["forecast_usd"])
    whole = max(spent, limit, expected or 0, 1)
    return BudgetBar(
        name=without_address(row["budget"]),
        owner=without_address(row["owner"] or ""),
        days=f"{row['period_start']} to {row['period_end']}",
        through=row["day"],
        spent=dollars(spent),
        limit=dollars(limit),
        share=share(spent, limit),
        expected=NONE if expected is None else dollars(expected),
        between=_between(row),
        state=row["state"],
        spent_width=max(0, spent) * WIDTH // whole,
        expected_width=max(0, expected or 0) * WIDTH // whole,
        limit_at=limit * WIDTH // whole,
    )


def _between(row: Mapping[str, Any]) -> str:
    low, high = row["forecast_low_usd"], row["forecast_high_usd"]
    return "" if low is None else f"{dollars(cents(low))} to {dollars(cents(high))}"

"""What the budgets say: candidates for `mart.findings`, in words with numbers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.findings import Facts, Question, Rule
from openai_costs.lake import Lake
from openai_costs.sections import Budget
from openai_costs.tables.finding import EVERY_CONNECTION, Finding, candidates
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.spend import Spend

EXCEEDED = Rule("budgets.exceeded")
THRESHOLD = Rule("budgets.threshold")
FORECAST = Rule("budgets.forecast_exceeds")

LATE_THRESHOLD_PCT = Decimal(80)
"""A threshold from here on is a warning; below it a piece of information."""

FEWEST_DAYS = 5
"""A forecast from fewer days of the period is not told."""

Row = dict[str, Any]


def found(status: pl.DataFrame, budgets: Sequence[Budget]) -> pl.DataFrame:
    """Return a candidate per budget, period and thing that happened.

    Args:
        status: mart.budget_status.
        budgets: The budgets of the settings; one that was removed says nothing more.
    """
    by_name = {budget.name: budget for budget in budgets}
    said = [
        one
        for (name, _), days in status.sort("day").group_by(
            ["budget", "period_start"], maintain_order=True
        )
        if (budget := by_name.get(str(name))) is not None
        for one in _of_period(days.rows(named=True), budget)
    ]
    return candidates(pl.DataFrame(said, infer_schema_length=None)) if said else Finding.no_rows()


def _of_period(days: Sequence[Row], budget: Budget) -> Iterator[Row]:
    newest, limit = days[-1], budget.limit_usd
    if over := _first_day(days, limit):
        yield _exceeded(newest, over)
    for percent in budget.thresholds_pct:
        if reached := _first_day(days, limit * percent / 100, or_equal=True):
            yield _reached(newest, reached, percent)
    if budget.forecast and newest["state"] == "at_risk" and len(days) >= FEWEST_DAYS:
        yield _going_over(newest)


def _first_day(days: Sequence[Row], usd: Decimal, *, or_equal: bool = False) -> date | None:
    over = (
        day["day"]
        for day in days
        if day["spent_usd"] > usd or (or_equal and day["spent_usd"] == usd)
    )
    return next(over, None)


def _common(newest: Row, rule: Rule, mark: str = "") -> Row:
    return {
        "rule": rule.id,
        "subject_kind": "budget",
        "subject_id": f"{newest['budget']}/{newest['period_start']}{mark}",
        "subject_name": newest["budget"],
        "connection": EVERY_CONNECTION,
        "day": newest["day"],
        "observed": newest["spent_usd"],
        "unit": "USD",
        "owner": newest["owner"],
        "table_name": BudgetStatus.full_name(),
    }


def _exceeded(newest: Row, since: date) -> Row:
    above = newest["spent_usd"] - newest["limit_usd"]
    return _common(newest, EXCEEDED) | {
        "severity": "critical",
        "since_day": since,
        "threshold": newest["limit_usd"],
        "impact_usd": above,
        "because": f"{_spent(newest)}: {above:,.2f} USD above the limit, since {since}. "
        f"{_why(newest)}".strip(),
        "outlook": _outlook(newest),
    }


def _reached(newest: Row, since: date, percent: Decimal) -> Row:
    threshold = newest["limit_usd"] * percent / 100
    return _common(newest, THRESHOLD, f"/{percent.normalize():f}%") | {
        "severity": "warning" if percent >= LATE_THRESHOLD_PCT else "info",
        "since_day": since,
        "threshold": threshold,
        "impact_usd": threshold,
        "because": f"{percent.normalize():f} % of the budget ({threshold:,.2f} USD) was reached on "
        f"{since}, when {_elapsed(newest, since)}. {_spent(newest)}.",
        "outlook": _outlook(newest),
    }


def _going_over(newest: Row) -> Row:
    above = newest["forecast_usd"] - newest["limit_usd"]
    return _common(newest, FORECAST) | {
        "severity": "warning",
        "since_day": newest["day"],
        "expected": newest["forecast_usd"],
        "threshold": newest["limit_usd"],
        "impact_usd": above,
        "because": f"{_spent(newest)}, with {newest['elapsed_pct']:.0f} % of the days gone. At "
        f"this rate {newest['forecast_usd']:,.2f} USD by {newest['period_end']}: "
        f"{above:,.2f} USD above the limit. {_why(newest)}".strip(),
        "outlook": _outlook(newest),
    }


def _spent(newest: Row) -> str:
    return (
        f"{newest['spent_usd']:,.2f} of {newest['limit_usd']:,.2f} USD "
        f"({newest['spent_pct']:.0f} %) were spent from {newest['period_start']} to "
        f"{newest['day']} by {_whom(newest)}"
    )


def _whom(newest: Row) -> str:
    kind = newest["scope"].replace("_", " ")
    return "everybody" if newest["scope_id"] is None else f"{kind} {newest['scope_id']}"


def _elapsed(newest: Row, since: date) -> str:
    gone = (since - newest["period_start"]).days + 1
    days = (newest["period_end"] - newest["period_start"]).days + 1
    return f"{gone} of {days} days were gone"


def _why(newest: Mapping[str, Any]) -> str:
    return newest["largest_growth"] or ""


def _outlook(newest: Row) -> str | None:
    if newest["forecast_usd"] is None or newest["day"] >= newest["period_end"]:
        return None
    return (
        f"{newest['forecast_usd']:,.2f} USD by {newest['period_end']}, four times in five between "
        f"{newest['forecast_low_usd']:,.2f} and {newest['forecast_high_usd']:,.2f}."
    )


def _ask(lake: Lake, facts: Facts) -> pl.DataFrame:
    return found(lake.read(BudgetStatus), facts.settings.budgets)


QUESTION = Question(rules=(EXCEEDED, THRESHOLD, FORECAST), reads=(BudgetStatus, Spend), ask=_ask)

"""What the budgets say: candidates for `mart.findings`, in words with numbers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.questions.budgets.causes import in_words
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.settings import Budget
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import EVERY_CONNECTION, Finding, candidates
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.spend import Spend

# Since when a period is on its way above its limit; told once, not each time it wavers. Pure.

SHARE = 6

MOST_DAYS = 5
"""A forecast is told when a sixth of the period is gone, or five days of it."""


def risk_since(days: Sequence[Mapping[str, Any]]) -> date | None:
    """Return the day since which a period is at risk; None when it is not, is exceeded or over.

    At risk from a forecast above the limit until the 80 % band lies below: a forecast that wavers
    about the limit is one message. A day without a forecast changes nothing: where days are late
    nobody knows better, and that is no all-clear.

    Args:
        days: The rows of mart.budget_status of one period, oldest first.
    """
    since: date | None = None
    for day in days:
        if day["spent_usd"] > day["limit_usd"]:
            since = None
        elif day["forecast_usd"] is None:
            continue
        elif day["forecast_high_usd"] <= day["limit_usd"]:
            since = None
        elif since is None and day["forecast_usd"] > day["limit_usd"] and _is_told(day):
            since = day["day"]
    return since if days[-1]["day"] < days[-1]["period_end"] else None


def _is_told(day: Mapping[str, Any]) -> bool:
    gone = DayRange(day["period_start"], day["day"])
    whole = DayRange(day["period_start"], day["period_end"])
    return len(gone) >= min(MOST_DAYS, max(1, len(whole) // SHARE))


EXCEEDED = Rule(
    "budgets.exceeded",
    title="{who} was {usd} over its limit on {day} (over since {since})",
    span="{period}",
)

THRESHOLD = Rule("budgets.threshold", title="{who} passed {threshold} on {since}", span="{period}")

FORECAST = Rule(
    "budgets.forecast_exceeds",
    title="On {day}, {who} was forecast to exceed its limit by {usd} (at risk since {since})",
    span="",  # what was spent so far cannot be compared with the forecast of the whole period
)

LATE_THRESHOLD_PCT = Decimal(80)
"""A threshold from here on is a warning; below it a piece of information."""

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
    more = {"first_day": days[0]["day"], "where": _where(budget)}
    newest, limit = days[-1] | more, budget.limit_usd
    connections = budget.connections
    about = {"connection": connections[0] if len(connections) == 1 else EVERY_CONNECTION}
    if over := _first(days, limit):
        yield _exceeded(newest, over["day"]) | about
    for percent in budget.thresholds_pct:
        if reached := _first(days, limit * percent / 100, or_equal=True):
            yield _reached(newest, reached, percent) | about
    if budget.forecast and (risk := risk_since(days)) is not None:
        foreseen = next(day for day in reversed(days) if day["forecast_usd"] is not None)
        yield _going_over(foreseen | more, risk) | about | {"day": newest["day"]}


def _first(days: Sequence[Row], usd: Decimal, *, or_equal: bool = False) -> Row | None:
    """Return the first day on which more was spent than that."""
    over = (day for day in days if day["spent_usd"] > usd or (or_equal and day["spent_usd"] == usd))
    return next(over, None)


def _common(newest: Row, rule: Rule, mark: str = "") -> Row:
    return {
        "rule": rule.id,
        "subject_kind": "budget",
        "subject_id": f"{newest['budget']}/{newest['period_start']}{mark}",
        "subject_name": newest["budget"],
        "day": newest["day"],
        "observed": newest["spent_usd"],
        "unit": "USD",
        "outlook": _outlook(newest),
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
        "because": f"{_spent(newest)}: {above:,.2f} USD above the limit, since {since}."
        f"{_why(newest)}",
    }


def _reached(newest: Row, passed: Row, percent: Decimal) -> Row:
    threshold, since = newest["limit_usd"] * percent / 100, passed["day"]
    return _common(newest, THRESHOLD, f"/{percent.normalize():f}%") | {
        "severity": "warning" if percent >= LATE_THRESHOLD_PCT else "info",
        "since_day": since,
        "threshold": threshold,
        "impact_usd": passed["spent_usd"] - threshold,
        "because": f"{percent.normalize():f} % of the budget ({threshold:,.2f} USD) was reached on "
        f"{since}, when {_elapsed(newest, since)}. {_spent(newest)}.",
    }


def _going_over(newest: Row, since: date) -> Row:
    above = newest["forecast_usd"] - newest["limit_usd"]
    return _common(newest, FORECAST) | {
        "severity": "warning",
        "since_day": since,
        "expected": newest["forecast_usd"],
        "threshold": newest["limit_usd"],
        "impact_usd": max(above, Decimal(0)),
        "because": f"{_spent(newest)}, when {_elapsed(newest, newest['day'])}; an even pace is "
        f"{newest['pace_usd']:,.2f}. {newest['forecast_usd']:,.2f} USD are expected by "
        f"{newest['period_end']}, {above:+,.2f} against the limit.{_why(newest)}",
    }


def _spent(newest: Row) -> str:
    return (
        f"{newest['spent_usd']:,.2f} of {newest['limit_usd']:,.2f} USD "
        f"({newest['spent_pct']:,.0f} %) were spent from {newest['first_day']}{_late(newest)} to "
        f"{newest['day']} by {_whom(newest)}{_open(newest)}"
    )


def _late(newest: Row) -> str:
    """Say that a period began before its days were known: it can only have cost more."""
    return "" if newest["first_day"] == newest["period_start"] else ", its first settled day,"


def _whom(newest: Row) -> str:
    kind, ids = newest["scope"].replace("_", " "), newest["scope_id"]
    whom = "everybody" if ids is None else f"{kind} {newest['scope_name'] or ids}"
    return f"{whom}{newest['where']}"


def _where(budget: Budget) -> str:
    return "" if budget.connection == "*" else f" in {budget.connection}"


def _open(newest: Row) -> str:
    days = newest["missing_days"]
    return f", without {days} of its days, which were not read" if days else ""


def _elapsed(newest: Row, since: date) -> str:
    gone = (since - newest["period_start"]).days + 1
    days = (newest["period_end"] - newest["period_start"]).days + 1
    return f"{gone} of {days} days were gone"


def _why(newest: Row) -> str:
    if not newest["causes"] or not (said := in_words(newest["causes"])):
        return ""
    if newest["compared_usd"] is None:
        return f" Most of it, in USD: {said}."
    return (
        f" Against the {newest['compared_usd']:,.2f} USD of the days from "
        f"{newest['compared_start']} on, in USD: {said}."
    )


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

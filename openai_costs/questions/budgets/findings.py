"""Candidates for `mart.findings` about budgets: exceeded, past a threshold, forecast to exceed.

A finding's condition, the day since which it holds and its sentence come from the same rows. A
limit that was exceeded and no longer is keeps the last day on which it was. Of several thresholds
the highest that is passed is reported; above the limit, that is reported instead.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.questions.budgets import finding_texts as text
from openai_costs.questions.causes import distinguished
from openai_costs.questions.namesakes import with_marks
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.settings import Budget
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import EVERY_CONNECTION, Finding, candidates
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.spend import Spend

EXCEEDED = Rule(
    "budgets.exceeded",
    title="{who} was {usd} over its limit on {day} (over since {since})",
    span="{period}",
    next_step="Ask {owner} what grew. Stop the cause, or raise limit_usd in [[budgets]].",
    quiet_days=1,
)
THRESHOLD = Rule(
    "budgets.threshold",
    title="{who} passed {percent} of its limit ({threshold}) on {since}",
    span="{period}",
    quiet_days=1,
    next_step="Nothing, if a larger share of the period has passed. Otherwise ask {owner}.",
    reports_end=False,
    reports_return=False,
)
FORECAST = Rule(
    "budgets.forecast_exceeds",
    title="On {day}, {who} was forecast to exceed its limit by {usd} (at risk since {since})",
    title_without_usd="On {day}, {who} could still exceed its limit: {outlook} (at risk since "
    "{since})",
    next_step="Decide with {owner} before the period ends: reduce what grew, or raise limit_usd.",
    replaced_by=EXCEEDED.id,
    span="",  # what was spent so far cannot be compared with the forecast of the whole period
)

LATE_THRESHOLD_PCT = Decimal(80)
"""A threshold from here on is a warning; below it a piece of information."""

WHOLE_PCT = Decimal(100)

SHARE = 6
MOST_DAYS = 5
"""A forecast is reported from a sixth of the period on, or from its fifth day."""

Row = dict[str, Any]


class Episode(NamedTuple):
    """Consecutive rows of a period on which a limit is passed.

    Args:
        first: The row of the day on which it was passed.
        last: The newest of the rows.
        after: The row on which it was not passed any more; None while it still is.
    """

    first: Row
    last: Row
    after: Row | None


def budget_candidates(status: pl.DataFrame, budgets: Sequence[Budget]) -> pl.DataFrame:
    """Return a candidate for each budget, period and event.

    Args:
        status: mart.budget_status.
        budgets: The budgets of the settings; one that was removed has no candidates.
    """
    by_name = {budget.name: budget for budget in budgets}
    rows = [
        one
        for (name, _), days in status.sort("day").group_by(
            ["budget", "period_start"], maintain_order=True
        )
        if (budget := by_name.get(str(name))) is not None
        for one in _of_period(days.rows(named=True), budget)
    ]
    return candidates(pl.DataFrame(rows, infer_schema_length=None)) if rows else Finding.no_rows()


def risk_since(days: Sequence[Mapping[str, Any]]) -> date | None:
    """Return the day since which a period is at risk; None when it is not, is exceeded or ended.

    At risk from a forecast above the limit until the 80 % band lies below it: a forecast that
    wavers about the limit is one message. A day without a forecast changes nothing: late days are
    no all-clear.

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
        elif since is None and day["forecast_usd"] > day["limit_usd"] and _is_late_enough(day):
            since = day["day"]
    return since if days[-1]["day"] < days[-1]["period_end"] else None


def _is_late_enough(day: Mapping[str, Any]) -> bool:
    gone = DayRange(day["period_start"], day["day"])
    whole = DayRange(day["period_start"], day["period_end"])
    return len(gone) >= MOST_DAYS or len(gone) * SHARE >= len(whole)


def _of_period(days: Sequence[Row], budget: Budget) -> Iterator[Row]:
    first_day, newest = days[0]["day"], days[-1]
    connections = budget.connections
    about = {"connection": connections[0] if len(connections) == 1 else EVERY_CONNECTION}
    over = _episodes(days, budget.limit_usd)
    for episode in over:
        yield _exceeded(episode, over[0].first["day"], first_day, budget) | about
    if (passed := _highest_threshold(days, budget)) is not None:
        yield _threshold(newest, *passed, first_day, budget) | about
    if budget.forecast and (risk := risk_since(days)) is not None:
        foreseen = next(day for day in reversed(days) if day["forecast_usd"] is not None)
        yield _going_over(foreseen, risk, first_day, budget) | about | {"day": newest["day"]}


def _episodes(days: Sequence[Row], usd: Decimal, *, or_equal: bool = False) -> list[Episode]:
    """Return when more was spent than that, oldest first: credits may end an episode."""
    episodes: list[Episode] = []
    is_open = False
    for day in days:
        is_above = day["spent_usd"] > usd or (or_equal and day["spent_usd"] == usd)
        if is_above:
            first = episodes.pop().first if is_open else day
            episodes.append(Episode(first, day, None))
        elif is_open:
            episodes.append(episodes.pop()._replace(after=day))
        is_open = is_above
    return episodes


def _highest_threshold(days: Sequence[Row], budget: Budget) -> tuple[Row, Decimal] | None:
    """Return the highest threshold that is passed, and the row on which it was."""
    is_exceeded = days[-1]["spent_usd"] > budget.limit_usd
    for percent in sorted(budget.thresholds_pct, reverse=True):
        if is_exceeded and percent <= WHOLE_PCT:
            return None
        episodes = _episodes(days, budget.limit_usd * percent / 100, or_equal=True)
        if episodes and episodes[-1].after is None:
            return episodes[-1].first, percent
    return None


def _common(row: Row, rule: Rule, mark: str = "") -> Row:
    return {
        "rule": rule.id,
        "subject_kind": "budget",
        "subject_id": f"{row['budget']}/{row['period_start']}{mark}",
        "subject_name": row["budget"],
        "day": row["day"],
        "observed": row["spent_usd"],
        "unit": "USD",
        "outlook": text.outlook(row),
        "owner": row["owner"],
        "table_name": BudgetStatus.full_name(),
    }


def _exceeded(episode: Episode, passed: date, first_day: date, budget: Budget) -> Row:
    row, since, after = episode.last, episode.first["day"], episode.after
    on = DayRange(passed, since)
    because = (
        text.exceeded(row, on, first_day, budget)
        if after is None
        else text.no_longer_exceeded(row, on, after, first_day, budget)
    )
    return _common(row, EXCEEDED) | {
        "outlook": text.outlook(row) if after is None else None,
        "severity": "critical",
        "since_day": since,
        "threshold": row["limit_usd"],
        "impact_usd": row["spent_usd"] - row["limit_usd"],
        "because": because,
    }


def _threshold(row: Row, passed: Row, percent: Decimal, first_day: date, budget: Budget) -> Row:
    threshold = row["limit_usd"] * percent / 100
    return _common(row, THRESHOLD, f"/{percent.normalize():f}%") | {
        "severity": "warning" if percent >= LATE_THRESHOLD_PCT else "info",
        "since_day": passed["day"],
        "threshold": threshold,
        "impact_usd": passed["spent_usd"] - threshold,
        "because": text.threshold_passed(row, passed, percent, first_day, budget),
    }


def _going_over(row: Row, since: date, first_day: date, budget: Budget) -> Row:
    return _common(row, FORECAST) | {
        "severity": "warning",
        "since_day": since,
        "expected": row["forecast_usd"],
        "threshold": row["limit_usd"],
        "impact_usd": max(row["forecast_usd"] - row["limit_usd"], Decimal(0)),
        "because": text.going_over(row, first_day, budget),
    }


def _ask(lake: Lake, facts: Facts, *, is_forecast: bool = False) -> pl.DataFrame:
    status = distinguished(lake.read(BudgetStatus), facts.marks)
    scope = pl.col("scope"), pl.col("scope_id")
    named = with_marks(status, "scope_name", *scope, facts.marks)
    found = budget_candidates(named, facts.settings.budgets)
    return found.filter((pl.col("rule") == FORECAST.id) == is_forecast)


def _forecast_since(lake: Lake, _facts: Facts) -> date:
    """Return the first day with a forecast: of an earlier one it is not known whether it held.

    Of the budgets that run: one that ended keeps the forecasts of its own last days.
    """
    known = lake.read(BudgetStatus).filter(pl.col("forecast_usd").is_not_null())
    spans = known.group_by("budget").agg(first=pl.col("day").min(), last=pl.col("day").max())
    return min(spans.filter(pl.col("last") == pl.col("last").max())["first"], default=date.min)


READS = (BudgetStatus, Spend)
QUESTIONS = (
    Question((EXCEEDED, THRESHOLD), READS, _ask),
    Question((FORECAST,), READS, partial(_ask, is_forecast=True), judges_since=_forecast_since),
)

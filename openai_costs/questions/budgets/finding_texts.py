"""The sentences of findings about budgets: dollars, who, since when, and why. Pure."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import cents, counted, dollars
from openai_costs.questions.budgets.causes import as_text
from openai_costs.questions.budgets.periods import compared_with
from openai_costs.settings import Budget

Row = Mapping[str, Any]
"""A row of mart.budget_status."""


def exceeded(row: Row, passed: DayRange, first_day: date, budget: Budget) -> str:
    """Return why a budget is exceeded.

    Args:
        row: The newest row above the limit.
        passed: From the first day of the period above it to the first of these days.
        first_day: The first day of the period that has a row.
        budget: The budget.
    """
    return f"{_overrun(row, passed, first_day, budget)}{_causes(row, budget)}"


def no_longer_exceeded(
    row: Row, passed: DayRange, after: Row, first_day: date, budget: Budget
) -> str:
    """Return when a budget was exceeded, and on which day credits took it back below its limit.

    Args:
        row: The last row above the limit.
        passed: From the first day of the period above it to the first of these days.
        after: The first row that is not above it any more.
        first_day: The first day of the period that has a row.
        budget: The budget.
    """
    what = _overrun(row, passed, first_day, budget)
    back = f"back to {dollars(after['spent_usd'])}, within the limit"
    return f"{what} Credits or refunds on {after['day']} took it {back}."


def threshold_passed(
    row: Row, passed: Row, percent: Decimal, first_day: date, budget: Budget
) -> str:
    """Return when a budget passed a threshold, and how much is spent.

    Args:
        row: The newest row.
        passed: The row of the day on which it passed.
        percent: The threshold, in percent of the limit.
        first_day: The first day of the period that has a row.
        budget: The budget.
    """
    usd = row["limit_usd"] * percent / 100
    verb = "passed" if passed["spent_usd"] > usd else "reached"
    what = f"The budget {verb} {percent.normalize():f} % ({dollars(usd)}) on {passed['day']}"
    return f"{what}, {_position(row, passed['day'])}. {_spent(row, first_day, budget)}."


def going_over(row: Row, first_day: date, budget: Budget) -> str:
    """Return what is forecast for a period, against its limit.

    Args:
        row: The newest row with a forecast.
        first_day: The first day of the period that has a row.
        budget: The budget.
    """
    pace = f"{dollars(row['pace_usd'])} at an even pace"
    return (
        f"{_spent(row, first_day, budget)}, {_position(row, row['day'])}, against {pace}. "
        f"{dollars(row['forecast_usd'])} is forecast by {row['period_end']}, {_against(row)}."
        f"{_causes(row, budget)}"
    )


def outlook(row: Row) -> str | None:
    """Return the forecast with its 80 % range; None without one, and when the period has ended."""
    if row["forecast_usd"] is None or row["day"] >= row["period_end"]:
        return None
    low, high = dollars(row["forecast_low_usd"]), dollars(row["forecast_high_usd"])
    forecast = dollars(row["forecast_usd"])
    return f"{forecast} forecast by {row['period_end']}; 80 % range: {low} to {high}."


def _overrun(row: Row, passed: DayRange, first_day: date, budget: Budget) -> str:
    above = dollars(row["spent_usd"] - row["limit_usd"])
    again = f" and, after credits or refunds, again on {passed.last}" if len(passed) > 1 else ""
    what = f"{above} above the limit, which it passed on {passed.first}{again}"
    return f"{_spent(row, first_day, budget)}: {what}."


def _spent(row: Row, first_day: date, budget: Budget) -> str:
    spent, limit = dollars(row["spent_usd"]), dollars(row["limit_usd"])
    start = f"{first_day}{'' if first_day == row['period_start'] else ' (the first settled day)'}"
    return (
        f"{_whose(row, budget)} was {spent} of {limit} ({row['spent_pct']:,.0f} %) from {start} to "
        f"{row['day']}{_unread(row)}"
    )


def _whose(row: Row, budget: Budget) -> str:
    kind, ids = row["scope"].replace("_", " ").replace("api key", "API key"), row["scope_id"]
    whose = "Total spend" if ids is None else f"Spend of {kind} {row['scope_name'] or ids}"
    return whose if budget.connection == "*" else f"{whose} in {budget.connection}"


def _unread(row: Row) -> str:
    days = row["missing_days"]
    return f", without {counted(days, 'day')} that could not be read" if days else ""


def _position(row: Row, day: date) -> str:
    gone, whole = (DayRange(row["period_start"], last) for last in (day, row["period_end"]))
    return f"day {len(gone)} of {len(whole)}"


def _against(row: Row) -> str:
    above = row["forecast_usd"] - row["limit_usd"]
    if above > 0:
        return f"{dollars(above)} above the limit"
    high = dollars(row["forecast_high_usd"])
    return f"{dollars(-above)} below the limit, but the 80 % range reaches {high}"


def _causes(row: Row, budget: Budget) -> str:
    compared = row["compared_usd"]
    change = None if compared is None else cents(row["spent_usd"]) - cents(compared)
    if not row["causes"] or not (parts := as_text(row["causes"], change)):
        return ""
    if compared is None:
        return f" Most of it: {parts}."
    last = compared_with(budget, DayRange(row["period_start"], row["day"])).last
    days = DayRange(row["compared_start"], last)
    return f" Compared with {dollars(compared)} from {days}: {parts}."

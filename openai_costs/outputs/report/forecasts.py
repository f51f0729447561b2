"""The forecasts that the chart draws: the days that are left of the month, for all and for parts.

Pure. Not here: how they are made (questions/budgets).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_costs.kernel.days import ONE_DAY, DayRange

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import polars as pl

    from openai_costs.outputs.report.dimensions import Members


def forecasts(parts: pl.DataFrame, members: Mapping[str, Members]) -> list[dict[str, Any]]:
    """Return dollars of an average day that is left of the month, with their 80 % range.

    Args:
        parts: mart.forecast.
        members: The members of each dimension, by its id.

    Returns:
        filter, first (the day before the days that are left), last, daily, low and high of each.
    """
    made = []
    for row in parts.iter_rows(named=True):
        if (filters := _filter(row, members)) is not None:
            names = ("spent_usd", "forecast_usd", "forecast_low_usd", "forecast_high_usd")
            dollars = [float(row[name]) for name in names]
            days = _left(row["through_day"], DayRange(row["month"], row["month_end"]))
            made += _drawn(filters, days, dollars)
    return made


def _filter(row: Mapping[str, Any], members: Mapping[str, Members]) -> dict[str, str] | None:
    """Return what a forecast is of; None for a part that is kept together on this page."""
    if row["scope"] == "all":
        return {}
    of = members[row["scope"]]
    ids = dict(zip(of.keys, of.ids, strict=True))
    return {row["scope"]: ids[row["scope_id"]]} if row["scope_id"] in ids else None


def _left(through: date, month: DayRange) -> tuple[date, date]:
    """Return the day before the days that are left of the month, and the last of them."""
    return max(through, month.first - ONE_DAY), month.last


def _drawn(
    filters: dict[str, str], days: tuple[date, date], dollars: list[float]
) -> list[dict[str, Any]]:
    """Return one forecast; none where no day is left or nothing is expected."""
    (through, end), (spent, expected, low, high) = days, dollars
    left = (end - through).days
    if left <= 0 or high <= spent:
        return []
    return [
        {
            "filter": filters,
            "first": str(through),
            "last": str(end),
            "daily": round((expected - spent) / left, 4),
            "low": round(max(0.0, low - spent) / left, 4),
            "high": round((high - spent) / left, 4),
        }
    ]

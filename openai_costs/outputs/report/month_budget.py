"""The budget below the month at the top of the page: what it has used, and of which days. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from openai_costs.kernel.days import DayRange, month_of
from openai_costs.kernel.formatting import cents, dollars_of, share
from openai_costs.questions.budgets.running import running
from openai_costs.tables.candidate import EVERY_CONNECTION

if TYPE_CHECKING:
    from datetime import date

_BAR: Final = 1000
"""How long a budget's bar is, in its own units."""
_UNSETTLED: Final = "incomplete"
_STATES: Final = {
    "at_risk": "the forecast is above it",
    "on_track": "on track",
    _UNSETTLED: "a day is missing or provisional",
}


class BudgetLine(NamedTuple):
    """The budget of all spend, and its bar in parts of `_BAR`."""

    sentence: str
    state: str
    spent: int
    forecast: int
    limit_at: int


def budget_line(status: pl.DataFrame, through: date | None, so_far: DayRange) -> BudgetLine | None:
    """Return the budget of all spend, one of months before others; None without one.

    One of a single connection is none of all spend.

    Where no day of its period has settled yet, it has used nothing that is known: the sentence says
    so, and how the period before stands.

    Args:
        status: mart.budget_status.
        through: The newest settled day.
        so_far: The days of the month so far.
    """
    ours = running(status, through).filter(scope="all", connection=EVERY_CONNECTION)
    ours = ours.sort(pl.col("period") != "monthly", maintain_order=True)
    if ours.is_empty():
        return None
    row = ours.row(0, named=True)
    period = DayRange(row["period_start"], row["period_end"])
    limit, used = cents(row["limit_usd"]), share(cents(row["spent_usd"]), cents(row["limit_usd"]))
    budget, state = f"budget {row['budget']}, {dollars_of(limit)}", _state(status, row)
    settled = f"settled days through {row['day'].day} {row['day']:%b}"
    if period.last < so_far.last:
        until = "" if row["day"] == period.last else f", {settled}"
        ended = f"{_name(period)}{until}: {used}, {state}"
        sentence = f"No settled day {_since(period, so_far)} yet for {budget} ({ended})"
        return BudgetLine(sentence, _UNSETTLED, 0, 0, _BAR)
    of = "" if period == month_of(so_far.first) else f" for {period}"
    return _line(f"{used} of {budget}{of}, {settled}: {state}", row)


def _line(sentence: str, row: dict[str, Any]) -> BudgetLine:
    spent, limit = cents(row["spent_usd"]), cents(row["limit_usd"])
    ahead = 0 if row["forecast_usd"] is None else cents(row["forecast_usd"])
    whole = max(spent, limit, ahead, 1)
    return BudgetLine(
        sentence=sentence,
        state=row["state"],
        spent=_BAR * max(0, spent) // whole,
        forecast=_BAR * max(0, ahead) // whole,
        limit_at=_BAR * limit // whole,
    )


def _name(period: DayRange) -> str:
    is_month = period == month_of(period.first)
    return f"{period.first:%B}" if is_month else str(period)


def _since(period: DayRange, so_far: DayRange) -> str:
    return f"of {so_far.first:%B}" if period.last < so_far.first else f"after {period.last}"


def _state(status: pl.DataFrame, row: dict[str, Any]) -> str:
    """Return the state of a budget in words; with the day it was exceeded on."""
    if row["state"] != "exceeded":
        return _STATES[row["state"]]
    over = pl.col("spent_usd") > pl.col("limit_usd")
    period = status.filter(over, budget=row["budget"], period_start=row["period_start"])
    since: date = period["day"].sort()[0]
    return f"exceeded on {since.day} {since:%b}"

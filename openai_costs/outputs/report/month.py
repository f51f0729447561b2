"""The month at the top of the page: so far, by its end, beside the month before. Pure.

Money is exact; only the forecast is an estimate, and that of mart.forecast. Not here: what moved
the month (movers.py).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from openai_costs.kernel.days import DayRange, month_of
from openai_costs.kernel.formatting import (
    NONE,
    cents,
    change_share,
    dollars,
    dollars_of,
    signed_dollars,
    total_usd,
)
from openai_costs.outputs.report.comparison import Comparison, comparison
from openai_costs.outputs.report.month_budget import BudgetLine, budget_line

if TYPE_CHECKING:
    from openai_costs.outputs.report.scope import Scope


class Span(NamedTuple):
    """The days of the month so far, and what is compared with the month before.

    Args:
        first: The first day of the month.
        last: The newest day of it that was read.
        end: The last day of the month.
        compared: Which of these days, of which connections.
    """

    first: date
    last: date
    end: date
    compared: Comparison

    @property
    def days(self) -> tuple[date, date]:
        """First and last day so far."""
        return self.first, self.last


class Outlook(NamedTuple):
    """The forecast of the month's cost, in cents: an estimate with its 80 % range.

    `spent_usd` is what the settled days of the month cost, through the newest settled day; it
    begins after that day, which may lie before the month.
    """

    expected: int
    low: int
    high: int
    through: date
    spent_usd: Decimal


class Month(NamedTuple):
    """The three numbers of the first screen, in words.

    Args:
        span: Its days; None before any day was read.
        name: `November`.
        spent: What it cost so far.
        through: `through 28 Nov, 2 days provisional`.
        expected: What it will cost by its end; a dash without a forecast.
        expected_by: `Expected by 30 Nov`.
        band: The 80 % range of the forecast, from which day, and what is not in it.
        change: Against the same days of the month before.
        change_note: In percent, and from what; which days and connections, if not all.
        before: `Same days of October`.
        budget: Without one, the page says how to add one.
        outlook: The forecast behind `expected`.
    """

    span: Span | None
    name: str
    spent: str
    through: str
    expected: str
    expected_by: str
    band: str
    change: str
    change_note: str
    before: str
    budget: BudgetLine | None
    outlook: Outlook | None = None


def month(scope: Scope, budgets: pl.DataFrame, parts: pl.DataFrame) -> Month:
    """Return the month of the newest day that was read.

    Args:
        scope: The connections of today.
        budgets: mart.budget_status.
        parts: mart.forecast.
    """
    span = span_of(scope)
    if span is None:
        return Month(None, "", NONE, "No day has been read yet", NONE, "", "", NONE, "", "", None)
    spent, ahead = _between(scope, *span.days), outlook(parts, span)
    change, change_note = _change(scope, span)
    return Month(
        span=span,
        name=f"{span.first:%B}",
        spent=dollars(spent),
        through=_through(scope, span),
        expected=NONE if ahead is None else dollars_of(ahead.expected),
        expected_by=f"Expected by {span.end.day} {span.end:%b}",
        band="Needs settled days" if ahead is None else _band(ahead, spent),
        change=change,
        change_note=change_note,
        before=f"Same days of {span.compared.before.first:%B}",
        budget=budget_line(budgets, scope.settled_through, DayRange(*span.days)),
        outlook=ahead,
    )


def span_of(scope: Scope) -> Span | None:
    """Return the days of the month of the newest day that was read."""
    if not scope.read:
        return None
    last = scope.read[-1]
    whole = month_of(last)
    compared = comparison(scope, DayRange(whole.first, last))
    return Span(whole.first, last, whole.last, compared)


def outlook(parts: pl.DataFrame, span: Span) -> Outlook | None:
    """Return the forecast of all dollars of the month; None before any day has settled.

    Args:
        parts: mart.forecast.
        span: The days of the month.
    """
    whole = parts.filter(scope="all", month=span.first).to_dicts()
    if not whole:
        return None
    names = ("forecast_usd", "forecast_low_usd", "forecast_high_usd")
    expected, low, high = (cents(whole[0][name]) for name in names)
    return Outlook(expected, low, high, whole[0]["through_day"], whole[0]["spent_usd"])


def _between(scope: Scope, first: date, last: date) -> Decimal:
    return scope.billed_usd([day for day in scope.days if first <= day <= last])


def _through(scope: Scope, span: Span) -> str:
    provisional = sum(span.first <= day <= span.last for day in scope.provisional)
    missing = sum(span.first <= day <= span.last for day in scope.missing)
    parts = [f"through {span.last.day} {span.last:%b}"]
    parts += [f"{provisional} provisional"] * bool(provisional)
    parts += [f"{missing} missing"] * bool(missing)
    return ", ".join(parts)


def _band(ahead: Outlook, spent: Decimal) -> str:
    """The range; and the dollars of later days, where they are more than all that is expected."""
    band = (
        f"80 % range: {dollars_of(ahead.low)} to {dollars_of(ahead.high)}; from settled days "
        f"through {ahead.through.day} {ahead.through:%b}"
    )
    if cents(spent) <= ahead.expected:
        return band
    later = total_usd([spent, ahead.spent_usd.copy_negate()])
    return f"{band}, without {dollars(later)} of later days"


def _change(scope: Scope, span: Span) -> tuple[str, str]:
    days, before, connections, *_ = span.compared
    if span.compared.refusal:
        return NONE, span.compared.refusal
    ours = pl.col("connection").is_in(connections)
    spent, then = (scope.billed_usd([*each], ours) for each in (days, before))
    moved = change_share(spent, then)
    until = "" if days.last == span.last else f"through {days.last.day} {days.last:%b}"
    what = ", ".join(filter(None, (until, span.compared.without)))
    note = f"{moved} from {dollars(then)}" + (f"; {what}" if what else "")
    return signed_dollars(total_usd([spent, then.copy_negate()])), note

"""The days of the month at the top of the page, beside the same days of the month before. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import cents

if TYPE_CHECKING:
    from datetime import date

    from openai_costs.outputs.report.month import Span
    from openai_costs.outputs.report.scope import Scope


class MonthDay(NamedTuple):
    """A day of the month.

    Args:
        day: The UTC day.
        cents: What it cost; None for a day that was not read, which is not zero.
        before: What the same day of the month before cost; None where it was not read.
        is_provisional: Whether it may still change.
    """

    day: date
    cents: int | None
    before: int | None
    is_provisional: bool


def month_days(scope: Scope, span: Span | None) -> tuple[MonthDay, ...]:
    """Return every day of the month, those to come included; none before any day was read.

    Args:
        scope: The connections of today.
        span: The days of the month so far, and those to compare with.
    """
    if span is None:
        return ()
    daily = scope.spend.group_by("day").agg(pl.col("billed_usd").sum())
    known = dict.fromkeys(set(scope.read) - set(scope.missing), 0)
    known |= {day: cents(usd) for day, usd in daily.iter_rows() if day in known}
    provisional = set(scope.provisional)
    days = [span.first + timedelta(days=i) for i in range((span.end - span.first).days + 1)]
    same = [span.compared.before.first + (day - span.first) for day in days]
    return tuple(
        MonthDay(
            day,
            known.get(day),
            known.get(one) if one < span.first else None,
            day in provisional,
        )
        for day, one in zip(days, same, strict=True)
    )

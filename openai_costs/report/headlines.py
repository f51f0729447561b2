"""The five numbers for a reader with one minute, each with its days and connection. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from openai_costs.report.day_states import NOT_EXPECTED, span
from openai_costs.report.dollars import NONE, change_share, dollars, share, signed
from openai_costs.report.facts import Headline
from openai_costs.report.windows import HEADLINE_DAYS

if TYPE_CHECKING:
    from openai_costs.report.scope import Scope

UNATTRIBUTED = pl.col("attribution") == "unattributed"


def headlines(scope: Scope) -> tuple[Headline, ...]:
    """Return spend, change, month to date, mean day, share without a user."""
    return (
        _spend(scope),
        _change(scope),
        _month_to_date(scope),
        _mean_day(scope),
        _unattributed(scope),
    )


def _days(scope: Scope) -> str:
    return f"{span(scope.window.days)}\n{scope.name}"


def _spend(scope: Scope) -> Headline:
    window = scope.window
    count = len(window.days) or HEADLINE_DAYS
    label = f"Spend, last {count} settled day{'s' * (count > 1)}"
    if not window.days:
        return Headline(label, NONE, f"No settled day yet\n{scope.name}")
    return Headline(label, dollars(scope.billed(window.days)), _days(scope))


def _change(scope: Scope) -> Headline:
    label, window = f"Against the {HEADLINE_DAYS} days before", scope.window
    if not window.before:
        needed = f"Needs {2 * HEADLINE_DAYS} settled days, has {len(scope.settled)}"
        return Headline(label, NONE, f"{needed}\n{scope.name}")
    now, before = scope.billed(window.days), scope.billed(window.before)
    moved = change_share(now, before)
    against = f"against {dollars(before)}\n{span(window.before)}\n{scope.name}"
    note = against.capitalize() if moved == NONE else f"{moved} {against}"
    return Headline(label, signed(now - before), note)


def _month_to_date(scope: Scope) -> Headline:
    label, month = "Month to date", scope.today.replace(day=1)
    states = dict(zip(scope.days, scope.states, strict=True))
    days = [day for day in scope.days if month <= day and states[day] != NOT_EXPECTED]
    if not set(days) & set(scope.read):
        return Headline(label, NONE, f"No day read yet since {month}\n{scope.name}")
    provisional = sum(day in scope.provisional for day in days)
    missing = sum(day in scope.missing for day in days)
    counts = ((provisional, "provisional"), (missing, "missing"))
    open_days = ", ".join(f"{count} {state}" for count, state in counts if count)
    note = f"{span(days)}\n{f'{open_days}, ' if open_days else ''}{scope.name}"
    return Headline(label, dollars(scope.billed(days)), note)


def _mean_day(scope: Scope) -> Headline:
    label, days = "Spend per settled day", scope.window.days
    if not days:
        return Headline(label, NONE, f"No settled day yet\n{scope.name}")
    count = f"{len(days)} settled day{'s' * (len(days) > 1)}"
    mean = round(scope.billed(days) / len(days))
    return Headline(label, dollars(mean), f"Mean of {count}\n{_days(scope)}")


def _unattributed(scope: Scope) -> Headline:
    label, days = "Not attributed to a user", scope.window.days
    if not days:
        return Headline(label, NONE, f"No settled day yet\n{scope.name}")
    whole = scope.billed_to_users(days)
    part = scope.billed_to_users(days, UNATTRIBUTED)
    note = f"{dollars(part)} of {dollars(whole)}\n{_days(scope)}"
    return Headline(label, share(part, whole), note)

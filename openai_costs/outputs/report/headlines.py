"""The five numbers for a reader with one minute, each with its days. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openai_costs.kernel.formatting import (
    NONE,
    change_share,
    counted,
    dollars_of,
    share,
    signed_dollars_of,
)
from openai_costs.outputs.report.page_days import HEADLINE_DAYS, NOT_EXPECTED, span
from openai_costs.outputs.report.scope import UNATTRIBUTED

if TYPE_CHECKING:
    from openai_costs.outputs.report.scope import Scope


class Headline(NamedTuple):
    """One of the five numbers: what it is, the number, and its days and connection, a line each."""

    label: str
    value: str
    note: str


def headlines(scope: Scope) -> tuple[Headline, ...]:
    """Return spend, change, month to date, average day, share without a user."""
    return (
        _spend(scope),
        _change(scope),
        _month_to_date(scope),
        _average_day(scope),
        _unattributed_share(scope),
    )


def _note(scope: Scope, *lines: str) -> str:
    return "\n".join([*lines] if scope.is_whole_page else [*lines, scope.name])


def _spend(scope: Scope) -> Headline:
    days = scope.window.days
    label = f"Spend, last {counted(len(days) or HEADLINE_DAYS, 'settled day')}"
    if not days:
        return Headline(label, NONE, _note(scope, "No settled day yet"))
    return Headline(label, dollars_of(scope.billed(days)), _note(scope, span(days)))


def _change(scope: Scope) -> Headline:
    label, window = f"Change from the {HEADLINE_DAYS} days before", scope.window
    if not window.before:
        needed = f"Needs {2 * HEADLINE_DAYS} settled days, has {len(scope.settled)}"
        return Headline(label, NONE, _note(scope, needed))
    now, before = scope.billed(window.days), scope.billed(window.before)
    moved = change_share(now, before)
    compared = (
        f"From {dollars_of(before)}" if moved == NONE else f"{moved} from {dollars_of(before)}"
    )
    note = _note(scope, compared, span(window.before))
    return Headline(label, signed_dollars_of(now - before), note)


def _month_to_date(scope: Scope) -> Headline:
    label, month = "Month to date", scope.today.replace(day=1)
    states = dict(zip(scope.days, scope.states, strict=True))
    days = [day for day in scope.days if month <= day and states[day] != NOT_EXPECTED]
    if not set(days) & set(scope.read):
        return Headline(label, NONE, _note(scope, f"No day read yet since {month}"))
    provisional = sum(day in scope.provisional for day in days)
    missing = sum(day in scope.missing for day in days)
    counts = ((provisional, "provisional"), (missing, "missing"))
    open_days = ", ".join(f"{count} {state}" for count, state in counts if count)
    lines = [span(days), open_days] if open_days else [span(days)]
    return Headline(label, dollars_of(scope.billed(days)), _note(scope, *lines))


def _average_day(scope: Scope) -> Headline:
    label, days = "Average per settled day", scope.window.days
    if not days:
        return Headline(label, NONE, _note(scope, "No settled day yet"))
    average = round(scope.billed(days) / len(days))
    of = f"over {counted(len(days), 'settled day')}"
    return Headline(label, dollars_of(average), _note(scope, of, span(days)))


def _unattributed_share(scope: Scope) -> Headline:
    label, days = "Not attributed to a user", scope.window.days
    if not days:
        return Headline(label, NONE, _note(scope, "No settled day yet"))
    whole, part = scope.billed_to_users(days), scope.billed_to_users(days, UNATTRIBUTED)
    note = _note(scope, f"{dollars_of(part)} of {dollars_of(whole)}", span(days))
    return Headline(label, share(part, whole), note)

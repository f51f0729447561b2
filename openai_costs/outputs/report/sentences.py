"""Open questions: what a reader should know before believing a number. Pure sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from openai_costs.kernel.formatting import NONE, change_share, dollars_of, share, signed_dollars_of
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.page_days import (
    HEADLINE_DAYS,
    MISSING,
    NOT_EXPECTED,
    PROVISIONAL,
    days_in,
    in_words,
    span,
)
from openai_costs.outputs.report.page_model import Headline, Question

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from openai_costs.outputs.report.page_model import Restated
    from openai_costs.outputs.report.scope import Scope


# The five numbers for a reader with one minute, each with its days and connection. Pure.

UNATTRIBUTED = pl.col("attribution") == "unattributed"


def headlines(scope: Scope) -> tuple[Headline, ...]:
    """Return spend, change, month to date, mean day, share without a user."""
    return (
        _spend(scope),
        _change(scope),
        _month_to_date(scope),
        _mean_day(scope),
        _unattributed_headline(scope),
    )


def _days(scope: Scope) -> str:
    return f"{span(scope.window.days)}\n{scope.name}"


def _spend(scope: Scope) -> Headline:
    window = scope.window
    count = len(window.days) or HEADLINE_DAYS
    label = f"Spend, last {count} settled day{'s' * (count > 1)}"
    if not window.days:
        return Headline(label, NONE, f"No settled day yet\n{scope.name}")
    return Headline(label, dollars_of(scope.billed(window.days)), _days(scope))


def _change(scope: Scope) -> Headline:
    label, window = f"Against the {HEADLINE_DAYS} days before", scope.window
    if not window.before:
        needed = f"Needs {2 * HEADLINE_DAYS} settled days, has {len(scope.settled)}"
        return Headline(label, NONE, f"{needed}\n{scope.name}")
    now, before = scope.billed(window.days), scope.billed(window.before)
    moved = change_share(now, before)
    against = f"against {dollars_of(before)}\n{span(window.before)}\n{scope.name}"
    note = against.capitalize() if moved == NONE else f"{moved} {against}"
    return Headline(label, signed_dollars_of(now - before), note)


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
    return Headline(label, dollars_of(scope.billed(days)), note)


def _mean_day(scope: Scope) -> Headline:
    label, days = "Spend per settled day", scope.window.days
    if not days:
        return Headline(label, NONE, f"No settled day yet\n{scope.name}")
    count = f"{len(days)} settled day{'s' * (len(days) > 1)}"
    mean = round(scope.billed(days) / len(days))
    return Headline(label, dollars_of(mean), f"Mean of {count}\n{_days(scope)}")


def _unattributed_headline(scope: Scope) -> Headline:
    label, days = "Not attributed to a user", scope.window.days
    if not days:
        return Headline(label, NONE, f"No settled day yet\n{scope.name}")
    whole = scope.billed_to_users(days)
    part = scope.billed_to_users(days, UNATTRIBUTED)
    note = f"{dollars_of(part)} of {dollars_of(whole)}\n{_days(scope)}"
    return Headline(label, share(part, whole), note)


_ALLOCATED = pl.col("attribution") == "allocated"

_UNPARSED = pl.col("model").is_null() & pl.col("usage_type").is_null()


def questions(scope: Scope) -> Iterator[Question]:
    """Yield what is open, most pressing first; nothing when all is well."""
    yield from _missing(scope)
    yield from _disagreement(scope)
    yield from _provisional(scope)
    yield from _unparsed(scope)
    yield from _unattributed(scope)
    yield from _allocated(scope)
    yield from _restated(scope)


def completeness(scope: Scope) -> str:
    """Return the sentences under the title: through which day, and which days are not settled."""
    through = (
        f"Data complete through {scope.settled[-1]}" if scope.settled else "No settled day yet"
    )
    if scope.missing:
        link = ", except" if scope.settled else ";"
        missing = f"{_counted(len(scope.missing), 'missing day')} ({in_words(scope.missing)})"
        through += f"{link} {missing}{_of_some(scope)}"
    if not scope.provisional:
        return f"{through}. No day is provisional."
    count, days = len(scope.provisional), in_words(scope.provisional)
    said = "1 day is" if count == 1 else f"{count} days are"
    return f"{through}. {said} provisional and may still change ({days})."


def _of_some(scope: Scope) -> str:
    """Which connections the missing days are of, where it is not obvious."""
    if len(scope.names) == 1:
        return ""
    return f" of {', '.join(without_domains(name) for name, _ in _by_connection(scope, MISSING))}"


def _by_connection(scope: Scope, state: str) -> Iterator[tuple[str, list[date]]]:
    for name, states in zip(scope.names, scope.by_connection, strict=True):
        if days := days_in(state, states, scope.days):
            yield name, days


def _where(scope: Scope) -> str:
    return f"{span(scope.expected)}, {scope.name}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _missing(scope: Scope) -> Iterator[Question]:
    for connection, days in _by_connection(scope, MISSING):
        name = without_domains(connection)
        yield Question(
            f"{_counted(len(days), 'missing day')}, connection {name}",
            f"{in_words(days)}: never read, so in no total here, and not zero. To read: "
            f"openai-costs backfill --from {days[0]} --to {days[-1]} --connection {name}",
        )


def _provisional(scope: Scope) -> Iterator[Question]:
    for name, days in _by_connection(scope, PROVISIONAL):
        so_far = dollars_of(scope.billed(days, pl.col("connection") == name))
        yield Question(
            f"{_counted(len(days), 'provisional day')}, connection {without_domains(name)}",
            f"{in_words(days)}: {so_far} so far, read before the day stopped moving. "
            "Part of the month to date and of all days; not of the last 30 or 90 settled days.",
        )


def _unparsed(scope: Scope) -> Iterator[Question]:
    part = scope.billed(where=_UNPARSED)
    if part:
        whole = scope.billed()
        yield Question(
            f"{dollars_of(part)} with a label that was not understood",
            f"{share(part, whole)} of {dollars_of(whole)}, {_where(scope)}: the line "
            "names neither a model nor a usage type. Counted in every total.",
        )


def _unattributed(scope: Scope) -> Iterator[Question]:
    part = scope.billed_to_users(where=UNATTRIBUTED)
    if part:
        whole = scope.billed_to_users()
        yield Question(
            f"{dollars_of(part)} not attributed to a user",
            f"{share(part, whole)} of {dollars_of(whole)}, {_where(scope)}: no "
            "user, no owner of a key and no tokens speak for it. Counted in every total.",
        )


def _allocated(scope: Scope) -> Iterator[Question]:
    part = scope.billed_to_users(where=_ALLOCATED)
    if part:
        whole = scope.billed_to_users()
        yield Question(
            f"{dollars_of(part)} shared out by tokens",
            f"{share(part, whole)} of {dollars_of(whole)}, {_where(scope)}: spend without a user "
            "or an API key, given to the users of its project, model and day by their tokens. An "
            "assumption; mart.spend_attribution has each share.",
        )


def _disagreement(scope: Scope) -> Iterator[Question]:
    by_project, by_user = scope.billed(), scope.billed_to_users()
    if by_project != by_user:
        yield Question(
            f"The user table differs by {signed_dollars_of(by_user - by_project)}",
            f"By user the bill is {dollars_of(by_user)}, by project {dollars_of(by_project)}, "
            f"{_where(scope)}. Settled days must agree: see the check ties_out.",
        )


def _restated(scope: Scope) -> Iterator[Question]:
    if scope.restated:
        net = sum(each.current_cents - each.previous_cents for each in scope.restated)
        count = _counted(len(scope.restated), "restatement")
        yield Question(
            f"{count} of settled days, net {signed_dollars_of(net)}",
            f"{_told(scope, scope.restated[0])}. Totals here are of the newest reading.",
        )


def _told(scope: Scope, newest: Restated) -> str:
    name = without_domains(scope.names[scope.connections.index(newest.connection)])
    before, after = dollars_of(newest.previous_cents), dollars_of(newest.current_cents)
    return (
        f"The newest: {newest.day}, connection {name}, went from "
        f"{before} to {after}, seen {newest.seen_at:%Y-%m-%d %H:%M} UTC"
    )

"""The page's sentences: completeness, the notice on top, and open questions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import (
    cents,
    counted,
    dollars,
    dollars_of,
    share,
    signed_dollars,
    signed_dollars_of,
)
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.page_days import MISSING, PROVISIONAL, days_in, in_words, span
from openai_costs.outputs.report.restated import net_usd
from openai_costs.outputs.report.scope import UNATTRIBUTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from openai_costs.outputs.report.restated import Restated
    from openai_costs.outputs.report.scope import Scope

_MOST_BILLS: Final = 3
_ALLOCATED: Final = pl.col("attribution") == "allocated"
_UNPARSED: Final = pl.col("model").is_null() & pl.col("usage_type").is_null()
_CREDIT: Final = pl.col("billed_usd") < 0


class Question(NamedTuple):
    """Something a reader should know before relying on a number."""

    title: str
    sentence: str


# Below the title: how complete the data is, and what must be known first.


def completeness(scope: Scope) -> str:
    """Return through which day the data is complete, and which days are not settled."""
    through = (
        f"Data complete through {scope.settled[-1]}" if scope.settled else "No settled day yet"
    )
    if scope.missing:
        link = ", except" if scope.settled else ";"
        missing = f"{counted(len(scope.missing), 'missing day')} ({in_words(scope.missing)})"
        through += f"{link} {missing}{_of_some(scope)}"
    if not scope.provisional:
        return f"{through}. No day is provisional."
    count, days = len(scope.provisional), in_words(scope.provisional)
    verb = "is" if count == 1 else "are"
    return f"{through}. {counted(count, 'day')} {verb} provisional and may still change ({days})."


def notice(scope: Scope, texts: Mapping[str, str]) -> str:
    """Return what a reader must know first.

    Args:
        scope: The connections in view.
        texts: Why connections were billed nothing, or are counted as others, by name.
    """
    return without_domains(" ".join(filter(None, (*texts.values(), scope.left_out))))


def _of_some(scope: Scope) -> str:
    """Which connections the missing days are of, where it is not obvious."""
    if len(scope.names) == 1:
        return ""
    names = ", ".join(without_domains(name) for name, _ in _by_connection(scope, MISSING))
    return f" of {names}"


# Open questions.


def questions(scope: Scope) -> Iterator[Question]:
    """Yield what is open, most pressing first; nothing when all is well."""
    yield from _missing(scope)
    yield from _disagreement(scope)
    yield from _provisional(scope)
    yield from _unparsed(scope)
    yield from _unattributed(scope)
    yield from _allocated(scope)
    yield from _restated(scope)


def _by_connection(scope: Scope, state: str) -> Iterator[tuple[str, list[date]]]:
    for name, states in zip(scope.names, scope.by_connection, strict=True):
        if days := days_in(state, states, scope.days):
            yield name, days


def _connection(scope: Scope, name: str) -> str:
    return "" if scope.is_whole_page else f", connection {without_domains(name)}"


def _part(scope: Scope, part: int, whole: int) -> str:
    days = f"{span(scope.expected)}{scope.where}"
    return f"{share(part, whole)} of {dollars_of(whole)}, {days}"


def _missing(scope: Scope) -> Iterator[Question]:
    for name, missing in _by_connection(scope, MISSING):
        lost = [day for day in missing if day in scope.lost.get(name, ())]
        if lost:
            yield Question(
                f"{counted(len(lost), 'lost day')}{_connection(scope, name)}",
                f"{in_words(lost)}: no one read them before the provider deleted them, and nothing "
                "brings them back. No total here includes these days, and lost does not mean zero.",
            )
        if not (days := [day for day in missing if day not in lost]):
            continue
        only = "" if scope.is_whole_page else f" --connection {without_domains(name)}"
        yield Question(
            f"{counted(len(days), 'missing day')}{_connection(scope, name)}",
            f"{in_words(days)}: never read. No total here includes these days, and missing does "
            "not mean zero. To read them, run: "
            f"openai-costs backfill --from {days[0]} --to {days[-1]}{only}",
        )


def _disagreement(scope: Scope) -> Iterator[Question]:
    by_project, by_user = scope.billed(), scope.billed_to_users()
    if gap := cents(scope.user_gap_usd):
        yield Question(
            f"The total by user differs by {signed_dollars_of(gap)}",
            f"{dollars_of(by_user)} by user, {dollars_of(by_project)} by project, "
            f"{span(scope.expected)}{scope.where}. On settled days they must agree: see the check "
            "ties_out.",
        )


def _provisional(scope: Scope) -> Iterator[Question]:
    for name, days in _by_connection(scope, PROVISIONAL):
        so_far = dollars_of(scope.billed(days, pl.col("connection") == name))
        yield Question(
            f"{counted(len(days), 'provisional day')}{_connection(scope, name)}",
            f"{in_words(days)}: {so_far} so far, read before the day had settled. Included in the "
            "month so far and in every view that shows these days, not in any forecast.",
        )


def _unparsed(scope: Scope) -> Iterator[Question]:
    """Yield what names no model: charges whose label is unknown, and credits, which have none."""
    part = scope.billed(where=_UNPARSED & ~_CREDIT)
    if part:
        yield Question(
            f"{dollars_of(part)} with an unrecognized label",
            f"{_part(scope, part, scope.billed())}: the label names neither a model nor a usage "
            "type. Included in every total.",
        )
    if credited := scope.billed(where=_UNPARSED & _CREDIT):
        yield Question(
            f"{signed_dollars_of(credited)} in credits and refunds without a model",
            f"{span(scope.expected)}{scope.where}: their labels name neither a model nor a usage "
            "type. Included in every total.",
        )


def _unattributed(scope: Scope) -> Iterator[Question]:
    part = scope.billed_to_users(where=UNATTRIBUTED)
    if part:
        yield Question(
            f"{dollars_of(part)} not attributed to a user",
            f"{_part(scope, part, scope.billed_to_users())}: no user, key owner or token usage "
            f"identifies who spent it. Included in every total.{_whom_bills_name(scope)}",
        )


def _whom_bills_name(scope: Scope) -> str:
    """Return whom the bills name that most of what has no user is on; empty where none says."""
    parts = {
        name: scope.billed_to_users(where=UNATTRIBUTED & (pl.col("connection") == name))
        for name in scope.names
        if name in scope.named
    }
    largest = sorted((name for name in parts if parts[name] > 0), key=lambda name: -parts[name])
    texts = (
        f" {dollars_of(parts[name])}{_connection(scope, name)}: {scope.named[name]}"
        for name in largest[:_MOST_BILLS]
    )
    return "".join(texts)


def _allocated(scope: Scope) -> Iterator[Question]:
    part = scope.billed_to_users(where=_ALLOCATED)
    if part:
        yield Question(
            f"{dollars_of(part)} allocated by tokens",
            f"{_part(scope, part, scope.billed_to_users())}: spend without a user or an API key, "
            "allocated to the users of the same project, model and day by their share of tokens. "
            "This is an assumption; mart.spend_attribution has each share.",
        )


def _restated(scope: Scope) -> Iterator[Question]:
    if scope.restated:
        count = counted(len(scope.restated), "restatement")
        yield Question(
            f"{count} of settled days, net {signed_dollars(net_usd(scope.restated))}",
            f"{_newest(scope, scope.restated[0])}. All totals use the newest reading.",
        )


def _newest(scope: Scope, newest: Restated) -> str:
    name = scope.names[scope.connections.index(newest.connection)]
    before, after = dollars(newest.previous_usd), dollars(newest.current_usd)
    return (
        f"The newest: {newest.day}{_connection(scope, name)} changed from {before} to {after}, "
        f"seen {newest.seen_at:%Y-%m-%d %H:%M} UTC"
    )


# The first screen: whether the numbers can be believed, in a line each.


class Trust(NamedTuple):
    """A line about the numbers: whether it is good, open or bad, and what it says."""

    tone: str
    text: str


def trust(scope: Scope) -> tuple[Trust, ...]:
    """Return what supports the numbers, and what is open, the worst first."""
    lines = []
    if scope.missing:
        lines.append(Trust("bad", f"{counted(len(scope.missing), 'day')} missing"))
    if scope.settled:
        days = counted(len(scope.settled), "settled day")
        verb = "ties" if len(scope.settled) == 1 else "tie"
        lines.append(Trust("good", f"{days} {verb} out, difference $0.00"))
    if scope.provisional:
        lines.append(Trust("open", f"{counted(len(scope.provisional), 'provisional day')}"))
    if scope.restated:
        net = signed_dollars(net_usd(scope.restated))
        changed = {(each.connection, each.day) for each in scope.restated}
        lines.append(Trust("open", f"{counted(len(changed), 'day')} restated, {net}"))
    part, whole = scope.billed_to_users(where=UNATTRIBUTED), scope.billed_to_users()
    tone = "open" if part else "good"
    lines.append(Trust(tone, f"{share(part, whole)} of dollars without a user"))
    return tuple(lines)

"""The checks of raw pages: whether each connection was read to its end, and by which clock.

A verdict is about the connections that the run asked, and names them. Not here: reading
(raw_pages.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from openai_costs.kernel.clock_skew import SkewAwareClock
from openai_costs.orchestration.checks import WARN, Rule, Verdict
from openai_costs.orchestration.verdict_scope import Scope, joined
from openai_costs.settings.load import Settings
from openai_costs.sources.ingest import Ingested

READ_COMPLETE = Rule("read_complete", "Every connection was read to its end: all pages or none.")
CLOCK_AGREES = Rule(
    "clock_agrees",
    "This machine's clock and the provider's differ by an hour at most.",
    WARN,
    is_daily=False,
)


def read_complete(
    done: Ingested,
    days: Iterable[date],
    first_days: Mapping[str, date],
    unasked: Mapping[str, str],
    green: str,
) -> Iterator[Verdict]:
    """Judge each day; a failed connection owes no day before its history begins.

    Args:
        done: What became of the reading.
        days: The days of the run that have come.
        first_days: The first day of each connection that the run asked.
        unasked: Why some of these were not requested.
        green: What a verdict says that is green.
    """
    notes = [f"{name}: not requested, because {reason}." for name, reason in unasked.items()]
    for name, unread in done.unread.items():
        done.unread[name] = {day for day in unread if day >= first_days[name]}
    for day in days:
        failures = done.failures_on(day)
        because = " ".join([*failures.values(), *notes]) or green
        scope = Scope([*first_days], failures)
        yield Verdict(READ_COMPLETE, day, not failures, because, scope=scope)


def clock_agrees(clock: SkewAwareClock, day: date, asked: Sequence[str]) -> Verdict:
    """Judge the clock of this machine by those of the servers that the connections asked."""
    warning = clock.warning()
    failures = dict.fromkeys(asked, warning) if warning else {}
    because = warning or CLOCK_AGREES.promise
    return Verdict(CLOCK_AGREES, day, not warning, because, scope=Scope(asked, failures))


def promise(rule: Rule, settings: Settings, provider: str, asked: Sequence[str]) -> str:
    """Return what a green verdict says of a reading: no more than was read."""
    if all(one.name in asked for one in settings.connections if one.provider == provider):
        return rule.promise
    return f"Every connection that this run asked was read to its end. It asked {joined(asked)}."


def asks_none(provider: str) -> str:
    """Return what a run notes that asks no connection of a provider; it gives no verdict."""
    return f"This run asks no connection of {provider}."

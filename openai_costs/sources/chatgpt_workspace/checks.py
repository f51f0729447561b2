"""The check of cost events that no day counts: they came after their day had been read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import counted, dollars, total_usd
from openai_costs.orchestration.checks import WARN, ChecksBuilder, Rule, Verdict
from openai_costs.orchestration.verdict_scope import Scope
from openai_costs.settings.connection import Connection
from openai_costs.sources.chatgpt_workspace.late_events import Late, noted
from openai_costs.sources.chatgpt_workspace.settings import credit_price
from openai_costs.sources.kept_page_checks import check_of_kept_pages
from openai_costs.sources.provider import RawPages
from openai_costs.storage.archive import Archive

EVENTS_COUNTED = Rule(
    "events_counted",
    "Every cost event that was read is counted in its day.",
    WARN,
    is_daily=False,
)


def late_text(connection: Connection, late: Mapping[date, Late]) -> str:
    """Return what a connection does not count, and what to do; empty where it counts all."""
    return " ".join(_sentence(connection, day, one) for day, one in sorted(late.items()))


def _sentence(connection: Connection, day: date, late: Late) -> str:
    rate = credit_price(connection)
    usd = "" if rate is None else f" ({dollars(total_usd([late.credits * rate]))})"
    lacks = (
        f"{connection.name}: {day} lacks {counted(len(late.bills), 'event')} of "
        f"{late.credits:,f} credits{usd} in files that came later"
    )
    if late.may_count:
        return f"{lacks}: `openai-costs backfill` reads the day again."
    return f"{lacks}, and cannot be read again: compare it with the Global Admin Console."


def late_checks(pages: RawPages) -> ChecksBuilder:
    """Return the check of events that no day counts: a function of the days to Dagster's check.

    Args:
        pages: The raw pages of the cost events.
    """

    def judged(
        archive: Archive, connections: Sequence[Connection], days: DayRange
    ) -> Iterator[Verdict]:
        if connections:
            yield verdict(archive, connections, days.last)

    return check_of_kept_pages(pages, EVENTS_COUNTED, judged)


def verdict(archive: Archive, connections: Iterable[Connection], day: date) -> Verdict:
    """Judge whether any event that was found is in no read of its day."""
    texts = {one.name: late_text(one, noted(archive, one.name)) for one in connections}
    failures = {name: text for name, text in texts.items() if text}
    because = " ".join(failures.values()) or EVENTS_COUNTED.promise
    return Verdict(EVENTS_COUNTED, day, not failures, because, scope=Scope([*texts], failures))

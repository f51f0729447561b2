"""The reads of a window of days, without any I/O: the newer report, or the older one behind it.

The analytics API gives the bill by workspace, key, actor, model and tier, the same dollars in
further cuts, and the ungrouped total. An organization that is refused it gets the older report.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import date

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import AccessRefused, CursorRefused, RequestRefused
from openai_costs.sources.anthropic.costs.endpoints import (
    ANALYTICS_COST,
    COST_REPORT,
    LEDGER_GROUPING,
    OLDER_GROUPING,
    REFINEMENTS,
    refinement_grouping,
)
from openai_costs.sources.anthropic.paging import Answer, Query, complete
from openai_costs.sources.http.paging import Body, Get

ANALYTICS = "analytics"
"""The name of what a read lacks where the analytics API was refused."""

UNAUTHORIZED = 401


@dataclass(frozen=True)
class WindowRead:
    """The reads of one window, by part.

    Args:
        window: The days.
        answers: Complete answers; of costs `ledger`, `control` and the refinements.
        absent: Parts the provider did not give, and its message.
    """

    window: DayRange
    answers: dict[str, Answer]
    absent: dict[str, str] = field(default_factory=dict)


Reading = Generator[Get, Body, WindowRead]


def read_analytics(window: DayRange, open_day: date | None = None) -> Reading:
    """Read a window from the analytics API: ledger, refinements, control.

    Raises:
        AccessRefused: The key may not read it.
        RequestRefused: The ledger or the control was refused.
        IncompleteRead: See `complete`.
    """
    anything = Query(ANALYTICS_COST, window, open_day=open_day)
    answers, absent = {"ledger": (yield from complete(anything.by(LEDGER_GROUPING)))}, {}
    for part, dimension in REFINEMENTS.items():
        try:
            refined = anything.by(refinement_grouping(dimension))
            answers[part] = yield from complete(refined)
        except CursorRefused:
            raise
        except RequestRefused as refused:
            absent[part] = refused.message
    answers["control"] = yield from complete(anything)
    return WindowRead(window, answers, absent)


def read_older(window: DayRange, open_day: date | None = None) -> Reading:
    """Read a window from the older report: ledger and control.

    Raises:
        AccessRefused: The key may not read it.
        RequestRefused: It was refused.
        IncompleteRead: See `complete`.
    """
    anything = Query(COST_REPORT, window, open_day=open_day)
    ledger = yield from complete(anything.by(OLDER_GROUPING))
    control = yield from complete(anything)
    return WindowRead(window, {"ledger": ledger, "control": control})


def newest_or_older(newer: Reading, older: Reading) -> Reading:
    """Read from the newer report; where that is refused, from the older one.

    A key that is not known at all is refused by both, and a page behind the first proves that the
    newer report is given.

    Raises:
        AccessRefused: The key is not known, or both reports are refused: the newer one's refusal.
        RequestRefused: Both reports are refused: the newer one's refusal.
        IncompleteRead: See `complete`.
    """
    try:
        return (yield from newer)
    except CursorRefused:
        raise
    except (AccessRefused, RequestRefused) as refused:
        if refused.status == UNAUTHORIZED:
            raise
        message = f"HTTP {refused.status}: {refused.message}"
        try:
            read = yield from older
        except (AccessRefused, RequestRefused):
            raise refused from None
    return WindowRead(read.window, read.answers, read.absent | {ANALYTICS: message})

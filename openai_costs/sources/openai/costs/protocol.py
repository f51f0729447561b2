"""The reads of a window, without any I/O: three cuts of the same days, and where history begins.

docs/adr/0003 has the reasons and the evidence, docs/security.md every call.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import CursorRefused, LookbackExceeded, RequestRefused
from openai_costs.sources.http.paging import Body, Get
from openai_costs.sources.openai.costs.endpoints import (
    COSTS,
    LEDGER_GROUPINGS,
    USER_VIEW,
    USER_VIEW_GROUPING,
    Endpoint,
)
from openai_costs.sources.openai.paging import Answer, Query, complete


@dataclass(frozen=True)
class WindowRead:
    """The reads of one window, by part.

    Args:
        window: The days.
        answers: Complete answers; of costs `ledger`, `control`, and `user_view` if needed.
        refused: Groupings that were refused on the way.
        absent: Parts the provider did not give, and its message.
    """

    window: DayRange
    answers: dict[str, Answer]
    refused: tuple[tuple[str, ...], ...] = ()
    absent: dict[str, str] = field(default_factory=dict)


def read_window(
    window: DayRange,
    groupings: Sequence[tuple[str, ...]] = LEDGER_GROUPINGS,
    open_day: date | None = None,
) -> Generator[Get, Body, WindowRead]:
    """Read a window three times: ledger, control, and the user view where the ledger lacks users.

    The ledger is asked in each of `groupings`, richest first, until one is accepted. Who is given
    no users at all has a ledger all the same: the user view is absent then.

    Raises:
        RequestRefused: Even the coarsest grouping was refused, or the control.
        LookbackExceeded: The window begins before the provider's history does.
        IncompleteRead: See `complete`.
    """
    anything = Query(COSTS, window, open_day=open_day)
    ledger, refused = yield from richest(anything, groupings)
    answers, absent = {"ledger": ledger}, {}
    if "user_id" not in ledger.query.grouping:
        try:
            by_user = replace(anything, grouping=USER_VIEW_GROUPING)
            answers[USER_VIEW] = yield from complete(by_user)
        except CursorRefused:
            raise
        except RequestRefused as no_users:
            absent[USER_VIEW] = no_users.message
    answers["control"] = yield from complete(anything)
    return WindowRead(window, answers, refused, absent)


def find_floor(window: DayRange, endpoint: Endpoint = COSTS) -> Generator[Get, Body, date]:
    """Return the first day from which the provider still answers; the day after when it never does.

    A binary search with the smallest request there is: a window of 180 days takes 8.

    Args:
        window: Where it begins.
        endpoint: Whose history.
    """
    low, high = window.first, window.last + timedelta(days=1)
    while low < high:
        middle = low + (high - low) // 2
        probe = Query(endpoint, DayRange(middle, window.last))
        try:
            yield probe.get()
        except LookbackExceeded:
            low = middle + timedelta(days=1)
        else:
            high = middle
    return low


def richest(
    query: Query, groupings: Sequence[tuple[str, ...]]
) -> Generator[Get, Body, tuple[Answer, tuple[tuple[str, ...], ...]]]:
    """Ask in each grouping, richest first, until one is accepted; return the refused ones too."""
    refused: list[tuple[str, ...]] = []
    for grouping in groupings:
        try:
            answer = yield from complete(replace(query, grouping=grouping))
        except (LookbackExceeded, CursorRefused):
            raise
        except RequestRefused:
            # Which words the 400 uses is undocumented, so any refusal tries the next grouping;
            # a request that is wrong for another reason is refused in the coarsest one too.
            if grouping == groupings[-1]:
                raise
            refused.append(grouping)
        else:
            return answer, tuple(refused)
    raise AssertionError("the coarsest grouping returns or raises")  # pragma: no cover

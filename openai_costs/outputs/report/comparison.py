"""The month so far beside the same days of the month before: what can be compared. Pure.

Only days that were over when they were read are compared: of the running one a part is known, and
beside a whole day it would be a saving. A connection of which a day was not read has dollars that
are not known either: one that began in between would be growth. It is left out of both sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.kernel.days import ONE_DAY, DayRange, month_of
from openai_costs.kernel.formatting import listed
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.page_days import PROVISIONAL, SETTLED, UNFINISHED, days_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from datetime import date

    from openai_costs.outputs.report.scope import Scope

_MOST_NAMED: Final = 3


class Comparison(NamedTuple):
    """What is compared.

    Args:
        days: The first days of the month, through the newest that was over when it was read from
            each connection; no more of them than the month before has.
        before: The same days of the month before.
        connections: Those of which all of these days were read; none if nothing is compared.
        left_out: Why each other connection that has some of these days is not compared.
        is_part: Whether the page has dollars of other connections.
        has_begun: Whether any of these days was over when it was read.
    """

    days: DayRange
    before: DayRange
    connections: tuple[str, ...]
    left_out: Mapping[str, str]
    is_part: bool
    has_begun: bool

    @property
    def without(self) -> str:
        """The connections that are left out: `without copilot`; empty if all are compared."""
        names = listed(list(map(without_domains, self.left_out)), _MOST_NAMED, "connection")
        return f"without {names}" if names else ""

    @property
    def reasons(self) -> str:
        """The connections that are left out, each with the reason."""
        each = [f"{without_domains(name)} ({why})" for name, why in self.left_out.items()]
        return listed(each, _MOST_NAMED, "connection")

    @property
    def refusal(self) -> str:
        """Why nothing is compared; empty if something is."""
        if self.connections:
            return ""
        if self.has_begun:
            return "Not all of those days were read"
        return f"No day of {self.days.first:%B} was over when it was read"

    @property
    def filter(self) -> dict[str, tuple[str, ...]]:
        """The filter of a view of the same dollars."""
        return {"connection": self.connections} if self.is_part else {}


def comparison(scope: Scope, so_far: DayRange) -> Comparison:
    """Return what the month so far is compared with.

    A connection is compared if all days were read through the newest that has settled at any of
    them; later ones only through the newest that was over when it was read from each, as some
    answer a day later.

    Args:
        scope: The connections of today.
        so_far: The days of the month so far.
    """
    whole = month_of(so_far.first - ONE_DAY)
    as_many = so_far.first + ONE_DAY * (len(whole) - 1)
    so_far = DayRange(so_far.first, min(so_far.last, as_many))
    read, unfinished = _days_of(scope, SETTLED, PROVISIONAL), _days_of(scope, UNFINISHED)
    gaps = {name: _first_gap(so_far, whole.first, each) for name, each in read.items()}
    settled = _newest_settled(scope, so_far)
    chosen = tuple(name for name, gap in gaps.items() if gap is None or gap[0] > settled)
    ends = [gap[0] - ONE_DAY for name, gap in gaps.items() if gap and name in chosen]
    days = DayRange(so_far.first, min([so_far.last, *ends]))
    before = DayRange(whole.first, whole.first + (days.last - days.first))
    left_out = {
        name: _why(gap[1], read[name], unfinished[name])
        for name, gap in gaps.items()
        if gap and name not in chosen and not read[name].isdisjoint([*days, *before])
    }
    is_part = bool(scope.left_out) or len(chosen) < len(scope.names)
    has_begun = any(not each.isdisjoint([*so_far]) for each in read.values())
    return Comparison(days, before, chosen, left_out, is_part, has_begun)


def _days_of(scope: Scope, *states: str) -> dict[str, set[date]]:
    """Return the days of each connection that have one of some states."""
    return {
        name: {day for state in states for day in days_in(state, letters, scope.days)}
        for name, letters in zip(scope.names, scope.comparable, strict=True)
    }


def _newest_settled(scope: Scope, so_far: DayRange) -> date:
    """Return the newest day so far that has settled anywhere; the first where none has."""
    known = [day for each in scope.by_connection for day in days_in(SETTLED, each, scope.days)]
    return max([so_far.first, *(day for day in known if so_far.first <= day <= so_far.last)])


def _first_gap(so_far: DayRange, before: date, read: AbstractSet[date]) -> tuple[date, date] | None:
    """Return the first day of the month that cannot be compared, and which day was not read."""
    for day in so_far:
        for one in (before + (day - so_far.first), day):
            if one not in read:
                return day, one
    return None


def _why(unread: date, read: AbstractSet[date], unfinished: AbstractSet[date]) -> str:
    if unread in unfinished:
        return f"{unread} was not complete when it was read"
    first, last = min(read), max(read)
    if unread < first:
        return f"read from {first}"
    return f"read through {last}" if unread > last else f"{unread} was not read"

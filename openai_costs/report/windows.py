"""The ranges of the range selector: the last 30 or 90 settled days, and everything. Pure.

Settled days only, so that two periods of the same length compare like with like; a missing day is
skipped, not counted as zero. Only "all days" includes what is still provisional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.report.day_states import SETTLED, days_in, expected_days, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

HEADLINE_DAYS: Final = 30
_LENGTHS: Final = (HEADLINE_DAYS, 90)


class Window(NamedTuple):
    """The days of a period and of the one before it; both oldest first.

    Args:
        id: `30`, `90` or `all`.
        days: What is added up.
        before: As many settled days before; empty when there are not that many.
    """

    id: str
    days: list[date]
    before: list[date]

    @property
    def title(self) -> str:
        """The days in words."""
        if self.id == "all":
            return f"{_counted(len(self.days), 'day')}, {span(self.days)}"
        return f"last {_counted(len(self.days), 'settled day')}, {span(self.days)}"

    @property
    def compared(self) -> str:
        """The days before in words; empty when there are none."""
        return f"{len(self.before)} settled days {span(self.before)}" if self.before else ""


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def newest(settled: Sequence[date], length: int) -> Window:
    """Return the last `length` settled days, all of them when there are fewer."""
    days = list(settled[-length:])
    earlier = settled[: -len(days)] if days else []
    is_comparable = len(days) == length and len(earlier) >= length
    return Window(str(length), days, list(earlier[-length:]) if is_comparable else [])


def windows(days: Sequence[date], states: str) -> Iterator[Window]:
    """Yield the windows that differ: a range longer than the history would repeat `all`."""
    settled = days_in(SETTLED, states, days)
    expected = expected_days(states, days)
    for length, shorter in zip(_LENGTHS, (0, *_LENGTHS), strict=False):
        if length < len(expected) and len(settled) > shorter:
            yield newest(settled, length)
    if expected:
        yield Window("all", expected, [])

"""The coverage calendar of a connection: one square per UTC day, a column per week. Pure.

One SVG path per state, so that a year takes a few kilobytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.outputs.report.page_days import (
    MISSING,
    PROVISIONAL,
    SETTLED,
    days_in,
    expected_days,
    in_words,
    span,
    weeks,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

PITCH: Final = 13
_SIDE: Final = 10
_TOP: Final = 16
_WEEK: Final = 7
_LABEL_WEEKS: Final = 2
_WORDS: Final = {SETTLED: "settled", PROVISIONAL: "provisional", MISSING: "missing"}


class CoverageCalendar(NamedTuple):
    """The squares and the summary of one connection.

    Args:
        connection: Position in `PageModel.connections`.
        name: The connection.
        summary: How many days are settled, provisional, missing, and which are missing.
        paths: State in words and SVG path data of its squares.
        months: Position in pixels and label of each month.
        width: In pixels.
        height: In pixels.
    """

    connection: int
    name: str
    summary: str
    paths: tuple[tuple[str, str], ...]
    months: tuple[tuple[int, str], ...]
    width: int
    height: int


def coverage_calendar(
    connection: int, name: str, days: Sequence[date], states: str
) -> CoverageCalendar:
    """Return the calendar of one connection.

    Args:
        connection: Its position.
        name: What it is called.
        days: The page's days, at least one.
        states: One letter per day.
    """
    places = list(weeks(days))
    drawn = dict.fromkeys(_WORDS, "")
    for (week, weekday), state in zip(places, states, strict=True):
        if state in drawn:
            drawn[state] += f"M{week * PITCH} {_TOP + weekday * PITCH}h{_SIDE}v{_SIDE}h-{_SIDE}z"
    return CoverageCalendar(
        connection,
        name,
        _summary(days, states),
        tuple((_WORDS[state], path) for state, path in drawn.items() if path),
        tuple(_months(days, places)),
        max(4, places[-1][0] + 1) * PITCH,
        _TOP + _WEEK * PITCH,
    )


def _summary(days: Sequence[date], states: str) -> str:
    found = ((word, days_in(state, states, days)) for state, word in _WORDS.items())
    counts = [
        f"{len(some)} {word}{f' ({in_words(some)})' if word != 'settled' else ''}"
        for word, some in found
        if some
    ]
    return f"{span(expected_days(states, days))}: {', '.join(counts)}"


def _months(days: Sequence[date], places: Sequence[tuple[int, int]]) -> list[tuple[int, str]]:
    """The name of each month over its first week; none where two would overlap."""
    labels: list[tuple[int, str]] = []
    for day, (week, _) in zip(days, places, strict=True):
        is_first = day == days[0] or day.day == 1
        has_room = not labels or week * PITCH - labels[-1][0] >= _LABEL_WEEKS * PITCH
        if is_first and has_room:
            labels.append((week * PITCH, f"{day:%b}"))
    return labels

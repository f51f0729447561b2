"""What the page says, as data: whole cents, UTC days, finished sentences. No frames, no HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

REST: Final = -1
"""The member that stands for everything a ranking does not list."""


class Headline(NamedTuple):
    """One of the five numbers: what it is, the number, and its days and connection, a line each."""

    label: str
    value: str
    note: str


class Question(NamedTuple):
    """Something a reader should know before believing a number."""

    title: str
    sentence: str


class Found(NamedTuple):
    """A finding that is open.

    Args:
        connection: Position in `ReportFacts.connections`; None for all of them together.
        severity: critical, warning or info.
        at_stake: Dollars; empty when it is not about money.
        about: What it is about.
        note: The rule, the days, and who should act.
        sentence: Why, in words with numbers.
        outlook: What happens by the end of the period; may be empty.
    """

    connection: int | None
    severity: str
    at_stake: str
    about: str
    note: str
    sentence: str
    outlook: str


class OpenFindings(NamedTuple):
    """The worst findings, how many more are open, and how many are muted."""

    shown: tuple[Found, ...] = ()
    hidden: int = 0
    muted: int = 0

    @property
    def counted(self) -> str:
        """How many are open, in words."""
        count = len(self.shown) + self.hidden
        if not count:
            return "No open finding"
        many = "1 open finding" if count == 1 else f"{count} open findings"
        return f"{many}, the worst first; dollars at stake, settled days only"


class BudgetBar(NamedTuple):
    """A budget in its period, through the newest settled day; lengths in pixels.

    Args:
        between: The 80 % band of what is expected by the period's end; empty without a forecast.
        state: on_track, at_risk, exceeded or incomplete.
        limit_at: Where on the bar the limit is.
    """

    name: str
    owner: str
    days: str
    through: date
    spent: str
    limit: str
    share: str
    expected: str
    between: str
    state: str
    spent_width: int
    expected_width: int
    limit_at: int


class Row(NamedTuple):
    """One line of a table.

    Args:
        member: Position in the dimension's members; `REST` for everything else.
        cents: Spend of the period.
        previous_cents: Spend of the period before; None when there is none to compare.
    """

    member: int
    cents: int
    previous_cents: int | None


class Restated(NamedTuple):
    """A settled day that the provider changed; cents, and the moment of the read that showed it."""

    connection: int
    day: date
    seen_at: datetime
    previous_cents: int
    current_cents: int
    lines_changed: int
    what_changed: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """A table: the largest members, everything else, and the total they add up to exactly."""

    rows: tuple[Row, ...]
    rest_count: int
    total: Row


@dataclass(frozen=True, slots=True)
class Period:
    """A choice of the range selector.

    Args:
        id: `30`, `90` or `all`.
        title: Its days in words, for a caption.
        compared: The days before it in words; empty when there is nothing to compare with.
        first: Position of its first day in `ReportFacts.days`.
        last: Position of its last day.
        rankings: One per dimension, in order.
    """

    id: str
    title: str
    compared: str
    first: int
    last: int
    rankings: tuple[Ranking, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Everything the page says of all connections, or of one of them.

    Args:
        name: `connection acme`, `all 3 connections`.
        connections: Positions in `ReportFacts.connections`.
        total: The bill of all days, in words.
        scope: Its day range and connection.
        completeness: Through which day the data is complete, and what is not.
        states: One letter per day: s(ettled), p(rovisional), m(issing), `-` not expected.
        headlines: Five of them.
        questions: Open questions, most pressing first.
        periods: The choices of the range selector; empty when no day was ever read.
    """

    name: str
    connections: tuple[int, ...]
    total: str
    scope: str
    completeness: str
    states: str
    headlines: tuple[Headline, ...]
    questions: tuple[Question, ...]
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class Dimension:
    """A way to cut the bill: its id, its title, and the names of the members the page knows."""

    id: str
    title: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """Cents per day of one connection in one dimension; the members and the rest make the total."""

    total: tuple[int, ...]
    members: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """The whole page.

    Args:
        written_at: When the page was made, naive UTC.
        days: Every UTC day of the page, without gaps.
        hidden_days: How many older days are in the database but not on the page.
        connections: Their names.
        dimensions: Project, user, team, key, model, usage type.
        series: Per connection, per dimension.
        states: Per connection, one letter per day as in `View.states`.
        views: All connections first, then each one when there are several.
        restated: Newest first.
        hidden_restated: How many older restatements are not listed.
        findings: What deserves a look.
        budgets: Where each budget stands.
    """

    written_at: datetime
    days: tuple[date, ...]
    hidden_days: int
    connections: tuple[str, ...]
    dimensions: tuple[Dimension, ...]
    series: tuple[tuple[Series, ...], ...]
    states: tuple[str, ...]
    views: tuple[View, ...]
    restated: tuple[Restated, ...]
    hidden_restated: int
    findings: OpenFindings
    budgets: tuple[BudgetBar, ...]

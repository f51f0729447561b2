"""The page model: everything the page shows, made from the tables in one pass. Pure.

`page_model` goes once from top to bottom: the days of the page, then each view (all connections,
and each of several) with its sentences and rankings, then the daily series behind the chart, then
the panels. Whole cents, UTC days, finished sentences; render.py turns it into HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from openai_costs.kernel.days import naive
from openai_costs.kernel.formatting import dollars_of
from openai_costs.outputs.report.coverage_calendar import CoverageCalendar, coverage_calendar
from openai_costs.outputs.report.headlines import Headline, headlines
from openai_costs.outputs.report.page_days import calendar, span, windows
from openai_costs.outputs.report.panels import (
    BudgetBar,
    OpenFindings,
    Restated,
    budget_bars,
    open_findings,
    restated_days,
)
from openai_costs.outputs.report.rankings import (
    CUTS,
    Members,
    Ranking,
    Series,
    amounts_by_member,
    daily_series,
    members_of,
    ranking,
)
from openai_costs.outputs.report.scope import Scope, scopes, shown
from openai_costs.outputs.report.sentences import Question, completeness, notice, questions
from openai_costs.questions.coverage import unbilled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from openai_costs.outputs.report.page_days import Calendar, Window

# The page's size is members x days x connections: the more connections, the fewer of each.
_MOST_LISTED: Final = 10
_FEWEST_LISTED: Final = 4


class Tables(NamedTuple):
    """What the page is made of: marts, coverage of costs, and the projects' names."""

    spend: pl.DataFrame
    by_user: pl.DataFrame
    coverage: pl.DataFrame
    restatements: pl.DataFrame
    projects: pl.DataFrame
    findings: pl.DataFrame
    budget_status: pl.DataFrame


class Period(NamedTuple):
    """A choice of the range selector.

    Args:
        id: `30`, `90` or `all`.
        title: Its days in words, for a caption.
        compared: The days before it in words; empty when there is nothing to compare with.
        first: Position of its first day in `PageModel.days`.
        last: Position of its last day.
        rankings: One per dimension, in the order of `CUTS`.
    """

    id: str
    title: str
    compared: str
    first: int
    last: int
    rankings: tuple[Ranking, ...]


class View(NamedTuple):
    """What the page shows of all connections, or of one of them.

    Args:
        name: `connection acme`, `all 3 connections`.
        connections: Positions in `PageModel.connections`.
        total: The bill of all days, in words.
        scope: Its day range and connection.
        completeness: Through which day the data is complete, and what is not.
        notice: What a reader must know first; empty when there is no such thing.
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
    notice: str
    states: str
    headlines: tuple[Headline, ...]
    questions: tuple[Question, ...]
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class PageModel:
    """The whole page.

    Args:
        written_at: When the page was made, naive UTC.
        days: Every UTC day of the page, without gaps.
        hidden_days: How many older days are in the database but not on the page.
        connections: Their names.
        dimensions: Titles: project, user, team, key, model, usage type.
        views: All connections first, then each one when there are several.
        series: Per connection and dimension: cents per day, for the chart.
        calendars: The coverage calendar of each connection.
        findings: What needs attention.
        budgets: Spend to date and forecast of each budget.
        restated: Newest first.
        hidden_restated: How many older restatements are not listed.
    """

    written_at: datetime
    days: tuple[date, ...]
    hidden_days: int
    connections: tuple[str, ...]
    dimensions: tuple[str, ...]
    views: tuple[View, ...]
    series: tuple[tuple[Series, ...], ...]
    calendars: tuple[CoverageCalendar, ...]
    findings: OpenFindings
    budgets: tuple[BudgetBar, ...]
    restated: tuple[Restated, ...]
    hidden_restated: int


def page_model(tables: Tables, now: datetime) -> PageModel:
    """Return everything the page shows.

    Args:
        tables: What the page is made of.
        now: The current instant, aware; naive is taken as UTC.
    """
    written_at = naive(now)
    days = calendar(tables.coverage, tables.spend, written_at.date())
    names = tuple(shown(one, days.former) for one in days.connections)
    is_shown = pl.col("day").is_in(days.days)
    spend, by_user = tables.spend.filter(is_shown), tables.by_user.filter(is_shown)
    amounts, members = amounts_by_member(spend, by_user), members_of(spend, by_user)
    called = {id_: name for cut in members.values() for id_, name in cut.names.items()}
    restated = restated_days(tables.restatements, days.connections, called)
    in_view = scopes(days, spend, by_user, restated.all, written_at.date())
    not_billed = unbilled(tables.coverage, tables.projects)
    top = max(_FEWEST_LISTED, _MOST_LISTED + 2 - 2 * len(names))
    views = tuple(_view(scope, not_billed, amounts, members, top) for scope in in_view)
    return PageModel(
        written_at=written_at,
        days=days.days,
        hidden_days=days.hidden_days,
        connections=names,
        dimensions=tuple(cut.title for cut in CUTS),
        views=views,
        series=_all_series(days, views, amounts, members),
        calendars=_calendars(days, names),
        findings=open_findings(tables.findings, days.connections),
        budgets=budget_bars(tables.budget_status),
        restated=restated.shown,
        hidden_restated=restated.hidden,
    )


def _view(
    scope: Scope,
    not_billed: dict[str, str],
    amounts: pl.DataFrame,
    members: dict[str, Members],
    top: int,
) -> View:
    seen = amounts.filter(pl.col("connection").is_in(scope.names))
    choices = windows(scope.days, scope.states) if scope.read else ()
    return View(
        name=scope.name,
        connections=scope.connections,
        total=dollars_of(scope.billed()) if scope.read else "No data yet",
        scope=f"{span(scope.expected)}, {scope.name}" if scope.days else scope.name,
        completeness=completeness(scope) if scope.days else "No day has been read yet.",
        notice=notice(scope, not_billed),
        states=scope.states,
        headlines=headlines(scope),
        questions=tuple(questions(scope)),
        periods=tuple(_period(scope, window, seen, members, top) for window in choices),
    )


def _period(
    scope: Scope, window: Window, seen: pl.DataFrame, members: dict[str, Members], top: int
) -> Period:
    place = {day: i for i, day in enumerate(scope.days)}
    return Period(
        id=window.id,
        title=f"{window.title}{scope.where}",
        compared=window.compared,
        first=place[window.days[0]],
        last=place[window.days[-1]],
        rankings=tuple(ranking(seen, window, cut, members[cut.id], top) for cut in CUTS),
    )


def _all_series(
    days: Calendar, views: Sequence[View], amounts: pl.DataFrame, members: dict[str, Members]
) -> tuple[tuple[Series, ...], ...]:
    """Return the series of every connection and dimension; members apart that a ranking lists."""
    listed = [
        {row.member for view in views for period in view.periods for row in period.rankings[i].rows}
        for i in range(len(CUTS))
    ]
    by_cut = amounts.partition_by("connection", "dimension", as_dict=True)
    nothing = amounts.clear()
    return tuple(
        tuple(
            daily_series(by_cut.get((name, cut.id), nothing), days.days, members[cut.id], shown)
            for cut, shown in zip(CUTS, listed, strict=True)
        )
        for name in days.connections
    )


def _calendars(days: Calendar, names: Sequence[str]) -> tuple[CoverageCalendar, ...]:
    """Return the coverage calendar of each connection; none before any day is known."""
    return tuple(
        coverage_calendar(i, name, days.days, states)
        for i, (name, states) in enumerate(zip(names, days.states, strict=False))
    )

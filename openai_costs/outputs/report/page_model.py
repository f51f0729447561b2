"""The page model: everything the page shows, made from the tables in one pass. Pure.

`page_model` goes once from top to bottom. UTC days, finished sentences; render.py makes the HTML.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from openai_costs.kernel.days import naive
from openai_costs.kernel.formatting import dollars_of
from openai_costs.outputs.report.bill_sections import (
    gateway_section,
    price_section,
    whom_bills_name,
)
from openai_costs.outputs.report.budget_section import budgets_section
from openai_costs.outputs.report.coverage_calendar import CoverageCalendar, coverage_calendar
from openai_costs.outputs.report.explorer_data import (
    Cube,
    explorer_data,
    members_of,
    page_facts,
)
from openai_costs.outputs.report.finding_rows import (
    Decision,
    decisions,
    findings_section,
    scopes_of,
)
from openai_costs.outputs.report.judged import Judged, what_was_judged
from openai_costs.outputs.report.money_sections import (
    SAVINGS_BASIS,
    Saving,
    largest_savings,
    savings_section,
    seats_section,
)
from openai_costs.outputs.report.month import Month, month
from openai_costs.outputs.report.month_days import MonthDay, month_days
from openai_costs.outputs.report.movers import Movers, movers
from openai_costs.outputs.report.page_days import Calendar, calendar, span
from openai_costs.outputs.report.page_tables import Tables, distinguished
from openai_costs.outputs.report.restated import Restated, restated_days
from openai_costs.outputs.report.scope import Scope, scope_of_today, shown
from openai_costs.outputs.report.sentences import (
    Question,
    Trust,
    completeness,
    notice,
    questions,
    trust,
)
from openai_costs.questions.lost_days import lost_days
from openai_costs.questions.unbilled import unbilled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from openai_costs.outputs.report.dimensions import Members
    from openai_costs.outputs.report.section import Section


class FirstScreen(NamedTuple):
    """What is above the fold: the month, what moved it, what to decide, to save, to believe.

    Args:
        month: So far, by its end, against the same days before.
        days: Each day of that month.
        movers: The three largest causes.
        decisions: At most five open findings.
        more_decisions: How many other findings are open.
        savings: The three largest.
        more_savings: How many more have dollars.
        trust: Lines about the numbers.
        judged: What was looked for, where nothing was found.
    """

    month: Month
    days: tuple[MonthDay, ...]
    movers: Movers
    decisions: tuple[Decision, ...]
    more_decisions: int
    savings: tuple[Saving, ...]
    more_savings: int
    trust: tuple[Trust, ...]
    judged: Judged

    @property
    def savings_note(self) -> str:
        """What the savings are, or that there are none."""
        return SAVINGS_BASIS if self.savings else self.judged.no_saving


@dataclass(frozen=True, slots=True)
class PageModel:
    """The whole page.

    Args:
        written_at: When the page was made, naive UTC.
        is_invented: Whether the data is of the sample organization.
        days: Every UTC day of the page, without gaps; none before any day was read.
        hidden_days: How many older days are in the database but not on the page.
        connections: Their names.
        total: The bill of all days of the connections of today, in words.
        scope: Its day range and connections.
        completeness: Through which day the data is complete, and what is not.
        notice: What a reader must know first; empty when there is no such thing.
        together: Dimensions that are kept together because there are too many rows, in words.
        first: The first screen.
        cube: What the explorer adds up.
        data: What the explorer's script reads; None before any day was read, or if not wanted.
        sections: Findings, budgets, savings, gateway, seats, price check.
        questions: Open questions about the data, most pressing first.
        calendars: The coverage calendar of each connection.
        restated: Newest first.
        hidden_restated: How many older restatements are not listed.
    """

    written_at: datetime
    is_invented: bool
    days: tuple[date, ...]
    hidden_days: int
    connections: tuple[str, ...]
    total: str
    scope: str
    completeness: str
    notice: str
    together: str
    first: FirstScreen
    cube: Cube
    data: dict[str, Any] | None
    sections: tuple[Section, ...]
    questions: tuple[Question, ...]
    calendars: tuple[CoverageCalendar, ...]
    restated: tuple[Restated, ...]
    hidden_restated: int


def page_model(
    tables: Tables,
    now: datetime,
    named: Mapping[str, str] | None = None,
    *,
    is_invented: bool = False,
    has_explorer: bool = True,
) -> PageModel:
    """Return everything the page shows.

    Args:
        tables: What the page is made of.
        now: The current instant, aware; naive is taken as UTC.
        named: Whom the bill of each who invoices names for a dollar, in a sentence, by host.
        is_invented: Whether the data is of the sample organization.
        has_explorer: Whether the explorer's data is wanted, which takes most of the time.
    """
    written_at = naive(now)
    days = calendar(tables.coverage, tables.spend, written_at.date())
    names = tuple(shown(one, days.former) for one in days.connections)
    tables = distinguished(_of_days(tables, days))
    facts, together = page_facts(tables)
    members = members_of(tables, facts, together)
    restated = restated_days(tables.restatements, days.connections, _called(members))
    scope = scope_of_today(days, tables.spend, tables.attribution, restated.all, written_at.date())
    lost, whom = lost_days(tables.coverage), whom_bills_name(tables.price_check, named or {})
    scope = replace(scope, lost=lost, named=whom)
    this_month = month(scope, tables.budget_status, tables.forecast)
    members["connection"] = _marked(members["connection"], days)
    cube = Cube(facts, members)
    unused = unbilled(tables.coverage, tables.projects)
    first = _first_screen(tables, this_month, movers(facts[0], members, this_month.span), scope)
    return PageModel(
        written_at=written_at,
        is_invented=is_invented,
        days=days.days,
        hidden_days=days.hidden_days,
        connections=names,
        total=dollars_of(scope.billed()) if scope.read else "No data yet",
        scope=f"{span(scope.expected)}, {scope.name}" if scope.days else scope.name,
        completeness=completeness(scope) if scope.days else "No day has been read yet.",
        notice=notice(scope, {**unused, **tables.counted_elsewhere}),
        together=", ".join(one.title.lower() for one in together),
        first=first,
        cube=cube,
        data=explorer_data(tables, cube, scope, days) if scope.read and has_explorer else None,
        sections=_sections(tables, scope, first.judged),
        questions=tuple(questions(scope)),
        calendars=_calendars(days, names),
        restated=restated.shown,
        hidden_restated=restated.hidden,
    )


def _of_days(tables: Tables, days: Calendar) -> Tables:
    """Return the tables with the rows of the page's days only."""
    is_shown = pl.col("day").is_in(days.days)
    names = ("spend", "attribution", "lines", "ledger", "usage")
    return tables._replace(**{name: getattr(tables, name).filter(is_shown) for name in names})


def _called(members: dict[str, Members]) -> dict[str, str]:
    """Return the names of projects, keys and people by their ids."""
    return {
        key: name
        for kind in ("project", "api_key", "user")
        for key, name in zip(members[kind].keys, members[kind].names, strict=True)
        if key is not None
    }


def _marked(connections: Members, days: Calendar) -> Members:
    """Return connections with a mark on the names of those that are no longer connected."""
    names = (shown(key, days.former) for key in connections.keys if key is not None)
    return connections._replace(names=(connections.names[0], *names))


def _first_screen(tables: Tables, this: Month, moved: Movers, scope: Scope) -> FirstScreen:
    decided, more = decisions(tables.findings, scopes_of(tables.budget_status))
    savings, others = largest_savings(tables.optimization)
    days = month_days(scope, this.span)
    read = (tables.coverage, tables.budget_status, tables.capture, tables.seats)
    judged = what_was_judged(*read, is_judged=tables.is_judged)
    return FirstScreen(this, days, moved, decided, more, savings, others, trust(scope), judged)


def _sections(tables: Tables, scope: Scope, judged: Judged) -> tuple[Section, ...]:
    scopes = scopes_of(tables.budget_status)
    hosts = tables.price_check["host"].unique().to_list()
    return (
        findings_section(tables.findings, scopes, judged),
        budgets_section(tables.budget_status, scope.settled_through, scopes),
        savings_section(tables.optimization, judged, hosts),
        gateway_section(tables.bypass, tables.capture, hosts),
        seats_section(tables.seats, judged, hosts),
        price_section(tables.price_check),
    )


def _calendars(days: Calendar, names: Sequence[str]) -> tuple[CoverageCalendar, ...]:
    """Return the coverage calendar of each connection; none before any day is known."""
    return tuple(
        coverage_calendar(i, name, days.days, states)
        for i, (name, states) in enumerate(zip(names, days.states, strict=False))
    )

"""Makes the cost explorer: reads the tables, renders the page, writes `report/index.html`.

Not here: what the page says (page_model.py and below), which is pure.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl
from upath import UPath

from openai_costs.kernel.days import ONE_DAY, DayRange, naive
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.page_data import series
from openai_costs.outputs.report.page_days import PAGE_DAYS, calendar
from openai_costs.outputs.report.page_model import Dimension, OpenFindings, ReportFacts
from openai_costs.outputs.report.panels import budget_bars, open_findings, restated_days
from openai_costs.outputs.report.rankings import CUTS, cells, member_names
from openai_costs.outputs.report.render import render
from openai_costs.outputs.report.views import ranked_windows, scopes, view
from openai_costs.questions.coverage import of_costs
from openai_costs.storage.files import replace_file
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openai_costs.outputs.report.page_days import Calendar
    from openai_costs.outputs.report.page_model import Series
    from openai_costs.outputs.report.views import RankedWindow
    from openai_costs.storage.lake import Lake


__all__ = ["facts_from", "render", "with_findings"]

# The page's size is members x days x connections: the more connections, the fewer of each.
_MOST_LISTED: Final = 10

_FEWEST_LISTED: Final = 4


def facts_from(
    spend: pl.DataFrame,
    by_user: pl.DataFrame,
    coverage: pl.DataFrame,
    restatements: pl.DataFrame,
    now: datetime,
) -> ReportFacts:
    """Return everything the page says.

    Args:
        spend: mart.spend.
        by_user: mart.spend_by_user.
        coverage: mart.coverage.
        restatements: mart.restatements.
        now: The current instant, aware; naive is taken as UTC.
    """
    written_at = naive(now)
    days = calendar(coverage, spend, written_at.date())
    spend, by_user = (table.filter(pl.col("day").is_in(days.days)) for table in (spend, by_user))
    restated = restated_days(restatements, days.connections)
    every = cells(spend, by_user)
    views = scopes(days, spend, by_user, restated.all, written_at.date())
    top = max(_FEWEST_LISTED, _MOST_LISTED + 2 - 2 * len(days.connections))
    found = [ranked_windows(scope, every, top) for scope in views]
    listed = _listed(found)
    names = member_names(spend, by_user)
    return ReportFacts(
        written_at=written_at,
        days=days.days,
        hidden_days=days.hidden_days,
        connections=tuple(map(without_domains, days.connections)),
        dimensions=tuple(
            Dimension(cut.id, cut.title, tuple(names[cut.id][key] for key in listed[cut.id]))
            for cut in CUTS
        ),
        series=tuple(_all_series(every, days, listed)),
        states=days.states,
        views=tuple(view(*each, listed) for each in zip(views, found, strict=True)),
        restated=restated.shown,
        hidden_restated=restated.hidden,
        findings=OpenFindings(),
        budgets=(),
    )


def with_findings(
    facts: ReportFacts, findings: pl.DataFrame, budget_status: pl.DataFrame
) -> ReportFacts:
    """Return the same page with what deserves a look.

    Args:
        facts: The page.
        findings: mart.findings.
        budget_status: mart.budget_status.
    """
    return replace(
        facts,
        findings=open_findings(findings, facts.connections),
        budgets=budget_bars(budget_status),
    )


def _listed(found: Sequence[Sequence[RankedWindow]]) -> dict[str, dict[str, int]]:
    """The position of each member that a table lists, by dimension; the longest window first."""
    listed: dict[str, dict[str, int]] = {cut.id: {} for cut in CUTS}
    for windows in found:
        for each in reversed(windows):
            for dimension, ranked in each.by_dimension.items():
                for spent in ranked.top:
                    listed[dimension].setdefault(spent.member, len(listed[dimension]))
    return listed


def _all_series(
    every: pl.DataFrame, days: Calendar, listed: Mapping[str, Mapping[str, int]]
) -> Iterator[tuple[Series, ...]]:
    for name in days.connections:
        of_connection = every.filter(pl.col("connection") == name)
        yield tuple(
            series(of_connection.filter(pl.col("dimension") == cut.id), days.days, listed[cut.id])
            for cut in CUTS
        )


# Writes the cost explorer from the lake, in one rename.

PAGE = "report/index.html"


def write_report(home: UPath, lake: Lake, now: datetime) -> ReportFacts:
    """Rebuild `report/index.html` below a home; return what it says."""
    facts = read_facts(lake, now)
    replace_file(home / PAGE, render(facts).encode())
    return facts


def read_facts(lake: Lake, now: datetime) -> ReportFacts:
    """Return what the page says."""
    shown = DayRange(now.date() - ONE_DAY * PAGE_DAYS, now.date())
    facts = facts_from(
        lake.read(Spend, shown),
        lake.read(SpendByUser, shown),
        of_costs(lake.read(Coverage)),
        lake.read(Restatements),
        now,
    )
    return with_findings(facts, lake.read(Findings), lake.read(BudgetStatus))

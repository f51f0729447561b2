"""Writes the cost explorer from the lake, in one rename."""

from datetime import datetime

from upath import UPath

from openai_costs.days import ONE_DAY, DayRange
from openai_costs.lake import Lake
from openai_costs.report.day_states import PAGE_DAYS
from openai_costs.report.explorer import facts_from, render, with_findings
from openai_costs.report.facts import ReportFacts
from openai_costs.spend.coverage import of_costs
from openai_costs.storage import replace_file
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser

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

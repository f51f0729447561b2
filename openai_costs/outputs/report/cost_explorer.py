"""Writes the cost explorer: read the tables, make the page model, render it, replace the file.

Not here: what the page shows (page_model.py and what it calls), what it looks like (render.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.outputs.report.page_days import PAGE_DAYS
from openai_costs.outputs.report.page_model import PageModel, Tables, page_model
from openai_costs.outputs.report.render import render
from openai_costs.questions.coverage import all_costs, as_missing
from openai_costs.questions.spend.control_totals import day_sums
from openai_costs.questions.spend.verification import withheld, without
from openai_costs.storage.files import replace_file
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser

if TYPE_CHECKING:
    from datetime import datetime

    from upath import UPath

    from openai_costs.storage.lake import Lake

PAGE = "report/index.html"


def write_report(home: UPath, lake: Lake, now: datetime) -> PageModel:
    """Rebuild `report/index.html` below a home; return what it shows."""
    page = read_page(lake, now)
    replace_file(home / PAGE, render(page).encode())
    return page


def read_page(lake: Lake, now: datetime) -> PageModel:
    """Return the page model of what the lake holds now, without the days that do not tie out."""
    shown = DayRange(now.date() - ONE_DAY * PAGE_DAYS, now.date())
    spend, by_user = lake.read(Spend, shown), lake.read(SpendByUser, shown)
    sums = {Spend.full_name(): day_sums(spend), SpendByUser.full_name(): day_sums(by_user)}
    held = withheld(lake.read(SpendControl, shown), sums)
    tables = Tables(
        spend=without(spend, held),
        by_user=without(by_user, held),
        coverage=as_missing(all_costs(lake.read(Coverage)), held),
        restatements=lake.read(Restatements),
        projects=lake.read(Projects),
        findings=lake.read(Findings),
        budget_status=lake.read(BudgetStatus),
    )
    return page_model(tables, now)

"""Writes the cost explorer: read the tables, make the page model, render it, replace the file.

Not here: what the page shows (page_model.py and what it calls), what it looks like (render.py).
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.outputs.report.bill_queries import BY_METHOD, OF_SPEND
from openai_costs.outputs.report.page_bill import (
    Shown,
    read_dollars,
    read_lines,
    read_names,
    read_rows,
)
from openai_costs.outputs.report.page_days import PAGE_DAYS, calendar
from openai_costs.outputs.report.page_model import PageModel, page_model
from openai_costs.outputs.report.page_tables import Tables
from openai_costs.outputs.report.render import render
from openai_costs.questions.coverage import all_costs, as_missing
from openai_costs.questions.spend.control_totals import day_sums
from openai_costs.questions.spend.verification import withheld, without
from openai_costs.settings.connection import SAMPLE_SCHEME
from openai_costs.settings.settings_file import NAME as SETTINGS
from openai_costs.sources.registry import invoicers
from openai_costs.storage.files import replace_file
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.forecast import Forecast
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.seats import Seats
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies
from openai_costs.tables.mart.spend_attribution import SpendAttribution

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime

    from upath import UPath

    from openai_costs.outputs.report.page_model import FirstScreen
    from openai_costs.outputs.report.sentences import Question
    from openai_costs.storage.lake import Lake

PAGE = "report/index.html"
DIGEST = "report/digest.html"
"""The weekly digest that `openai-costs digest --open` wrote; it does not outlive the page."""
RECENT_DAYS = 90
"""Where the newest 30 days of the gateway and of list prices are searched for."""

_last_read: dict[Hashable, Opening] = {}
"""The opening of the page that this process read last, by the versions of the tables it is of."""


class Opening(NamedTuple):
    """What the page opens with: the first screen, and the open questions."""

    first: FirstScreen
    questions: tuple[Question, ...]


def write_report(home: UPath, lake: Lake, now: datetime) -> PageModel:
    """Rebuild `report/index.html` below a home; return what it shows."""
    page = read_page(lake, now, is_invented=is_invented(home))
    replace_file(home / PAGE, render(page).encode())
    (home / DIGEST).unlink(missing_ok=True)
    return page


def read_page(
    lake: Lake, now: datetime, *, is_invented: bool = False, has_explorer: bool = True
) -> PageModel:
    """Return the page model of what the lake holds now, without the days that do not tie out."""
    named = {host: one.attribution for host, one in invoicers().items() if one.attribution}
    versions, tables = _versions(lake, now), read_tables(lake, now)
    page = page_model(tables, now, named, is_invented=is_invented, has_explorer=has_explorer)
    _last_read.clear()
    _last_read[versions] = Opening(page.first, page.questions)
    return page


def read_opening(lake: Lake, now: datetime) -> Opening:
    """Return what the page opens with, of the same tables and days as `read_page`."""
    if (known := _last_read.get(_versions(lake, now))) is not None:
        return known
    page = read_page(lake, now, has_explorer=False)
    return Opening(page.first, page.questions)


def _versions(lake: Lake, now: datetime) -> Hashable:
    """Return what the page is of: the lake, the version of each table, and the day."""
    written = ((one.table_id, one.version) for one in map(lake.written, all_contracts()))
    return str(lake.root), tuple(written), now.date()


def read_tables(lake: Lake, now: datetime) -> Tables:
    """Return the tables of the page's days, without the days that do not tie out."""
    days = DayRange(now.date() - ONE_DAY * PAGE_DAYS, now.date())
    recent = DayRange(now.date() - ONE_DAY * RECENT_DAYS, now.date())
    spend = read_dollars(lake, Spend, days, OF_SPEND)
    attribution = read_dollars(lake, SpendAttribution, days, BY_METHOD)
    sums = {Spend.full_name(): day_sums(spend), SpendAttribution.full_name(): day_sums(attribution)}
    held = withheld(lake.read(SpendControl, days), sums)
    coverage, spend = as_missing(all_costs(lake.read(Coverage)), held), without(spend, held)
    on_page = calendar(coverage, spend, now.date()).days
    shown = Shown(sorted({*on_page}.intersection(days)), held)
    credit_days = set(attribution.filter(pl.col("billed_usd") < 0)["day"])
    lines, ledger, coarse = read_lines(lake, shown, credit_days)
    return Tables(
        spend=spend,
        attribution=without(attribution, held),
        names=read_names(lake, shown),
        lines=lines,
        ledger=ledger,
        coarse=coarse,
        usage=read_rows(lake, Usage, days, list(Usage.types())),
        coverage=coverage,
        restatements=lake.read(Restatements),
        projects=lake.read(Projects),
        api_keys=lake.read(ApiKeys),
        users=lake.read(Users),
        service_accounts=lake.read(ServiceAccounts),
        findings=lake.read(Findings),
        anomalies=lake.read(SpendAnomalies),
        budget_status=lake.read(BudgetStatus),
        forecast=lake.read(Forecast),
        optimization=lake.read(Optimization),
        bypass=lake.read(GatewayBypass, recent),
        capture=lake.read(GatewayCapture, recent),
        seats=lake.read(Seats),
        price_check=lake.read(PriceCheck, recent),
        is_judged=lake.has(Findings),
    )


def is_invented(home: UPath) -> bool:
    """Return whether a home is the demo's: its own settings file names the sample organization."""
    file = home / SETTINGS
    try:
        connections = tomllib.loads(file.read_text(encoding="utf-8")).get("connections", [])
    except (OSError, ValueError):  # no settings there, or none that can be read
        return False
    return any(str(one.get("base_url", "")).startswith(SAMPLE_SCHEME) for one in connections)

"""Writes the cost explorer: read the tables, make the page model, render it, replace the file.

Not here: what the page shows (page_model.py and what it calls), what it looks like (render.py).
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.outputs.publish.publication_state import last_state
from openai_costs.outputs.report.bill_queries import BY_METHOD, OF_SPEND
from openai_costs.outputs.report.page_bill import (
    read_dollars,
    read_lines,
    read_names,
    read_rows,
)
from openai_costs.outputs.report.page_days import PAGE_DAYS, calendar
from openai_costs.outputs.report.page_model import PageModel, page_model
from openai_costs.outputs.report.page_tables import Tables
from openai_costs.outputs.report.render import render
from openai_costs.questions.coverage import all_costs
from openai_costs.settings.connection import SAMPLE_SCHEME
from openai_costs.settings.settings_file import NAME as SETTINGS
from openai_costs.sources.registry import invoicers
from openai_costs.storage.files import replace_file
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
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

    from openai_costs.outputs.publish.publication import Publication
    from openai_costs.outputs.publish.published_tables import Readable
    from openai_costs.outputs.report.page_model import FirstScreen
    from openai_costs.outputs.report.sentences import Question

PAGE = "report/index.html"
DIGEST = "report/digest.html"
"""The weekly digest that `openai-costs digest --open` wrote; it does not outlive the page."""
RECENT_DAYS = 90
"""Where the newest 30 days of the gateway and of list prices are searched for."""

_last_read: dict[Hashable, Opening] = {}
"""The opening of the page that this process read last, by the publication that it is of."""


class Opening(NamedTuple):
    """What the page opens with: the first screen, and the open questions."""

    first: FirstScreen
    questions: tuple[Question, ...]


def write_report(publication: Publication, now: datetime) -> PageModel:
    """Rebuild `report/index.html` of a home, as it was published last; return what it shows."""
    page, home = read_page(publication, now), publication.home
    replace_file(home / PAGE, render(page).encode())
    (home / DIGEST).unlink(missing_ok=True)
    return page


def read_page(publication: Publication, now: datetime, *, has_explorer: bool = True) -> PageModel:
    """Return the page model of what was published last."""
    named = {host: one.attribution for host, one in invoicers().items() if one.attribution}
    mark, is_sample = _mark(publication, now), is_invented(publication.home)
    with publication.tables() as published:
        tables = read_tables(published, now)
    tables = tables._replace(counted_elsewhere=publication.counted_elsewhere())
    page = page_model(tables, now, named, is_invented=is_sample, has_explorer=has_explorer)
    _last_read.clear()
    if mark is not None:
        _last_read[mark] = Opening(page.first, page.questions)
    return page


def read_opening(publication: Publication, now: datetime) -> Opening:
    """Return what the page opens with, of the same publication and day as `read_page`."""
    if (known := _last_read.get(_mark(publication, now))) is not None:
        return known
    page = read_page(publication, now, has_explorer=False)
    return Opening(page.first, page.questions)


def _mark(publication: Publication, now: datetime) -> Hashable | None:
    """Return what the page is of: a publication of a home, and the day; None where not known."""
    last = last_state(publication.home)
    return (str(publication.home), last.digest, now.date()) if last else None


def read_tables(published: Readable, now: datetime) -> Tables:
    """Return the tables of the page's days, as they were published: each settled day ties out."""
    days = DayRange(now.date() - ONE_DAY * PAGE_DAYS, now.date())
    recent = DayRange(now.date() - ONE_DAY * RECENT_DAYS, now.date())
    spend = read_dollars(published, Spend, days, OF_SPEND)
    attribution = read_dollars(published, SpendAttribution, days, BY_METHOD)
    coverage = all_costs(published.read(Coverage))
    on_page = calendar(coverage, spend, now.date()).days
    shown = sorted({*on_page}.intersection(days))
    credit_days = set(attribution.filter(pl.col("billed_usd") < 0)["day"])
    lines, ledger, coarse = read_lines(published, shown, credit_days)
    return Tables(
        spend=spend,
        attribution=attribution,
        names=read_names(published, shown),
        lines=lines,
        ledger=ledger,
        coarse=coarse,
        usage=read_rows(published, Usage, days, list(Usage.types())),
        coverage=coverage,
        restatements=published.read(Restatements),
        projects=published.read(Projects),
        api_keys=published.read(ApiKeys),
        users=published.read(Users),
        service_accounts=published.read(ServiceAccounts),
        findings=published.read(Findings),
        anomalies=published.read(SpendAnomalies),
        budget_status=published.read(BudgetStatus),
        forecast=published.read(Forecast),
        optimization=published.read(Optimization),
        bypass=published.read(GatewayBypass, recent),
        capture=published.read(GatewayCapture, recent),
        seats=published.read(Seats),
        price_check=published.read(PriceCheck, recent),
        is_judged=published.has(Findings),
    )


def is_invented(home: UPath) -> bool:
    """Return whether a home is the demo's: its own settings file names the sample organization."""
    file = home / SETTINGS
    try:
        connections = tomllib.loads(file.read_text(encoding="utf-8")).get("connections", [])
    except (OSError, ValueError):  # no settings there, or none that can be read
        return False
    return any(str(one.get("base_url", "")).startswith(SAMPLE_SCHEME) for one in connections)

"""The tables that the page is made of. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars as pl

    from openai_costs.outputs.report.bill_queries import Names
    from openai_costs.outputs.report.coarse_facts import Coarse


class Tables(NamedTuple):
    """What the page is made of, each without the days that do not tie out.

    Args:
        spend: Dollars of mart.spend by connection, day, model and usage type, credits apart.
        attribution: Dollars of mart.spend_attribution by connection, day and method, credits apart.
        names: What the bill says of ids.
        lines: The columns `OF_ATTRIBUTION` of mart.spend_attribution.
        ledger: The columns `OF_LEDGER` of core.spend.
        coarse: Dollars instead of lines, where those are too many; None where there are lines.
        usage: core.usage.
        coverage: mart.coverage of costs.
        restatements: mart.restatements.
        projects: core.projects.
        api_keys: core.api_keys.
        users: core.users.
        service_accounts: core.service_accounts.
        findings: mart.findings.
        anomalies: mart.spend_anomalies.
        budget_status: mart.budget_status.
        forecast: mart.forecast.
        optimization: mart.optimization.
        bypass: mart.gateway_bypass.
        capture: mart.gateway_capture.
        seats: mart.seats.
        price_check: mart.price_check.
        is_judged: Whether mart.findings was ever made.
    """

    spend: pl.DataFrame
    attribution: pl.DataFrame
    names: Names
    lines: pl.DataFrame
    ledger: pl.DataFrame
    coarse: Coarse | None
    usage: pl.DataFrame
    coverage: pl.DataFrame
    restatements: pl.DataFrame
    projects: pl.DataFrame
    api_keys: pl.DataFrame
    users: pl.DataFrame
    service_accounts: pl.DataFrame
    findings: pl.DataFrame
    anomalies: pl.DataFrame
    budget_status: pl.DataFrame
    forecast: pl.DataFrame
    optimization: pl.DataFrame
    bypass: pl.DataFrame
    capture: pl.DataFrame
    seats: pl.DataFrame
    price_check: pl.DataFrame
    is_judged: bool = True

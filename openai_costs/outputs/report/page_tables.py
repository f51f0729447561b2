"""The tables that the page is made of. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from openai_costs.questions import causes
from openai_costs.questions.namesakes import with_marks
from openai_costs.questions.spend.names import Directory, marks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_costs.outputs.report.bill_queries import Names
    from openai_costs.outputs.report.coarse_facts import Coarse


class Tables(NamedTuple):
    """What the page is made of, as it was published last.

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
        counted_elsewhere: Why connections without days of their own are counted as others, by name.
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
    counted_elsewhere: Mapping[str, str] = MappingProxyType({})

    @property
    def directory(self) -> Directory:
        """The tables of the directory."""
        return Directory(self.api_keys, self.users, self.service_accounts, self.projects)


def distinguished(tables: Tables) -> Tables:
    """Return tables with names that distinguish namesakes, where they stand beside findings."""
    known, key, project = marks(tables.directory), pl.col("api_key_id"), pl.col("project_id")
    series = pl.col("series_kind"), pl.col("series_id")
    subject = pl.col("subject_kind"), pl.col("subject").str.split(" ").list.first()
    anomalies = with_marks(tables.anomalies, "series_name", *series, known)
    bypass = with_marks(tables.bypass, "key_name", pl.lit("api_key"), key, known)
    return tables._replace(
        anomalies=causes.distinguished(anomalies, known),
        optimization=with_marks(tables.optimization, "subject_name", *subject, known),
        bypass=with_marks(bypass, "project_name", pl.lit("project"), project, known),
        seats=with_marks(tables.seats, "name", pl.lit("user"), pl.col("user_id"), known),
    )

"""The rule data.expiring: a provider that deletes days has not been read for long. Pure."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from openai_costs.kernel.days import ONE_DAY
from openai_costs.questions.coverage import of_costs
from openai_costs.questions.rules import Rule
from openai_costs.tables.candidate import Finding, candidates
from openai_costs.tables.mart.coverage import Coverage

EXPIRING = Rule(
    "data.expiring",
    title="Costs of {connection} were about to be lost: not read for {observed}, since {since}",
    span="as of {day}",
    quiet_days=0,
)


def longest_gap(kept_days: int) -> int:
    """Return after how many days without a read a finding is due: two thirds of what is kept."""
    return kept_days * 2 // 3


def expiring(
    coverage: pl.DataFrame, kept_days: Mapping[str, int], today: date, owner: str
) -> pl.DataFrame:
    """Return a candidate for each connection whose provider will delete days that are not read.

    A connection that was never read has nothing to lose yet.

    Args:
        coverage: `mart.coverage`.
        kept_days: How many days its provider keeps, for each connection whose provider deletes.
        today: The current UTC day.
        owner: The owner of findings about data.
    """
    read = of_costs(coverage).group_by("connection").agg(pl.col("read_at").max().dt.date())
    rows = [
        _row(name, last, kept_days[name], today, owner)
        for name, last in read.drop_nulls().sort("connection").iter_rows()
        if name in kept_days and (today - last).days > longest_gap(kept_days[name])
    ]
    return candidates(pl.DataFrame(rows)) if rows else Finding.no_rows()


def _row(name: str, last: date, kept: int, today: date, owner: str) -> dict[str, object]:
    days = (today - last).days
    lost = last + kept * ONE_DAY
    left = f"from {lost} on a day is lost with each day" if lost > today else "days are lost since"
    since = "" if lost > today else f" {lost}"
    return {
        "rule": EXPIRING.id,
        "severity": "critical",
        "subject_kind": "source",
        "subject_id": "costs",
        "connection": name,
        "day": today,
        "since_day": last,
        "observed": days,
        "expected": 0,
        "threshold": longest_gap(kept),
        "unit": "days",
        "because": f"The newest read of {name} is of {last}, {days} days ago. Its provider deletes "
        f"days after {kept} days, and they cannot be read again: {left}{since}. Run "
        "`openai-costs backfill`; `openai-costs doctor` checks the key.",
        "owner": owner,
        "table_name": Coverage.full_name(),
    }

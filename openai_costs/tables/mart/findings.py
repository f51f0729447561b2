"""Findings: one life cycle for every rule of every question."""

import datetime as dt

import polars as pl

from openai_costs.kernel.redaction import NO_ADDRESS
from openai_costs.tables.candidate import SEVERITIES
from openai_costs.tables.contract import Contract, Quantity, Usd, column

OPEN = ("open", "growing")
"""The states of a finding that needs attention now."""
STATES = (*OPEN, "closed", "muted")


class Findings(Contract):
    """Spend or data that needs attention, and why.

    One row per finding. `day` is the newest day on which its condition held. The id stays the same
    over re-runs and restatements. Not derivable from raw/: it holds what was reported and muted.
    """

    finding_id: str = column("The finding's id: short and stable; the command mute takes it.")
    rule: str = column("The rule, as folder.rule.")
    severity: str = column("info, warning or critical.", isin=SEVERITIES)
    subject_kind: str = column("What the subject is: api_key, project, budget, connection, ...")
    subject_id: str = column("The subject's id; with the period where a rule has periods.")
    subject_name: str = column(
        "The subject's last known name. Subjects with the same name are distinguished by the end "
        "of their ids.",
        nullable=True,
    )
    connection: str = column("The connection in openai_costs.toml; * for all of them together.")
    day: dt.date = column("The newest day on which the condition held.", unit="UTC day")
    since_day: dt.date = column("The first day of the incident.", unit="UTC day")
    opened_day: dt.date = column("The day it was opened or recorded.", unit="UTC day")
    closed_day: dt.date = column(
        "The day it was closed; null until then.", unit="UTC day", nullable=True
    )
    state: str = column("open, growing, closed or muted.", isin=STATES)
    change: int = column(
        "The number of its newest change; 0 when it had ended before it was recorded.",
        unit="changes",
    )
    observed: Quantity = column("The observed number.", unit="see unit", nullable=True)
    expected: Quantity = column("The expected number.", unit="see unit", nullable=True)
    threshold: Quantity = column("The threshold that was applied.", unit="see unit", nullable=True)
    unit: str = column("The unit of observed, expected and threshold: USD, days, ...")
    impact_usd: Usd = column(
        "Dollars at stake, summed over the incident; null when it is not about money.",
        unit="USD",
        nullable=True,
    )
    told_usd: Usd = column(
        "impact_usd at the newest change: growth is measured against it.", unit="USD", nullable=True
    )
    because: str = column("Why, as sentences with numbers.")
    outlook: str = column("The forecast for the end of the period, as a sentence.", nullable=True)
    owner: str = column("Who should act.", nullable=True, str_matches=NO_ADDRESS)
    muted_until: dt.date = column("The last day of the mute.", unit="UTC day", nullable=True)
    mute_reason: str = column("Why it is muted.", nullable=True)
    muted_by: str = column("Who muted it.", nullable=True, str_matches=NO_ADDRESS)
    acknowledged_by: str = column(
        "Who takes care of it; null again from its next change on.",
        nullable=True,
        str_matches=NO_ADDRESS,
    )
    acknowledged_day: dt.date = column(
        "The day it was acknowledged.", unit="UTC day", nullable=True
    )
    evidence: str = column(
        "The table that holds the evidence, as layer.table.",
        alias="table_name",  # every contract has a method of that name
    )
    docs: str = column("The section of the documentation about the rule.")

    class Config(Contract.Config):
        """One row per finding."""

        unique = ("finding_id",)


def worst_first(findings: pl.DataFrame) -> pl.DataFrame:
    """Return findings by severity, then by the dollars at stake, then the oldest first.

    Args:
        findings: mart.findings.
    """
    rank = {word: -i for i, word in enumerate(SEVERITIES)}
    return findings.sort(
        pl.col("severity").replace_strict(rank, return_dtype=pl.Int8),
        -pl.col("impact_usd").abs().fill_null(0),
        "since_day",
        "finding_id",
    )

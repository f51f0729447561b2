"""The contract of candidates: what a question returns for `mart.findings`.

Not a stored table. The life cycle (outputs/alerts/lifecycle.py) makes findings of candidates: it
gives them an id, a state and changes. A question says what holds and why, and nothing more.
"""

import datetime as dt

import polars as pl

from openai_costs.kernel.redaction import ADDRESS, NO_ADDRESS
from openai_costs.tables.contract import Contract, Quantity, Usd, column

SEVERITIES = ("info", "warning", "critical")
"""From the least to the most severe."""

EVERY_CONNECTION = "*"
"""The connection of a finding that is about all of them together."""


class Finding(Contract):
    """A candidate for mart.findings.

    One row per rule, connection, subject and incident. An incident is an episode of days on which
    the condition holds; episodes of one subject at most two days apart are one incident, so what
    must stay apart (two periods of a budget) differs in `subject_id`.
    """

    rule: str = column("The rule, as folder.rule.", str_matches=r"^[a-z_]+\.[a-z0-9_]+$")
    severity: str = column("info, warning or critical.", isin=SEVERITIES)
    subject_kind: str = column("What the subject is: api_key, project, budget, connection, ...")
    subject_id: str = column("The subject's id; with the period where a rule has periods.")
    subject_name: str = column("The subject's last known name.", nullable=True)
    connection: str = column("The connection in openai_costs.toml; * for all of them together.")
    day: dt.date = column("The newest day on which the condition holds.", unit="UTC day")
    since_day: dt.date = column("The first day of the incident.", unit="UTC day")
    observed: Quantity = column("The observed number.", unit="see unit", nullable=True)
    expected: Quantity = column("The expected number.", unit="see unit", nullable=True)
    threshold: Quantity = column("The threshold that was applied.", unit="see unit", nullable=True)
    unit: str = column("The unit of observed, expected and threshold: USD, days, ...")
    impact_usd: Usd = column(
        "Dollars at stake, summed over the incident; null when it is not about money.",
        unit="USD",
        nullable=True,
    )
    because: str = column("Why, as sentences with numbers.")
    outlook: str = column("The forecast for the end of the period, as a sentence.", nullable=True)
    owner: str = column(
        "Who should act: a team, a name or an id, never an address.",
        nullable=True,
        str_matches=NO_ADDRESS,
    )
    evidence: str = column(
        "The table that holds the evidence, as layer.table.",
        alias="table_name",  # every contract has a method of that name
    )
    also_seen_by: str = column(
        "JSON list of [subject_kind, subject_id]: other subjects that saw the same incident. A "
        "finding of one of them, of these days, is this one.",
        nullable=True,
    )

    class Config(Contract.Config):
        """One row per incident of a subject."""

        unique = ("rule", "connection", "subject_kind", "subject_id", "since_day")


NAMES = frozenset({"subject_name", "because", "outlook", "owner"})
"""The columns that hold names of people and keys."""


def candidates(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows as candidates: columns in order and of the right type, absent ones null.

    Where an e-mail address serves as a name, only the part before the @ is kept.
    """
    types = Finding.types()
    present = {name: pl.col(name) for name in rows.columns if name in types}
    for name in NAMES & present.keys():
        present[name] = pl.col(name).cast(pl.String).str.replace_all(ADDRESS, "${1}")
    return rows.select(
        present.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in types.items()
    )

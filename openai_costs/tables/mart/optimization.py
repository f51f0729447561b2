"""Potential savings, measured and conservative."""

import datetime as dt

from openai_costs.tables.contract import Contract, Usd, column

RULES = (
    "optimization.cache_reads",
    "optimization.batch_or_flex",
    "optimization.cheaper_successor",
    "optimization.idle",
    "optimization.duplicate",
    "optimization.long_context",
)


class Optimization(Contract):
    """Potential savings, with the arithmetic.

    One row per day, connection, subject and rule: `day` is the last day of the measured period,
    `period_start` its first. Savings are for that period, at list prices.
    """

    day: dt.date = column("The last UTC day measured.", unit="UTC day")
    period_start: dt.date = column("The first UTC day measured.", unit="UTC day")
    connection: str = column("The connection in openai_costs.toml.")
    provider: str = column("The provider that billed.")
    rule: str = column("The rule, as in docs/optimization.md.", isin=RULES)
    subject_kind: str = column("The kind of subject: api_key, project or line_item.")
    subject: str = column("The subject's id; includes the model where the rule is about one.")
    subject_name: str = column("The subject's last known name.", nullable=True)
    model: str = column("The model the rule is about.", nullable=True)
    billed_usd: Usd = column("Dollars billed to the subject in the period.", unit="USD")
    saving_usd: Usd = column("How much less the period would have cost.", unit="USD", ge=0)
    because: str = column("The arithmetic, in a sentence.")

    class Config(Contract.Config):
        """One row per day, connection, subject and rule."""

        unique = ("day", "connection", "subject", "rule")

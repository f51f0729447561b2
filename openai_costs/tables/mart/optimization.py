"""What could be saved, measured and conservative."""

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
    """What could be saved, with the arithmetic.

    One row per day, connection, subject and rule: `day` is the last day of the period that was
    measured, `period_start` its first. Savings are of that period, at list prices.
    """

    day: dt.date = column("The last UTC day measured.", unit="UTC day")
    period_start: dt.date = column("The first UTC day measured.", unit="UTC day")
    connection: str = column("The connection of openai_costs.toml.")
    provider: str = column("The provider that billed.")
    rule: str = column("The rule, as in docs/optimization.md.", isin=RULES)
    subject_kind: str = column("What the subject is: api_key, project or line_item.")
    subject: str = column("The subject: its id, with the model where the rule is about one.")
    subject_name: str = column("The subject's last known name.", nullable=True)
    model: str = column("The model the rule is about.", nullable=True)
    billed_usd: Usd = column("What the subject was billed in the period.", unit="USD")
    saving_usd: Usd = column("What the period would have cost less.", unit="USD", ge=0)
    because: str = column("The arithmetic, in words and numbers.")

    class Config(Contract.Config):
        """One row per day, connection, subject and rule."""

        unique = ("day", "connection", "subject", "rule")

"""Months that were deleted because they were older than the settings let them be kept."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, Usd, column


class DeletedMonths(Contract):
    """Months that were deleted.

    One row per connection or gateway and month. The days of such a month are never asked for again.
    Not derivable from raw/: it holds what is no longer there. Holds no one's name.
    """

    connection: str = column("The connection or gateway in openai_costs.toml.")
    month: dt.date = column("The first UTC day of the month.", unit="UTC day")
    days: int = column("How many days of the month were stored.", unit="days")
    billed_usd: Usd = column(
        "What was billed on these days; null without [retention] keep_totals, and for a gateway.",
        unit="USD",
        nullable=True,
    )
    deleted_at: At = column("When the deletion began.", unit="UTC timestamp")
    finished_at: At = column(
        "When nothing of it was left in raw/, lake/ and record/; null until then.",
        unit="UTC timestamp",
        nullable=True,
    )
    because: str = column("Why, as a sentence.")

    class Config(Contract.Config):
        """One row per connection and month."""

        unique = ("connection", "month")

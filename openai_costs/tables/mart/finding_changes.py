"""The history of every finding: what changed and when, with the numbers at that time."""

import datetime as dt

from openai_costs.tables.candidate import SEVERITIES
from openai_costs.tables.contract import Contract, Quantity, Usd, column

KINDS = ("opened", "growing", "closed", "muted")


class FindingChanges(Contract):
    """The changes of each finding, in order.

    One row per finding and change, with the numbers at that time. Append-only; each change is
    delivered once through every route that matches it.
    """

    finding_id: str = column("The finding.")
    change: int = column("The change's number, from 1.", unit="changes")
    kind: str = column("opened, growing, closed or muted.", isin=KINDS)
    changed_day: dt.date = column("The day the change was recorded.", unit="UTC day")
    is_told: bool = column("Whether it is reported: false for a change during a mute.")
    severity: str = column("info, warning or critical.", isin=SEVERITIES)
    day: dt.date = column("The newest day on which the condition held.", unit="UTC day")
    observed: Quantity = column("The observed number.", unit="see unit", nullable=True)
    expected: Quantity = column("The expected number.", unit="see unit", nullable=True)
    unit: str = column("The unit of observed and expected: USD, days, ...")
    impact_usd: Usd = column("Dollars at stake at that time.", unit="USD", nullable=True)
    because: str = column("Why, as sentences with numbers.")
    outlook: str = column("The forecast for the end of the period, as a sentence.", nullable=True)

    class Config(Contract.Config):
        """One row per finding and change."""

        unique = ("finding_id", "change")

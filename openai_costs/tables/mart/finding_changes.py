"""The history of every finding: what changed, when, with the numbers of that moment."""

import datetime as dt

from openai_costs.tables.candidate import SEVERITIES
from openai_costs.tables.contract import Contract, Quantity, Usd, column

KINDS = ("opened", "growing", "closed", "muted")


class FindingChanges(Contract):
    """The changes of each finding, in order.

    One row per finding and change, with the numbers of that moment. Only ever appended to; each
    change is delivered once per channel that wants it.
    """

    finding_id: str = column("The finding.")
    change: int = column("The change's number, from 1.", unit="changes")
    kind: str = column("opened, growing, closed or muted.", isin=KINDS)
    changed_day: dt.date = column("The day the change was noticed.", unit="UTC day")
    is_told: bool = column("Whether it is for people: false for what happens during a mute.")
    severity: str = column("info, warning or critical.", isin=SEVERITIES)
    day: dt.date = column("The newest day on which the condition held.", unit="UTC day")
    observed: Quantity = column("What was seen.", unit="see unit", nullable=True)
    expected: Quantity = column("What was expected.", unit="see unit", nullable=True)
    unit: str = column("The unit of observed and expected: USD, days, ...")
    impact_usd: Usd = column("Dollars at stake at that moment.", unit="USD", nullable=True)
    because: str = column("Why, in words with numbers.")
    outlook: str = column("What happens by the end of the period, in words.", nullable=True)

    class Config(Contract.Config):
        """One row per finding and change."""

        unique = ("finding_id", "change")

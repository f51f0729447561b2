"""Days on which a series cost more or less than its own past lets expect, and why."""

import datetime as dt

from openai_costs.kernel.redaction import NO_ADDRESS
from openai_costs.tables.contract import Contract, Quantity, Usd, column

SERIES_KINDS = ("organization", "provider", "project", "user", "api_key", "model", "usage_type")
KINDS = ("spike", "awake", "new_entity", "level_shift", "leak", "drop")
DIRECTIONS = ("up", "down")


class SpendAnomalies(Contract):
    """Days that cost what nobody could expect, and why.

    One row per UTC day, connection and series that was unusual; a day that was as usual has no row.
    Settled days only, each judged by the days before it. An incident is seen by several series:
    `is_told` marks the one it is told by, so sum over `is_told` only.
    """

    day: dt.date = column("The UTC day.", unit="UTC day")
    connection: str = column("The connection of openai_costs.toml; * for all of a provider.")
    provider: str = column("The provider that billed.")
    series_kind: str = column("What the series is of.", isin=SERIES_KINDS)
    series_id: str = column("Its id; of an organization the connection.")
    series_name: str = column("Its last known name.", nullable=True)
    kind: str = column(
        "spike: one day; awake: at a weekend, for one; new_entity: in its first week; level_shift "
        "and leak: a rise that lasts, sudden or slow; drop: a steady series that stops.",
        isin=KINDS,
    )
    incident_id: str = column("The incident; the same for every series and day of it.")
    is_told: bool = column(
        "Whether the incident is told by this series; by none if it came back a month later: it "
        "is a job of every month."
    )
    since_day: dt.date = column("The first day of the incident.", unit="UTC day")
    actual_usd: Usd = column("What the day cost.", unit="USD")
    expected_usd: Usd = column("What its past lets expect.", unit="USD")
    lower_usd: Usd = column("From here it would be as usual ...", unit="USD")
    upper_usd: Usd = column("... to here.", unit="USD")
    impact_usd: Usd = column("actual_usd - expected_usd, exactly.", unit="USD")
    score: Quantity = column("How unusual it is.", unit="spreads")
    direction: str = column("up or down.", isin=DIRECTIONS)
    causes: str = column(
        "JSON list: who and what explains it, the fewest of each dimension, with impact_usd as "
        "exact text. What one dimension says (user or api_key; model or line_item) adds up to "
        "impact_usd, the row `other` included.",
    )
    team: str = column(
        "The team most of it belongs to, as settings say; null where they do not.", nullable=True
    )
    owner: str = column(
        "Who spends by it: a name or an id, never an address.",
        nullable=True,
        str_matches=NO_ADDRESS,
    )

    class Config(Contract.Config):
        """One row per day and series."""

        unique = ("day", "connection", "provider", "series_kind", "series_id")

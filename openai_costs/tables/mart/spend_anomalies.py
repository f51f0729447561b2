"""Days on which a series cost more or less than its own history suggests, and why."""

import datetime as dt

from openai_costs.kernel.redaction import NO_ADDRESS
from openai_costs.tables.contract import Contract, Quantity, Usd, column

SERIES_KINDS = ("organization", "provider", "project", "user", "api_key", "model", "usage_type")
DIRECTIONS = ("up", "down")


class SpendAnomalies(Contract):
    """Days with unusual spend, and why.

    One row per UTC day, connection and series that was unusual; a normal day has no row. Settled
    days only, each evaluated against the days before it. Several series can show one incident:
    `is_told` marks the series that reports it, so sum only rows where `is_told` is true.
    """

    day: dt.date = column("The UTC day.", unit="UTC day")
    connection: str = column(
        "The connection in openai_costs.toml; * for all connections of a provider."
    )
    provider: str = column(
        "The provider whose series the connection is part of. A cloud that bills for several "
        "providers is part of none: here is the connection's name, and mart.spend has its dollars "
        "by provider."
    )
    series_kind: str = column("What the series is of.", isin=SERIES_KINDS)
    series_id: str = column("The id of the series' subject; for an organization, its connection.")
    series_name: str = column("The subject's last known name.", nullable=True)
    kind: str = column(
        "What kind of anomaly, such as spike or drop: docs/alerts.md has a section for each.",
        str_matches=r"^[a-z_]+$",
    )
    incident_id: str = column("The incident; the same for every series and day of it.")
    is_told: bool = column(
        "Whether this series reports the incident. No series reports an incident that recurs "
        "every month."
    )
    since_day: dt.date = column("The first day of the incident.", unit="UTC day")
    actual_usd: Usd = column("What the day cost, without credits and refunds.", unit="USD")
    expected_usd: Usd = column(
        "Expected spend, from the series' own history; of a rise that lasts, from before it.",
        unit="USD",
    )
    lower_usd: Usd = column("Lower end of the normal range around expected_usd.", unit="USD")
    upper_usd: Usd = column(
        "Upper end of the normal range of a single day around expected_usd.", unit="USD"
    )
    impact_usd: Usd = column("actual_usd - expected_usd, exactly.", unit="USD")
    score: Quantity = column(
        "How unusual the day is, as a multiple of the series' usual variation.", unit="scales"
    )
    direction: str = column("up or down.", isin=DIRECTIONS)
    causes: str = column(
        "JSON list of who and what explains the difference, as few as possible per dimension, with "
        "impact_usd as exact text. Each dimension (user or api_key; model or line_item) adds up to "
        "impact_usd, including its entry `other`.",
    )
    team: str = column(
        "The team of more than half of the day's dollars, whatever the series is of; null if "
        "[[teams]] names none. Of a day without dollars: of those that it is compared with.",
        nullable=True,
    )
    owner: str = column(
        "Who spent more than half of the day's dollars through the series: a name or an id, never "
        "an address. Of a day without dollars: of those that it is compared with.",
        nullable=True,
        str_matches=NO_ADDRESS,
    )

    class Config(Contract.Config):
        """One row per day and series."""

        unique = ("day", "connection", "provider", "series_kind", "series_id")

"""Days on which a series cost much more or less than expected from its history, and why."""

import datetime as dt

from openai_costs.kernel.redaction import NO_ADDRESS
from openai_costs.tables.contract import Contract, Quantity, Usd, column

SERIES_KINDS = ("organization", "provider", "project", "user", "api_key", "model", "usage_type")
DIRECTIONS = ("up", "down")


class SpendAnomalies(Contract):
    """Days of unusual spend, and why.

    One row per UTC day, connection and unusual series; a normal day has no row. Settled days only,
    each judged by the days before it. Several series see the same incident: `is_told` marks the
    one that reports it, so sum over `is_told` only.
    """

    day: dt.date = column("The UTC day.", unit="UTC day")
    connection: str = column("The connection of openai_costs.toml; * for all of a provider.")
    provider: str = column("Who billed: openai.")
    series_kind: str = column("What the series is of.", isin=SERIES_KINDS)
    series_id: str = column("Its id; of an organization the connection.")
    series_name: str = column("Its last known name.", nullable=True)
    kind: str = column(
        "What kind of anomaly, such as spike or drop: docs/alerts.md has a section for each.",
        str_matches=r"^[a-z_]+$",
    )
    incident_id: str = column("The incident; the same for every series and day of it.")
    is_told: bool = column(
        "Whether this series reports the incident; none does if it recurred a month later, because "
        "it is a monthly job."
    )
    since_day: dt.date = column("The first day of the incident.", unit="UTC day")
    actual_usd: Usd = column("What the day cost.", unit="USD")
    expected_usd: Usd = column("Expected spend, from the series' own history.", unit="USD")
    lower_usd: Usd = column("The least that would be normal.", unit="USD")
    upper_usd: Usd = column("The most that a single day could cost and be normal.", unit="USD")
    impact_usd: Usd = column("actual_usd - expected_usd, exactly.", unit="USD")
    score: Quantity = column("How unusual it is, in robust standard deviations.", unit="sigmas")
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

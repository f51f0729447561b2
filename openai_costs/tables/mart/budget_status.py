"""Where each budget stands, day by day, and where it is going."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column

STATES = ("on_track", "at_risk", "exceeded")


class BudgetStatus(Contract):
    """Where each budget stands, and where it is going.

    One row per budget and settled UTC day of the current and the previous period. The forecast is
    made on the newest day; before it is null. Settled days only: what is provisional is apart.
    """

    budget: str = column("The budget's name in openai_costs.toml.")
    day: dt.date = column("The settled UTC day up to which spend is counted.", unit="UTC day")
    period_start: dt.date = column("First day of the period.", unit="UTC day")
    period_end: dt.date = column("Last day of the period.", unit="UTC day")
    period: str = column("daily, weekly, monthly, quarterly, yearly or range.")
    scope: str = column("What is counted: all, provider, connection, project, team, user, ...")
    scope_id: str = column("Which one; null for all.", nullable=True)
    owner: str = column("Who answers for it.", nullable=True)
    spent_usd: Usd = column("Dollars billed in the period, up to the day.", unit="USD")
    limit_usd: Usd = column("What may be spent in the period.", unit="USD")
    spent_pct: Quantity = column("spent_usd in percent of limit_usd.", unit="%")
    elapsed_pct: Quantity = column("Days gone in percent of the period's days.", unit="%")
    forecast_usd: Usd = column(
        "What the period will have cost by its end; on the newest day.", unit="USD", nullable=True
    )
    forecast_low_usd: Usd = column("Lower end of the 80 % band.", unit="USD", nullable=True)
    forecast_high_usd: Usd = column("Upper end of the 80 % band.", unit="USD", nullable=True)
    forecast_low95_usd: Usd = column("Lower end of the 95 % band.", unit="USD", nullable=True)
    forecast_high95_usd: Usd = column("Upper end of the 95 % band.", unit="USD", nullable=True)
    provisional_usd: Usd = column(
        "Dollars of later days of the period that may still move; on the newest day.",
        unit="USD",
        nullable=True,
    )
    missing_days: int = column("Days of the period, up to the day, never read.", unit="days")
    provider_limit_usd: Usd = column(
        "The provider's own monthly limit for the same project or organisation.",
        unit="USD",
        nullable=True,
    )
    state: str = column("on_track; at_risk: the forecast is above; exceeded.", isin=STATES)
    largest_growth: str = column(
        "On the newest day: what grew most against as many days before the period.", nullable=True
    )

    class Config(Contract.Config):
        """One row per budget and day."""

        unique = ("budget", "day")

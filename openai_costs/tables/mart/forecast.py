"""What the running month will cost by its end, also where there is no budget."""

import datetime as dt

from openai_costs.tables.contract import Contract, Usd, column

SCOPES = ("all", "provider", "team", "user")


class Forecast(Contract):
    """What the running month will cost by its end.

    One row per scope: all, and each provider, team and user with spend, or with credits in the
    month, of the connections in openai_costs.toml. Made from the settled days by the model of the
    budgets, also before any day of the month has settled. Forecasts of parts do not add up to the
    forecast of the whole.
    """

    scope: str = column("all, provider, team or user.", isin=SCOPES)
    scope_id: str = column(
        "The provider, team or user; null for all, and for dollars without one.", nullable=True
    )
    scope_name: str = column("The last known name of a user; otherwise null.", nullable=True)
    month: dt.date = column("The first day of the month.", unit="UTC day")
    month_end: dt.date = column("The last day of the month.", unit="UTC day")
    through_day: dt.date = column(
        "The newest settled day, after which it begins; in the first days of a month, a day before "
        "it.",
        unit="UTC day",
    )
    spent_usd: Usd = column(
        "Dollars billed on the settled days of the month, through that day.", unit="USD"
    )
    forecast_usd: Usd = column("Forecast of the whole month's cost.", unit="USD")
    forecast_low_usd: Usd = column("Lower end of the 80 % prediction interval.", unit="USD")
    forecast_high_usd: Usd = column("Upper end of the 80 % prediction interval.", unit="USD")
    forecast_low95_usd: Usd = column("Lower end of the 95 % prediction interval.", unit="USD")
    forecast_high95_usd: Usd = column("Upper end of the 95 % prediction interval.", unit="USD")

    class Config(Contract.Config):
        """One row per scope and id."""

        unique = ("scope", "scope_id")

"""Where each budget stands, day by day, and where it is going."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column

STATES = ("on_track", "at_risk", "exceeded", "incomplete")


class BudgetStatus(Contract):
    """Where each budget stands, and where it is going.

    One row per budget and settled UTC day of the current period, the previous one, and those that
    ended within 35 days. The newest 31 days have a forecast each, made from what was spent up to
    that day. Only settled days are counted: what is provisional is apart, what is missing is told.
    """

    budget: str = column("The budget's name in openai_costs.toml.")
    day: dt.date = column("The settled UTC day up to which spend is counted.", unit="UTC day")
    period_start: dt.date = column("First day of the period.", unit="UTC day")
    period_end: dt.date = column("Last day of the period.", unit="UTC day")
    period: str = column("daily, weekly, monthly, quarterly, yearly or range.")
    scope: str = column("What is counted: all, provider, connection, project, team, user, ...")
    scope_id: str = column("Which one, or which ones; null for all.", nullable=True)
    scope_name: str = column(
        "Its last known name; null where it has none, or is several.", nullable=True
    )
    owner: str = column("Who answers for it.", nullable=True)
    spent_usd: Usd = column(
        "Dollars billed on the settled days of the period, up to the day.", unit="USD"
    )
    limit_usd: Usd = column("What may be spent in the period.", unit="USD")
    spent_pct: Quantity = column("spent_usd in percent of limit_usd.", unit="%")
    elapsed_pct: Quantity = column("Days gone in percent of the period's days.", unit="%")
    pace_usd: Usd = column(
        "What may have been spent by then, if every day may cost the same.", unit="USD"
    )
    forecast_usd: Usd = column(
        "What the period will have cost by its end, as seen on the day; null on older days, and "
        "while a day of the period before it is missing or provisional.",
        unit="USD",
        nullable=True,
    )
    forecast_low_usd: Usd = column("Lower end of the 80 % band.", unit="USD", nullable=True)
    forecast_high_usd: Usd = column("Upper end of the 80 % band.", unit="USD", nullable=True)
    forecast_low95_usd: Usd = column("Lower end of the 95 % band.", unit="USD", nullable=True)
    forecast_high95_usd: Usd = column("Upper end of the 95 % band.", unit="USD", nullable=True)
    provisional_usd: Usd = column(
        "Dollars of days of the period that may still move, not in spent_usd; on its newest day.",
        unit="USD",
        nullable=True,
    )
    settled_days: int = column("Days of the period, up to the day, that are counted.", unit="days")
    provisional_days: int = column(
        "Days of the period that may still move; on its newest day.", unit="days", nullable=True
    )
    missing_days: int = column(
        "Days of the period, up to the day, that were not read.", unit="days"
    )
    provider_limit_usd: Usd = column(
        "The provider's own monthly limit for the same project or organisation.",
        unit="USD",
        nullable=True,
    )
    state: str = column(
        "exceeded: above the limit; incomplete: not above it as far as is known, but a day before "
        "is missing or provisional; at_risk: the forecast is above; on_track.",
        isin=STATES,
    )
    causes: str = column(
        "JSON list: who and what grew against compared_usd, with impact_usd as exact text; each "
        "dimension adds up. Without it: what was spent. On the newest day of a period that is "
        "exceeded or at risk.",
        nullable=True,
    )
    compared_start: dt.date = column(
        "The first of the days that causes are compared with.", unit="UTC day", nullable=True
    )
    compared_usd: Usd = column(
        "What those days cost; null where nothing grew or they were not read.",
        unit="USD",
        nullable=True,
    )

    class Config(Contract.Config):
        """One row per budget and day."""

        unique = ("budget", "day")

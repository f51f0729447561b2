"""Spend to date and forecast of each budget, day by day."""

import datetime as dt

from openai_costs.tables.candidate import EVERY_CONNECTION
from openai_costs.tables.contract import Contract, Quantity, Usd, column

STATES = ("on_track", "at_risk", "exceeded", "incomplete")


class BudgetStatus(Contract):
    """Spend to date and forecast of each budget.

    One row per budget and settled UTC day of the current period, the previous one, and those that
    ended within 35 days. Each of the newest 31 days has a forecast made from the spend through
    that day. Only settled days are counted; provisional dollars and missing days have columns of
    their own.
    """

    budget: str = column("The budget's name in openai_costs.toml.")
    day: dt.date = column("The settled UTC day through which spend is counted.", unit="UTC day")
    period_start: dt.date = column("First day of the period.", unit="UTC day")
    period_end: dt.date = column("Last day of the period.", unit="UTC day")
    period: str = column("daily, weekly, monthly, quarterly, yearly or range.")
    scope: str = column(
        "What the budget covers: all, provider, connection, project, team, user, ..."
    )
    scope_id: str = column("The id or ids that the budget covers; null for all.", nullable=True)
    scope_name: str = column(
        "The last known name; null if it has none, or if there are several ids.", nullable=True
    )
    connection: str = column(
        "The one connection whose spend is counted; * for all of them.", before=EVERY_CONNECTION
    )
    owner: str = column("Who is responsible for the budget.", nullable=True)
    spent_usd: Usd = column(
        "Dollars billed on the settled days of the period, through the day.", unit="USD"
    )
    limit_usd: Usd = column("The budget of the period.", unit="USD")
    spent_pct: Quantity = column("spent_usd as a percentage of limit_usd.", unit="%")
    elapsed_pct: Quantity = column(
        "Days elapsed as a percentage of the days of the period.", unit="%"
    )
    pace_usd: Usd = column("What an even spend over the period allows through the day.", unit="USD")
    forecast_usd: Usd = column(
        "Forecast of the whole period's cost, made on the day; null on older days, and while an "
        "earlier day of the period is missing or provisional.",
        unit="USD",
        nullable=True,
    )
    forecast_low_usd: Usd = column(
        "Lower end of the 80 % prediction interval.", unit="USD", nullable=True
    )
    forecast_high_usd: Usd = column(
        "Upper end of the 80 % prediction interval.", unit="USD", nullable=True
    )
    forecast_low95_usd: Usd = column(
        "Lower end of the 95 % prediction interval.", unit="USD", nullable=True
    )
    forecast_high95_usd: Usd = column(
        "Upper end of the 95 % prediction interval.", unit="USD", nullable=True
    )
    provisional_usd: Usd = column(
        "Dollars of days that all its connections were read on and that may still change, not in "
        "spent_usd; on the period's newest day.",
        unit="USD",
        nullable=True,
    )
    settled_days: int = column(
        "Settled days of the period through the day; these are counted.", unit="days"
    )
    provisional_days: int = column(
        "Days that all its connections were read on and that may still change; on the period's "
        "newest day.",
        unit="days",
        nullable=True,
    )
    missing_days: int = column(
        "Days of the period through the day that were never read.", unit="days"
    )
    provider_limit_usd: Usd = column(
        "The provider's own monthly limit for the same project or organization.",
        unit="USD",
        nullable=True,
    )
    state: str = column(
        "exceeded: spend is above the limit; incomplete: it is not, but an earlier day is missing "
        "or provisional; at_risk: the forecast is above the limit; on_track: none of these.",
        isin=STATES,
    )
    causes: str = column(
        "JSON list of who and what grew from compared_usd, with impact_usd as exact text; each "
        "dimension adds up. Without compared_usd: who and what spent. On the newest day of a "
        "period that is exceeded or at risk.",
        nullable=True,
    )
    compared_start: dt.date = column(
        "The first of the days that causes are compared with.", unit="UTC day", nullable=True
    )
    compared_usd: Usd = column(
        "Cost of the days compared with; null if nothing grew or they were not read.",
        unit="USD",
        nullable=True,
    )

    class Config(Contract.Config):
        """One row per budget and day."""

        unique = ("budget", "day")

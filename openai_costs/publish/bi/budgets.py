"""The view of budgets: where each stands, day by day."""

from openai_costs.publish.bi.view import View

_DOLLARS = {
    "spent_usd": "Dollars billed in the period, up to the day; rounded. [USD]",
    "limit_usd": "What may be spent in the period; rounded. [USD]",
    "spent_pct": "spent_usd in percent of limit_usd. [%]",
    "elapsed_pct": "Days gone in percent of the period's days. [%]",
    "forecast_usd": "What the period will have cost by its end; newest day only. [USD]",
    "forecast_low_usd": "Lower end of the 80 % band. [USD]",
    "forecast_high_usd": "Upper end of the 80 % band. [USD]",
    "provisional_usd": "Dollars of later days that may still move; newest day only. [USD]",
    "provider_limit_usd": "The provider's own monthly limit for the same thing. [USD]",
}
_AS_DOUBLES = ", ".join(f"CAST({name} AS DOUBLE) AS {name}" for name in _DOLLARS)

STATUS = View(
    name="budgets",
    about="Where each budget stands. One row per budget and settled UTC day of the current and "
    "the previous period.",
    sql=f"""
        SELECT budget, day, period_start, period_end, period, scope, scope_id, owner,
               {_AS_DOUBLES}, missing_days, state, largest_growth,
               day = max(day) OVER (PARTITION BY budget) AS is_newest
        FROM mart.budget_status
    """,  # noqa: S608 - our own names
    columns={
        "budget": "The budget's name.",
        "day": "The settled UTC day up to which spend is counted. [UTC day]",
        "period_start": "First day of the period. [UTC day]",
        "period_end": "Last day of the period. [UTC day]",
        "period": "daily, weekly, monthly, quarterly, yearly or range.",
        "scope": "What is counted: all, provider, connection, project, team, user, ...",
        "scope_id": "Which one; null for all.",
        "owner": "Who answers for it.",
    }
    | _DOLLARS
    | {
        "missing_days": "Days of the period, up to the day, never read. [days]",
        "state": "on_track; at_risk: the forecast is above; exceeded.",
        "largest_growth": "What grew most against as many days before the period.",
        "is_newest": "Whether it is the newest day of its budget.",
    },
)

BUDGETS = (STATUS,)

"""The view of budgets: where each stands, day by day."""

from openai_costs.outputs.publish.bi.view import View

_DOLLARS = {
    "spent_usd": "Dollars billed in the period, up to the day; rounded. [USD]",
    "limit_usd": "What may be spent in the period; rounded. [USD]",
    "spent_pct": "spent_usd in percent of limit_usd. [%]",
    "elapsed_pct": "Days gone in percent of the period's days. [%]",
    "pace_usd": "What may have been spent by then, if every day may cost the same. [USD]",
    "forecast_usd": "What the period will have cost by its end; the newest 31 days. [USD]",
    "forecast_low_usd": "Lower end of the 80 % band. [USD]",
    "forecast_high_usd": "Upper end of the 80 % band. [USD]",
    "forecast_low95_usd": "Lower end of the 95 % band. [USD]",
    "forecast_high95_usd": "Upper end of the 95 % band. [USD]",
    "provisional_usd": "Dollars of days that may still move; newest day of a period. [USD]",
    "provider_limit_usd": "The provider's own monthly limit for the same thing. [USD]",
    "compared_usd": "What the days cost that causes are compared with. [USD]",
}
_AS_DOUBLES = ", ".join(f"CAST({name} AS DOUBLE) AS {name}" for name in _DOLLARS)

STATUS = View(
    name="budgets",
    about="Where each budget stands. One row per budget and settled UTC day of the current period, "
    "the previous one, and those that ended within 35 days.",
    sql=f"""
        SELECT budget, day, period_start, period_end, period, scope, scope_id,
               coalesce(scope_name, scope_id, 'everybody') AS scope_label, owner, {_AS_DOUBLES},
               settled_days, provisional_days, missing_days, state, causes, compared_start,
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
        "scope_id": "Which one, or which ones; null for all.",
        "scope_label": "Its last known name, or its id, or everybody.",
        "owner": "Who answers for it.",
    }
    | _DOLLARS
    | {
        "settled_days": "Days of the period, up to the day, that are counted. [days]",
        "provisional_days": "Days that may still move; newest day of a period. [days]",
        "missing_days": "Days of the period, up to the day, that were not read. [days]",
        "state": "exceeded, incomplete, at_risk: the forecast is above the limit, or on_track.",
        "causes": "JSON list: who and what grew, with exact dollars.",
        "compared_start": "First of the days that causes are compared with. [UTC day]",
        "is_newest": "Whether it is the newest day of its budget.",
    },
)

BUDGETS = (STATUS,)

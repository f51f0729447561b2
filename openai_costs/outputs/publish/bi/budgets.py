"""The views of budgets and of the month: spend to date, and what it will be by the end."""

from openai_costs.outputs.publish.bi.view import View, or_none, shared
from openai_costs.questions.namesakes import WITH_NAMESAKES

_DOLLARS = {
    "spent_usd": "Dollars billed in the period through the day; rounded. [USD]",
    "limit_usd": "The budget of the period; rounded. [USD]",
    "spent_pct": "spent_usd as a percentage of limit_usd. [%]",
    "elapsed_pct": "Days elapsed as a percentage of the days of the period. [%]",
    "pace_usd": "What an even spend over the period allows through the day. [USD]",
    "forecast_usd": "Forecast of the whole period's cost; for the newest 31 days. [USD]",
    "forecast_low_usd": "Lower end of the 80 % prediction interval. [USD]",
    "forecast_high_usd": "Upper end of the 80 % prediction interval. [USD]",
    "forecast_low95_usd": "Lower end of the 95 % prediction interval. [USD]",
    "forecast_high95_usd": "Upper end of the 95 % prediction interval. [USD]",
    "provisional_usd": "Dollars of days that may still change; newest day of a period. [USD]",
    "provider_limit_usd": "The provider's own monthly limit for the same scope. [USD]",
    "compared_usd": "Cost of the days that causes are compared with. [USD]",
}
_AS_DOUBLES = ", ".join(f"CAST({name} AS DOUBLE) AS {name}" for name in _DOLLARS)

STATUS = View(
    name="budgets",
    about="Spend to date and forecast of each budget. One row per budget and settled UTC day of "
    "the current period, the previous one, and those that ended within 35 days.",
    sql=f"""
        {WITH_NAMESAKES}
        SELECT budget, day, period_start, period_end, period, scope, scope_id,
               coalesce(scope_name || coalesce(n.mark, ''), scope_id, 'everyone') AS scope_label,
               connection, owner, {_AS_DOUBLES},
               settled_days, provisional_days, missing_days, state, causes, compared_start,
               day = max(day) OVER (PARTITION BY budget) AS is_newest
        FROM mart.budget_status LEFT JOIN namesakes n ON n.of_kind = scope AND n.of_id = scope_id
    """,  # noqa: S608 - our own words
    columns={
        "budget": "The budget's name.",
        "day": "The settled UTC day through which spend is counted. [UTC day]",
        "period_start": "First day of the period. [UTC day]",
        "period_end": "Last day of the period. [UTC day]",
        "period": "daily, weekly, monthly, quarterly, yearly or range.",
        "scope": "What the budget covers: all, provider, connection, project, team, user, ...",
        "scope_id": "The id or ids that the budget covers; null for all.",
        "scope_label": "The last known name, or the id, or everyone.",
        "connection": "The one connection whose spend is counted; * for all of them.",
        "owner": "Who is responsible for the budget.",
    }
    | _DOLLARS
    | {
        "settled_days": "Settled days of the period through the day; these are counted. [days]",
        "provisional_days": "Days that may still change; newest day of a period. [days]",
        "missing_days": "Days of the period through the day that were never read. [days]",
        "state": "exceeded, incomplete, at_risk (the forecast is above the limit) or on_track.",
        "causes": "JSON list of who and what grew, with exact dollars.",
        "compared_start": "First of the days that causes are compared with. [UTC day]",
        "is_newest": "Whether this is the newest day of its budget.",
    },
    answers="Will a budget hold?",
)

_ESTIMATES = tuple(name for name in _DOLLARS if name.startswith("forecast_"))

FORECAST = View(
    name="forecast",
    about="What the running month will cost by its end. With or without a budget, one row per "
    "scope: everyone, each provider, team and user. Forecasts of parts do not add up to the "
    "forecast of the whole.",
    sql=f"""
        {WITH_NAMESAKES}
        SELECT scope, scope_id,
               CASE scope WHEN 'all' THEN 'everyone' ELSE
                   {or_none("scope_name || coalesce(n.mark, '')", "scope_id")} END AS scope_label,
               month, month_end, through_day, CAST(spent_usd AS DOUBLE) AS spent_usd,
               {", ".join(f"CAST({name} AS DOUBLE) AS {name}" for name in _ESTIMATES)}
        FROM mart.forecast LEFT JOIN namesakes n ON n.of_kind = scope AND n.of_id = scope_id
    """,  # noqa: S608 - our own words
    columns=shared("month")
    | {
        "scope": "all, provider, team or user.",
        "scope_id": "The provider, team or user; null for all, and for dollars without one.",
        "scope_label": "The last known name, or the id, or everyone, or (none).",
        "month_end": "Last day of the month. [UTC day]",
        "through_day": "The newest settled day, after which the forecast begins; in the first days "
        "of a month, a day before it. [UTC day]",
        "spent_usd": "Dollars billed on the settled days of the month; rounded. [USD]",
    }
    | {name: _DOLLARS[name].replace("period's", "month's") for name in _ESTIMATES}
    | {"forecast_usd": "Forecast of the whole month's cost. [USD]"},
    answers="What will this month cost by its end: all of it, each provider, team and person?",
)

BUDGETS = (STATUS,)

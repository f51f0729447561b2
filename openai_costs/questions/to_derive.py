"""The days whose marts say something else than names, gateway and settings say now."""

from openai_costs.kernel.days import DayRange, consecutive
from openai_costs.questions.gateway_bypass.days_judged_again import days_to_judge_again
from openai_costs.questions.reconciliation.unjudged_days import days_to_compare_again
from openai_costs.questions.spend.stale_days import stale_days
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake


def days_to_derive(lake: Lake, settings: Settings) -> list[DayRange]:
    """Return the days that runs are of and whose marts are to be derived again."""
    ranges = [
        *stale_days(lake, settings.teams),
        *days_to_compare_again(lake, settings),
        *days_to_judge_again(lake, settings.gateway.allowed),
    ]
    return consecutive(day for days in ranges for day in days if day >= settings.first_day)

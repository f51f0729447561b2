"""Takes what budgets count from the lake: not more of the past than a forecast learns from."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from openai_costs.budgets.periods import period_before, period_of
from openai_costs.budgets.scopes import ROWS, question, table_of
from openai_costs.budgets.status import PAST_DAYS, Known, statuses
from openai_costs.days import ONE_DAY, DayRange
from openai_costs.lake import Lake
from openai_costs.sections import Budget
from openai_costs.spend.coverage import complete_through, of_costs
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage


def standing(lake: Lake, budgets: Sequence[Budget]) -> pl.DataFrame:
    """Return mart.budget_status from the lake; no rows without a budget or a settled day."""
    coverage = of_costs(lake.read(Coverage))
    through = complete_through(coverage)
    if not budgets or through is None:
        return BudgetStatus.no_rows()
    counted = {
        budget.name: lake.ask(table_of(budget), question(budget, _days(budget, through)), ROWS)
        for budget in budgets
    }
    return statuses(budgets, Known(counted, coverage, lake.read(SpendLimits), through))


def _days(budget: Budget, through: date) -> DayRange:
    """Return the days that matter: two periods, what a forecast learns from, and what is newer."""
    period = period_of(budget, min(through, budget.end or through))
    before = period_before(budget, period) if period else None
    firsts = [through - ONE_DAY * PAST_DAYS, *(one.first for one in (period, before) if one)]
    return DayRange(min(firsts), period.last if period else through)

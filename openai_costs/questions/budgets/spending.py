"""Reads what budgets count from the lake: dollars per day, and what they consist of.

No more of the past than a forecast learns from, and parts only where a limit is exceeded or at
risk. Not here: what follows from it (status.py, causes.py).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.questions.budgets.causes import causes
from openai_costs.questions.budgets.periods import compared_with, known_days, whole_since
from openai_costs.questions.budgets.scopes import (
    KEY_NAMES,
    OF_BUDGETS,
    PARTS,
    Asked,
    daily_question,
    key_names_question,
    parts_question,
    split_of,
    table_of,
)
from openai_costs.questions.budgets.status import Counted, statuses, window
from openai_costs.questions.coverage import of_costs
from openai_costs.settings import Budget
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend

BY = ("budget", "day")
COLUMNS = ("causes", "compared_start", "compared_usd")
BUDGETS_AT_ONCE = 25
"""Budgets in one question: DuckDB plans 25 in 0.06 s, 200 in 6 s and 600 in minutes."""


def read_status(lake: Lake, budgets: Sequence[Budget]) -> pl.DataFrame:
    """Return mart.budget_status from the lake; no rows without a budget or a settled day."""
    if not budgets:
        return BudgetStatus.no_rows()
    counted = _counted(lake, budgets, of_costs(lake.read(Coverage)))
    rows = statuses(budgets, counted, lake.read(SpendLimits))
    return _with_causes(lake, rows, {budget.name: budget for budget in budgets}, counted)


def _counted(lake: Lake, budgets: Sequence[Budget], coverage: pl.DataFrame) -> dict[str, Counted]:
    """Return what each budget counts, by its name; those of the same connections know the same."""
    every = coverage["connection"].unique().sort().to_list()
    alike = {budget.connections: budget for budget in budgets}
    known = {names: known_days(coverage, one) for names, one in alike.items()}
    since = {names: whole_since(coverage, one) for names, one in alike.items()}
    asked = [
        Asked(budget, days, budget.connections or every)
        for budget in budgets
        if (days := window(budget, known[budget.connections]))
    ]
    daily = _daily(lake, asked)
    return {
        budget.name: Counted(
            daily.filter(budget=budget.name).drop("budget"),
            known[budget.connections],
            budget.connections or every,
            since[budget.connections],
        )
        for budget in budgets
    }


def _daily(lake: Lake, asked: Sequence[Asked]) -> pl.DataFrame:
    """Return the columns of `OF_BUDGETS`, by one question to each table for some budgets."""
    answers = [pl.DataFrame(schema=OF_BUDGETS)]
    for table in dict.fromkeys(table_of(one.budget) for one in asked):
        mine = [one for one in asked if table_of(one.budget) is table]
        for first in range(0, len(mine), BUDGETS_AT_ONCE):
            question = daily_question(mine[first : first + BUDGETS_AT_ONCE])
            answers.append(lake.ask(table, question, OF_BUDGETS))
    return pl.concat(answers)


def _with_causes(
    lake: Lake,
    rows: pl.DataFrame,
    budgets: Mapping[str, Budget],
    counted: Mapping[str, Counted],
) -> pl.DataFrame:
    """Add the causes to the newest day of each period that is exceeded or at risk."""
    newest = pl.col("day") == pl.col("day").max().over("budget", "period_start")
    over = rows.filter(newest, pl.col("state").is_in(["exceeded", "at_risk"]))
    explained = [
        _why(lake, budgets[row["budget"]], counted[row["budget"]], row)
        for row in over.iter_rows(named=True)
    ]
    types = {name: BudgetStatus.types()[name] for name in (*BY, *COLUMNS)}
    return rows.update(pl.DataFrame(explained, schema=types), on=list(BY))


def _why(lake: Lake, budget: Budget, counted: Counted, row: Mapping[str, Any]) -> dict[str, Any]:
    so_far = DayRange(row["period_start"], row["day"])
    then = compared_with(budget, so_far)
    before = _settled(counted.known, then)
    if len(before) < len(then) or then.first < counted.whole_since:
        before = []  # what was not read cannot be compared with
    now = _settled(counted.known, so_far)
    asked = parts_question(budget, now, before, counted.connections)
    parts = lake.ask(table_of(budget), asked, PARTS)
    if split_of(budget).who == "api_key" and table_of(budget) is not Spend:
        parts = _with_key_names(lake, parts, counted.connections, [*now, *before])
    text, compared_usd = causes(parts, split_of(budget))
    return {name: row[name] for name in BY} | {
        "causes": text,
        "compared_start": None if compared_usd is None else then.first,
        "compared_usd": compared_usd,
    }


def _with_key_names(
    lake: Lake, parts: pl.DataFrame, connections: Sequence[str], days: Sequence[date]
) -> pl.DataFrame:
    """Return parts by API key with the names that mart.spend has of the keys."""
    keys = parts["who"].drop_nulls().unique().sort().to_list()
    if not keys:
        return parts
    names = lake.ask(Spend, key_names_question(keys, connections, days), KEY_NAMES)
    return parts.drop("who_name").join(names, on="who", how="left").select(list(PARTS))


def _settled(known: pl.DataFrame, days: DayRange) -> list[date]:
    inside = pl.col("day").is_between(days.first, days.last)
    return known.filter(inside, state="settled")["day"].to_list()

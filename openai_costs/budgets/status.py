"""Where a budget stands on each settled day, and what its period will have cost. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from openai_costs.budgets.forecast import forecast
from openai_costs.budgets.periods import period_before, period_of
from openai_costs.budgets.scopes import daily, largest_growth
from openai_costs.days import ONE_DAY, DayRange
from openai_costs.money import MONEY, total
from openai_costs.sections import Budget
from openai_costs.tables.mart.budget_status import BudgetStatus

PAST_DAYS = 400
"""How much of the past a forecast learns from."""
CENT_OF_A_CENT = 4
"""Decimals of a forecast: it is an estimate, and must not look exact."""

FORECAST = {
    "forecast_usd": "forecast",
    "forecast_low_usd": "low80",
    "forecast_high_usd": "high80",
    "forecast_low95_usd": "low95",
    "forecast_high95_usd": "high95",
}
"""The columns of the table, and what the forecast calls them."""


class Known(NamedTuple):
    """What is known of spend.

    Args:
        counted: What each budget counts, by its name: day, part, billed_usd.
        coverage: mart.coverage of costs.
        limits: core.spend_limits.
        through: The newest day up to which every connection is settled.
    """

    counted: Mapping[str, pl.DataFrame]
    coverage: pl.DataFrame
    limits: pl.DataFrame
    through: date


def statuses(budgets: Sequence[Budget], known: Known) -> pl.DataFrame:
    """Return mart.budget_status."""
    found = [one for budget in budgets if (one := _status(budget, known)) is not None]
    rows = pl.concat([BudgetStatus.no_rows(), *found])
    return rows.sort("budget", "day")


def _status(budget: Budget, known: Known) -> pl.DataFrame | None:
    """Return the rows of one budget: its newest period, and the one before."""
    through = min(known.through, budget.end or known.through)
    period = period_of(budget, through)
    if period is None:
        return None
    rows = known.counted[budget.name]
    spells = [DayRange(period.first, through)]
    if (before := period_before(budget, period)) is not None:
        spells.insert(0, before)
    days = [_days(budget, rows, known, spell) for spell in spells]
    newest = _newest(rows, DayRange(period.first, through), period)
    return _stated(pl.concat(days), newest, budget, known)


def _days(budget: Budget, rows: pl.DataFrame, known: Known, spell: DayRange) -> pl.DataFrame:
    period = period_of(budget, spell.last) or spell
    missing = known.coverage.filter(pl.col("state") == "missing")["day"].to_list()
    gone = pl.int_range(1, pl.len() + 1)
    return daily(rows, spell).select(
        "day",
        period_start=pl.lit(period.first),
        period_end=pl.lit(period.last),
        spent_usd=pl.col("billed_usd").cum_sum().cast(MONEY),
        elapsed_pct=(gone * 100).cast(MONEY) / Decimal(len(period)),
        missing_days=pl.col("day").is_in(missing).cum_sum().cast(pl.Int64),
    )


def _newest(rows: pl.DataFrame, so_far: DayRange, period: DayRange) -> dict[str, Any]:
    """Return what is said of the newest day only."""
    through = so_far.last
    past = daily(rows, DayRange(through - ONE_DAY * PAST_DAYS, through))
    first = past.filter(pl.col("billed_usd") != 0)["day"].min()
    series = past.filter(pl.col("day") >= (first or through))
    told = forecast(
        series.select(series_id=pl.lit("budget"), day="day", cost="billed_usd"),
        through,
        period.first,
        period.last,
    )
    later = rows.filter(pl.col("day").is_between(through + ONE_DAY, period.last))
    window = DayRange(period.first - ONE_DAY * len(so_far), period.first - ONE_DAY)
    return _forecast(told) | {
        "provisional_usd": total(later["billed_usd"]),
        "largest_growth": largest_growth(rows, so_far, window) or None,
    }


def _forecast(told: pl.DataFrame) -> dict[str, float | None]:
    """Return the columns of a forecast; null where nothing was ever spent, so nothing is known."""
    row = told.row(0, named=True) if told.height else {}
    return {column: row.get(name) for column, name in FORECAST.items()}


def _stated(
    days: pl.DataFrame, newest: dict[str, Any], budget: Budget, known: Known
) -> pl.DataFrame:
    is_newest = pl.col("day") == days["day"].max()
    types = BudgetStatus.types()
    only = {
        name: pl.when(is_newest).then(pl.lit(_rounded(value), types[name]))
        for name, value in newest.items()
    }
    limit = pl.lit(budget.limit_usd, MONEY)
    told = days.with_columns(
        **only,
        budget=pl.lit(budget.name),
        period=pl.lit(budget.period),
        scope=pl.lit(budget.scope),
        scope_id=pl.lit(budget.id, pl.String),
        owner=pl.lit(budget.owner, pl.String),
        limit_usd=limit,
        provider_limit_usd=pl.lit(_provider_limit(budget, known.limits), MONEY),
        spent_pct=(pl.col("spent_usd") * 100 / budget.limit_usd).cast(MONEY),
    )
    state = (
        pl.when(pl.col("spent_usd") > limit)
        .then(pl.lit("exceeded"))
        .when(pl.col("forecast_usd") > limit)
        .then(pl.lit("at_risk"))
        .otherwise(pl.lit("on_track"))
    )
    return told.with_columns(state=state).select(
        pl.col(name).cast(kind) for name, kind in types.items()
    )


def _rounded(value: object) -> object:
    """A forecast is a float; in the table it is dollars to the hundredth of a cent."""
    return round(Decimal(value), CENT_OF_A_CENT) if isinstance(value, float) else value


def _provider_limit(budget: Budget, limits: pl.DataFrame) -> Decimal | None:
    """Return the limit the provider itself enforces on the same project or organisation."""
    if budget.scope not in ("project", "connection"):
        return None
    is_project = budget.scope == "project"
    same = limits.filter(pl.col("kind") == "limit", pl.col("is_current")).filter(
        pl.col("project_id") == budget.id
        if is_project
        else pl.col("project_id").is_null() & (pl.col("connection") == budget.id)
    )
    return None if same.is_empty() else Decimal(same["threshold_usd"][0])

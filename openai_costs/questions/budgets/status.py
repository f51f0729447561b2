"""The spend of each budget on each settled day, and the forecast of its period. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.money import MONEY, SMALLEST, WIDE
from openai_costs.questions.budgets.forecast import forecasts
from openai_costs.questions.budgets.periods import periods_through, settled_through
from openai_costs.questions.series import ID
from openai_costs.settings import Budget
from openai_costs.tables.mart.budget_status import BudgetStatus

PAST_DAYS = 400
"""How much of the past a forecast learns from."""

KEPT_DAYS = 35
"""Periods that ended so many days ago still have rows."""

FORECAST_DAYS = 31
"""How many of the newest days have a forecast each: those of a whole month, so that the day since
which a period is at risk does not move, and a forecast that wavers for weeks is one message."""

PROVISIONAL = ("provisional_days", "provisional_usd")
"""Columns of the newest day of a period only."""

OF_A_WHOLE = ("all", "provider", "connection")
"""Scopes that are a whole organization where they count one connection."""


class Counted(NamedTuple):
    """What a budget counts.

    Args:
        daily: The columns of scopes.DAILY.
        known: day, state: every day from the first that was read.
        connections: The connections it counts.
        whole_since: From when on all of them were read.
    """

    daily: pl.DataFrame
    known: pl.DataFrame
    connections: Sequence[str] = ()
    whole_since: date = date.min


def statuses(
    budgets: Sequence[Budget], counted: Mapping[str, Counted], limits: pl.DataFrame
) -> pl.DataFrame:
    """Return mart.budget_status, without the causes.

    Args:
        budgets: The budgets.
        counted: What each counts, by its name.
        limits: core.spend_limits.
    """
    daily = {budget.name: _daily(counted[budget.name]) for budget in budgets}
    periods = [
        _of_period(budget, daily[budget.name], period, limits, counted[budget.name])
        for budget in budgets
        for period in _periods(budget, counted[budget.name].known)
    ]
    if not periods:
        return BudgetStatus.no_rows()
    rows = pl.concat(periods)
    ends = forecasts(_series(daily), _asked(rows)).drop("spent_usd")
    seen = rows.join(ends, left_on=["budget", "day"], right_on=[ID, "as_of"], how="left")
    return _stated(seen).sort("budget", "day")


def window(budget: Budget, known: pl.DataFrame) -> DayRange | None:
    """Return the days of a budget that matter; None when it has none."""
    periods = _periods(budget, known)
    if not periods:
        return None
    past = min(periods[-1].first, _through(budget, known)) - ONE_DAY * PAST_DAYS
    return DayRange(min(past, periods[0].first), periods[-1].last)


def _through(budget: Budget, known: pl.DataFrame) -> date:
    through = settled_through(known) or date.min
    return min(through, budget.end or through)


def _periods(budget: Budget, known: pl.DataFrame) -> list[DayRange]:
    """Return the periods with rows: those of days that were read."""
    if settled_through(known) is None:
        return []
    last = _through(budget, known)
    first: date = known["day"][0]
    found = periods_through(budget, last, last - ONE_DAY * KEPT_DAYS)
    return [period for period in found if period.last >= first]


def _daily(counted: Counted) -> pl.DataFrame:
    """Return the days with their state, and name, billed_usd, charged_usd of every day.

    Nothing billed is 0, not read is null.
    """
    usd = pl.when(pl.col("state") != "missing").then(pl.col("billed_usd").fill_null(0))
    days = counted.known.join(counted.daily, on="day", how="left").sort("day")
    return days.with_columns(billed_usd=usd, name=pl.col("name").forward_fill())


def _series(daily: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the days of all budgets, as forecasts take them."""
    is_settled = pl.col("state") == "settled"
    return pl.concat(
        days.select(pl.lit(name).alias(ID), "day", cost="charged_usd", is_settled=is_settled)
        for name, days in daily.items()
    )


def _of_period(
    budget: Budget, daily: pl.DataFrame, period: DayRange, limits: pl.DataFrame, counted: Counted
) -> pl.DataFrame:
    """Return the settled days of a period, each with what is known up to it."""
    is_inside = pl.col("day").is_between(period.first, period.last)
    days = _running(daily.filter(is_inside), budget.limit_usd, period)
    settled = days.filter(pl.col("day") <= _through(budget, counted.known), state="settled")
    is_newest = pl.col("day") == pl.col("day").max()
    shown = (pl.when(is_newest).then(name).alias(name) for name in PROVISIONAL)
    return settled.drop("state", "billed_usd", "charged_usd").with_columns(
        *shown,
        budget=pl.lit(budget.name),
        period=pl.lit(budget.period),
        scope=pl.lit(budget.scope),
        scope_id=pl.lit(", ".join(budget.counted) or None, pl.String),
        connection=pl.lit(budget.connection),
        owner=pl.lit(budget.owner, pl.String),
        provider_limit_usd=pl.lit(_provider_limit(budget, limits, counted.connections), MONEY),
    )


def _running(days: pl.DataFrame, limit_usd: Decimal, period: DayRange) -> pl.DataFrame:
    """Add what was spent up to each day, how much of the period is gone, and what is open."""
    state, usd = pl.col("state"), pl.col("billed_usd")
    is_settled, is_moving = state == "settled", state == "provisional"
    gone = (pl.col("day") - pl.lit(period.first)).dt.total_days() + 1
    a_day = WIDE.divide(limit_usd, len(period)).quantize(SMALLEST, context=WIDE)
    limit = pl.lit(limit_usd, MONEY)
    return days.rename({"name": "scope_name"}).with_columns(
        period_start=pl.lit(period.first),
        period_end=pl.lit(period.last),
        limit_usd=limit,
        spent_usd=pl.when(is_settled).then(usd).otherwise(0).cum_sum().cast(MONEY),
        elapsed_pct=(gone * 100).cast(MONEY) / Decimal(len(period)),
        pace_usd=pl.when(gone == len(period)).then(limit).otherwise(gone.cast(MONEY) * a_day),
        settled_days=is_settled.cum_sum().cast(pl.Int64),
        missing_days=(state == "missing").cum_sum().cast(pl.Int64),
        moving_days=is_moving.cum_sum().cast(pl.Int64),
        provisional_days=is_moving.sum().cast(pl.Int64),
        provisional_usd=usd.filter(is_moving).sum().cast(MONEY),
    )


def _asked(days: pl.DataFrame) -> pl.DataFrame:
    """Return the newest days to forecast from: those before which every day is settled."""
    newest = pl.col("day").max().over("budget") - pl.duration(days=FORECAST_DAYS)
    is_whole = (pl.col("missing_days") == 0) & (pl.col("moving_days") == 0)
    some = days.filter(pl.col("day") > newest, is_whole)
    period = {"start": "period_start", "end": "period_end"}
    return some.select(pl.col("budget").alias(ID), "spent_usd", as_of="day", **period)


def _stated(days: pl.DataFrame) -> pl.DataFrame:
    spent, limit = pl.col("spent_usd"), pl.col("limit_usd")
    state = (
        pl.when(spent > limit)
        .then(pl.lit("exceeded"))
        .when((pl.col("missing_days") > 0) | (pl.col("moving_days") > 0))
        .then(pl.lit("incomplete"))
        .when(pl.col("forecast_usd") > limit)
        .then(pl.lit("at_risk"))
        .otherwise(pl.lit("on_track"))
    )
    stated = days.with_columns(
        state=state,
        spent_pct=(spent * 100 / limit).cast(MONEY),
        causes=pl.lit(None, pl.String),
        compared_usd=pl.lit(None, MONEY),
        compared_start=pl.lit(None, pl.Date),
    )
    return stated.select(pl.col(name).cast(kind) for name, kind in BudgetStatus.types().items())


def _provider_limit(
    budget: Budget, limits: pl.DataFrame, connections: Sequence[str]
) -> Decimal | None:
    """Return the limit the provider itself enforces on the same project or organization."""
    enforced = limits.filter("is_current", kind="limit", status="enforcing")
    if budget.scope == "project" and len(budget.counted) == 1:
        same = enforced.filter(project_id=budget.counted[0])
    elif budget.scope in OF_A_WHOLE and len(connections) == 1:
        same = enforced.filter(pl.col("project_id").is_null(), connection=connections[0])
    else:
        return None
    return Decimal(same["threshold_usd"][0]) if same.height == 1 else None


# Budgets that count nothing: one with a wrong id is never exceeded.


def unspent(status: pl.DataFrame) -> list[str]:
    """Return a sentence for each budget that counts nothing although its days are known.

    Args:
        status: mart.budget_status. What never spent has no forecast.
    """
    is_known = (pl.col("state") != "incomplete").any()
    nothing = (pl.col("spent_usd") == 0).all() & pl.col("forecast_usd").is_null().all()
    idle = (
        status.group_by("budget", "scope", "scope_id")
        .agg(is_nothing=nothing & is_known)
        .filter("is_nothing")
        .sort("budget")
    )
    return [_warning(*row) for row in idle.select("budget", "scope", "scope_id").iter_rows()]


def _warning(budget: str, scope: str, scope_id: str | None) -> str:
    if not scope_id:
        return f"Budget {budget} counts no spend: no day that was read has any."
    which = f"{scope.replace('_', ' ')} {scope_id}"
    return f"Budget {budget} counts no spend of {which}. Check that the id is as on the bill."

"""Small literal ledgers for budgets: dollars per day, and which days are known."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.questions.budgets.scopes import DAILY
from openai_costs.questions.budgets.status import Counted, statuses
from openai_costs.settings import Budget
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs_tests.org import connected

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

FIRST: Final = date(2026, 8, 1)
THROUGH: Final = date(2026, 11, 10)


@contextmanager
def forecast_on(days: int) -> Iterator[None]:
    """Forecast so many of the newest days: one forecast is nearly all that a status costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{statuses.__module__}.FORECAST_DAYS", days)
        yield


def budget(limit: str = "310", **said: object) -> Budget:
    return Budget.model_validate({"name": "all", "limit_usd": limit, **said})


def counted(
    through: date = THROUGH,
    *,
    first: date = FIRST,
    other: Mapping[date, str] | None = None,
    missing: Collection[date] = (),
    moving: Collection[date] = (),
) -> Counted:
    """Ten dollars a day, all of it settled, but for what is said to be otherwise."""
    costs = {day: Decimal(10) for day in DayRange(first, through)}
    costs |= {day: Decimal(usd) for day, usd in (other or {}).items()}
    known = [
        (day, "missing" if day in missing else "provisional" if day in moving else "settled")
        for day in DayRange(first, max(costs))
    ]
    billed = [(day, "Labs", usd, usd) for day, usd in costs.items() if usd and day not in missing]
    return Counted(
        pl.DataFrame(billed, DAILY, orient="row"),
        pl.DataFrame(known, {"day": pl.Date, "state": pl.String}, orient="row"),
        ("acme",),
    )


def credited(what: Counted, usd: Mapping[date, str]) -> Counted:
    """The same with so many dollars of credits on some days."""
    rows = [(day, "Labs", -Decimal(one), Decimal(0)) for day, one in usd.items()]
    both = pl.concat([what.daily, pl.DataFrame(rows, DAILY, orient="row")])
    return what._replace(daily=both.group_by("day", "name").agg(pl.all().sum()))


def status(one: Budget, what: Counted, limits: pl.DataFrame | None = None) -> pl.DataFrame:
    return statuses([one], {one.name: what}, SpendLimits.no_rows() if limits is None else limits)


def covered(*states: tuple[str, date, str]) -> pl.DataFrame:
    """mart.coverage of costs: connection, day, state."""
    rows = [(name, "costs", day, state, None, None, None) for name, day, state in states]
    return connected(rows)

"""Small bills: a line is (day of January 2026, project, user, USD)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange, month_of
from openai_costs.kernel.money import MONEY
from openai_costs.outputs.report.bill_queries import (
    BY_METHOD,
    OF_SPEND,
    dollars,
    names_of,
    of_attribution,
    of_spend,
)
from openai_costs.outputs.report.page_model import PageModel, page_model
from openai_costs.outputs.report.page_tables import Tables
from openai_costs.questions.budgets.assets import EVERYTHING
from openai_costs.questions.budgets.month_end import SPEND, month_end
from openai_costs.questions.budgets.periods import known_days, newest_read
from openai_costs.questions.coverage import of_costs
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.forecast import Forecast
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.seats import Seats
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.org import connected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_costs.tables.contract import Contract

NOW: Final = datetime(2026, 1, 20, 9, tzinfo=UTC)

Line = tuple[int, str | None, str | None, str]


def of(table: type[Contract], *rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of a table of which only some columns matter; the others are null."""
    made = pl.DataFrame(list(rows), infer_schema_length=None) if rows else table.no_rows()
    absent = [pl.lit(None).alias(name) for name in table.types() if name not in made.columns]
    return made.with_columns(absent).select(
        pl.col(name).cast(kind) for name, kind in table.types().items()
    )


def _line(connection: str, line: Line) -> dict[str, Any]:
    day, project, user, usd = line
    return {
        "day": january(day),
        "connection": connection,
        "provider": "openai",
        "project_id": project,
        "user_id": user,
        "model": "gpt-5",
        "usage_type": "input",
        "billed_usd": Decimal(usd),
        "attribution": "direct" if user else "unattributed",
    }


def spend(lines: Sequence[Line], connection: str = "acme") -> pl.DataFrame:
    return of(Spend, *(_line(connection, line) for line in lines))


def attribution(lines: Sequence[Line], connection: str = "acme") -> pl.DataFrame:
    """mart.spend_attribution of the lines; what names no user is unattributed."""
    return of(SpendAttribution, *(_line(connection, line) for line in lines))


def coverage(states: str, connection: str = "acme") -> pl.DataFrame:
    """One letter per day from 1 January: s, p or m."""
    words = {"s": "settled", "p": "provisional", "m": "missing"}
    rows = [
        (connection, "costs", january(day), words[letter], None, None, None)
        for day, letter in enumerate(states, start=1)
    ]
    return connected(rows)


def restated(day: int, before: str, after: str, why: str = "a line moved") -> pl.DataFrame:
    seen = datetime(2026, 1, day + 5)  # noqa: DTZ001 - the table is naive UTC
    usd = (Decimal(before), Decimal(after), Decimal(after) - Decimal(before))
    row = ("acme", january(day), seen, seen.replace(day=day + 4), *usd, 1, "billed", why)
    return pl.DataFrame([row], schema=Restatements.types(), orient="row")


def of_rows(
    spend: pl.DataFrame | None = None,
    attribution: pl.DataFrame | None = None,
    **others: pl.DataFrame,
) -> Tables:
    """The page's tables, of rows of mart.spend and mart.spend_attribution, and of other tables."""
    bill = Spend.no_rows() if spend is None else spend
    people = SpendAttribution.no_rows() if attribution is None else attribution
    known = {
        "spend": dollars(bill.lazy(), *OF_SPEND).collect(),
        "attribution": dollars(people.lazy(), *BY_METHOD).collect(),
        "names": names_of(
            pl.collect_all(of_spend(bill.lazy())), pl.collect_all(of_attribution(people.lazy()))
        ),
        "lines": people,
        "coarse": None,
    }
    if "coverage" in others:
        known["forecast"] = forecast_of(others["coverage"], people)
    return Tables(**(_NOTHING | known | others))  # type: ignore[arg-type]  # by name


def forecast_of(read: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """mart.forecast of rows of mart.spend_attribution, as its asset makes it."""
    known = known_days(of_costs(read), EVERYTHING)
    newest = newest_read(of_costs(read))
    settled = known.filter(state="settled")["day"].to_list()
    rows = people.with_columns(charged_usd=pl.col("billed_usd").clip(0)).select(list(SPEND))
    return month_end(rows, rows, settled, month_of(newest)) if newest else Forecast.no_rows()


_NOTHING: Final = {
    "ledger": Ledger.no_rows(),
    "usage": Usage.no_rows(),
    "coverage": Coverage.no_rows(),
    "restatements": Restatements.no_rows(),
    "projects": Projects.no_rows(),
    "api_keys": ApiKeys.no_rows(),
    "users": Users.no_rows(),
    "service_accounts": ServiceAccounts.no_rows(),
    "findings": Findings.no_rows(),
    "anomalies": SpendAnomalies.no_rows(),
    "budget_status": BudgetStatus.no_rows(),
    "forecast": Forecast.no_rows(),
    "optimization": Optimization.no_rows(),
    "bypass": GatewayBypass.no_rows(),
    "capture": GatewayCapture.no_rows(),
    "seats": Seats.no_rows(),
    "price_check": PriceCheck.no_rows(),
}


def tables(lines: Sequence[Line], states: str, **others: pl.DataFrame) -> Tables:
    """The tables of one connection, acme; some replaced by others."""
    made = {"spend": spend(lines), "attribution": attribution(lines), "coverage": coverage(states)}
    return of_rows(**(made | others))


def page(lines: Sequence[Line], states: str, **others: pl.DataFrame) -> PageModel:
    """The page model of one connection, acme."""
    return page_model(tables(lines, states, **others), NOW)


Steady = tuple[str, str, DayRange, tuple[date, ...]]
"""A connection that costs the same each day: name, dollars, days, and those never read."""


def steady(*connections: Steady, settled: date) -> Tables:
    """The tables of connections of one user each; days after one are provisional."""
    rows: list[dict[str, Any]] = []
    states: list[tuple[object, ...]] = []
    for name, usd, days, unread in connections:
        line = _line(name, (1, None, f"{name}-user", usd))
        rows += (line | {"day": day} for day in days if day not in unread)
        for day in days:
            word = "settled" if day <= settled else "provisional"
            state = "missing" if day in unread else word
            states.append((name, "costs", day, state, 1, None, None))
    return of_rows(
        spend=of(Spend, *rows), attribution=of(SpendAttribution, *rows), coverage=connected(states)
    )


def running(made: Tables, day: date, *names: str) -> Tables:
    """The tables of connections that a day was read from while it was running: all, or some."""
    is_it = pl.col("day") == day
    if names:
        is_it &= pl.col("connection").is_in(names)
    return made._replace(
        coverage=made.coverage.with_columns(
            state=pl.when(is_it).then(pl.lit("provisional")).otherwise("state"),
            is_over=pl.col("is_over") & ~is_it,
        )
    )


def read_while_running(day: date, usd: str) -> Tables:
    """Ten dollars each day since September, and so many of the day on which they were read.

    The day before has not settled either.
    """
    days = DayRange(date(2026, 9, 1), day)
    made = steady(("acme", "10", days, ()), settled=day - 2 * ONE_DAY)
    part = pl.when(pl.col("day") == day).then(pl.lit(Decimal(usd), MONEY))
    dollars = {
        name: getattr(made, name).with_columns(billed_usd=part.otherwise("billed_usd"))
        for name in ("spend", "attribution", "lines")
    }
    return running(made, day)._replace(**dollars)


def january(day: int) -> date:
    return date(2026, 1, day)

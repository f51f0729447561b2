"""A month of one connection, as far as a test is about it: usage, the ledger, keys and projects."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.questions.optimization.facts import Facts, Measured, facts_of
from openai_costs.questions.optimization.measured import (
    billed_tokens,
    lines,
    paid,
    periods,
    tokens,
)
from openai_costs.questions.prices.price_check import price_check
from openai_costs.questions.usage.billable import billable
from openai_costs.sources.openai.costs.line_items import parsed_columns
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.questions.usage.frames import ledger, table, usage
from openai_costs_tests.questions.usage.frames import tokens as counts

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST, LAST = date(2026, 10, 23), date(2026, 11, 21)
MONTH: Final = list(DayRange(FIRST, LAST))
LONG_AGO: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - stored without a zone
KNOWN: Final = {
    "connection": "acme",
    "provider": "openai",
    "status": "active",
    "created_at": LONG_AGO,
    "first_seen_day": FIRST,
    "last_seen_day": LAST,
    "is_current": True,
}


def daily(row: Callable[[date], dict[str, Any]], days: list[date] = MONTH) -> list[dict[str, Any]]:
    """A row for each of some days."""
    return [{"day": day} | row(day) for day in days]


def used(*rows: dict[str, Any], model: str = "gpt-4.1") -> pl.DataFrame:
    """Rows of core.usage of the key k."""
    return usage(*({"model": model} | row for row in rows))


def every_day(uncached: int, cached: int = 0, output: int = 0, **more: object) -> pl.DataFrame:
    """The same tokens on every day of the month."""
    return used(*daily(lambda _: counts(uncached, cached, output, **more)))


def line(label: str, usd: str, quantity: str | None, **more: object) -> dict[str, Any]:
    """A line of the ledger of the month's last day, its label parsed as the ledger's are."""
    (parsed,) = parsed_columns(pl.Series([label])).rows(named=True)
    known = None if quantity is None else Decimal(quantity)
    return parsed | {"day": LAST, "billed_usd": Decimal(usd), "quantity": known} | more


def billed(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of core.spend."""
    return ledger(*rows)


def keys(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of core.api_keys: service accounts' keys of the project p."""
    usual = {"project_id": "p", "owner_type": "service_account", "owner_id": "sa"}
    return table(ApiKeys, KNOWN | usual, *rows)


def projects(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of core.projects."""
    return table(Projects, KNOWN, *rows)


def coverage(days: list[date] = MONTH, state: str = "settled") -> pl.DataFrame:
    """Rows of mart.coverage."""
    usual = {"connection": "acme", "source": "costs", "state": state, "is_connected": True}
    return table(Coverage, usual, *({"day": day} for day in days))


@dataclass(frozen=True)
class Month:
    """The tables of a month; without rows where a test says nothing."""

    usage: pl.DataFrame = field(default_factory=Usage.no_rows)
    spend: pl.DataFrame = field(default_factory=Spend.no_rows)
    keys: pl.DataFrame = field(default_factory=ApiKeys.no_rows)
    projects: pl.DataFrame = field(default_factory=Projects.no_rows)
    coverage: pl.DataFrame = field(default_factory=coverage)

    @property
    def price_check(self) -> pl.DataFrame:
        """mart.price_check of the month."""
        return price_check(self.spend, billable(self.usage), Projects.no_rows())

    @property
    def all_facts(self) -> list[Facts]:
        """The facts of every connection."""
        days = periods(self.coverage)
        measured = Measured(
            pl.concat([tokens(self.usage, days), billed_tokens(self.spend, days)]),
            lines(self.spend, days),
            paid(self.price_check, days),
            self.keys,
            self.projects,
        )
        return list(facts_of(days, measured))

    @property
    def facts(self) -> Facts:
        """The facts of the only connection."""
        (only,) = self.all_facts
        return only

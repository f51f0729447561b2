"""What every sentence of the page is told: the rows and days of the connections in view. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from openai_costs.kernel.formatting import cents
from openai_costs.outputs.report.page_days import (
    HEADLINE_DAYS,
    MISSING,
    PROVISIONAL,
    SETTLED,
    Window,
    days_in,
    expected_days,
    newest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from openai_costs.outputs.report.page_model import Restated


@dataclass(frozen=True)
class Scope:
    """All connections, or one.

    Args:
        name: `connection acme`.
        connections: Positions of the connections in view.
        names: Their names.
        days: The page's days; `states` has one letter for each.
        states: The worst of the connections per day.
        by_connection: The letters of each connection.
        spend: mart.spend of these connections and days.
        by_user: mart.spend_by_user of these connections and days.
        restated: Restatements of these connections, newest first.
        today: The current UTC day.
    """

    name: str
    connections: tuple[int, ...]
    names: tuple[str, ...]
    days: tuple[date, ...]
    states: str
    by_connection: tuple[str, ...]
    spend: pl.DataFrame
    by_user: pl.DataFrame
    restated: tuple[Restated, ...]
    today: date

    @cached_property
    def settled(self) -> list[date]:
        """The settled days."""
        return days_in(SETTLED, self.states, self.days)

    @cached_property
    def provisional(self) -> list[date]:
        """The provisional days."""
        return days_in(PROVISIONAL, self.states, self.days)

    @cached_property
    def missing(self) -> list[date]:
        """The missing days."""
        return days_in(MISSING, self.states, self.days)

    @cached_property
    def expected(self) -> list[date]:
        """The days on or after the first day of the first connection."""
        return expected_days(self.states, self.days)

    @cached_property
    def read(self) -> list[date]:
        """The days of which at least one connection was read."""
        letters = ("".join(of_day) for of_day in zip(*self.by_connection, strict=True))
        return [day for day, of_day in zip(self.days, letters, strict=True) if _is_read(of_day)]

    @cached_property
    def window(self) -> Window:
        """The settled days the headline numbers speak of."""
        return newest(self.settled, HEADLINE_DAYS)

    def billed(self, days: Sequence[date] | None = None, where: pl.Expr | None = None) -> int:
        """Return cents of mart.spend, of some days or lines."""
        return _cents(self.spend, days, where)

    def billed_to_users(
        self, days: Sequence[date] | None = None, where: pl.Expr | None = None
    ) -> int:
        """Return cents of mart.spend_by_user, of some days or lines."""
        return _cents(self.by_user, days, where)


def _is_read(letters: str) -> bool:
    return SETTLED in letters or PROVISIONAL in letters


def _cents(table: pl.DataFrame, days: Sequence[date] | None, where: pl.Expr | None) -> int:
    chosen = table if days is None else table.filter(pl.col("day").is_in(list(days)))
    chosen = chosen if where is None else chosen.filter(where)
    usd: Decimal = chosen.select(pl.col("billed_usd").sum()).item()
    return cents(usd)

"""The connections of today, with the rows and days that every sentence uses. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import polars as pl

from openai_costs.kernel.formatting import cents, dollars_of, listed, total_usd
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.page_days import (
    MISSING,
    NO_LONGER,
    PROVISIONAL,
    SETTLED,
    combined,
    days_in,
    expected_days,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from openai_costs.outputs.report.page_days import Calendar
    from openai_costs.outputs.report.restated import Restated

UNATTRIBUTED: Final = pl.col("attribution") == "unattributed"
"""The lines of mart.spend_attribution that have no user."""

_MOST_NAMED: Final = 3


@dataclass(frozen=True)
class Scope:
    """The connections of today.

    Args:
        name: `connection acme`.
        is_whole_page: Whether there is one connection only, which numbers need not name.
        connections: Positions of the connections in view.
        names: Their names.
        days: The page's days; `states` has one letter for each.
        states: The worst of the connections per day.
        by_connection: The letters of each connection.
        comparable: The same, in which unfinished days have a letter of their own.
        spend: mart.spend of these connections and days.
        by_user: mart.spend_attribution of these connections and days.
        restated: Restatements of these connections, newest first.
        today: The current UTC day.
        left_out: What is no longer connected, and so not in these numbers; empty without any.
        lost: The missing days that can be read no more, by connection.
        named: Whom the bills of a connection name, in sentences.
    """

    name: str
    is_whole_page: bool
    connections: tuple[int, ...]
    names: tuple[str, ...]
    days: tuple[date, ...]
    states: str
    by_connection: tuple[str, ...]
    comparable: tuple[str, ...]
    spend: pl.DataFrame
    by_user: pl.DataFrame
    restated: tuple[Restated, ...]
    today: date
    left_out: str = ""
    lost: Mapping[str, Sequence[date]] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The connections, to be put behind days: `, connection acme`; empty if there is one."""
        return "" if self.is_whole_page else f", {self.name}"

    @cached_property
    def settled(self) -> list[date]:
        """The settled days."""
        return days_in(SETTLED, self.states, self.days)

    @property
    def settled_through(self) -> date | None:
        """The newest settled day; None before any has settled."""
        return self.settled[-1] if self.settled else None

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

    def billed(self, days: Sequence[date] | None = None, where: pl.Expr | None = None) -> int:
        """Return cents of mart.spend, of some days or lines."""
        return _cents(self.spend, days, where)

    def billed_usd(self, days: Sequence[date], where: pl.Expr | None = None) -> Decimal:
        """Return exact dollars of mart.spend, of some days or lines."""
        return _usd(self.spend, days, where)

    def billed_to_users(
        self, days: Sequence[date] | None = None, where: pl.Expr | None = None
    ) -> int:
        """Return cents of mart.spend_attribution, of some days or lines."""
        return _cents(self.by_user, days, where)

    @property
    def user_gap_usd(self) -> Decimal:
        """The exact dollars by user, less those by project."""
        by_user, by_project = (_usd(one, None, None) for one in (self.by_user, self.spend))
        return total_usd([by_user, by_project.copy_negate()])


def scope_of_today(
    days: Calendar,
    spend: pl.DataFrame,
    by_user: pl.DataFrame,
    restated: Sequence[Restated],
    today: date,
) -> Scope:
    """Return the scope of the connections of today, of all if there are none of today.

    What is no longer connected is in no number about all connections.
    """
    each = range(len(days.connections))
    chosen = [i for i in each if days.connections[i] not in days.former] or list(each)
    names = tuple(days.connections[i] for i in chosen)
    letters, comparable = (
        tuple(each[i] for i in chosen) if days.days else ()
        for each in (days.states, days.comparable)
    )
    return Scope(
        name=_name(names, days.former),
        is_whole_page=len(each) == 1,
        connections=tuple(chosen),
        names=names,
        days=days.days,
        states=combined(letters),
        by_connection=letters,
        comparable=comparable,
        spend=spend.filter(pl.col("connection").is_in(names)),
        by_user=by_user.filter(pl.col("connection").is_in(names)),
        restated=tuple(one for one in restated if one.connection in chosen),
        today=today,
        left_out=_left_out(days, spend) if len(chosen) < len(each) else "",
    )


def shown(connection: str, former: Sequence[str]) -> str:
    """Return what the page calls a connection, marked where it is no longer connected."""
    mark = f" ({NO_LONGER})" if connection in former else ""
    return without_domains(connection) + mark


def _left_out(days: Calendar, spend: pl.DataFrame) -> str:
    """Return what was billed to connections that are no longer connected, and on which days."""
    theirs = spend.filter(pl.col("connection").is_in(days.former), pl.col("billed_usd") != 0)
    if theirs.is_empty():
        return ""
    names = listed(list(map(without_domains, days.former)), _MOST_NAMED, "connection")
    return (
        f"{dollars_of(_cents(theirs, None, None))} billed to {names} from "
        f"{theirs['day'].min()!s} to {theirs['day'].max()!s} is not in these numbers: {NO_LONGER}. "
        "The explorer below includes them."
    )


def _name(names: Sequence[str], former: Sequence[str]) -> str:
    if len(names) == 1:
        return f"connection {shown(names[0], former)}"
    if len(names) > _MOST_NAMED:
        return f"all {len(names)} connections"
    return f"connections {', '.join(map(without_domains, names))}" if names else "no connection"


def _is_read(letters: str) -> bool:
    return SETTLED in letters or PROVISIONAL in letters


def _cents(table: pl.DataFrame, days: Sequence[date] | None, where: pl.Expr | None) -> int:
    return cents(_usd(table, days, where))


def _usd(table: pl.DataFrame, days: Sequence[date] | None, where: pl.Expr | None) -> Decimal:
    chosen = table if days is None else table.filter(pl.col("day").is_in(list(days)))
    chosen = chosen if where is None else chosen.filter(where)
    usd: Decimal = chosen.select(pl.col("billed_usd").sum()).item()
    return usd

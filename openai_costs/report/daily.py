"""Cents per day for the chart: the named members and the total of one connection and cut. Pure.

Each day is cut to cents once, so that its members and the rest add up to the day's total.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from openai_costs.report.dollars import shared_cents
from openai_costs.report.facts import Series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from decimal import Decimal

_NOT_NAMED: Final = -1


def series(cells: pl.DataFrame, days: Sequence[date], positions: Mapping[str, int]) -> Series:
    """Return the series of one connection in one dimension.

    Args:
        cells: day, member, billed_usd of that connection and dimension.
        days: The page's days, without gaps.
        positions: The members to keep apart, and their position in the dimension.
    """
    place = {day: i for i, day in enumerate(days)}
    total = [0] * len(days)
    members: dict[int, list[int]] = {}
    for day, parts in _by_day(cells, positions).items():
        for member, value in zip(parts, shared_cents(list(parts.values())), strict=True):
            total[place[day]] += value
            if member != _NOT_NAMED:
                members.setdefault(member, [0] * len(days))[place[day]] = value
    return Series(tuple(total), {key: tuple(members[key]) for key in sorted(members)})


def _by_day(cells: pl.DataFrame, positions: Mapping[str, int]) -> dict[date, dict[int, Decimal]]:
    member = pl.col("member").replace_strict(positions, default=_NOT_NAMED, return_dtype=pl.Int64)
    grouped = (
        cells.group_by("day", member.alias("member"))
        .agg(pl.col("billed_usd").sum())
        .sort("day", "member")
    )
    by_day: dict[date, dict[int, Decimal]] = {}
    for day, position, usd in grouped.select("day", "member", "billed_usd").iter_rows():
        by_day.setdefault(day, {})[position] = usd
    return by_day

"""Who spent how much in a window: the largest members, everything else, the total. Pure.

A member is listed for what it spends or for what it spent the period before: the one that stopped
explains a change as well as the one that started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from openai_costs.report.dollars import shared_cents
from openai_costs.report.facts import REST, Ranking, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from openai_costs.report.windows import Window


class Spent(NamedTuple):
    """Exact dollars of one member in a window and in the one before."""

    member: str
    usd: Decimal
    previous_usd: Decimal


class Ranked(NamedTuple):
    """The listed members of one dimension, dearest first, and everything else."""

    top: tuple[Spent, ...]
    rest: Spent | None
    rest_count: int


def ranked(cells: pl.DataFrame, window: Window, dimension: str, top: int) -> Ranked:
    """Return the `top` members of a window by dollars of either period.

    Args:
        cells: dimension, connection, day, member, billed_usd of the connections in view.
        window: The days to add up.
        dimension: Which cut.
        top: How many to list; one more is listed rather than a rest of one.
    """
    spent = _spent(cells.filter(pl.col("dimension") == dimension), window)
    shown = spent.height if spent.height <= top + 1 else top
    listed = spent.head(shown).sort("usd", "member", descending=[True, False])
    rest = spent.slice(shown)
    return Ranked(
        tuple(Spent(*row) for row in listed.select(Spent._fields).iter_rows()),
        Spent("", *rest.select("usd", "previous_usd").sum().row(0)) if rest.height else None,
        rest.height,
    )


def ranking(found: Ranked, positions: Mapping[str, int], *, is_compared: bool) -> Ranking:
    """Return the table in cents; each column adds up to its total.

    Args:
        found: Exact dollars.
        positions: Position of each member in its dimension.
        is_compared: Whether there is a period before.
    """
    spent = [*found.top, *([found.rest] if found.rest else [])]
    members = [positions[each.member] for each in found.top] + [REST] * (found.rest is not None)
    now = shared_cents([each.usd for each in spent])
    before = shared_cents([each.previous_usd for each in spent]) if is_compared else None
    previous: Sequence[int | None] = before if before is not None else [None] * len(spent)
    rows = tuple(Row(*row) for row in zip(members, now, previous, strict=True))
    total = Row(REST, sum(now), None if before is None else sum(before))
    return Ranking(rows, found.rest_count, total)


def _spent(cells: pl.DataFrame, window: Window) -> pl.DataFrame:
    """member, usd, previous_usd; those that moved most dollars first."""
    usd = pl.col("billed_usd")
    is_now, is_before = pl.col("day").is_in(window.days), pl.col("day").is_in(window.before)
    weight = pl.max_horizontal(pl.col("usd").abs(), pl.col("previous_usd").abs())
    return (
        cells.filter(is_now | is_before)
        .group_by("member")
        .agg(usd=usd.filter(is_now).sum(), previous_usd=usd.filter(is_before).sum())
        .filter((pl.col("usd") != 0) | (pl.col("previous_usd") != 0))
        .sort(weight, "member", descending=[True, False])
    )

"""What moved the month: the largest changes from the same days of the month before. Pure.

All causes are members of one dimension, so that they and the rest add up to the change: people, or
what explains it better where people explain less than half. Not here: unusual days (flags.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import cents, shared_cents, signed_dollars_of, total_usd
from openai_costs.outputs.report.address import address
from openai_costs.outputs.report.dimensions import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from openai_costs.outputs.report.comparison import Comparison
    from openai_costs.outputs.report.dimensions import Dimension, Members
    from openai_costs.outputs.report.month import Span

_ASKED: Final = ("user", "api_key", "model", "project")
"""Where causes are looked for, the dimension that names most first."""
_ENOUGH: Final = 0.5
_MOST: Final = 3
_WEEKS: Final = 28


class Mover(NamedTuple):
    """A cause of the change.

    Args:
        name: What moved.
        kind: `user`, in words.
        change: `+$908.07`.
        address: The view of it.
        trend: Daily dollars of four weeks through the last day compared, for a sparkline.
    """

    name: str
    kind: str
    change: str
    address: str
    trend: tuple[float, ...]


class Movers(NamedTuple):
    """The causes, the rest in words, and what they were taken from."""

    shown: tuple[Mover, ...]
    rest: str
    note: str


def movers(facts: pl.DataFrame, members: Mapping[str, Members], span: Span | None) -> Movers:
    """Return the three largest causes of the month's change.

    Args:
        facts: Dollars: day, the dimensions' columns, billed_usd.
        members: The members of each dimension.
        span: The days of the month so far; None before any day was read.
    """
    if span is None or not span.compared.connections:
        return Movers((), "", _refusal(span))
    facts = facts.filter(pl.col("connection").is_in(span.compared.connections))
    known = {one.id: one for one in DIMENSIONS}
    changes = {name: _changes(facts, known[name], span) for name in _ASKED}
    explained = {name: _explained(changes[name]) for name in _ASKED}
    good = (name for name in _ASKED if explained[name] >= _ENOUGH)
    best = next(good, max(_ASKED, key=lambda name: explained[name]))
    return _movers(changes[best], facts, known[best], members[best], span)


def _changes(facts: pl.DataFrame, dimension: Dimension, span: Span) -> pl.DataFrame:
    """Return member, usd: the change of each, the largest in dollars first, none last."""
    usd, day = pl.col("billed_usd"), pl.col("day")
    days, then, *_ = span.compared
    now, before = day.is_between(days.first, days.last), day.is_between(then.first, then.last)
    return (
        facts.group_by(member=dimension.column)
        .agg(usd=usd.filter(now).sum() - usd.filter(before).sum())
        .filter(pl.col("usd") != 0)
        .sort(
            pl.col("member").is_null(),
            pl.col("usd").abs(),
            "member",
            descending=[False, True, False],
        )
    )


def _explained(changes: pl.DataFrame) -> float:
    """Return which part of all movement the largest changes are."""
    size = changes["usd"].abs().cast(pl.Float64)
    named = changes["member"].head(_MOST).is_not_null()
    return float(size.head(_MOST).filter(named).sum()) / float(size.sum() or 1)


def _movers(
    changes: pl.DataFrame, facts: pl.DataFrame, dimension: Dimension, members: Members, span: Span
) -> Movers:
    top = changes.filter(pl.col("member").is_not_null()).head(_MOST)
    rest = changes.join(top, on="member", how="anti", nulls_equal=True)
    moved, left = _in_cents(top["usd"].to_list(), rest["usd"].to_list())
    place = members.positions
    word = dimension.title.lower().replace("api", "API")
    shown = tuple(
        Mover(
            name=members.names[place[key]],
            kind=word,
            change=signed_dollars_of(change),
            address=_view(span.compared, dimension, key),
            trend=_trend(facts, dimension, key, span.compared.days.last),
        )
        for key, change in zip(top["member"], moved, strict=True)
    )
    others = f"Everything else: {signed_dollars_of(left)}" if rest.height else ""
    return Movers(shown, others, f"By {word}, {_compared(span.compared)}")


def _in_cents(top: list[Decimal], rest: list[Decimal]) -> tuple[list[int], int]:
    """Return each cause as its view has it, and what is left of the cents of the whole change."""
    if not rest:
        return shared_cents(top), 0
    moved = [cents(usd) for usd in top]
    return moved, cents(total_usd([*top, *rest])) - sum(moved)


def _view(compared: Comparison, dimension: Dimension, key: str) -> str:
    days = (compared.days.first, compared.days.last)
    return address(compared.filter | {dimension.id: key}, days=days, compare="last_month")


def _refusal(span: Span | None) -> str:
    if span and not span.compared.has_begun:
        return f"{span.compared.refusal}."
    why = f": {span.compared.reasons}" if span and span.compared.left_out else ""
    return f"The same days of the month before were not all read{why}."


def _compared(what: Comparison) -> str:
    left_out = f"; not compared: {what.reasons}" if what.left_out else ""
    return f"{what.days} against {what.before}{left_out}"


def _trend(facts: pl.DataFrame, dimension: Dimension, key: str, last: date) -> tuple[float, ...]:
    days = pl.date_range(pl.lit(last).dt.offset_by(f"-{_WEEKS - 1}d"), last, eager=False)
    spine = pl.select(day=days)
    daily = (
        facts.filter(pl.col(dimension.column) == key)
        .group_by("day")
        .agg(pl.col("billed_usd").sum())
    )
    usd = spine.join(daily, on="day", how="left", maintain_order="left")["billed_usd"]
    return tuple(usd.cast(pl.Float64).fill_null(0).to_list())

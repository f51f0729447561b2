"""One glance at what is published: a few numbers and a small picture. Pure."""

from datetime import date
from decimal import Decimal
from urllib.parse import quote

import polars as pl

from openai_costs.kernel.money import total

BARS = 21
MOST_CHARACTERS = 1_000
"""Markdown shorter than this is drawn on Dagster's asset page; longer hides behind a click."""


def summary(daily: pl.DataFrame, through: date | None, waiting: int) -> str:
    """Return Markdown: what was spent, through when, and the last three weeks as bars.

    Args:
        daily: day, billed_usd: one row per UTC day.
        through: The newest day that is complete.
        waiting: How many days of some connection are missing.
    """
    if daily.is_empty():
        return "Nothing is published yet: no day was read."
    newest = daily.sort("day").tail(BARS)
    spent, days = total(daily["billed_usd"]), _span(daily["day"])
    recent = _span(newest["day"])
    return (
        f"**{spent:,.2f} USD** billed, {days} (UTC days), all connections. "
        f"Data complete through **{through or 'no day yet'}**; days missing: {waiting}.\n\n"
        f"{_bars(newest['billed_usd'].to_list())}\n\nUSD per day, {recent}."
    )


def _span(days: pl.Series) -> str:
    listed = days.to_list()
    return f"{min(listed)} to {max(listed)}"


def _bars(amounts: list[Decimal]) -> str:
    """Return the amounts as one inline SVG path: a bar of 9 units every 10."""
    top = max([*amounts, Decimal(1)])
    heights = [round(max(amount, Decimal(0)) * 40 / top) for amount in amounts]
    path = "".join(f"M{10 * i},40v-{height}h9v{height}z" for i, height in enumerate(heights))
    width = 10 * len(amounts)
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} 40' width='300'>"
        f"<path fill='#4f6bed' d='{path}'/></svg>"
    )
    picture = quote(svg, safe=":/=,'")
    return f"![USD per day](data:image/svg+xml,{picture})"

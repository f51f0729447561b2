"""What the asset page shows of the published database: a few numbers and a small picture. Pure."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from openai_costs.kernel.formatting import dollars, listed
from openai_costs.kernel.money import total
from openai_costs.orchestration.asset_previews import MOST_BARS, bars

MOST_NAMED = 3


def preview(
    daily: pl.DataFrame, through: date | None, missing: int, former: Sequence[str] = ()
) -> str:
    """Return Markdown: what was spent, through when, and the last three weeks as bars.

    Args:
        daily: day, billed_usd: one row per UTC day.
        through: The newest day that is complete.
        missing: How many days of some connection are missing.
        former: Connections that are no longer connected: their days are not in `daily`.
    """
    if daily.is_empty():
        return "Nothing is published yet, because no day has been read."
    newest = daily.sort("day").tail(MOST_BARS)
    spent, days = total(daily["billed_usd"]), _range(daily["day"])
    return (
        f"**{dollars(spent)}** billed, {days} (UTC days), all connections. {_left_out(former)}"
        f"Data complete through **{through or 'no day yet'}**; missing days: {missing}.\n\n"
        f"{bars(newest['billed_usd'].to_list(), 'USD per day')}"
        f"\n\nUSD per day, {_range(newest['day'])}."
    )


def _left_out(former: Sequence[str]) -> str:
    if not former:
        return ""
    return f"Not included: {listed(former, MOST_NAMED, 'connection')} (no longer connected). "


def _range(days: pl.Series) -> str:
    listed = days.to_list()
    return f"{min(listed)} to {max(listed)}"

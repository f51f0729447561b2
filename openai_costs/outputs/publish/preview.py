"""What the asset page shows of the published database: a few numbers and a small picture. Pure."""

from datetime import date

import polars as pl

from openai_costs.kernel.formatting import dollars
from openai_costs.kernel.money import total
from openai_costs.orchestration.asset_previews import MOST_BARS, bars


def preview(daily: pl.DataFrame, through: date | None, missing: int) -> str:
    """Return Markdown: what was spent, through when, and the last three weeks as bars.

    Args:
        daily: day, billed_usd: one row per UTC day.
        through: The newest day that is complete.
        missing: How many days of some connection are missing.
    """
    if daily.is_empty():
        return "Nothing is published yet, because no day has been read."
    newest = daily.sort("day").tail(MOST_BARS)
    spent, days = total(daily["billed_usd"]), _range(daily["day"])
    return (
        f"**{dollars(spent)}** billed, {days} (UTC days), all connections. "
        f"Data complete through **{through or 'no day yet'}**; missing days: {missing}.\n\n"
        f"{bars(newest['billed_usd'].to_list(), 'USD per day')}"
        f"\n\nUSD per day, {_range(newest['day'])}."
    )


def _range(days: pl.Series) -> str:
    listed = days.to_list()
    return f"{min(listed)} to {max(listed)}"

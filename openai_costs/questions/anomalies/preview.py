"""What the asset page shows of anomalies: the newest evaluated day, and five incidents. Pure."""

from datetime import date
from decimal import Decimal

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import dollars, signed_dollars
from openai_costs.orchestration.asset_previews import (
    MOST_BARS,
    MOST_ROWS,
    bars_with_line,
    short_name,
    table,
)
from openai_costs.questions.anomalies.series_ids import WHOLE, series_words
from openai_costs.questions.series import ID, LEVEL_SEPARATOR


def preview(verdicts: pl.DataFrame) -> str:
    """Return Markdown: what all organizations cost per day, and what was expected.

    Args:
        verdicts: series_id, day, cost, expected of all series; across connections.
    """
    wholes = verdicts.filter(pl.col(ID).str.starts_with(WHOLE + LEVEL_SEPARATOR))
    if wholes.is_empty():
        return "No day has settled yet, so none was evaluated."
    sums = (pl.col("cost").sum(), pl.col("expected").sum())
    daily = wholes.group_by("day").agg(sums).sort("day").tail(MOST_BARS)
    day, cost, expected = daily.row(-1)
    picture = bars_with_line(daily["cost"].to_list(), daily["expected"].to_list(), "USD per day")
    return (
        f"**{dollars(cost)}** on {day}, the newest settled day (UTC); "
        f"{dollars(expected)} were expected.\n\n{picture}"
        f"\n\nUSD per day, {daily['day'][0]} to {day}; the line is the expected spend."
    )


def top_five(anomalies: pl.DataFrame) -> str:
    """Return Markdown: the five newest, then largest incidents of mart.spend_anomalies."""
    if anomalies.is_empty():
        return "Spend was normal on every evaluated day."
    incidents = (
        anomalies.filter("is_told")
        .group_by("incident_id", "kind", "series_kind")
        .agg(
            pl.coalesce("series_name", "series_id").last().alias("name"),
            pl.col("since_day").first(),
            last=pl.col("day").max(),
            usd=pl.col("impact_usd").sum(),
        )
    )
    order = ("last", pl.col("usd").abs(), "incident_id")
    newest = incidents.sort(*order, descending=True).head(MOST_ROWS)
    rows = newest.select("kind", "series_kind", "name", "since_day", "last", "usd").iter_rows()
    return table(("incident", "of", "days", "USD"), (_row(*row) for row in rows), numbers=1)


def _row(kind: str, level: str, name: str, since: date, last: date, usd: Decimal) -> list[str]:  # noqa: PLR0913, PLR0917 - the cells of a row
    of = f"{series_words(level)} {short_name(name)}"
    return [kind.replace("_", " "), of, str(DayRange(since, last)), signed_dollars(usd)]

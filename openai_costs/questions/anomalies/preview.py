"""The preview on the asset page: the newest judged day as a picture, and five incidents. Pure."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from urllib.parse import quote

import polars as pl

from openai_costs.kernel.formatting import dollars, signed_dollars
from openai_costs.questions.anomalies.series_ids import WHOLE, series_words
from openai_costs.questions.series import ID, LEVEL_SEPARATOR

BARS = 21
HEIGHT = 40
MOST_CHARACTERS = 1_000
"""Markdown shorter than this is drawn on Dagster's asset page; longer hides behind a click."""
TOP = 5
LONGEST_NAME = 40


def newest_day(verdicts: pl.DataFrame) -> str:
    """Return Markdown: what all organizations cost on the newest judged day, and were expected to.

    Args:
        verdicts: series_id, day, cost, expected of all series; across connections.
    """
    wholes = verdicts.filter(pl.col(ID).str.starts_with(WHOLE + LEVEL_SEPARATOR))
    if wholes.is_empty():
        return "No day has settled yet, so none is judged."
    sums = (pl.col("cost").sum(), pl.col("expected").sum())
    daily = wholes.group_by("day").agg(sums).sort("day").tail(BARS)
    day, cost, expected = daily.row(-1)
    picture = _picture(daily["cost"].to_list(), daily["expected"].to_list())
    return (
        f"**{dollars(cost)}** on {day}, the newest settled day (UTC); expected "
        f"{dollars(expected)}.\n\n{picture}"
        f"\n\nUSD per day, {daily['day'][0]} to {day}; the line is the expected spend."
    )


def top_five(anomalies: pl.DataFrame) -> str:
    """Return Markdown: the five newest, then largest incidents of mart.spend_anomalies."""
    if anomalies.is_empty():
        return "Every judged day was within its expected range."
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
    newest = incidents.sort("last", pl.col("usd").abs(), "incident_id", descending=True).head(TOP)
    rows = newest.select("kind", "series_kind", "name", "since_day", "last", "usd").iter_rows()
    lines = [f"| {_row(*row)} |" for row in rows]
    return "\n".join(["| incident | of | days | USD |", "| --- | --- | --- | ---: |", *lines])


def _row(kind: str, level: str, name: str, since: date, last: date, usd: Decimal) -> str:  # noqa: PLR0913, PLR0917 - the cells of a row
    days = f"{since}" if since == last else f"{since} to {last}"
    of = f"{series_words(level)} {name[:LONGEST_NAME].replace('|', '/')}"
    return " | ".join((kind.replace("_", " "), of, days, signed_dollars(usd)))


def _picture(costs: Sequence[Decimal], expected: Sequence[Decimal]) -> str:
    """Return bars and a line as an inline SVG."""
    top = max([*costs, *expected, Decimal(1)])
    bars = "".join(
        f"M{10 * i},{HEIGHT}v-{height}h9v{height}z" for i, height in enumerate(_heights(costs, top))
    )
    points = (f"{10 * i + 4},{HEIGHT - height}" for i, height in enumerate(_heights(expected, top)))
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {10 * len(costs)} {HEIGHT}' "
        f"width='300'><path fill='#9db0f5' d='{bars}'/>"
        f"<path fill='none' stroke='#b3261e' d='M{'L'.join(points)}'/></svg>"
    )
    return f"![USD per day](data:image/svg+xml,{quote(svg, safe=':/=,')})"


def _heights(amounts: Sequence[Decimal], top: Decimal) -> list[int]:
    return [round(max(amount, Decimal(0)) * HEIGHT / top) for amount in amounts]

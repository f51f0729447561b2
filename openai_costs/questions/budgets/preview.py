"""Every budget at a glance: a bar each, and a table of five. Pure."""

from decimal import Decimal
from urllib.parse import quote

import polars as pl

from openai_costs.questions.budgets.status import newest

TOP = 5

WIDTH = 200

MOST_CHARACTERS = 1_000
"""Markdown shorter than this is drawn on Dagster's asset page; longer hides behind a click."""

LONGEST_NAME = 24

COLOURS = {
    "on_track": "#2e7d32",
    "at_risk": "#e69100",
    "exceeded": "#b3261e",
    "incomplete": "#777777",
}


def glance(status: pl.DataFrame) -> str:
    """Return Markdown under 1,000 characters: bars of the five fullest budgets, and their words."""
    rows = newest(status).head(TOP).rows(named=True)
    if not rows:
        return "No budget is set: [[budgets]] in openai_costs.toml."
    bars = "".join(
        f"<path fill='{COLOURS[row['state']]}' d='M0,{12 * i}h{_length(row)}v9h-{_length(row)}z'/>"
        for i, row in enumerate(rows)
    )
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {12 * len(rows)}' "
        f"width='300'>{bars}</svg>"
    )
    picture = f"![spent](data:image/svg+xml,{quote(svg, safe=':/=,')})"
    return f"{picture}\n\nSpent of each limit, through {rows[0]['day']} (UTC); full width is 100 %."


def top_five(status: pl.DataFrame) -> str:
    """Return Markdown: the five fullest budgets as a table."""
    lines = [
        f"| {row['budget'][:LONGEST_NAME]} | {row['spent_usd']:,.2f} | {row['limit_usd']:,.2f} | "
        f"{row['spent_pct']:.0f} % | {_usd(row['forecast_usd'])} | "
        f"{row['state'].replace('_', ' ')} |"
        for row in newest(status).head(TOP).iter_rows(named=True)
    ]
    head = [
        "| budget | spent USD | limit USD | % | forecast USD | state |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *lines]) if lines else "No budget is set."


def _usd(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,.2f}"


def _length(row: dict[str, object]) -> int:
    return min(WIDTH, round(float(str(row["spent_pct"])) * WIDTH / 100))

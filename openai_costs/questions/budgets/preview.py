"""Previews of the budgets: a bar each, and a table of the five fullest. Pure."""

from decimal import Decimal
from urllib.parse import quote

import polars as pl

from openai_costs.kernel.formatting import amount, cents
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


def bars(status: pl.DataFrame) -> str:
    """Return Markdown under 1,000 characters: bars of the five fullest budgets, and a caption."""
    rows = newest(status).head(TOP).rows(named=True)
    if not rows:
        return "No budget is set. Add [[budgets]] to openai_costs.toml."
    paths = "".join(
        f"<path fill='{COLOURS[row['state']]}' d='M0,{12 * i}h{_length(row)}v9h-{_length(row)}z'/>"
        for i, row in enumerate(rows)
    )
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {12 * len(rows)}' "
        f"width='300'>{paths}</svg>"
    )
    picture = f"![spent](data:image/svg+xml,{quote(svg, safe=':/=,')})"
    through = f"through {rows[0]['day']} (UTC)"
    return f"{picture}\n\nShare of each limit spent {through}; full width is 100 %."


def top_five(status: pl.DataFrame) -> str:
    """Return Markdown: the five fullest budgets as a table."""
    lines = [
        f"| {row['budget'][:LONGEST_NAME]} | {_usd(row['spent_usd'])} | {_usd(row['limit_usd'])} | "
        f"{row['spent_pct']:.0f} % | {_usd(row['forecast_usd'])} | "
        f"{row['state'].replace('_', ' ')} |"
        for row in newest(status).head(TOP).iter_rows(named=True)
    ]
    head = [
        "| budget | spent USD | limit USD | % | forecast USD | state |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *lines]) if lines else "No budget is set."


def _usd(usd: Decimal | None) -> str:
    return "" if usd is None else amount(cents(usd))


def _length(row: dict[str, object]) -> int:
    return min(WIDTH, round(float(str(row["spent_pct"])) * WIDTH / 100))

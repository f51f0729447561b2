"""What the asset page shows of budgets: a bar for each, and a table of the five fullest. Pure."""

from decimal import Decimal

import polars as pl

from openai_costs.kernel.formatting import NONE, amount, cents
from openai_costs.orchestration.asset_previews import MOST_ROWS, rows_of_bars, short_name, table

COLOURS = {
    "on_track": "#2e7d32",
    "at_risk": "#e69100",
    "exceeded": "#b3261e",
    "incomplete": "#777777",
}
NO_BUDGET = "No budget is set. Add [[budgets]] to openai_costs.toml."


def preview(fullest: pl.DataFrame) -> str:
    """Return Markdown: how much of its limit each of the five fullest budgets has spent.

    Args:
        fullest: The newest row of mart.budget_status of each budget, the fullest first.
    """
    rows = fullest.head(MOST_ROWS).rows(named=True)
    if not rows:
        return NO_BUDGET
    picture = rows_of_bars([(row["spent_pct"], COLOURS[row["state"]]) for row in rows], "spent")
    through = rows[0]["day"]
    return f"{picture}\n\nSpent of each limit, through {through} (UTC); full width is 100 %."


def top_five(fullest: pl.DataFrame) -> str:
    """Return Markdown: the five fullest budgets as a table.

    Args:
        fullest: As for `preview`.
    """
    rows = fullest.head(MOST_ROWS).rows(named=True)
    if not rows:
        return NO_BUDGET
    heads = ("budget", "state", "spent USD", "limit USD", "%", "forecast USD")
    cells = (
        (
            short_name(row["budget"]),
            row["state"].replace("_", " "),
            _usd(row["spent_usd"]),
            _usd(row["limit_usd"]),
            f"{row['spent_pct']:.0f} %",
            _usd(row["forecast_usd"]),
        )
        for row in rows
    )
    return table(heads, cells, numbers=4)


def _usd(usd: Decimal | None) -> str:
    return NONE if usd is None else amount(cents(usd))

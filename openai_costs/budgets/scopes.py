"""What a budget counts, and what it is made of. Pure."""

from decimal import Decimal

import polars as pl

from openai_costs.days import DayRange
from openai_costs.money import MONEY, total
from openai_costs.sections import Budget
from openai_costs.tables.contract import Contract
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution

COLUMNS = {
    "provider": "provider",
    "connection": "connection",
    "project": "project_id",
    "team": "team",
    "user": "user_id",
    "api_key": "api_key_id",
    "model": "model",
}
OF_PEOPLE = ("team", "user")
"""Scopes that mart.spend cannot tell: it has no users."""

PARTS = {
    "all": ("project_name", "project_id"),
    "provider": ("project_name", "project_id"),
    "connection": ("project_name", "project_id"),
    "project": ("model", "usage_type"),
    "team": ("project_name", "project_id"),
    "user": ("model", "usage_type"),
    "api_key": ("model", "usage_type"),
    "model": ("project_name", "project_id"),
}
"""What the spend of a scope is told apart by: a name, and what stands in where it is null."""

ROWS = pl.Schema({"day": pl.Date(), "part": pl.String(), "billed_usd": MONEY})
"""What a budget counts: dollars per day and part."""

SHOWN = 3


def question(budget: Budget, days: DayRange) -> str:
    """Return what to ask of `table_of` a budget: SQL for day, part, billed_usd, a row per part."""
    name, else_by = PARTS[budget.scope]
    kept = [f"day BETWEEN DATE '{days.first}' AND DATE '{days.last}'"]
    if budget.connection != "*":
        kept.append(f"connection = {_text(budget.connection)}")
    if budget.id is not None:
        kept.append(f"{COLUMNS[budget.scope]} = {_text(budget.id)}")
    return (
        f"SELECT day, coalesce({name}, {else_by}, 'unnamed') AS part, "  # noqa: S608 - our own names
        "CAST(sum(billed_usd) AS DECIMAL(38, 18)) FROM read_parquet($files) "
        f"WHERE {' AND '.join(kept)} GROUP BY ALL"
    )


def table_of(budget: Budget) -> type[Contract]:
    """Return the mart that can tell a budget's scope."""
    return SpendAttribution if budget.scope in OF_PEOPLE else Spend


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def daily(rows: pl.DataFrame, days: DayRange) -> pl.DataFrame:
    """Return day, billed_usd: every day of a range, also those without spend."""
    every = pl.DataFrame({"day": list(days)}, schema={"day": pl.Date})
    spent = rows.group_by("day").agg(pl.col("billed_usd").sum())
    return every.join(spent, on="day", how="left").with_columns(
        pl.col("billed_usd").fill_null(0).cast(MONEY)
    )


def largest_growth(rows: pl.DataFrame, now: DayRange, before: DayRange) -> str:
    """Return in words what grew most between two spells of days; empty when nothing did.

    The parts named and the rest add up to the whole change.
    """

    def spent(days: DayRange) -> pl.Expr:
        return pl.col("billed_usd").filter(pl.col("day").is_between(days.first, days.last)).sum()

    change = (
        rows.group_by("part")
        .agg(usd=spent(now) - spent(before))
        .sort("usd", "part", descending=[True, False])
    )
    grown = change.filter(pl.col("usd") > 0).head(SHOWN)
    if grown.is_empty():
        return ""
    rest = total(change["usd"]) - total(grown["usd"])
    said = [f"{part} {usd:+,.2f}" for part, usd in grown.iter_rows()]
    others = f", all else {rest:+,.2f}" if rest != Decimal(0) else ""
    return f"Against the {len(before)} days before, in USD: {', '.join(said)}{others}."

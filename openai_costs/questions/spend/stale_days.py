"""The days whose marts name keys or people otherwise than the directory does now."""

from collections.abc import Sequence

import polars as pl

from openai_costs.kernel.days import DayRange, consecutive
from openai_costs.questions.spend.assets import listed
from openai_costs.questions.spend.stale_slices import (
    COLUMNS_OF_KEYS,
    COLUMNS_OF_USERS,
    TEAM_USD,
    days_with,
    slices_of_other_teams,
    stale_rows,
)
from openai_costs.settings import Team
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import Contract
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution

COLUMNS = {Spend: COLUMNS_OF_KEYS, SpendAttribution: COLUMNS_OF_USERS}


def stale_days(lake: Lake, teams: Sequence[Team]) -> list[DayRange]:
    """Return the days whose stored names, owners or teams are others now, as few ranges.

    Days are asked for only where something is stale: an id has a row of each day on which it spent.
    """
    of_keys, of_users = (_distinct(lake, table, columns) for table, columns in COLUMNS.items())
    stale = stale_rows(of_keys, of_users, listed(lake), teams)
    torn = slices_of_other_teams(_team_usd(lake, Spend), _team_usd(lake, SpendAttribution))
    days = {key.day for key in torn}
    for (table, columns), rows in zip(COLUMNS.items(), stale, strict=True):
        if not rows.is_empty():
            days |= days_with(_distinct(lake, table, ("day", *columns)), rows)
    return consecutive(days)


def _distinct(lake: Lake, table: type[Contract], columns: Sequence[str]) -> pl.DataFrame:
    """Return what a mart says, once and not once per row."""
    schema = table.no_rows().select(columns).schema
    question = f"SELECT DISTINCT {', '.join(columns)} FROM stored"  # noqa: S608 - our own names
    return lake.ask(table, question, schema)


def _team_usd(lake: Lake, table: type[Contract]) -> pl.DataFrame:
    """Return what a mart has per connection, day and team: `TEAM_USD`."""
    known = table.no_rows().select("connection", "day", "team", usd="billed_usd")
    question = (
        "SELECT connection, day, team, CAST(sum(billed_usd) AS DECIMAL(38, 18)) "
        "FROM stored GROUP BY ALL"
    )
    return lake.ask(table, question, known.select(TEAM_USD).schema)

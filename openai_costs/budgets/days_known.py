"""Which days a budget can be believed on: those of the connections it counts. Pure."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from openai_costs.sections import Budget
from openai_costs.spend.coverage import since_first_read


def known_days(coverage: pl.DataFrame, budget: Budget) -> pl.DataFrame:
    """Return day, state of every day from the first that was read, oldest first.

    A day is missing when a connection that the budget counts was not read, settled when all of
    them have settled, and provisional otherwise. What another connection lacks is of no concern.

    Args:
        coverage: mart.coverage of costs.
        budget: Whose connections to look at.
    """
    read = since_first_read(_mine(coverage, budget.connections))
    is_settled, is_missing = (pl.col("state") == word for word in ("settled", "missing"))
    state = (
        pl.when(is_missing.any())
        .then(pl.lit("missing"))
        .when(is_settled.all())
        .then(pl.lit("settled"))
        .otherwise(pl.lit("provisional"))
    )
    return read.group_by("day").agg(state=state).sort("day")


def whole_since(coverage: pl.DataFrame, budget: Budget) -> date:
    """Return the day from which on all connections that a budget counts were read.

    Before it there may have been spend that nobody read, which is not to be compared with.

    Args:
        coverage: mart.coverage of costs.
        budget: Whose connections to look at.
    """
    read = since_first_read(_mine(coverage, budget.connections))
    newest = read.group_by("connection").agg(pl.col("day").min())["day"].max()
    return newest if isinstance(newest, date) else date.min


def settled_through(known: pl.DataFrame) -> date | None:
    """Return the newest settled day; None if there is none."""
    newest = known.filter(state="settled")["day"].max()
    return newest if isinstance(newest, date) else None


def _mine(coverage: pl.DataFrame, connections: Sequence[str]) -> pl.DataFrame:
    return coverage.filter(pl.col("connection").is_in(connections)) if connections else coverage

"""Cuts of the ledger. Each adds up to the ledger, to the last digit. Pure."""

import polars as pl

from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser


def by_project_key_model(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return mart.spend from core.spend rows of any number of days."""
    names = pl.lit(None, pl.String)
    return _cut(
        ledger.with_columns(project_name=names, api_key_name=names, team=names),
        list(Spend.types()),
    )


def by_user(user_view: pl.DataFrame) -> pl.DataFrame:
    """Return mart.spend_by_user from core.spend_by_user rows of any number of days.

    `direct` is what the provider itself gives a user; what it gives nobody is `unattributed`.
    """
    names = pl.lit(None, pl.String)
    is_direct = pl.col("user_id").is_not_null()
    return _cut(
        user_view.with_columns(
            user_name=names,
            team=names,
            attribution=pl.when(is_direct).then(pl.lit("direct")).otherwise(pl.lit("unattributed")),
        ),
        list(SpendByUser.types()),
    )


def _cut(rows: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    grain = [column for column in columns if column != "billed_usd"]
    summed = rows.group_by(grain).agg(pl.col("billed_usd").sum())
    return summed.select(columns).sort(grain)

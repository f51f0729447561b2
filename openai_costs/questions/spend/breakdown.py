"""Cuts of the ledger. Each adds up to the ledger, to the last digit. Pure."""

import polars as pl

from openai_costs.kernel.sorting import in_order
from openai_costs.questions.spend.names import Directory, with_names
from openai_costs.questions.spend.team_split import split_by_team
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser

HUNDRED_PCT = 100


def by_project_key_model(
    ledger: pl.DataFrame, attribution: pl.DataFrame, directory: Directory
) -> pl.DataFrame:
    """Return mart.spend from core.spend rows of any number of days.

    Args:
        ledger: core.spend. Its sum is the result's sum, whatever the attribution holds.
        attribution: mart.spend_attribution of the same days: which team each dollar is of.
        directory: The directory as it stands.
    """
    columns = list(Spend.types())
    split = with_names(split_by_team(ledger, attribution), directory)
    return in_order(split.select(columns), Spend.Config.unique)


def by_user(attribution: pl.DataFrame) -> pl.DataFrame:
    """Return mart.spend_by_user from mart.spend_attribution rows of any number of days."""
    columns = list(SpendByUser.types())
    grain = [name for name in columns if name not in {"billed_usd", "share_pct"}]
    was_shared = pl.col("pool").is_not_null()
    summed = attribution.group_by(grain).agg(
        pl.col("billed_usd").sum(), shared_usd=pl.col("billed_usd").filter(was_shared).sum()
    )
    return in_order(summed.with_columns(share_pct=_share_pct()).select(columns), grain)


def _share_pct() -> pl.Expr:
    """The row's part of the dollars of its model and usage type that were shared out by tokens.

    Null where some of those dollars are negative and others are not: parts of that are not shares.
    """
    pooled, shared = ["connection", "day", "model", "usage_type"], pl.col("shared_usd")
    has_one_sign = (shared >= 0).all().over(pooled) | (shared <= 0).all().over(pooled)
    of_pool = pl.when(shared.sum().over(pooled) != 0).then(shared.sum().over(pooled))
    share = pl.col("billed_usd") * HUNDRED_PCT / of_pool
    return pl.when(has_one_sign, attribution="allocated").then(share)

"""Cuts of the ledger. Each adds up to the ledger, to the last digit. Pure."""

from collections.abc import Sequence

import polars as pl

from openai_costs.questions.spend.names import OF_KEY, Directory, owners, with_names, with_team
from openai_costs.settings import Team
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser

HUNDRED_PCT = 100


def by_project_key_model(
    ledger: pl.DataFrame, directory: Directory, teams: Sequence[Team]
) -> pl.DataFrame:
    """Return mart.spend from core.spend rows of any number of days."""
    columns = list(Spend.types())
    grain = [name for name in columns if name in ledger.columns and name != "billed_usd"]
    summed = ledger.group_by(grain).agg(pl.col("billed_usd").sum())
    return explained(summed, directory, teams).select(columns).sort(grain)


def explained(keys: pl.DataFrame, directory: Directory, teams: Sequence[Team]) -> pl.DataFrame:
    """Return rows of projects and keys with their names, and the team of each."""
    owned = owners(directory).rename({"owner_id": "user_id"})
    named = with_names(keys, directory).join(owned, on=OF_KEY, how="left")
    return with_team(named, teams)


def by_user(attribution: pl.DataFrame) -> pl.DataFrame:
    """Return mart.spend_by_user from mart.spend_attribution rows of any number of days."""
    columns = list(SpendByUser.types())
    grain = [name for name in columns if name not in {"billed_usd", "share_pct"}]
    was_shared = pl.col("pool").is_not_null()
    summed = attribution.group_by(grain).agg(
        pl.col("billed_usd").sum(), shared_usd=pl.col("billed_usd").filter(was_shared).sum()
    )
    return summed.with_columns(share_pct=_share_pct()).select(columns).sort(grain)


def _share_pct() -> pl.Expr:
    """The row's part of the dollars of its model and usage type that were shared out by tokens.

    Null where some of those dollars are negative and others are not: parts of that are no shares.
    """
    pooled, shared = ["connection", "day", "model", "usage_type"], pl.col("shared_usd")
    has_one_sign = (shared >= 0).all().over(pooled) | (shared <= 0).all().over(pooled)
    of_pool = pl.when(shared.sum().over(pooled) != 0).then(shared.sum().over(pooled))
    share = pl.col("billed_usd") * HUNDRED_PCT / of_pool
    return pl.when(has_one_sign, attribution="allocated").then(share)

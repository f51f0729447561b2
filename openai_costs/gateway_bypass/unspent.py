"""mart.unspent_keys: keys that cost nothing and could. Pure."""

from collections.abc import Collection, Sequence
from datetime import date

import polars as pl

from openai_costs.gateway_bypass.allowed import allowed_on
from openai_costs.sections import AllowedKey
from openai_costs.tables.mart.unspent_keys import UnspentKeys


def unspent_keys(
    keys: pl.DataFrame,
    admin_keys: pl.DataFrame,
    accounted_for: Collection[str],
    allowed: Sequence[AllowedKey],
    today: date,
) -> pl.DataFrame:
    """Return mart.unspent_keys.

    Args:
        keys: core.api_keys.
        admin_keys: core.admin_keys.
        accounted_for: API keys that a token names, or that were ever billed: the provider tells
            their last use late.
        allowed: The allow-list.
        today: The current UTC day.
    """
    is_unused = pl.col("last_used_at").is_null() & ~pl.col("id").is_in(sorted(accounted_for))
    unused = keys.filter("is_current", is_unused).select(
        *_SAME, "project_id", owner="owner_name", kind=pl.lit("unused")
    )
    admins = admin_keys.filter("is_current").select(
        *_SAME,
        project_id=pl.lit(None, pl.String),
        owner=pl.lit(None, pl.String),
        kind=pl.lit("admin_key"),
    )
    listed = allowed_on(pl.concat([unused, admins]), allowed, today)
    return listed.select(list(UnspentKeys.types())).sort("connection", "kind", "key_id")


_SAME = (
    "connection",
    pl.col("id").alias("key_id"),
    pl.col("name").alias("key_name"),
    "owner_id",
    "owner_type",
    "created_at",
    "last_used_at",
    "first_seen_day",
)

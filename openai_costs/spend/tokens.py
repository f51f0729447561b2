"""Whose tokens they were: the pools that dollars without a user are shared out by. Pure.

Not here: the arithmetic of sharing (shares.py).
"""

import polars as pl

from openai_costs.spend.names import OF_KEY

POOL = ["connection", "day", "pool", "project_id", "model_name"]
"""What a pool is told by; the pool of an organisation has no project."""

MODEL_NAME = (
    pl.col("model").str.to_lowercase().str.replace(r"^ft:([^:]+).*$", "ft-${1}").alias("model_name")
)
"""A model as bills write it: usage says `ft:gpt-4o:acme::x` of what the bill calls `ft-gpt-4o`."""


def pools(usage: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Return the tokens of each pool: the columns of `POOL`, user_id, tokens.

    Args:
        usage: core.usage. Endpoints that count no tokens have no part in a pool.
        owners: Who owns each key, for usage that has a key and no user.

    Returns:
        A row per user with tokens; user_id is null for tokens of nobody, which count as well.
    """
    tokens = pl.sum_horizontal("input_tokens", "output_tokens")
    used = (
        usage.join(owners, on=OF_KEY, how="left")
        .select(
            "connection",
            "day",
            "project_id",
            MODEL_NAME,
            user_id=pl.coalesce("user_id", "owner_id"),
            tokens=tokens,
        )
        .filter(pl.col("tokens") > 0, pl.col("model_name").is_not_null())
    )
    kinds = {
        "project": used.filter(pl.col("project_id").is_not_null()),
        "organization": used.with_columns(project_id=pl.lit(None, pl.String)),
    }
    both = pl.concat([rows.with_columns(pool=pl.lit(kind)) for kind, rows in kinds.items()])
    return both.group_by(*POOL, "user_id").agg(pl.col("tokens").sum())


def holders(usage: pl.DataFrame) -> pl.DataFrame:
    """Return the one user that usage names for a key on a day: connection, day, api_key_id, holder.

    A service account has another id as the owner of a key than as a user; usage knows the latter.
    """
    named = usage.filter(pl.col("user_id").is_not_null(), pl.col("api_key_id").is_not_null())
    users = named.group_by("connection", "day", "api_key_id").agg(pl.col("user_id").unique())
    return users.filter(pl.col("user_id").list.len() == 1).select(
        "connection", "day", "api_key_id", holder=pl.col("user_id").list.first()
    )

"""Dollars shared by tokens, exact to the last digit. Pure.

Amounts are taken as whole units of their 18th decimal, in integers of 128 bits. Each share is cut
there, and the units that are left go to the largest remainders, so that the parts of a line are
the line. Not here: who has a share (shares.py).
"""

import polars as pl

from openai_costs.kernel.money import MONEY, SMALLEST
from openai_costs.questions.model_names import canonical_model
from openai_costs.questions.spend.names import OF_KEY
from openai_costs.questions.token_kinds import all_tokens

HUNDRED_PCT = 100


def shared_out(lines: pl.DataFrame, weights: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """Return one row per line and user of its pool: billed_usd is the user's part of the line.

    Args:
        lines: With the columns of `on` and billed_usd, positive or negative.
        weights: The columns of `on`, user_id (null for tokens without a user) and tokens, all
            above 0.
        on: What identifies a pool; null is a value like any other.

    Returns:
        Of the lines that have a pool: their columns, user_id, billed_usd and share_pct.
    """
    units = pl.col("billed_usd").to_physical()
    tokens = pl.col("tokens").cast(pl.Int128)
    rows = (
        lines.with_columns(units=units.abs(), sign=units.sign())
        .with_row_index("line")
        .join(weights.with_columns(tokens=tokens), on=on, nulls_equal=True)
        .with_columns(pool_tokens=pl.col("tokens").sum().over("line"))
    )
    return _rounded(rows).with_columns(
        billed_usd=_dollars(pl.col("units") * pl.col("sign")),
        share_pct=_money("tokens") * HUNDRED_PCT / _money("pool_tokens"),
    )


def _rounded(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with units: of the whole line's units those that are the user's."""
    # units x tokens would not fit into 128 bits; the whole pools and what is left of one do.
    tokens, pool = pl.col("tokens"), pl.col("pool_tokens")
    rest = pl.col("units") % pool * tokens
    shares = rows.with_columns(
        part=pl.col("units") // pool * tokens + rest // pool, remainder=rest % pool
    ).sort("line", "remainder", "user_id", descending=[False, True, False])
    unshared = pl.col("units") - pl.col("part").sum().over("line")
    is_rounded_up = pl.int_range(pl.len()).over("line") < unshared
    return shares.with_columns(units=pl.col("part") + is_rounded_up.cast(pl.Int128))


def _dollars(units: pl.Expr) -> pl.Expr:
    return units.cast(pl.Decimal(38, 0)) * pl.lit(SMALLEST, MONEY)


def _money(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Decimal(38, 0)).cast(MONEY)


# The pools by which dollars without a user are shared: whose tokens they were.

POOL = ["connection", "day", "pool", "project_id", "model_name"]
"""What identifies a pool; the pool of an organization has no project."""


def pools(usage: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Return the tokens of each pool: the columns of `POOL`, user_id, tokens.

    Args:
        usage: core.usage. Endpoints that count no tokens have no part in a pool.
        owners: Who owns each key, for usage that has a key and no user.

    Returns:
        A row per user with tokens; user_id is null for tokens without a user, which count too.
    """
    used = (
        usage.join(owners, on=OF_KEY, how="left")
        .select(
            "connection",
            "day",
            "project_id",
            model_name=canonical_model(),
            user_id=pl.coalesce("user_id", "owner_id"),
            tokens=all_tokens(),
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

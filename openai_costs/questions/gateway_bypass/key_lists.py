"""mart.unspent_keys: keys that cost nothing but could; and the allow-list. Pure."""

from collections.abc import Collection, Sequence
from datetime import date

import polars as pl

from openai_costs.settings import AllowedKey
from openai_costs.tables.mart.unspent_keys import UnspentKeys

# The allow-list: keys that may bypass the gateway, why, and until when.


def with_allowance(rows: pl.DataFrame, allowed: Sequence[AllowedKey]) -> pl.DataFrame:
    """Return rows with is_allowed and allowed_because, as of each row's day.

    Args:
        rows: day and api_key_id, and more.
        allowed: The allow-list. An entry covers the days up to and with its last one.
    """
    schema = {"api_key_id": pl.String, "until": pl.Date, "allowed_because": pl.String}
    entries = [(one.api_key_id, one.until, _reason(one)) for one in allowed]
    listed = (
        pl.DataFrame(entries, schema=schema, orient="row")
        .sort("until")
        .unique("api_key_id", keep="last", maintain_order=True)
    )
    is_allowed = (pl.col("day") <= pl.col("until")).fill_null(False)
    return (
        rows.join(listed, on="api_key_id", how="left")
        .with_columns(
            is_allowed=is_allowed, allowed_because=pl.when(is_allowed).then("allowed_because")
        )
        .drop("until")
    )


def allowed_on(rows: pl.DataFrame, allowed: Sequence[AllowedKey], today: date) -> pl.DataFrame:
    """Return rows that have a key_id with is_allowed and allowed_because, as of today."""
    dated = rows.with_columns(day=pl.lit(today), api_key_id="key_id")
    return with_allowance(dated, allowed).drop("day", "api_key_id")


def _reason(one: AllowedKey) -> str:
    return f"{one.reason} (until {one.until})"


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
        accounted_for: API keys that a token names, or that were ever billed: the provider
            reports their last use late.
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

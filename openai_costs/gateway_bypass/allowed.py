"""The allow-list: keys that may go round the gateway, why, and until when. Pure."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from openai_costs.sections import AllowedKey


def with_allowance(rows: pl.DataFrame, allowed: Sequence[AllowedKey]) -> pl.DataFrame:
    """Return rows with is_allowed and allowed_because, as of each row's day.

    Args:
        rows: day and api_key_id, and more.
        allowed: The allow-list. An entry covers the days up to and with its last one.
    """
    schema = {"api_key_id": pl.String, "until": pl.Date, "allowed_because": pl.String}
    entries = [(one.api_key_id, one.until, _told(one)) for one in allowed]
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


def _told(one: AllowedKey) -> str:
    return f"{one.reason} (until {one.until})"

"""What was metered as rows of core.gateway_spend: summed exactly, unpriced never free. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.money import MONEY, exact_where_known
from openai_costs.kernel.redaction import plain_name
from openai_costs.storage.slices import Slice
from openai_costs.tables.core.gateway_spend import ESTIMATED, METERED, GatewaySpend

GRAIN = ("token_id", "upstream_provider", "model")
COUNTS = (
    "num_model_requests",
    "input_tokens",
    "input_uncached_tokens",
    "input_cached_tokens",
    "input_cache_write_tokens",
    "output_tokens",
)
USD = "metered_usd"


class MeterRow(NamedTuple):
    """One thing a gateway metered: a request, or a sum it made itself.

    Args:
        token_id: The gateway's id of the token.
        upstream_provider: The provider behind it.
        model: The model, without the provider in front.
        requests: How many requests.
        input_tokens: All input tokens, cached ones included.
        cached_tokens: Those read from the provider's cache.
        cache_write_tokens: Those written to it.
        output_tokens: All output tokens.
        usd: Dollars, as they were written; None where it gives none. Below 0 they stand for "it
            varies": no request costs less than nothing.
        token_name: The token's alias; it may be an address.
        is_at_list_price: Whether its tokens are valued at list price, for want of dollars.
        user_id: Whose token it is, where the gateway knows users; it may be an address.
        team_id: The team that the token belongs to, where the gateway knows teams.
    """

    token_id: str | None
    upstream_provider: str | None
    model: str | None
    requests: int | None
    input_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    usd: str | None
    token_name: str | None = None
    is_at_list_price: bool = False
    user_id: str | None = None
    team_id: str | None = None


ROWS = pl.Schema(
    {"connection": pl.String(), "day": pl.Date(), "is_partial": pl.Boolean()}
    | dict.fromkeys((*GRAIN, "token_name"), pl.String())
    | {"is_at_list_price": pl.Boolean()}
    | dict.fromkeys(COUNTS, pl.Int64())
    | {"metered_usd": MONEY}
)
"""What was metered, a row each, before its sums."""


def day_rows(key: Slice, rows: Iterable[MeterRow], *, is_partial: bool = False) -> pl.DataFrame:
    """Return what was metered on one day: the columns of `ROWS`.

    Args:
        key: The gateway's name and the UTC day.
        rows: What was metered.
        is_partial: Whether more was metered than these rows hold.

    Raises:
        NotAnAmount: Dollars are not a finite number in range.
    """
    found = list(rows)
    plain = [(*key, is_partial, *_laid_out(row)) for row in found]
    of_day = pl.DataFrame(plain, {name: ROWS[name] for name in ROWS if name != USD}, orient="row")
    return of_day.hstack([exact_where_known([row.usd for row in found]).alias(USD)])


def metered(rows: pl.DataFrame) -> pl.DataFrame:
    """Return core.gateway_spend of some days.

    Args:
        rows: The columns of `ROWS`.
    """
    counts = [_sum_if_known(name) for name in COUNTS]
    has_price = pl.col(USD).is_not_null().any()
    return (
        rows.lazy()
        .with_columns(_unpriced())
        .group_by("connection", "day", *GRAIN)
        .agg(
            pl.col("is_partial").any(),
            pl.col("token_name").drop_nulls().last(),
            *counts,
            pl.col("unpriced_tokens").sum(),
            pl.when(has_price).then(pl.col(USD).sum()).alias(USD),
            cost_basis=pl.when(pl.col("is_at_list_price").any())
            .then(pl.lit(ESTIMATED))
            .otherwise(pl.lit(METERED)),
        )
        .with_columns(is_unpriced=pl.col("unpriced_tokens") > 0)
        .select(list(GatewaySpend.types()))
        .sort("connection", "day", *GRAIN)
        .collect()
    )


def _laid_out(row: MeterRow) -> tuple[object, ...]:
    """Subtract what overlaps once: cached and written tokens are input tokens."""
    parts = (row.cached_tokens, row.cache_write_tokens)
    plain = None
    if row.input_tokens is not None and None not in parts:
        rest = row.input_tokens - sum(part or 0 for part in parts)
        plain = rest if rest >= 0 else None  # some gateways count the cache beside the input
    names = (row.token_id or None, row.upstream_provider or None, row.model or None)
    more = (plain_name(row.token_name), row.is_at_list_price)
    return (*names, *more, row.requests, row.input_tokens, plain, *parts, row.output_tokens)


def _unpriced() -> list[pl.Expr]:
    """Turn no dollars for tokens, and dollars below 0, into no price; count the tokens of both.

    A row without a token, a model and any count is what sums of the source leave of its total. It
    alone may be below 0.
    """
    tokens = pl.sum_horizontal("input_tokens", "output_tokens", ignore_nulls=True)
    usd = pl.col(USD).fill_null(0)
    is_rest = pl.all_horizontal(pl.col(GRAIN + COUNTS).is_null())
    is_free = ((tokens > 0) & (usd == 0)) | ((usd < 0) & ~is_rest)
    return [
        pl.when(~is_free).then(USD).alias(USD),
        pl.when(is_free).then(tokens).otherwise(0).cast(pl.Int64).alias("unpriced_tokens"),
    ]


def _sum_if_known(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name)

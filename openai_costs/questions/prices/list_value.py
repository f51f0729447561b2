"""What a gateway's tokens are worth at list price, where its export has no dollars. Pure.

The value is an estimate and says so: `cost_basis` is `estimated`. It knows no discount, no tier and
no long context. Input whose cached part is not known counts as plain input.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.money import MONEY, SMALLEST
from openai_costs.questions.prices.catalogue import Item, list_price
from openai_costs.tables.core.gateway_spend import ESTIMATED
from openai_costs.tables.upstreams import UPSTREAMS


def at_list_price(rows: pl.DataFrame) -> pl.DataFrame:
    """Return core.gateway_spend with dollars for the rows whose export has none.

    A model that the catalogue does not know, or another provider's, stays without a price.

    Args:
        rows: core.gateway_spend.
    """
    wants = (pl.col("cost_basis") == ESTIMATED) & pl.col("metered_usd").is_null()
    if not rows.select(wants.any()).item():
        return rows
    values = [
        _value(row) if row["cost_basis"] == ESTIMATED and row["metered_usd"] is None else None
        for row in rows.iter_rows(named=True)
    ]
    valued = rows.with_columns(value=pl.Series(values, dtype=MONEY))
    has_value = pl.col("value").is_not_null()
    return valued.with_columns(
        metered_usd=pl.coalesce("metered_usd", "value"),
        is_unpriced=~has_value & pl.col("is_unpriced"),
        unpriced_tokens=pl.when(has_value).then(0).otherwise("unpriced_tokens").cast(pl.Int64),
    ).drop("value")


def _value(row: dict[str, Any]) -> Decimal | None:
    """Return the dollars of a row at list price; None where a price or a count is not known."""
    is_ours = row["upstream_provider"] in (None, *UPSTREAMS["openai"])
    counts = _counts(row)
    if not (is_ours and row["model"] and counts):
        return None
    found = Decimal(0)
    for usage_type, tokens in counts.items():
        usd = _usd(row["model"], usage_type, row["day"])
        if usd is None and tokens:
            return None
        found += (usd or Decimal(0)) * tokens
    return found.quantize(SMALLEST)


def _counts(row: dict[str, Any]) -> dict[str, int] | None:
    """Return the tokens of a row by usage type; None where input or output is not known."""
    every, output = row["input_tokens"], row["output_tokens"]
    if every is None:
        return None
    cached = row["input_cached_tokens"] or 0
    written = row["input_cache_write_tokens"] or 0
    plain = every - cached - written
    if plain < 0:
        return None
    return {
        "input": plain,
        "cached_input": cached,
        "cache_write": written,
        "output": output or 0,
    }


def _usd(model: str, usage_type: str, day: date) -> Decimal | None:
    """Return the list price of a token; what has no price of its own costs what input does."""
    usd = list_price(Item(model, usage_type), day).usd
    if usd is None and usage_type in ("cached_input", "cache_write"):
        return list_price(Item(model, "input"), day).usd
    return usd

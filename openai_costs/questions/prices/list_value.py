"""What a gateway's tokens are worth at list price, where its export has no dollars. Pure.

The value is an estimate and says so: `cost_basis` is `estimated`. It knows no discount, no tier and
no long context. Input whose cached part is not known counts as plain input.
"""

from datetime import date
from decimal import Decimal
from typing import Any, Final

import polars as pl

from openai_costs.kernel.money import MONEY, SMALLEST
from openai_costs.questions.prices.catalogue import Item, list_price
from openai_costs.questions.prices.price_lists import ANYWHERE, AWS, GOOGLE, OPENAI
from openai_costs.tables.core.gateway_spend import ESTIMATED
from openai_costs.tables.upstreams import HOST_OF

PROFILES: Final = (ANYWHERE, "us", "us-gov", "eu", "apac", "jp", "au", "ca")
"""What the ids of Bedrock's inference profiles begin with.
https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html"""


def at_list_price(rows: pl.DataFrame) -> pl.DataFrame:
    """Return core.gateway_spend with dollars for the rows whose export has none.

    A model that the list of who invoices behind the gateway does not have stays without a price.

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
    counts = _counts(row)
    if not (row["model"] and counts):
        return None
    found, model = Decimal(0), upstream_model(row["upstream_provider"], row["model"])
    for usage_type, tokens in counts.items():
        usd = _usd(model, usage_type, row["day"])
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


def upstream_model(upstream: str | None, name: str) -> Item:
    """Return a model as the price list of who invoices behind the gateway has it.

    Bedrock's inference profiles begin with where they run: `global`, or a region's letters. A
    model without them runs in one region. Google's names end with a version behind an `@`.

    Args:
        upstream: The gateway's word for the provider; None is OpenAI.
        name: The model in the gateway's words.
    """
    host = HOST_OF.get(upstream, upstream) if upstream else OPENAI
    if host == AWS:
        place, _, rest = name.partition(".")
        is_profile = place in PROFILES
        region = ANYWHERE if place == ANYWHERE else "regional"
        return Item(rest if is_profile else name, None, host=host, region=region)
    return Item(name.partition("@")[0] if host == GOOGLE else name, None, host=host)


def _usd(model: Item, usage_type: str, day: date) -> Decimal | None:
    """Return the list price of a token; what has no price of its own costs what input does."""
    usd = list_price(model._replace(usage_type=usage_type), day).usd
    if usd is None and usage_type in ("cached_input", "cache_write"):
        return list_price(model._replace(usage_type="input"), day).usd
    return usd

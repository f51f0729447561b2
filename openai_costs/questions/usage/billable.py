"""Usage as the bill counts it: per model, side, modality and tier. Pure.

Overlaps are subtracted once: the bill's input is what the endpoint calls uncached input, and what
is read from or written to the cache has lines of its own. A sum over rows of which one does not
say is not known: null.
"""

from typing import Final

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.model_names import canonical_model

SLICE: Final = ["connection", "day"]

POOL: Final = [*SLICE, "model", "usage_type", "modality", "service_tier"]

COLUMNS: Final = [*POOL, "quantity", "quantity_unit"]

STANDARD: Final = "standard"

BATCH: Final = "batch"

# What the bill calls a side of a modality, and the column of core.usage that counts it.
_TOKENS: Final = {
    ("input", None): "input_uncached_tokens",
    ("input", "text"): "input_text_tokens",
    ("input", "audio"): "input_audio_tokens",
    ("input", "image"): "input_image_tokens",
    ("cached_input", None): "input_cached_tokens",
    ("cached_input", "text"): "input_cached_text_tokens",
    ("cached_input", "audio"): "input_cached_audio_tokens",
    ("cached_input", "image"): "input_cached_image_tokens",
    ("cache_write", None): "input_cache_write_tokens",
    ("output", None): "output_tokens",
    ("output", "text"): "output_text_tokens",
    ("output", "audio"): "output_audio_tokens",
    ("output", "image"): "output_image_tokens",
}

# Endpoints whose input is all there is: no cache, no output.
_ONLY_INPUT: Final = ("embeddings", "moderations")

# Endpoints that count something else.
_NO_TOKENS: Final = (
    "images",
    "audio_speeches",
    "audio_transcriptions",
    "vector_stores",
    "code_interpreter_sessions",
    "file_search_calls",
    "web_search_calls",
)

# What the bill calls an endpoint's quantity, the unit it counts in, and whether it names the model.
_COUNTED: Final = {
    "audio_speeches": ("characters", "characters", True),
    "audio_transcriptions": ("duration", "duration_seconds", True),
    "web_search_calls": ("web_search", "calls", False),
    "file_search_calls": ("file_search", "calls", False),
}


def billable(usage: pl.DataFrame) -> pl.DataFrame:
    """Return what was used, one row per line the bill could have.

    Args:
        usage: core.usage rows of whole days.

    Returns:
        One row per connection, day, model, usage_type, modality and service_tier: quantity,
        quantity_unit. The modality is null for the sum over all of them.
    """
    rows = usage.with_columns(service_tier=billed_tier(), model=canonical_model())
    sums = rows.group_by(*SLICE, "endpoint", "model", "service_tier").agg(
        known_sum(column) for column in ("input_tokens", *_TOKENS.values(), "quantity")
    )
    found = [_tokens(sums, *side, column) for side, column in _TOKENS.items()]
    return pl.concat([*found, *(_counted(sums, endpoint) for endpoint in _COUNTED)]).sort(POOL)


def billed_tier() -> pl.Expr:
    """Return the tier as the bill's labels have it: batch is one, and the default has no name."""
    tier = pl.col("service_tier").str.to_lowercase()
    is_usual = tier.is_null() | tier.is_in(["default", "auto", STANDARD])
    return (
        pl.when(pl.col("batch").fill_null(False))
        .then(pl.lit(BATCH))
        .when(is_usual)
        .then(pl.lit(STANDARD))
        .otherwise(tier)
    )


def known_sum(column: str) -> pl.Expr:
    """Return the sum of a column; null when one of the rows does not say."""
    of = pl.col(column)
    return pl.when(of.is_null().any()).then(None).otherwise(of.sum()).alias(column)


def _tokens(sums: pl.DataFrame, side: str, modality: str | None, column: str) -> pl.DataFrame:
    is_input = side == "input" and modality is None
    has_sides = ~pl.col("endpoint").is_in([*_ONLY_INPUT, *_NO_TOKENS])
    only_input = pl.col("endpoint").is_in(_ONLY_INPUT)
    counted = pl.when(only_input).then(pl.col("input_tokens")).otherwise(pl.col(column))
    return _summed(
        sums.filter(has_sides | only_input if is_input else has_sides).with_columns(
            usage_type=pl.lit(side),
            modality=pl.lit(modality, pl.String),
            quantity=counted.cast(MONEY),
            quantity_unit=pl.lit("tokens"),
        )
    )


def _counted(sums: pl.DataFrame, endpoint: str) -> pl.DataFrame:
    usage_type, unit, has_model = _COUNTED[endpoint]
    return _summed(
        sums.filter(pl.col("endpoint") == endpoint).with_columns(
            model=pl.col("model") if has_model else pl.lit(None, pl.String),
            usage_type=pl.lit(usage_type),
            modality=pl.lit(None, pl.String),
            quantity_unit=pl.lit(unit),
        )
    )


def _summed(rows: pl.DataFrame) -> pl.DataFrame:
    summed = rows.group_by(*POOL, "quantity_unit").agg(known_sum("quantity"))
    return summed.select(COLUMNS)

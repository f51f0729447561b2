"""Usage as the bill counts it: per model, side, modality and tier. Pure.

Kinds of tokens are those of token_kinds.py. A sum over rows of which one does not say is not
known: null.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.model_names import canonical_model
from openai_costs.questions.token_kinds import (
    COLUMN_OF,
    COLUMN_OF_MODALITY,
    NO_TOKENS,
    ONLY_INPUT,
    plain_input,
)

SLICE: Final = ["connection", "day"]

POOL: Final = [*SLICE, "model", "usage_type", "modality", "service_tier"]

COLUMNS: Final = [*POOL, "quantity", "quantity_unit"]

STANDARD: Final = "standard"

BATCH: Final = "batch"

# A kind of token, all modalities together and each of them apart, and the column that counts it.
_TOKENS: Final[Mapping[tuple[str, str | None], str]] = {
    **{(kind, None): column for kind, column in COLUMN_OF.items()},
    **COLUMN_OF_MODALITY,
}

# Cache writes by how long they are kept, where the provider names it.
_TIMED: Final = {
    "cache_write_5m": "input_cache_write_5m_tokens",
    "cache_write_1h": "input_cache_write_1h_tokens",
}

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
        known_sum(column)
        for column in ("input_tokens", *_TOKENS.values(), *_TIMED.values(), "quantity")
    )
    tokens = [_tokens(sums, *one, column) for one, column in _TOKENS.items()]
    timed = [
        _tokens(sums.drop_nulls(column), kind, None, column) for kind, column in _TIMED.items()
    ]
    counted = (_counted(sums, endpoint) for endpoint in _COUNTED)
    return pl.concat([*tokens, *timed, *counted]).sort(POOL)


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


def _tokens(sums: pl.DataFrame, kind: str, modality: str | None, column: str) -> pl.DataFrame:
    is_input = kind == "input" and modality is None
    elsewhere = NO_TOKENS if is_input else (*ONLY_INPUT, *NO_TOKENS)
    counted = plain_input() if is_input else pl.col(column)
    return _summed(
        sums.filter(~pl.col("endpoint").is_in(elsewhere)).with_columns(
            usage_type=pl.lit(kind),
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

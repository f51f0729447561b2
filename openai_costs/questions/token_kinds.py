"""What the bill calls a kind of token, and the column of core.usage that counts it. Pure.

Overlaps are subtracted once: the bill's input is what the usage report calls uncached input, and
what is read from or written to the cache has lines of its own.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from openai_costs.tables.token_counts import BY_MODALITY

INPUTS: Final = ("input", "cached_input", "cache_write")
KINDS: Final = (*INPUTS, "output")
"""The usage types that count tokens of requests to a model."""

COLUMN_OF: Final = {
    "input": "input_uncached_tokens",
    "cached_input": "input_cached_tokens",
    "cache_write": "input_cache_write_tokens",
    "output": "output_tokens",
}
"""The column of core.usage, and of core.gateway_spend, that counts a kind."""

COLUMN_OF_MODALITY: Final[Mapping[tuple[str, str | None], str]] = {
    (kind, modality): column
    for kind, whole in COLUMN_OF.items()
    for modality, column in BY_MODALITY.get(whole, {}).items()
}
"""The column of core.usage that counts a kind in one modality."""

ONLY_INPUT: Final = ("embeddings", "moderations")
"""Endpoints whose input is all there is: no cache, no output."""

NO_TOKENS: Final = (
    "images",
    "audio_speeches",
    "audio_transcriptions",
    "vector_stores",
    "code_interpreter_sessions",
    "file_search_calls",
    "web_search_calls",
)
"""Endpoints that count something else."""


def plain_input() -> pl.Expr:
    """Return the plain input tokens of a row of core.usage, of whichever endpoint."""
    is_all_input = pl.col("endpoint").is_in(ONLY_INPUT)
    return pl.when(is_all_input).then("input_tokens").otherwise("input_uncached_tokens")


def all_tokens() -> pl.Expr:
    """Return the input and output tokens of a row together; a count that is not known adds none."""
    return pl.sum_horizontal("input_tokens", "output_tokens", ignore_nulls=True)

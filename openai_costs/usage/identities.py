"""What the token counts of a row of core.usage must add up to. Pure.

https://platform.openai.com/docs/api-reference/usage/completions_object
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

TOKENS: Final = "_tokens"
# Whole, and its parts. Older rows lack the newer fields: what is null is not held to it.
IDENTITIES: Final = (
    (
        "input_tokens",
        ("input_cached_tokens", "input_cache_write_tokens", "input_uncached_tokens"),
    ),
    ("input_uncached_tokens", ("input_text_tokens", "input_audio_tokens", "input_image_tokens")),
    (
        "input_cached_tokens",
        ("input_cached_text_tokens", "input_cached_audio_tokens", "input_cached_image_tokens"),
    ),
    ("output_tokens", ("output_text_tokens", "output_audio_tokens", "output_image_tokens")),
)


def negative_counts(usage: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with a count below zero: connection, day, endpoint, model, counts.

    Args:
        usage: core.usage rows.
    """
    counts = [name for name in usage.columns if name.endswith(TOKENS)] + ["num_model_requests"]
    said = [pl.when(pl.col(name) < 0).then(pl.format(f"{name} {{}}", name)) for name in counts]
    return _told(usage, said, "counts")


def contradictions(usage: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose parts do not add up: connection, day, endpoint, model, sums.

    Args:
        usage: core.usage rows.
    """
    return _told(usage, [_contradiction(whole, parts) for whole, parts in IDENTITIES], "sums")


def _contradiction(whole: str, parts: tuple[str, ...]) -> pl.Expr:
    total = pl.sum_horizontal(parts, ignore_nulls=False)
    names = " + ".join(parts)
    said = pl.format(f"{whole} {{}} is not {{}} = {names}", whole, total)
    return pl.when(pl.col(whole) != total).then(said)


def _told(usage: pl.DataFrame, said: Sequence[pl.Expr], name: str) -> pl.DataFrame:
    told = pl.concat_str(said, separator=", ", ignore_nulls=True)
    rows = usage.select("connection", "day", "endpoint", "model", told.alias(name))
    return rows.filter(pl.col(name) != "")

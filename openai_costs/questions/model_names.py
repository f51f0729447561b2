"""One name for a model, whoever writes it. Pure.

The gateway meters the name that was asked for (`openai/gpt-5`), the bill names the snapshot that
answered (`gpt-5-2025-08-07`). Only a whole date is cut off: `-mini` and `-0613` are part of a name.
"""

from collections.abc import Mapping

import polars as pl

_PROVIDER = r"^(openai|text-completion-openai)/"

_DATE = r"-20\d{2}-?\d{2}-?\d{2}$"


def undated(models: Mapping[str, str] | None = None) -> pl.Expr:
    """Return the column `model` without provider and date, own names replaced by the provider's.

    Args:
        models: The gateway's own name of a model, and the provider's.
    """
    plain = pl.col("model").str.replace(_PROVIDER, "")
    named = plain.replace(dict(models)) if models else plain
    return named.str.to_lowercase().str.replace(_DATE, "")


def billed_model() -> pl.Expr:
    """Return the model as the bill's labels have it: `ft:gpt-4o:acme::id` is `ft-gpt-4o` there."""
    name = pl.col("model").str.to_lowercase()
    return name.str.replace(r"^ft:([^:]+).*$", "ft-$1")


MODEL_NAME = (
    pl.col("model").str.to_lowercase().str.replace(r"^ft:([^:]+).*$", "ft-${1}").alias("model_name")
)
"""A model as bills write it: usage says `ft:gpt-4o:acme::x` of what the bill calls `ft-gpt-4o`."""

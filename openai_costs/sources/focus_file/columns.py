"""Which rows of a FOCUS export are AI, and what other exports are. Pure."""

from collections.abc import Sequence
from typing import Final

import polars as pl

SERVICES: Final = r"(?i)bedrock|azure openai|foundry models|vertex ai|gemini"
"""Services of clouds that sell models."""

_NAMED = pl.col("service").str.contains(SERVICES)
_GENERATIVE = pl.col("subcategory").str.to_lowercase() == "generative ai"
IS_AI: Final = _NAMED.fill_null(value=False) | _GENERATIVE.fill_null(value=False)
"""Which rows `select = "ai"` takes."""

IS_AI_CATEGORY: Final = pl.col("service_category").str.to_lowercase() == "ai and machine learning"
"""Which of the others are named all the same."""


def other_kinds(heads: Sequence[str]) -> str:
    """Return why a file of another kind of export is refused, and what to do."""
    if "line_item_unblended_cost" in heads:
        return 'is a CUR 2.0 export of AWS; Read it by a connection with provider = "bedrock".'
    if "costinbillingcurrency" in heads:
        return "is an export of Azure that is not FOCUS; Create one of the type FOCUS."
    return ""

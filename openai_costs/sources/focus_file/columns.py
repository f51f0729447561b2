"""Which rows of a FOCUS export are AI, and what other exports are. Pure."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.exports.text_tables import row_place

SERVICES: Final = r"(?i)bedrock|azure openai|foundry models|vertex ai|gemini"
"""Services of clouds that sell models."""

_NAMED = pl.col("service").str.contains(SERVICES)
_GENERATIVE = pl.col("subcategory").str.to_lowercase() == "generative ai"
IS_AI: Final = _NAMED.fill_null(value=False) | _GENERATIVE.fill_null(value=False)
"""Which rows `select = "ai"` takes."""

IS_AI_CATEGORY: Final = pl.col("service_category").str.to_lowercase() == "ai and machine learning"
"""Which of the others are named all the same."""


_ACCOUNT: Final = "billingaccounttype"
_TAGS: Final = "tags"


def refuse_meter(name: str, table: pl.DataFrame) -> None:
    """Refuse a proxy's own FOCUS file: it has what the proxy counted, in the columns of a bill.

    LiteLLM writes the key of each row as its billing account, and its own words into the tags. Its
    rows would count a second time what a vendor bills.
    https://docs.litellm.ai/docs/observability/focus

    Raises:
        FileRefused: Names the file, the first such row and what to do.
    """
    marks = (
        pl.col(column).str.contains(text, literal=True)
        for column, text in ((_ACCOUNT, "API Key"), (_TAGS, '"custom_llm_provider"'))
        if column in table.columns
    )
    is_metered = pl.any_horizontal(pl.lit(value=False), *marks).fill_null(value=False)
    if (found := table.select(is_metered.arg_true()).to_series()).len():
        raise FileRefused(
            row_place(name, found[0]),
            "is what a LiteLLM proxy counted, and no bill",
            'Connect the proxy with provider = "litellm", or the vendors behind it.',
        )


def other_kinds(heads: Sequence[str]) -> str:
    """Return why a file of another kind of export is refused, and what to do."""
    if "line_item_unblended_cost" in heads:
        return 'is a CUR 2.0 export of AWS; Read it by a connection with provider = "bedrock".'
    if "costinbillingcurrency" in heads:
        return "is an export of Azure that is not FOCUS; Create one of the type FOCUS."
    return ""

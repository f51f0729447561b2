"""Rows of core.usage and core.spend, written out as far as a test is about them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs_tests.org import INVOICED, day

if TYPE_CHECKING:
    from openai_costs.tables.contract import Contract

WHERE = {"connection": "acme", "provider": "openai", "day": day(1)}


def table(contract: type[Contract], usual: dict[str, Any], *rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of a table: what is usual, and what is particular about each."""
    blank = dict.fromkeys(contract.types())
    return pl.DataFrame([blank | usual | row for row in rows], schema=contract.types())


def usage(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of core.usage: completions of gpt-5 with the key k."""
    usual = {"endpoint": "completions", "model": "gpt-5", "project_id": "p", "api_key_id": "k"}
    return table(Usage, WHERE | usual, *rows)


def tokens(
    uncached: int, cached: int = 0, output: int = 0, write: int = 0, **more: object
) -> dict[str, Any]:
    """The token columns of a row of text."""
    return {
        "input_tokens": uncached + cached + write,
        "input_uncached_tokens": uncached,
        "input_text_tokens": uncached,
        "input_cached_tokens": cached,
        "input_cache_write_tokens": write,
        "output_tokens": output,
        "output_text_tokens": output,
    } | more


def ledger(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of core.spend: a dollar for a hundred tokens of input."""
    usual = {
        "grouping": "project_id,api_key_id,line_item",
        "project_id": "p",
        "api_key_id": "k",
        "line_item": "gpt-5, input",
        "surface": "api",
        "model": "gpt-5",
        "usage_type": "input",
        "service_tier": "standard",
        "is_long_context": False,
        "billed_usd": Decimal(1),
        "quantity": Decimal(100),
        "quantity_unit": "tokens",
    } | INVOICED
    return table(Spend, WHERE | usual, *rows)

"""Both sides in small: literal rows of the tables that are compared."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.questions.reconciliation.reconcile import Sides
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.price_check import PriceCheck

DAY = date(2026, 3, 10)
DOLLARS_A_MILLION = {"input": 5, "cached_input": Decimal("0.5"), "output": 30}


def frame(table: type[Contract], usual: dict[str, Any], rows: Any) -> pl.DataFrame:  # noqa: ANN401
    blank = dict.fromkeys(table.types())
    return pl.DataFrame([blank | usual | row for row in rows], schema=table.types())


def line(kind: str | None, usd: str, tokens: int | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A line of the bill."""
    unit = None if tokens is None else "tokens"
    return {
        "line_item": f"gpt-5-2025-08-07, {kind}",
        "usage_type": kind,
        "billed_usd": Decimal(usd),
        "quantity": None if tokens is None else Decimal(tokens),
        "quantity_unit": unit,
        **more,
    }


def bill(*lines: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "connection": "acme",
        "provider": "openai",
        "day": DAY,
        "project_id": "proj_maps",
        "api_key_id": "key_maps",
        "model": "gpt-5-2025-08-07",
        "grouping": "all",
    }
    return frame(Spend, usual, lines)


def priced(tokens: dict[str, int], **more: Any) -> pl.DataFrame:  # noqa: ANN401
    """A bill at DOLLARS_A_MILLION."""
    made = (
        line(kind, str(Decimal(n) * DOLLARS_A_MILLION[kind] / 1_000_000), n, **more)
        for kind, n in tokens.items()
    )
    return bill(*made)


def meter(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "connection": "gateway",
        "day": DAY,
        "token_id": "tok_maps",
        "upstream_provider": "openai",
        "model": "gpt-5",
        "is_unpriced": False,
        "unpriced_tokens": 0,
    }
    return frame(GatewaySpend, usual, rows)


def counted(
    usd: str | None,
    plain: int,
    cached: int,
    output: int,
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """A row of the meter."""
    every = plain + cached + output
    return {
        "input_tokens": plain + cached,
        "input_uncached_tokens": plain,
        "input_cached_tokens": cached,
        "input_cache_write_tokens": 0,
        "output_tokens": output,
        "metered_usd": None if usd is None else Decimal(usd),
        "is_unpriced": usd is None,
        "unpriced_tokens": every if usd is None else 0,
        **more,
    }


def tokens(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "connection": "gateway",
        "token_id": "tok_maps",
        "status": "active",
        "openai_api_key_id": "key_maps",
        "mapping": "token_metadata",
        "confidence": "high",
        "first_seen_day": DAY,
        "last_seen_day": DAY,
        "is_current": True,
    }
    return frame(GatewayTokens, usual, rows)


def sides(
    ledger: pl.DataFrame,
    metered: pl.DataFrame,
    registry: pl.DataFrame | None = None,
    **others: pl.DataFrame,
) -> Sides:
    days = pl.concat([ledger["day"], metered["day"]]).unique().to_list()
    states = {"day": days, "is_settled": [True] * len(days)}
    read = pl.DataFrame(states, schema={"day": pl.Date, "is_settled": pl.Boolean})
    made = {
        "usage": Usage.no_rows(),
        "keys": ApiKeys.no_rows(),
        "list_prices": PriceCheck.no_rows(),
        "bill_days": read.with_columns(connection=pl.lit("acme")),
        "meter_days": read,
    }
    registered = tokens({}) if registry is None else registry
    return Sides(ledger=ledger, meter=metered, tokens=registered, **(made | others))

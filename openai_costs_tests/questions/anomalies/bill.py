"""Small literal bills: mart.spend, mart.spend_attribution and core.spend of the same lines."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.org import INVOICED

if TYPE_CHECKING:
    from openai_costs.tables.contract import Contract

MONDAY = date(2026, 1, 5)


def on(number: int) -> date:
    return MONDAY + timedelta(days=number)


class Bill(NamedTuple):
    spend: pl.DataFrame
    attribution: pl.DataFrame
    ledger: pl.DataFrame


def line(number: int, key: str, user: str | None, usd: str, **other: Any) -> dict[str, Any]:  # noqa: ANN401 - any column
    """Dollars of a key and user on a day, for output of the model m in project p."""
    return {
        "day": on(number),
        "connection": "acme",
        "provider": "openai",
        "project_id": "p",
        "project_name": "Search",
        "api_key_id": key,
        "api_key_name": f"{key} name",
        "user_id": user,
        "user_name": f"{user} name" if user else None,
        "team": "search",
        "model": "m",
        "usage_type": "output",
        "billed_usd": Decimal(usd),
        "attribution": "direct",
        "line_item": f"{other.get('model', 'm')}, output",
        "quantity": Decimal(usd) * 1000,
        "quantity_unit": "tokens",
        "grouping": "project_id,user_id,api_key_id,line_item",
        **INVOICED,
    } | other


def bill(*lines: dict[str, Any]) -> Bill:
    made = pl.DataFrame(lines, infer_schema_length=None)
    sums = made.group_by(*_own(Spend, made), maintain_order=True).agg(pl.col("billed_usd").sum())
    return Bill(_as(Spend, sums), _as(SpendAttribution, made), _as(Ledger, made))


def _own(table: type[Contract], made: pl.DataFrame) -> list[str]:
    return [name for name in table.types() if name in made.columns and name != "billed_usd"]


def _as(table: type[Contract], made: pl.DataFrame) -> pl.DataFrame:
    return made.select(
        (pl.col(name) if name in made.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in table.types().items()
    )

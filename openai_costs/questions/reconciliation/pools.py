"""Both sides of one key and model on one day, brought together. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.reconciliation.gaps import ZERO, Billed, Kind, Metered, explained
from openai_costs.questions.token_kinds import KINDS
from openai_costs.tables.mart.cost_reconciliation import EXPLANATIONS

POOL = ("day", "connection", "project_id", "api_key_id", "model", "level")
PARTS = tuple(f"{cause}_usd" for cause in EXPLANATIONS)
_AMOUNTS = ("billed_usd", "metered_usd", "billed_tokens", "metered_tokens", *PARTS)
SCHEMA = pl.Schema(
    {"day": pl.Date()}
    | dict.fromkeys((*POOL[1:], "usage_type"), pl.String())
    | dict.fromkeys(_AMOUNTS, MONEY)
)


@dataclass
class _Pool:
    lines: dict[Kind, Billed] = field(default_factory=dict)
    metered: Metered | None = None


def laid_together(lines: pl.DataFrame, metered: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Return a row per pool and usage type, with both sides and the parts of the gap.

    Args:
        lines: The bill by pool and usage type: billed_usd, billed_tokens.
        metered: `metered_pools`.
        prices: `unit_prices`.
    """
    pools: dict[tuple[Any, ...], _Pool] = {}
    for *key, kind, usd, tokens in lines.select(
        *POOL, "usage_type", "billed_usd", "billed_tokens"
    ).iter_rows():
        pools.setdefault(tuple(key), _Pool()).lines[kind] = Billed(usd, tokens)
    for row in metered.iter_rows(named=True):
        pools.setdefault(tuple(row[name] for name in POOL), _Pool()).metered = _metered(row)
    known = _by_model(prices)
    rows = [
        row
        for key, pool in pools.items()
        for row in _rows(key, pool, known.get((key[0], key[1], key[4]), {}))
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def _metered(row: dict[str, Any]) -> Metered:
    """Return the meter's side; tokens only where uncached input and output are both known."""
    tokens = {kind: row[kind] for kind in KINDS if row[kind] is not None}
    is_whole = {"input", "output"} <= tokens.keys()
    return Metered(row["metered_usd"], tokens if is_whole else None, row["unpriced_share"])


def _by_model(prices: pl.DataFrame) -> dict[tuple[Any, ...], dict[str, Decimal]]:
    found: dict[tuple[Any, ...], dict[str, Decimal]] = {}
    for day, connection, model, kind, usd in prices.select(
        "day", "connection", "model", "usage_type", "token_usd"
    ).iter_rows():
        found.setdefault((day, connection, model), {})[kind] = usd
    return found


def _rows(
    key: tuple[Any, ...], pool: _Pool, prices: dict[str, Decimal]
) -> Iterator[dict[str, Any]]:
    named = dict(zip(POOL, key, strict=True))
    for piece in explained(pool.lines, pool.metered, prices):
        parts = {f"{cause}_usd": piece.parts.get(cause, ZERO) for cause in EXPLANATIONS}
        yield {
            **named,
            "usage_type": piece.usage_type,
            "billed_usd": piece.billed_usd,
            "metered_usd": piece.metered_usd,
            "billed_tokens": piece.billed_tokens,
            "metered_tokens": piece.metered_tokens,
            **parts,
        }

"""Both sides of one key and model on one day, brought together. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.reconciliation.gaps import (
    ZERO,
    Billed,
    Kind,
    Metered,
    Piece,
    explained,
)
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
    credits: dict[Kind, Decimal] = field(default_factory=dict)
    metered: Metered | None = None


def laid_together(lines: pl.DataFrame, metered: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Return a row per pool and usage type, with both sides and the parts of the gap.

    Args:
        lines: The bill by pool and usage type: billed_usd, credit_usd, billed_tokens.
        metered: `metered_pools`.
        prices: `unit_prices`.
    """
    pools: dict[tuple[Any, ...], _Pool] = {}
    columns = ("usage_type", "billed_usd", "credit_usd", "billed_tokens")
    for *key, kind, usd, credit, tokens in lines.select(*POOL, *columns).iter_rows():
        pool = pools.setdefault(tuple(key), _Pool())
        if credit:
            pool.credits[kind] = credit
        if usd != credit or tokens is not None or not credit:
            pool.lines[kind] = Billed(usd - credit, tokens)
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
    pieces = explained(pool.lines, pool.metered, prices) if pool.lines or pool.metered else []
    for piece in _with_credits(pieces, pool.credits):
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


def _with_credits(pieces: Iterable[Piece], credits_usd: Mapping[Kind, Decimal]) -> list[Piece]:
    """Return the pieces with credits and refunds, which are a part of the gap of their own.

    Args:
        pieces: `explained`, of the bill without credits.
        credits_usd: Negative dollars by usage type.
    """
    found = {piece.usage_type: piece for piece in pieces}
    for kind, usd in credits_usd.items():
        piece = found.setdefault(kind, Piece(kind))
        piece.billed_usd += usd
        piece.put("credits", usd)
    return list(found.values())

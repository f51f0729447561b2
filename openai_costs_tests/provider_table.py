"""The table of docs/providers.md, for the tests that hold it against what providers do."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

PAPER: Final = Path(__file__).parent.parent / "docs" / "providers.md"
DIMENSIONS: Final = {
    "by user": "user_id",
    "by key": "api_key_id",
    "by project": "project_id",
    "by model": "model",
}
"""A column of the paper, and the column of core.spend."""


def provider_table() -> dict[str, dict[str, str]]:
    """Each row of the table, by the provider's name."""
    lines = [
        [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        for line in PAPER.read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and not line.startswith("|-")
    ]
    head, *rows = lines
    return {row[0].strip("`"): dict(zip(head, row, strict=True)) for row in rows}


def keeps_its_promise(provider: str, *ledgers: pl.DataFrame) -> bool:
    """Whether rows of core.spend fill the columns that the paper says a provider fills, no other.

    Where the paper says `where`, rows may leave a column empty.
    """
    row, rows = provider_table()[provider], pl.concat(ledgers)
    filled = {name for name, column in DIMENSIONS.items() if rows[column].is_not_null().any()}
    possible = {name for name in DIMENSIONS if row[name].startswith("yes")}
    return {name for name in possible if "where" not in row[name]} <= filled <= possible

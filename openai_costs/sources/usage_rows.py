"""Rows of core.usage, whoever sent them, added up by its grain; unknown stays unknown. Pure."""

from typing import Final

import polars as pl

from openai_costs.tables.core.usage import Usage

TYPES: Final = Usage.types()
GRAIN: Final = [*Usage.Config.unique, "provider", "quantity_unit"]
MEASURES: Final = [name for name in TYPES if name not in GRAIN]


def summed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return core.usage from rows: added up by its grain; a sum of nothing known is unknown."""
    known = pl.col(MEASURES).is_not_null().any()
    sums = pl.when(known).then(pl.col(MEASURES).sum())
    return frame.group_by(GRAIN).agg(sums).select(list(TYPES)).sort(Usage.Config.unique)

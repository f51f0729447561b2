"""Dollars of a bill that is too large for the page, added up while it is read. Pure.

All usage types and service tiers are together from the beginning. When the days so far have too
many rows, the next dimension is kept together too, of these days and of all that follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from openai_costs.outputs.report.dimensions import COLUMNS, DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_ROWS: Final = 250_000
"""How many rows of facts the page holds at the most: about 4 MB."""
ALWAYS: Final = ("usage_type", "service_tier")
DROPPED_FIRST: Final = (*ALWAYS, "api_key", "project", "user", "model")
"""Which dimensions are kept together first where there are more rows."""

_USD: Final = pl.col("billed_usd")
_FINEST: Final = ("day", *(name for name in COLUMNS if name not in ALWAYS))
_COLUMN: Final = {one.id: one.column for one in DIMENSIONS}


class Coarse(NamedTuple):
    """Dollars of some days.

    Args:
        parts: Some of the days each, by the columns that are kept apart.
        together: The ids of the dimensions that are kept together.
    """

    parts: tuple[pl.DataFrame, ...] = ()
    together: tuple[str, ...] = ALWAYS

    @property
    def kept(self) -> tuple[str, ...]:
        """The columns that are kept apart: the day, and those of dimensions."""
        dropped = {_COLUMN[one] for one in self.together}
        return tuple(name for name in _FINEST if name not in dropped)

    @property
    def is_finest(self) -> bool:
        """Whether nothing but usage types and service tiers is kept together."""
        return self.together == ALWAYS

    def with_more(self, part: pl.DataFrame, most: int) -> Coarse:
        """Return the dollars with those of further days, in a number of rows if that can be."""
        coarse = Coarse((*self.parts, part), self.together)
        while sum(one.height for one in coarse.parts) > most and coarse.together != DROPPED_FIRST:
            less = Coarse((), DROPPED_FIRST[: len(coarse.together) + 1])
            parts = (one.group_by(less.kept).agg(_USD.sum()) for one in coarse.parts)
            coarse = less._replace(parts=tuple(parts))
        return coarse

    def facts(self) -> pl.DataFrame:
        """Return all dollars: day, a column for each dimension, billed_usd."""
        nothing = {name: pl.lit(None, pl.String) for name in COLUMNS if name not in self.kept}
        dollars = pl.concat(self.parts).cast({pl.Categorical: pl.String})
        return dollars.with_columns(**nothing).select("day", *COLUMNS, _USD)


def coarse_dollars(rows: pl.LazyFrame, kept: Sequence[str], *, has_credits: bool) -> pl.LazyFrame:
    """Return dollars by the columns that are kept apart, with texts as numbers.

    What adds up to nothing with all usage types together is left out: without credits, lines of
    nothing.

    Args:
        rows: mart.spend_attribution.
        kept: The columns.
        has_credits: Whether an amount may be negative.
    """
    coded = rows.with_columns(pl.col(pl.String).cast(pl.Categorical))
    finest = coded.group_by(_FINEST).agg(_USD.sum()) if has_credits else coded
    return finest.filter(_USD != 0).group_by(kept).agg(_USD.sum())

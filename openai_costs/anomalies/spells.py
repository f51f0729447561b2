"""Flagged days of one series that are one story: a spell. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import polars as pl

from openai_costs.anomalies.series import ID, level_of

GAP_DAYS = 3
"""Flags of a series at most this far apart are one spell: over a weekend, for one."""
LASTING_GAP_DAYS = 14
"""What lasts is not above its threshold every day: the same rise goes on after a silence."""
LASTING = ("level_shift", "leak")
AWAKE_ALONE = 6.0
"""From this score the amount is more unusual than that somebody is awake."""


class Spell(NamedTuple):
    """Flags of one series, in one direction, close together."""

    series_id: str
    level: str
    direction: str
    kind: str
    score: float
    excess: dict[date, float]

    @property
    def start(self) -> date:
        """The first flagged day."""
        return min(self.excess)

    @property
    def end(self) -> date:
        """The newest flagged day."""
        return max(self.excess)

    @property
    def total(self) -> float:
        """Dollars above the expected on flagged days; below, where it fell."""
        return sum(self.excess.values())


def spells(verdicts: pl.DataFrame) -> Iterator[Spell]:
    """Yield the spells of all series. A spell is of the kind that its first day was.

    Args:
        verdicts: What `detect` returns.
    """
    flags = verdicts.filter("is_anomaly").sort(ID, "direction", "day")
    gap = (pl.col("day") - pl.col("day").shift(1)).dt.total_days().over(ID, "direction")
    patience = pl.when(pl.col("kind").is_in(LASTING)).then(LASTING_GAP_DAYS).otherwise(GAP_DAYS)
    begins = gap.is_null() | (gap > patience)
    flags = flags.with_columns(
        level=level_of(pl.col(ID)),
        kind=_kind(),
        excess=(pl.col("cost") - pl.col("expected")).cast(pl.Float64),
        spell=begins.cum_sum().over(ID, "direction"),
    )
    told = flags.group_by(ID, "level", "direction", "spell", maintain_order=True).agg(
        "day", "excess", pl.col("kind").first(), score=pl.col("score").abs().max()
    )
    for row in told.iter_rows(named=True):
        days = dict(zip(row["day"], row["excess"], strict=True))
        yield Spell(row[ID], row["level"], row["direction"], row["kind"], row["score"], days)


def _kind() -> pl.Expr:
    is_amount = (pl.col("kind") == "awake") & (pl.col("score") > AWAKE_ALONE)
    return pl.when(is_amount).then(pl.lit("spike")).otherwise("kind")

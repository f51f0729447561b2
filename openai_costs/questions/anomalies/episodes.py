"""Episodes: flagged days of one series, in one direction, that are close together. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import polars as pl

from openai_costs.questions.anomalies.kinds import LASTING
from openai_costs.questions.anomalies.kinds.kind import GAP_DAYS, LASTING_GAP_DAYS
from openai_costs.questions.series import ID, level_of


class Episode(NamedTuple):
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


def episodes(verdicts: pl.DataFrame) -> Iterator[Episode]:
    """Yield the episodes of all series. An episode is of the kind that its first day was.

    Args:
        verdicts: What `detect_in_groups` returns.
    """
    flags = verdicts.filter("is_anomaly").sort(ID, "direction", "day")
    gap = (pl.col("day") - pl.col("day").shift(1)).dt.total_days().over(ID, "direction")
    allowed = pl.when(pl.col("kind").is_in(LASTING)).then(LASTING_GAP_DAYS).otherwise(GAP_DAYS)
    begins = gap.is_null() | (gap > allowed)
    flags = flags.with_columns(
        level=level_of(pl.col(ID)),
        excess=(pl.col("cost") - pl.col("expected")).cast(pl.Float64),
        number=begins.cum_sum().over(ID, "direction"),
    )
    found = flags.group_by(ID, "level", "direction", "number", maintain_order=True).agg(
        "day", "excess", pl.col("kind").first(), score=pl.col("score").abs().max()
    )
    for row in found.iter_rows(named=True):
        days = dict(zip(row["day"], row["excess"], strict=True))
        yield Episode(row[ID], row["level"], row["direction"], row["kind"], row["score"], days)

"""Who spends through a series on a flagged day: of its dollars of that day. Pure.

Not here: who spent through it before or since. A key changes hands, and its old days do not.
"""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

HALF = 2


class Spender(NamedTuple):
    """Whose more than half of the dollars of a flagged day are; null where no one's are."""

    team: str | None
    user: str | None


def spenders(rows: pl.DataFrame, flagged: int) -> list[Spender]:
    """Return the spender of each flagged day.

    Of a day without dollars, the spender of the days that it is compared with.

    Args:
        rows: What `rows_of` returns.
        flagged: How many flagged days there are: they are numbered.
    """
    teams, users = _of_most_dollars(rows, "team"), _of_most_dollars(rows, "user")
    return [Spender(teams.get(number), users.get(number)) for number in range(flagged)]


def _of_most_dollars(rows: pl.DataFrame, name: str) -> Mapping[int, str]:
    """Return whose more than half of a day's dollars are; those of no one count as such."""
    spent = rows.filter(pl.col("usd") > 0)
    sides = spent.group_by("number", "is_before").agg(whole=pl.col("usd").sum())
    side = sides.sort("is_before").unique("number", keep="first", maintain_order=True)
    of_side = spent.join(side, on=["number", "is_before"])
    summed = of_side.group_by("number", name).agg(pl.col("usd").sum(), pl.col("whole").first())
    most = summed.filter(pl.col("usd") * HALF > pl.col("whole")).drop_nulls(name)
    return dict(most.select("number", name).iter_rows())

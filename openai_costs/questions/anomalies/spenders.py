"""Who spends through a series on a flagged day: of its dollars of that day. Pure.

Not here: who spent through it before or since. A key changes hands, and its old days do not.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

HAVE_TEAM = ("project", "key", "user")
HAVE_USER = ("key", "user")


class Spender(NamedTuple):
    """Whose most of the dollars of a flagged day are; null where none is known."""

    team: str | None
    user: str | None


def spenders(rows: pl.DataFrame, levels: Sequence[str]) -> list[Spender]:
    """Return the spender of each flagged day.

    Of a day without dollars, the spender of the days that it is compared with.

    Args:
        rows: What `rows_of` returns.
        levels: The level of the series of each number.
    """
    teams, users = _of_most_dollars(rows, "team"), _of_most_dollars(rows, "user")
    return [
        Spender(
            teams.get(number) if level in HAVE_TEAM else None,
            users.get(number) if level in HAVE_USER else None,
        )
        for number, level in enumerate(levels)
    ]


def _of_most_dollars(rows: pl.DataFrame, name: str) -> Mapping[int, str]:
    summed = rows.drop_nulls(name).group_by("number", "is_before", name).agg(pl.col("usd").sum())
    largest_last = summed.sort("is_before", "usd", name, descending=[True, False, False])
    return dict(largest_last.select("number", name).iter_rows())

"""Rows in the order of columns that have few values each. Pure."""

from collections.abc import Sequence
from math import prod
from typing import Final

import polars as pl

MANY_ROWS: Final = 20_000
"""From here on the detour pays: 37 ms instead of 143 for 60,000 rows of core.spend."""

MOST_PLACES: Final = 2**63


def in_order(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return `rows.sort(keys)`.

    Polars compares the texts of two rows, one column after the other. Where there are many rows,
    each value is replaced by its place among the values of its column, and the places of a row by
    one number.

    Args:
        rows: The rows.
        keys: The columns; of rows that have the same values in all of them, any may come first.
    """
    if rows.height < MANY_ROWS:
        return rows.sort(keys)
    values = {name: rows[name].unique().sort() for name in keys}
    if prod(map(len, values.values())) > MOST_PLACES:
        return rows.sort(keys)
    place = pl.repeat(0, pl.len(), dtype=pl.UInt64)
    for name, its in values.items():
        if len(its) > 1:
            places = pl.int_range(len(its), dtype=pl.UInt64, eager=True)
            place = place * len(its) + pl.col(name).replace_strict(its, places)
    return rows[rows.select(place.arg_sort()).to_series()]

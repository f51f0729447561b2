"""Facts as columns that the page can hold: encoded by dictionary, exact, small. Pure.

A series is one combination of all dimensions; a row is a series on a day. Dollars are three whole
numbers: dollars, billionths of a dollar, and billionths of those, so that the page adds them up
exactly. Days and series are differences from the row before, which is what makes a year small.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from openai_costs.outputs.report.dimensions import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from openai_costs.outputs.report.dimensions import Members

_BILLION: Final = pl.lit(10**9, pl.Int128)
_UNITS: Final = pl.lit(10**18, pl.Int128)
_DOLLARS: Final = {"dollars": "Float64", "billionths": "Uint32", "quintillionths": "Uint32"}
_LARGE: Final = 2**16
_TYPES: Final = {"Uint16": "H", "Int32": "i", "Uint32": "I", "Float64": "d"}

Columns = list[tuple[str, str, list[Any]]]
"""Name, type of JavaScript's array, values."""


def packed(
    facts: pl.DataFrame, members: Mapping[str, Members], first: date, measures: Sequence[str]
) -> dict[str, Any]:
    """Return facts as `{"columns": [[name, type, length], ...], "data": base64 of deflate}`.

    Args:
        facts: day, the columns of the dimensions, and measures.
        members: The members of each dimension, by its id.
        first: The first day of the page.
        measures: billed_usd, or counts.
    """
    codes = [
        pl.col(one.column)
        .replace_strict(members[one.id].positions, default=0, return_dtype=pl.UInt32)
        .alias(one.id)
        for one in DIMENSIONS
    ]
    names = [one.id for one in DIMENSIONS]
    day = (pl.col("day") - pl.lit(first)).dt.total_days().alias("day")
    rows = facts.select(day, *codes, *measures)
    series = rows.select(names).unique().sort(names).with_row_index("series")
    rows = rows.join(series, on=names).sort("series", "day")
    columns: Columns = [(one, _small(members[one]), series[one].to_list()) for one in names]
    columns += [(one, "Int32", _steps(rows[one])) for one in ("series", "day")]
    for name in measures:
        columns += _dollars(rows[name]) if name.endswith("_usd") else [_count(rows[name])]
    return {
        "columns": [(name, kind, len(values)) for name, kind, values in columns],
        "data": _deflated(columns),
    }


def _small(of: Members) -> str:
    return "Uint16" if len(of.keys) < _LARGE else "Uint32"


def _steps(values: pl.Series) -> list[int]:
    """Return the first value, then the difference of each from the one before."""
    numbers = values.cast(pl.Int64)
    return (numbers - numbers.shift(fill_value=0)).to_list()


def _count(values: pl.Series) -> tuple[str, str, list[float]]:
    return values.name, "Float64", values.cast(pl.Float64).to_list()


def _dollars(values: pl.Series) -> Columns:
    """Return dollars as three columns: whole dollars rounded down, and what is above them.

    A float holds every whole dollar exactly, also of a line of billions.
    """
    units = pl.col(values.name).to_physical()
    parts = values.to_frame().select(
        dollars=units // _UNITS,
        billionths=units % _UNITS // _BILLION,
        quintillionths=units % _BILLION,
    )
    return [(name, kind, parts[name].to_list()) for name, kind in _DOLLARS.items()]


def _deflated(columns: Columns) -> str:
    """Return the values of all columns, little-endian, one column after the other."""
    bytes_ = bytearray()
    for _, kind, values in columns:
        numbers = array(_TYPES[kind], values)
        if sys.byteorder == "big":
            numbers.byteswap()
        bytes_ += numbers.tobytes()
        bytes_ += bytes(-len(bytes_) % 8)
    packer = zlib.compressobj(wbits=-15)  # level 9 takes seven times as long for 1 % fewer bytes
    return b64encode(packer.compress(bytes(bytes_)) + packer.flush()).decode()

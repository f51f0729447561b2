"""A Parquet file that settings name as a table, or a sentence that says why it is none. Pure.

Not here: what a column is as text (text_rows.py, exports/text_tables.py).
"""

import base64
import io
import re
from typing import Final

import polars as pl

from openai_costs.kernel.errors import FileRefused

PARQUET_FAULTS: Final = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,  # no `Exception`: it would end every connection
    OSError,
    ValueError,
    OverflowError,
)
"""What Polars raises for a file or for a value that it cannot read."""

_REMEDY: Final = "Copy it again, or have it written again, with decimals of at most 38 digits."
"""BigQuery's BIGNUMERIC has 76."""

_SCHEMA: Final = "ARROW:schema"
_OFFSET: Final = re.compile(rb"\x06\0\0\0([+-][0-9]{2}:[0-9]{2})\0")
"""A time zone that is an offset, as Arrow writes a text: its length before it, a zero behind it."""


def parquet_table(name: str, content: bytes) -> pl.DataFrame:
    """Return the table of a Parquet file.

    Args:
        name: The file, for messages.
        content: Its bytes.

    Raises:
        FileRefused: It cannot be read.
    """
    try:
        about = pl.read_parquet_metadata(io.BytesIO(content))
        if offset := _OFFSET.search(base64.b64decode(about.get(_SCHEMA, ""))):
            # Polars panics, and prints a trace of it.
            why = f"has instants in the time zone {offset[1].decode()}, which has no name"
            raise FileRefused(name, why, "Write them in UTC.")
        return pl.read_parquet(io.BytesIO(content))
    except PARQUET_FAULTS as broken:
        why = f"is not readable Parquet ({first_line(broken)})"
        raise FileRefused(name, why, _REMEDY) from None


def first_line(broken: BaseException) -> str:
    """Return what happened, without the advice for programmers below it."""
    return next(iter(str(broken).splitlines()), type(broken).__name__)

"""What is replaced as a whole: a day of a connection, and batches of them on their way to a table.

Not here: where they are stored (lake.py).
"""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.money import MONEY


class Slice(NamedTuple):
    """What is replaced as a whole: one day of one connection."""

    connection: str
    day: date


def slices_frame(slices: Iterable[tuple[str, date]]) -> pl.DataFrame:
    """Return slices as a frame to join with: connection, day."""
    schema = {"connection": pl.String, "day": pl.Date}
    return pl.DataFrame(list(slices), schema=schema, orient="row")


@dataclass(frozen=True)
class Batch:
    """Some slices of a table.

    Args:
        frame: Their rows, with the columns `connection` and `day`.
        read_at: Every slice that the frame replaces, also those without rows, and its read.
        refused: Slices whose page or rows cannot be used, and why: they are left alone.
        remarks: Slices that were used although something in their page was new to us.
        page_usd: What the billed rows of a slice added up to on the page, before any cleaning.
        read_number: The number of a slice's read in the archive, where it is known.
        is_counted: Whether rows that no sum of dollars counts were left out when it was read.
        unbilled_page_usd: Like page_usd, of the rows of each other cost basis, by that basis.
    """

    frame: pl.DataFrame
    read_at: Mapping[Slice, datetime]
    refused: Mapping[Slice, OpenAICostsError] = field(default_factory=dict)
    remarks: Mapping[Slice, str] = field(default_factory=dict)
    page_usd: Mapping[Slice, Decimal] = field(default_factory=dict)
    read_number: Mapping[Slice, int] = field(default_factory=dict)
    is_counted: bool = False
    unbilled_page_usd: Mapping[Slice, Mapping[str, Decimal]] = field(default_factory=dict)

    def derive(self, calculate: Callable[[pl.DataFrame], pl.DataFrame]) -> "Batch":
        """Return the same slices with other rows."""
        return replace(self, frame=calculate(self.frame), page_usd={}, unbilled_page_usd={})

    def of(self, connection: str) -> list[Slice]:
        """Return a connection's slices, oldest first."""
        return sorted(key for key in self.read_at if key.connection == connection)

    def only(self, wanted: AbstractSet[Slice]) -> "Batch":
        """Return some of the slices, with their rows."""
        keys = [key for key in self.read_at if key in wanted]
        return Batch(
            self.frame.join(slices_frame(keys), on=["connection", "day"], how="semi"),
            {key: self.read_at[key] for key in keys},
            read_number={key: of for key, of in self.read_number.items() if key in wanted},
        )

    def page_sums(self) -> pl.DataFrame:
        """Return what the pages of the slices added up to: connection, day, page_usd."""
        schema = pl.Schema({"connection": pl.String(), "day": pl.Date(), "page_usd": MONEY})
        rows = [(*key, usd) for key, usd in self.page_usd.items()]
        return pl.DataFrame(rows, schema=schema, orient="row")


@dataclass(frozen=True)
class Written:
    """A version of a table.

    Args:
        table_id: Another one where a table was removed and rebuilt; empty where there is none.
        version: The number of the version; -1 where there is no table.
        slices: connection, day, rows and `version`: which one wrote the slice; null where that is
            not known. No rows where the table has no slices.
    """

    table_id: str
    version: int
    slices: pl.DataFrame


Batches = Iterable[Batch]


@dataclass
class Replaced:
    """What became of the slices of one write.

    Args:
        rows: Rows written, by slice.
        totals_usd: The sum of `billed_usd` by slice, where the table has that column.
        refused: Slices left alone, and why.
        remarks: Slices written with something new in them.
    """

    rows: dict[Slice, int] = field(default_factory=dict)
    totals_usd: dict[Slice, Decimal] = field(default_factory=dict)
    refused: dict[Slice, OpenAICostsError] = field(default_factory=dict)
    remarks: dict[Slice, str] = field(default_factory=dict)

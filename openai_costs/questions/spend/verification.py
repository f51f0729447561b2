"""Where the sums of a settled day differ from its control total, wherever it is kept. Pure."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.formatting import exact_dollars, total_usd
from openai_costs.questions.spend.control_totals import SLICE


class Difference(NamedTuple):
    """A settled day that one table or file counts differently from the control total.

    Args:
        place: Where it is kept: `raw`, `lake`, the database or the Parquet copies.
        table: The table, as layer.table; the dataset of pages in `raw`.
        connection: The connection.
        day: The UTC day.
        expected_usd: The control total.
        found_usd: What the rows add up to; null where the day is not there at all.
    """

    place: str
    table: str
    connection: str
    day: date
    expected_usd: Decimal
    found_usd: Decimal | None

    def __str__(self) -> str:
        """Say the difference in one sentence, to the last digit."""
        where = f"{self.day}, connection {self.connection}: {self.table} in {self.place}"
        wanted = exact_dollars(self.expected_usd)
        if self.found_usd is None:
            return f"{where} has no rows for the day; the control total is {wanted}."
        off = total_usd([self.found_usd, self.expected_usd.copy_negate()])
        return (
            f"{where} adds up to {exact_dollars(self.found_usd)}; the control total is {wanted} "
            f"(difference {exact_dollars(off)})."
        )


def differences(
    control: pl.DataFrame, sums: Mapping[tuple[str, str], pl.DataFrame]
) -> list[Difference]:
    """Return where a settled day does not tie out.

    Args:
        control: connection, day, billed_usd, is_settled: core.spend_control as stored.
        sums: By (place, table): connection, day, usd. A day without rows may be left out.
    """
    settled = control.filter("is_settled").select(*SLICE, expected="billed_usd")
    return [
        Difference(place, table, *row)
        for (place, table), frame in sums.items()
        for row in _untied(settled, frame).iter_rows()
    ]


def _untied(settled: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Return connection, day, expected, usd of the days that do not agree."""
    beside = settled.join(frame.select(*SLICE, "usd"), on=SLICE, how="left")
    return beside.filter(pl.col("usd").fill_null(0) != pl.col("expected"))

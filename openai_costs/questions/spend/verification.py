"""Where the sums of a settled day differ from its control total, and what to do about it. Pure.

One truth for `verify`, `doctor`, `mart.coverage`, the page and publication: what does not tie out
is named by the first two and kept from readers by the others.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.days import consecutive
from openai_costs.kernel.formatting import exact_dollars, listed, total_usd
from openai_costs.kernel.money import FLOAT_NOISE
from openai_costs.questions.spend.control_totals import SLICE
from openai_costs.storage.slices import Slice, slices_frame
from openai_costs.tables.core.spend import UNBILLED, Spend

RAW, LAKE = "raw/", "lake/"
OF_BASIS = {f"{Spend.full_name()} ({basis})": f"{basis}_usd" for basis in UNBILLED}
"""The rows of the ledger that no sum counts, as a table is named, and their own control total."""
PAGES = "cost pages"
"""What the kept pages of a day are called where tables are named."""

DAYS_LISTED = 5
RANGES_LISTED = 3


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
        return (
            f"{where} adds up to {exact_dollars(self.found_usd)}; the control total is {wanted} "
            f"(difference {exact_dollars(self.gap_usd)})."
        )

    @property
    def key(self) -> Slice:
        """The connection and the day."""
        return Slice(self.connection, self.day)

    @property
    def gap_usd(self) -> Decimal:
        """The dollars found minus the control total; a day that is not there is worth nothing."""
        return total_usd([self.found_usd or Decimal(0), self.expected_usd.copy_negate()])

    @property
    def is_noise(self) -> bool:
        """Whether a provider that adds up in binary fractions can be off by so much."""
        return self.found_usd is not None and abs(self.gap_usd) < FLOAT_NOISE


def differences(
    control: pl.DataFrame, sums: Mapping[tuple[str, str], pl.DataFrame]
) -> list[Difference]:
    """Return where a settled day does not tie out: by table, connection and day.

    Args:
        control: core.spend_control as stored.
        sums: By (place, table): connection, day, usd. A day without rows may be left out.
    """
    settled = control.filter("is_settled")
    return [
        Difference(place, table, *row)
        for (place, table), frame in sums.items()
        for row in _untied(_expected(settled, table), frame).sort(SLICE).iter_rows()
    ]


def _expected(settled: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return what a table has to add up to: connection, day, expected."""
    usd = pl.col(OF_BASIS.get(table, "billed_usd"))
    return settled.select(*SLICE, expected=usd.fill_null(0))


def withheld(control: pl.DataFrame, sums: Mapping[str, pl.DataFrame]) -> set[Slice]:
    """Return the slices that readers must not see, because they do not tie out.

    Args:
        control: core.spend_control.
        sums: By table: connection, day, usd.
    """
    by_table = {(LAKE, table): frame for table, frame in sums.items()}
    return {one.key for one in differences(control, by_table) if not one.is_noise}


def differing_days(control: pl.DataFrame, totals: Iterable[pl.DataFrame]) -> list[date]:
    """Return the days on which the control totals of all connections differ from a table's dollars.

    Args:
        control: core.spend_control.
        totals: Of each table: day, billed_usd. A day without rows may be left out.
    """
    expected = control.group_by("day").agg(expected=pl.col("billed_usd").sum())
    differing = set[date]()
    for found in totals:
        both = expected.join(found, on="day", how="full", coalesce=True).fill_null(0)
        differing.update(both.filter(pl.col("expected") != pl.col("billed_usd"))["day"])
    return sorted(differing)


def without(frame: pl.DataFrame, slices: Iterable[Slice]) -> pl.DataFrame:
    """Return the rows of a frame with connection and day that belong to none of some slices."""
    hidden = slices_frame(slices)
    return frame if hidden.is_empty() else frame.join(hidden, on=SLICE, how="anti")


def withheld_text(differences: Sequence[Difference]) -> str:
    """Return why days are not published: both dollars of each, and what to do; empty if none."""
    by_day: dict[Slice, list[Difference]] = {}
    for one in differences:
        by_day.setdefault(one.key, []).append(one)
    if not by_day:
        return ""
    newest = sorted(by_day.values(), key=lambda of_day: of_day[0].day, reverse=True)
    days = listed([_of_day(of_day) for of_day in newest], DAYS_LISTED, "day", "; ")
    return (
        f"Not published, because it does not tie out: {days}. Readers keep what was published of "
        f"{'that day' if len(by_day) == 1 else 'those days'} before. {remedy(differences)}"
    )


def remedy(
    differences: Iterable[Difference],
    unreadable: Iterable[Slice] = (),
    torn: Collection[Slice] = (),
    unmade: Iterable[Slice] = (),
) -> str:
    """Return the commands that make days tie out again.

    A day whose kept pages contradict the control total, are missing or cannot be used has to be
    read again; tables that contradict good pages, or are of an older read, are rebuilt without a
    request.

    Args:
        differences: Where days do not tie out.
        unreadable: The days whose newest kept page cannot be used.
        torn: The days whose pages and tables are not all of one read.
        unmade: The days of which pages are kept and no table is made.
    """
    differing, rebuild = set[date](), {one.day for one in unmade}
    for one in differences:
        (differing if one.place == RAW and one.key not in torn else rebuild).add(one.day)
    reread = differing | {one.day for one in unreadable}
    rebuild -= reread
    texts = [f"Read again from the provider: {_commands(reread)}."] if reread else []
    if rebuild:
        texts.append(f"Rebuild the tables from the kept pages: {_commands(rebuild, offline=True)}.")
    if differing:
        texts.append("If a difference remains, ask the provider with both numbers.")
    return " ".join(texts)


def _of_day(of_day: Sequence[Difference]) -> str:
    first = of_day[0]
    sums: dict[Decimal | None, list[str]] = {}
    for one in of_day:
        sums.setdefault(one.found_usd, []).append(one.table)
    parts = [_sum_text(tables, usd) for usd, tables in sums.items()]
    return (
        f"{first.day} of {first.connection}: {' and '.join(parts)}, "
        f"but the control total is {exact_dollars(first.expected_usd)}"
    )


def _sum_text(tables: Sequence[str], usd: Decimal | None) -> str:
    is_one, names = len(tables) == 1, ", ".join(tables)
    if usd is None:
        return f"{names} {'has' if is_one else 'have'} no rows"
    return f"{names} {'adds' if is_one else 'add'} up to {exact_dollars(usd)}"


def _commands(days: Iterable[date], *, offline: bool = False) -> str:
    command = f"openai-costs backfill{' --offline' if offline else ''}"
    ranges = [f"`{command} --from {one.first} --to {one.last}`" for one in consecutive(days)]
    return listed(ranges, RANGES_LISTED, "range")


def _untied(settled: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Return connection, day, expected, usd of the days that do not agree."""
    beside = settled.join(frame.select(*SLICE, "usd"), on=SLICE, how="left")
    return beside.filter(pl.col("usd").fill_null(0) != pl.col("expected"))

"""Kept reads on their way into a table, some megabytes at a time, whatever the range of days.

A read that cannot be used refuses only its own day. Pure: kept reads in, batches out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Generic, NamedTuple, Protocol, TypeVar

import polars as pl

from openai_costs.kernel.errors import OpenAICostsError, PageRefused
from openai_costs.kernel.money import TooPrecise
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.storage.archive import DamagedRead, KeptRead
from openai_costs.storage.slices import Batch, Slice

BYTES_A_BATCH = 16 * 1024 * 1024

P = TypeVar("P")
"""A page that is understood as far as its fields."""

P_contra = TypeVar("P_contra", contravariant=True)


class Understood(NamedTuple, Generic[P]):
    """What a kept read says.

    Args:
        pages: Its pages.
        remark: What is new to us in them; empty when nothing is.
        size: The bytes of their bodies.
    """

    pages: Sequence[P]
    remark: str
    size: int


@dataclass
class Held(Generic[P]):
    """Days on their way into one batch.

    Args:
        pages: Their pages, in the order of the reads.
        read_at: When each day was read.
        read_number: The number of each day's read in the archive.
        refused: Days that cannot be used, and why.
        remarks: What is new to us in a day.
        size: The bytes of the pages' bodies.
    """

    pages: list[P] = field(default_factory=list)
    read_at: dict[Slice, datetime] = field(default_factory=dict)
    read_number: dict[Slice, int] = field(default_factory=dict)
    refused: dict[Slice, OpenAICostsError] = field(default_factory=dict)
    remarks: dict[Slice, str] = field(default_factory=dict)
    size: int = 0

    def refuse(self, key: Slice, error: OpenAICostsError) -> None:
        """Take a day out: its rows stay as they are."""
        self.read_at.pop(key, None)
        self.refused.setdefault(key, error)

    def add(self, read: KeptRead, understand: Callable[[KeptRead], Understood[P]]) -> None:
        """Take in a read, or refuse it."""
        key = Slice(read.manifest.connection, read.manifest.day)
        try:
            pages, remark, size = understand(read)
        except PageRefused as error:
            self.refuse(key, error)
            return
        except UNREADABLE as gone:  # in a field that no one relies on, and so read last
            self.refuse(key, PageRefused(read.page, "the body", f"cannot be read: {gone}"))
            return
        self.pages += pages
        self.read_at[key] = read.manifest.read_at
        self.read_number[key] = read.number
        self.size += size
        if remark:
            self.remarks[key] = remark


def page_sums(held: Held[P], rows: pl.DataFrame) -> dict[Slice, Decimal]:
    """Return what the pages of each day held add up to; a day without rows adds up to 0.

    Args:
        held: The days.
        rows: Their rows before any cleaning: connection, day, billed_usd.
    """
    sums = rows.group_by("connection", "day").agg(pl.col("billed_usd").sum())
    of_rows = {Slice(*key): usd for *key, usd in sums.iter_rows()}
    return dict.fromkeys(held.read_at, Decimal(0)) | of_rows


class RowsOf(Protocol[P_contra]):
    """Builds rows from pages."""

    def __call__(self, pages: Sequence[P_contra], /, *, may_round: bool) -> pl.DataFrame:
        """Return the rows of pages.

        Args:
            pages: The pages, in the order of the reads.
            may_round: Whether they are one day's, so that the rounding of amounts may be shared.

        Raises:
            PageRefused: A page cannot be used.
            TooPrecise: An amount must be rounded and `may_round` is false.
        """
        ...


def batches(
    reads: Iterable[KeptRead | DamagedRead],
    understand: Callable[[KeptRead], Understood[P]],
    build: Callable[[Held[P]], Batch],
) -> Iterator[Batch]:
    """Clean reads some megabytes at a time.

    Args:
        reads: The reads, oldest day first.
        understand: Returns a read's pages; raises PageRefused where they cannot be used.
        build: Makes a batch of what is held.
    """
    held = Held[P]()
    for read in reads:
        if isinstance(read, DamagedRead):
            held.refuse(Slice(read.connection, read.day), read.error)
            continue
        held.add(read, understand)
        if held.size > BYTES_A_BATCH:
            yield replace(build(held), read_number=held.read_number)
            held = Held[P]()
    yield replace(build(held), read_number=held.read_number)


def at_once(held: Held[P], rows: RowsOf[P], slice_of: Callable[[P], Slice]) -> pl.DataFrame:
    """Return the rows of all days held, built at once; only where one objects, day by day.

    A day that objects by itself is refused.

    Args:
        held: The days.
        rows: Builds their rows.
        slice_of: Returns which day a page is of.
    """
    try:
        return rows(held.pages, may_round=False)
    except (PageRefused, TooPrecise):
        by_day: dict[Slice, list[P]] = {}
        for page in held.pages:
            by_day.setdefault(slice_of(page), []).append(page)
    found, held.pages = [rows([], may_round=False)], []
    for day, pages in by_day.items():
        try:
            found.append(rows(pages, may_round=True))
        except PageRefused as error:
            held.refuse(day, error)
        else:
            held.pages += pages
    return pl.concat(found)

"""Finds the kept reads of each day and hands them to the comparison (restatements.py)."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

import polars as pl
from upath import UPath

from openai_costs.kernel.days import DayRange, is_settled
from openai_costs.kernel.errors import PageRefused
from openai_costs.questions.spend.restatements import Reading, restatements
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive, KeptRead, open_read
from openai_costs.storage.read_names import read_at, read_number
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.mart.restatements import Restatements


def changes(archive: Archive, settings: Settings, days: DayRange) -> Iterator[Batch]:
    """Yield mart.restatements for every day that was read, one batch per connection."""
    for connection in settings.connections:
        pages = provider_of(connection).costs.pages
        found: list[pl.DataFrame] = [Restatements.no_rows()]
        newest: dict[Slice, datetime] = {}
        numbers: dict[Slice, int] = {}
        for day in days:
            files = pages.reads(archive, connection, day)
            if files:
                key = Slice(connection.name, day)
                newest[key], numbers[key] = read_at(files[-1]), read_number(files[-1])
            if len(files) > 1:
                found.append(restatements(_readings(files, settings, connection)))
        yield Batch(pl.concat(found), newest, read_number=numbers)


def _readings(
    files: Iterable[UPath], settings: Settings, connection: Connection
) -> Iterator[Reading]:
    """Yield the ledger of each read of a day; a read that cannot be cleaned yields nothing."""
    for file in files:
        with suppress(PageRefused):
            yield from _readings_of(open_read(file), settings, connection)


def _readings_of(read: KeptRead, settings: Settings, connection: Connection) -> Iterator[Reading]:
    day, at = read.manifest.day, read.manifest.read_at
    latest = max(filter(None, (at, read.manifest.clock_at, read.manifest.server_at)))
    for batch in provider_of(connection).costs.ledger([read], connection):
        if not batch.refused:
            settled = is_settled(day, at, settings.reading.grace)
            yield Reading(connection.name, day, at, settled, batch.frame, latest)

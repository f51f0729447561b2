"""Finds the kept reads of each day and hands them to the comparison (restatements.py)."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from itertools import dropwhile

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
            comparable = _since_settled(files, day, settings)
            if _differ(comparable):
                found.append(restatements(_readings(comparable, day, settings, connection)))
        yield Batch(pl.concat(found), newest, read_number=numbers)


def _since_settled(files: Iterable[UPath], day: date, settings: Settings) -> list[UPath]:
    """Return the reads of a day from the first one on that was read after it had settled.

    What was read before is compared with nothing later, and is not opened.
    """
    grace = settings.reading.grace
    return list(dropwhile(lambda file: not is_settled(day, read_at(file), grace), files))


def _differ(files: Sequence[UPath]) -> bool:
    """Return whether the pages of some reads differ: where they do not, nothing is cleaned."""
    parts: object = None
    for file in files if len(files) > 1 else ():
        with suppress(PageRefused):
            before, parts = parts, open_read(file).manifest.parts
            if before not in (None, parts):
                return True
    return False


def _readings(
    files: Iterable[UPath], day: date, settings: Settings, connection: Connection
) -> Iterator[Reading]:
    """Yield the reads of a day that can show a change; one that cannot be cleaned yields nothing.

    A read with the pages of the one before it has that one's ledger, and is not cleaned again.
    """
    before: Reading | None = None
    parts: object = None
    for file in files:
        at = read_at(file)
        settled = is_settled(day, at, settings.reading.grace)
        if not settled and not (before and before.is_settled):
            continue
        with suppress(PageRefused):
            read = open_read(file)
            same = before.ledger if before and parts == read.manifest.parts else None
            ledger = _ledger(read, connection) if same is None else same
            if ledger is not None:
                latest = max(filter(None, (at, read.manifest.clock_at, read.manifest.server_at)))
                before = Reading(connection.name, day, at, settled, ledger, latest)
                parts = read.manifest.parts
                yield before


def _ledger(read: KeptRead, connection: Connection) -> pl.DataFrame | None:
    """Return the rows of core.spend of a read; None where they are refused."""
    batches = provider_of(connection).costs.ledger([read], connection)
    sound = [batch.frame for batch in batches if not batch.refused]
    return pl.concat(sound) if sound else None

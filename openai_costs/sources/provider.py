"""What the rest of the project may know of a source."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import dagster as dg
import httpx

from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.table_assets import Builder
from openai_costs.settings.load import Connection
from openai_costs.storage.archive import Archive, DamagedRead, DayRead, KeptRead
from openai_costs.storage.slices import Batch

Tell = Callable[[str], None]
"""Takes a line of progress for a person."""


def silent(_line: str) -> None:
    """Take a line of progress and say nothing."""


@dataclass(frozen=True)
class Reach:
    """How sources get out: the inner HTTP transport of a connection, or None for the network."""

    inner: Callable[[Connection], httpx.BaseTransport | None] = lambda _connection: None


class DayReader(Protocol):
    """Reads the costs or the usage of some days, window by window, newest first."""

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield complete reads; raise ReadFailed when a window cannot be completed."""
        ...


@dataclass(frozen=True)
class Provider:
    """A provider that bills: what the rest of the project may ask of it.

    Args:
        name: Its name in settings and in the tables.
        dataset: The archive's name for its cost pages.
        usage_dataset: The archive's name for its usage pages.
        directory_dataset: The archive's name for its lists of who and what there is.
        is_usable_directory: Whether a kept read of these lists can be used as a whole.
        assets: Builders of its daily assets: the pages and the core tables.
        whole_assets: Its assets without days: the directory, read by a job of its own.
        ledger: Cleans kept reads into core.spend.
        first_day: The first day a connection has history for, as far as is known.
        first_usage_day: The first day it has usage for, as far as is known.
    """

    name: str
    dataset: str
    usage_dataset: str
    directory_dataset: str
    is_usable_directory: Callable[[KeptRead | DamagedRead], bool]
    assets: Sequence[Builder]
    whole_assets: Sequence[dg.AssetsDefinition]
    ledger: Callable[[Iterable[KeptRead | DamagedRead], Connection], Iterator[Batch]]
    first_day: Callable[[Archive, Connection], date]
    first_usage_day: Callable[[Archive, Connection], date]

"""What a provider brings, and what the rest of the project may know of it.

Costs are required. Usage and the organization are optional parts, and so are the parts of a read
that not every provider has: who spent (`by_user`) and a control total (`control`).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Literal, NamedTuple, Protocol

import dagster as dg
import httpx
from upath import UPath

from openai_costs.kernel.clock_skew import ReadInstant, SkewAwareClock
from openai_costs.kernel.days import Clock, DayRange
from openai_costs.orchestration.checks import ChecksBuilder
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.invoicer import Invoicer
from openai_costs.sources.organization.listings import ReadListing
from openai_costs.storage.archive import Archive, DamagedRead, DayRead, KeptRead
from openai_costs.storage.slices import Batch
from openai_costs.tables.core.spend import BILLED

Tell = Callable[[str], None]
"""Takes a line of progress for a person."""

Reads = Iterable[KeptRead | DamagedRead]


def silent(_line: str) -> None:
    """Take a line of progress and say nothing."""


@dataclass(frozen=True)
class Reach:
    """How sources get out, and what their responses say about the time.

    Args:
        inner: Returns the inner HTTP transport of a connection; None for the network.
        clock: What the `Date` of each response is compared with; None compares nothing.
        attempts: How often a request is tried at the most; None for as long as it may help.
    """

    inner: Callable[[Connection], httpx.BaseTransport | None] = lambda _connection: None
    clock: SkewAwareClock | None = None
    attempts: int | None = None

    def take_date(self, connection: Connection) -> Callable[[datetime], None]:
        """Return what takes the `Date` of a connection's responses."""
        return partial(self.clock.compare, connection.name) if self.clock else _no_date

    def instant(self, connection: Connection, ours: datetime) -> ReadInstant:
        """Return when something was read, by our clock and by the connection's server."""
        return self.clock.instant(connection.name, ours) if self.clock else ReadInstant(ours, None)


def _no_date(_date: datetime) -> None:
    """Take the `Date` of a response and do nothing with it."""


class DayReader(Protocol):
    """Reads some days of a connection. How it cuts them into requests is its own business."""

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield each day as a complete read, as soon as it is complete.

        Raises:
            ReadFailed: The rest cannot be completed; what was yielded stays.
            SettingsError: The settings do not allow to read, as without a key.
        """
        ...


OpenReader = Callable[[Settings, Archive, Clock, Reach], DayReader]
"""Makes a reader for a run. Its clock is this machine's: ingest.py decides what is believed."""


def start_of(_archive: Archive, connection: Connection) -> date:
    """Return the connection's own first day: nothing more is known about its history."""
    return connection.first_day


@dataclass(frozen=True)
class RawPages:
    """The raw pages of one dataset of a provider: an asset, and its place in the archive.

    Args:
        provider: The provider's name.
        dataset: The archive's name for them.
        description: What they hold, for a person.
        group: The folder of their source.
        reader: Makes their reader.
        first_day: Returns the first day a connection has any, as far as is known.
        is_paced: Whether an API is asked, and nothing else: its connections are read side by side.
    """

    provider: str
    dataset: str
    description: str
    group: str
    reader: OpenReader
    first_day: Callable[[Archive, Connection], date] = start_of
    is_paced: bool = False

    @property
    def key(self) -> dg.AssetKey:
        """The asset: `raw/<provider>_<dataset>`."""
        return dg.AssetKey(["raw", f"{self.provider}_{self.dataset}"])

    def reads(self, archive: Archive, connection: Connection, day: date) -> list[UPath]:
        """Return the files of a day's complete reads, oldest first."""
        return archive.reads(self.provider, connection.name, self.dataset, day)

    def newest(
        self, archive: Archive, connection: Connection, days: Iterable[date]
    ) -> Iterator[KeptRead | DamagedRead]:
        """Yield the newest complete read of each day that has one."""
        return archive.newest(self.provider, connection.name, self.dataset, days)

    def every(self, archive: Archive, connection: str) -> Iterator[KeptRead | DamagedRead]:
        """Yield all complete reads of a connection, oldest first."""
        return archive.every(self.provider, connection, self.dataset)


Ids = Callable[[DayRead | KeptRead], set[str]]
"""Returns some ids that a read has; none where the provider's reads have none."""


def no_ids(_read: DayRead | KeptRead) -> set[str]:
    """Return no id: the provider's reads have none."""
    return set()


def no_days(_archive: Archive, _connection: Connection) -> Collection[date]:
    """Return no day: the provider does not say by itself that days have changed."""
    return ()


Clean = Callable[[Reads, Connection], Iterator[Batch]]
"""Cleans kept reads into a core table."""


@dataclass(frozen=True)
class CostSource:
    """What a provider bills.

    Args:
        pages: The raw pages.
        ledger: Cleans kept reads into core.spend. `page_usd` of a batch is of billed rows alone.
        by_user: Cleans kept reads into core.spend_by_user, where a read has a view by user of its
            own; None where the ledger alone says who spent, or nothing does.
        control: Cleans kept reads into core.spend_control, given how long a day stays provisional;
            None where the provider has no total apart from the ledger: its pages are added up.
        accounts: Returns the accounts that a read names in its pages or paths: whose costs it has.
        owned_ids: Returns the ids in a read that one account has and no other, such as those of
            projects and keys. Two connections with such an id in common read one account.
        ids_may_be_shared: Whether a few of them prove nothing: people choose them.
        owed: Returns the days that have changed at the source since, where it says so by itself.
    """

    pages: RawPages
    ledger: Clean
    by_user: Clean | None = None
    control: Callable[[Reads, Connection, timedelta], Iterator[Batch]] | None = None
    accounts: Ids = no_ids
    owned_ids: Ids = no_ids
    ids_may_be_shared: bool = False
    owed: Callable[[Archive, Connection], Collection[date]] = no_days


@dataclass(frozen=True)
class UsageSource:
    """What was used: tokens and other quantities beside the dollars.

    Args:
        pages: The raw pages.
        usage: Cleans kept reads into core.usage.
    """

    pages: RawPages
    usage: Clean


@dataclass(frozen=True)
class OrganizationSource:
    """Who and what there is: projects, keys, people.

    Args:
        pages: The raw pages; one read of a day holds all lists.
        listing: Reads what a kept read lists for a table.
    """

    pages: RawPages
    listing: ReadListing


class Diagnosis(NamedTuple):
    """One fact that the doctor reports, with the remedy in the same text."""

    state: Literal["OK", "WARN", "FAIL"]
    about: str
    text: str


@dataclass(frozen=True, eq=False)
class Provider:
    """A provider that bills: everything that the rest of the project asks of it.

    Each is itself alone, so that what is built of it can be kept.

    Args:
        name: Its name in settings and in the tables.
        connection: Its kind of `[[connections]]`: the settings that it reads.
        allowed: Every path it may be asked for, as a pattern below `base_url`.
        costs: What it bills.
        diagnose: Yields what the doctor reports about a connection; asks as little as possible.
        usage: What was used; None where it does not say.
        organization: Who and what there is; None where it does not say.
        checks: Checks of its pages that other providers do not have.
        kept_days: After how many days it deletes one; None where it keeps it for a year or more.
        settles_within: How long after its end a day may stay provisional, where the provider has a
            rule of its own for it; None where `settle_hours` of the settings say it.
        invoicers: Whose bills it reads, in words for people.
        cost_basis: What its dollars are: billed, metered or estimated.
    """

    name: str
    connection: type[Connection]
    allowed: Collection[str]
    costs: CostSource
    diagnose: Callable[[Settings, Connection, Reach, date], Iterator[Diagnosis]]
    usage: UsageSource | None = None
    organization: OrganizationSource | None = None
    checks: Sequence[ChecksBuilder] = ()
    kept_days: int | None = None
    settles_within: timedelta | None = None
    invoicers: Sequence[Invoicer] = ()
    cost_basis: str = BILLED

    def usage_of(self, connection: Connection) -> UsageSource | None:
        """Return where a connection's usage comes from; None where it gives costs only."""
        return self.usage if connection.access == "full" else None

    def organization_of(self, connection: Connection) -> OrganizationSource | None:
        """Return where a connection's organization comes from; None where it gives costs only."""
        return self.organization if connection.access == "full" else None

"""The assets of the OpenAI source: the pages as evidence, and the core tables made from them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg

from openai_costs.orchestration.checks import CONTRACT, CURRENCY, KNOWN_FIELDS
from openai_costs.orchestration.table_assets import StoredBatches, asset_key, table_asset
from openai_costs.settings.load import Connection, Settings
from openai_costs.sources.openai.connection import NAME
from openai_costs.sources.openai.costs import frames
from openai_costs.sources.openai.costs.endpoints import COSTS
from openai_costs.sources.openai.organization.assets import DIRECTORY
from openai_costs.sources.openai.organization.endpoints import DATASET as DIRECTORY_DATASET
from openai_costs.sources.openai.organization.frames import is_usable
from openai_costs.sources.openai.reader import first_day
from openai_costs.sources.openai.usage.assets import PAGES as USAGE_PAGES
from openai_costs.sources.openai.usage.assets import pages as usage_pages
from openai_costs.sources.openai.usage.assets import usage
from openai_costs.sources.openai.usage.source import first_usage_day
from openai_costs.sources.provider import DayReader, Provider
from openai_costs.sources.raw_pages import Evidence
from openai_costs.storage.archive import Archive, DamagedRead, KeptRead
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batches, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl

GROUP = "sources/openai"
PAGES = Evidence(
    key=dg.AssetKey(["raw", "openai_costs"]),
    description="Cost pages as OpenAI sent them. Kept for ever, never edited: the evidence.",
    group=GROUP,
    provider=NAME,
    dataset=COSTS.dataset,
    first_day=first_day,
)
FROM_PAGES: dict[str, Any] = {
    "group": GROUP,
    "kinds": {"openai", "polars", "parquet"},
    "deps": [PAGES.key],
}
FROM_LEDGER = FROM_PAGES | {"deps": [PAGES.key, asset_key(Spend)]}
PAGE_RULES = (CONTRACT, CURRENCY, KNOWN_FIELDS)


@PAGES.asset
def pages(
    context: dg.AssetExecutionContext,
    reader: dg.ResourceParam[DayReader],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Iterator[Any]:
    """Read the costs of the run's days."""
    yield from PAGES.read(context, reader, archive, settings)


@table_asset(Spend, **FROM_PAGES, rules=PAGE_RULES)
def spend(
    context: dg.AssetExecutionContext,
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Clean the ledger pages of the run's days."""
    for connection, reads in PAGES.kept(context, archive, settings):
        yield from frames.ledger_batches(reads, connection)


@table_asset(SpendByUser, **FROM_PAGES, reads=(Spend,))
def spend_by_user(
    context: dg.AssetExecutionContext,
    ledger: StoredBatches,
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Add up a ledger that names users; clean the user view's pages where it does not."""

    def pages_of(connection: Connection, days: Sequence[date]) -> Iterator[KeptRead | DamagedRead]:
        return archive.newest(NAME, connection.name, COSTS.dataset, days)

    return frames.users_from(ledger, PAGES.connections(settings), pages_of)


@table_asset(SpendControl, **FROM_LEDGER)
def spend_control(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Clean the ungrouped pages of the days whose ledger was written, from the same read."""
    for _, reads in PAGES.kept(context, archive, settings):
        yield from frames.control_batches(_written(lake, reads), settings.reading.grace)


OPENAI = Provider(
    name=NAME,
    dataset=COSTS.dataset,
    usage_dataset=USAGE_PAGES.dataset,
    directory_dataset=DIRECTORY_DATASET,
    is_usable_directory=is_usable,
    assets=(pages, spend, spend_by_user, spend_control, usage_pages, usage),
    whole_assets=DIRECTORY,
    ledger=frames.ledger_batches,
    first_day=first_day,
    first_usage_day=first_usage_day,
)


def _written(
    lake: Lake, reads: Iterable[KeptRead | DamagedRead]
) -> Iterator[KeptRead | DamagedRead]:
    """Yield the reads that core.spend was made from: a refused ledger refuses its day's total."""
    for read in reads:
        if isinstance(read, DamagedRead):
            continue
        key = Slice(read.manifest.connection, read.manifest.day)
        if lake.read_at(Spend, key) == read.manifest.read_at:
            yield read

"""The core tables of money and usage as assets: each collects from every provider."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import dagster as dg

from openai_costs.orchestration.checks import CONTRACT, CURRENCY, KNOWN_FIELDS, run_days
from openai_costs.orchestration.table_assets import Builder, StoredBatches, asset_key, table_asset
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources import from_ledger, registry
from openai_costs.sources.provider import CostSource, Reads
from openai_costs.sources.raw_pages import raw_pages, refuse_empty_run
from openai_costs.storage.archive import Archive, DamagedRead, KeptRead
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Batches, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage

GROUP = "sources/openai"
USAGE_GROUP = "sources/openai/usage"
"""Names from when there was one provider: people have bookmarks and asset selections."""

PAGE_RULES = (CONTRACT, CURRENCY, KNOWN_FIELDS)


def daily_assets() -> tuple[Builder, ...]:
    """Return the builders of every provider's raw pages, and of the core tables made from them."""
    bills = [one.costs.pages for one in registry.PROVIDERS]
    used = [one.usage.pages for one in registry.PROVIDERS if one.usage]
    from_pages: dict[str, Any] = {
        "group": GROUP,
        "kinds": kinds(),
        "deps": [one.key for one in bills],
    }
    from_ledger = from_pages | {"deps": [*(one.key for one in bills), asset_key(Spend)]}
    return (
        *(raw_pages(one.costs.pages, one.costs) for one in registry.PROVIDERS),
        table_asset(Spend, **from_pages, rules=PAGE_RULES)(spend),
        table_asset(SpendByUser, **from_pages, reads=(Spend,))(spend_by_user),
        table_asset(SpendControl, **from_ledger)(spend_control),
        *(raw_pages(one) for one in used if one not in bills),
        table_asset(
            Usage,
            group=USAGE_GROUP,
            kinds=kinds(),
            deps=[one.key for one in used],
            rules=(CONTRACT, KNOWN_FIELDS),
            is_explanation=True,
        )(usage),
    )


def kinds() -> set[str]:
    """Return what a table of all providers shows: Dagster takes three, so one provider or none."""
    names = {one.name for one in registry.PROVIDERS}
    return {"polars", "deltalake"} | (names if len(names) == 1 else set())


def spend(
    context: dg.AssetExecutionContext,
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Clean the ledger pages of the run's days."""
    refuse_empty_run(context, settings)
    for connection, costs, reads in _bills(context, archive, settings):
        yield from costs.ledger(reads, connection)


def spend_by_user(
    context: dg.AssetExecutionContext,
    ledger: StoredBatches,
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Add up a ledger that names users; clean the view by user where it does not."""
    return by_user(ledger, archive, settings.asked_connections)


def by_user(
    ledger: Iterable[Batch], archive: Archive, connections: Sequence[Connection]
) -> Iterator[Batch]:
    """Yield core.spend_by_user of a ledger.

    Args:
        ledger: core.spend.
        archive: Where the raw pages of the views by user are.
        connections: The connections that are read.
    """
    costs = {one.name: registry.provider_of(one).costs for one in connections}
    plain = {name for name, its in costs.items() if its.by_user is None}
    for batch in ledger:
        named = from_ledger.slices_with_users(batch)
        whole = {key for key in batch.read_at if key in named or key.connection in plain}
        yield from_ledger.by_user(batch, whole)
        for connection in connections:
            its = costs[connection.name]
            days = [key.day for key in batch.of(connection.name) if key not in whole]
            if its.by_user is not None:
                yield from its.by_user(its.pages.newest(archive, connection, days), connection)


def spend_control(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Clean the control totals of the days whose ledger was written, from the same read."""
    grace = settings.reading.grace
    for connection, costs, reads in _bills(context, archive, settings):
        written = _written(lake, reads)
        if costs.control is not None:
            yield from costs.control(written, connection, grace)
        else:
            yield from from_ledger.control(costs.ledger(written, connection), grace)


def usage(
    context: dg.AssetExecutionContext,
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Clean the usage pages of the run's days."""
    for connection in settings.asked_connections:
        if source := registry.provider_of(connection).usage:
            reads = source.pages.newest(archive, connection, run_days(context))
            yield from source.usage(reads, connection)


def _bills(
    context: dg.AssetExecutionContext, archive: Archive, settings: Settings
) -> Iterator[tuple[Connection, CostSource, Reads]]:
    """Yield each connection with the newest complete read of each of the run's days."""
    for connection in settings.asked_connections:
        costs = registry.provider_of(connection).costs
        yield connection, costs, costs.pages.newest(archive, connection, run_days(context))


def _written(lake: Lake, reads: Reads) -> Iterator[KeptRead | DamagedRead]:
    """Yield the reads that core.spend was made from: a refused ledger refuses its day's total."""
    stored = lake.reads(Spend)
    for read in reads:
        if isinstance(read, DamagedRead):
            continue
        key = Slice(read.manifest.connection, read.manifest.day)
        if stored.get(key) == read.manifest.read_at:
            yield read

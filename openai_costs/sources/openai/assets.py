"""The assets of the OpenAI source: the pages as evidence, and the core tables made from them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg

from openai_costs.archive import Archive, DamagedRead, KeptRead
from openai_costs.checks import (
    CONTRACT,
    CURRENCY,
    KNOWN_FIELDS,
    Rule,
    Verdict,
    evaluations,
    finished,
    run_days,
)
from openai_costs.contracts import DAILY, OWNERS, StoredBatches, asset_key, table_asset
from openai_costs.lake import Lake
from openai_costs.settings import Connection, Settings
from openai_costs.slices import Batches, Slice
from openai_costs.sources.collect import Collected, collect
from openai_costs.sources.openai import frames
from openai_costs.sources.openai.connecting import NAME
from openai_costs.sources.openai.endpoints import COSTS
from openai_costs.sources.openai.source import first_day
from openai_costs.sources.source import CostReader, Provider
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl

GROUP = "sources/openai"
PAGES = dg.AssetKey(["raw", "openai_costs"])
READ_COMPLETE = Rule("read_complete", "Every connection was read to its end: all pages or none.")
FROM_PAGES: dict[str, Any] = {
    "group": GROUP,
    "kinds": {"openai", "polars", "parquet"},
    "deps": [PAGES],
}
FROM_LEDGER = FROM_PAGES | {"deps": [PAGES, asset_key(Spend)]}
PAGE_RULES = (CONTRACT, CURRENCY, KNOWN_FIELDS)


def pages(days: DAILY) -> dg.AssetsDefinition:
    """Build the asset that reads the API and keeps what it said."""

    @dg.asset(
        key=PAGES,
        description="Cost pages as OpenAI sent them. Kept for ever, never edited: the evidence.",
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=GROUP,
        kinds={"openai", "json"},
        owners=list(OWNERS),
        pool="openai_api",
        retry_policy=dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL),
        check_specs=[READ_COMPLETE.spec(PAGES, days)],
        io_manager_key="lake_io",
    )
    def openai_costs(
        context: dg.AssetExecutionContext,
        reader: dg.ResourceParam[CostReader],
        archive: dg.ResourceParam[Archive],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[Any]:
        days = run_days(context)
        done = collect(reader, archive, _ours(settings), days, context.log.info)
        yield from evaluations(PAGES, _verdicts(done, days))
        if done.is_nothing:
            sentences = " ".join(map(str, done.failed.values()))
            raise dg.Failure(sentences, allow_retries=done.may_succeed_later)
        _record(context, done)
        yield dg.Output(None)
        yield from finished(PAGES, [READ_COMPLETE])

    return openai_costs


@table_asset(Spend, **FROM_PAGES, rules=PAGE_RULES)
def spend(
    context: dg.AssetExecutionContext,
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Clean the ledger pages of the run's days."""
    for connection, reads in _reads(context, archive, settings):
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

    return frames.users_from(ledger, _ours(settings), pages_of)


@table_asset(SpendControl, **FROM_LEDGER)
def spend_control(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Clean the ungrouped pages of the days whose ledger was written, from the same read."""
    for _, reads in _reads(context, archive, settings):
        yield from frames.control_batches(_written(lake, reads), settings.reading.grace)


OPENAI = Provider(
    name=NAME,
    dataset=COSTS.dataset,
    assets=(pages, spend, spend_by_user, spend_control),
    ledger=frames.ledger_batches,
    first_day=first_day,
)


def _ours(settings: Settings) -> list[Connection]:
    return [connection for connection in settings.asked_connections if connection.provider == NAME]


def _reads(
    context: dg.AssetExecutionContext, archive: Archive, settings: Settings
) -> Iterator[tuple[Connection, Iterable[KeptRead | DamagedRead]]]:
    """Yield each connection with the newest complete read of each of the run's days."""
    for connection in _ours(settings):
        yield (
            connection,
            archive.newest(NAME, connection.name, COSTS.dataset, run_days(context)),
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


def _verdicts(done: Collected, days: Iterable[date]) -> Iterator[Verdict]:
    for day in days:
        owing = [name for name, unread in done.unread.items() if day in unread]
        said = " ".join(str(done.failed[name]) for name in owing) or READ_COMPLETE.promise
        yield Verdict(READ_COMPLETE, day, not owing, said)


def _record(context: dg.AssetExecutionContext, done: Collected) -> None:
    """Record each day's bytes."""
    for day in sorted({day for kept in done.kept.values() for day in kept}):
        sizes = {name: kept[day] for name, kept in done.kept.items() if day in kept}
        figures = {"connections": ", ".join(sizes), "body_bytes": sum(sizes.values())}
        context.add_asset_metadata(figures, asset_key=PAGES, partition_key=str(day))

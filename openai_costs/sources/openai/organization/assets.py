"""The directory as assets: the lists as evidence, and the eight tables folded from all of them.

They explain the ledger and never stop it: what cannot be read or used turns a check red, and the
step ends. Not in the daily refresh: a reading of a large organisation takes its time.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from openai_costs.kernel.days import Clock, DayRange
from openai_costs.kernel.errors import ContractBroken
from openai_costs.orchestration.table_assets import OWNERS, asset_key, described
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.connection import NAME
from openai_costs.sources.openai.organization.checks import (
    READ_COMPLETE,
    Made,
    read_complete,
    results,
    rules,
)
from openai_costs.sources.openai.organization.endpoints import DATASET
from openai_costs.sources.openai.organization.frames import folded
from openai_costs.sources.openai.organization.kinds import KINDS, Kind
from openai_costs.sources.openai.organization.ledger_ids import ledger_ids
from openai_costs.sources.provider import DayReader, Tell
from openai_costs.sources.raw_pages import Collected, collect
from openai_costs.storage.archive import Archive
from openai_costs.storage.lake import Lake

GROUP = "sources/openai/directory"
PAGES = dg.AssetKey(["raw", "openai_directory"])
TRIES = 3
"""The transport is patient for minutes; lists that were finished are not asked for again."""


@dg.asset(
    key=PAGES,
    description="Directory pages as OpenAI sent them. Kept for ever, never edited.",
    backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
    group_name=GROUP,
    kinds={NAME, "json"},
    owners=list(OWNERS),
    pool="openai_directory",
    check_specs=[READ_COMPLETE.spec(PAGES, None)],
)
def pages(
    context: dg.AssetExecutionContext,
    directory_reader: dg.ResourceParam[DayReader],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Read the directory of every connection that may be asked, and keep it."""
    today = clock().date()
    done = _collected(directory_reader, archive, settings, today, context.log.info)
    kept = [name for name, days in done.kept.items() if days]
    reads = [one for name in kept for one in archive.newest(NAME, name, DATASET, [today])]
    yield dg.MaterializeResult(
        metadata={
            "connections": ", ".join(kept),
            "body_bytes": sum(size for days in done.kept.values() for size in days.values()),
        },
        check_results=[read_complete(done.failed, reads, _unasked(settings))],
    )


def table(kind: Kind) -> dg.AssetsDefinition:
    """Build the asset of one table: folded from all kept reads, replaced as a whole."""
    contract = kind.table
    others = (*(one for one, _ in kind.ledger), *filter(None, [kind.known_from]))

    def known(
        context: dg.AssetExecutionContext,
        lake: dg.ResourceParam[Lake],
        archive: dg.ResourceParam[Archive],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[dg.MaterializeResult[Any]]:
        with lake.alone(contract):
            made = _made(kind, lake, archive, settings)
        rows = sum(one.frame.height for one in made.folded.values())
        yield dg.MaterializeResult(
            metadata={"dagster/row_count": rows}, check_results=list(results(made))
        )

    asset: dg.AssetsDefinition = dg.asset(
        **described(contract),
        deps=[PAGES, *map(asset_key, others)],
        backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
        group_name=GROUP,
        kinds={NAME, "polars", "parquet"},
        check_specs=[rule.spec(asset_key(contract), None) for rule in rules(kind)],
    )(known)
    return asset


DIRECTORY: tuple[dg.AssetsDefinition, ...] = (pages, *map(table, KINDS))


def _collected(
    reader: DayReader, archive: Archive, settings: Settings, today: date, tell: Tell
) -> Collected:
    """Read the connections, and those again that may succeed later."""
    days = DayRange(today, today)
    asked = [one for one in settings.asked_connections if one.provider == NAME]
    left = [one for one in asked if one.access == "full"]
    done = Collected()
    for _ in range(TRIES):
        found = collect(reader, archive, left, days, tell)
        done.kept |= found.kept
        done.failed = {
            name: error for name, error in done.failed.items() if name not in found.kept
        } | found.failed
        left = [one for one in left if getattr(found.failed.get(one.name), "is_retryable", False)]
    return done


def _made(kind: Kind, lake: Lake, archive: Archive, settings: Settings) -> Made:
    """Fold a table and replace it; it stays as it was when its rows break the contract.

    A connection that is no longer in the settings keeps its names: its dollars are still there.
    """
    ledger = ledger_ids(lake, kind)
    elsewhere = lake.read(kind.known_from) if kind.known_from else kind.table.no_rows()
    made = Made(kind, unasked=_unasked(settings))
    ours = {one.name for one in settings.connections if one.provider == NAME}
    for name in sorted(ours | set(archive.connections(NAME))):
        made.folded[name] = folded(
            kind,
            (name, NAME),
            archive.every(NAME, name, DATASET),
            ledger.filter(connection=name),
            elsewhere.filter(connection=name)["id"].to_list(),
        )
    try:
        frames = (one.frame for one in made.folded.values())
        lake.replace_whole(kind.table, pl.concat([kind.table.no_rows(), *frames]))
    except ContractBroken as broken:
        made.broken = str(broken)
    return made


def _unasked(settings: Settings) -> frozenset[str]:
    """Return the connections that give costs only."""
    ours = (one for one in settings.connections if one.provider == NAME)
    return frozenset(one.name for one in ours if one.access == "costs_only")

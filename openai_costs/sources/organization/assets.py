"""Organizations as assets: each provider's lists as raw pages, and eight tables made from all.

They explain the ledger and never stop it: what cannot be read or used turns a check red, and the
step ends. Not in the daily refresh: a reading of a large organization takes its time.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import dagster as dg
import polars as pl

from openai_costs.kernel.clock_skew import SkewAwareClock, skew_aware
from openai_costs.kernel.days import Clock, DayRange
from openai_costs.kernel.errors import ContractBroken, ReadFailed
from openai_costs.orchestration.checks import finished
from openai_costs.orchestration.table_assets import OWNERS, asset_key, described
from openai_costs.orchestration.verdict_scope import CONNECTIONS, joined
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources import registry
from openai_costs.sources.account_notes import refusal
from openai_costs.sources.accounts import Accounts
from openai_costs.sources.assets import kinds
from openai_costs.sources.ingest import Ingested, ingest, sources
from openai_costs.sources.organization.checks import (
    READ_COMPLETE,
    Made,
    read_complete,
    results,
    rules,
)
from openai_costs.sources.organization.frames import folded
from openai_costs.sources.organization.kept_lists import KeptLists
from openai_costs.sources.organization.kinds import KINDS, Kind
from openai_costs.sources.organization.ledger_ids import ledger_ids
from openai_costs.sources.page_checks import asks_none, promise
from openai_costs.sources.provider import DayReader, OrganizationSource, Reach, Tell
from openai_costs.sources.raw_pages import report_skew
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.lake import Lake

GROUP = "sources/openai/directory"
"""A name from when there was one provider: people have bookmarks and asset selections."""

AFTER_KEPT = 0
"""Bytes of lists that are read ahead: a reader forgets single ones when all of them are kept."""

TRIES = 3
"""The transport retries for minutes; lists that were finished are not asked for again."""


def whole_assets() -> tuple[dg.AssetsDefinition, ...]:
    """Return the raw pages of every provider that has an organization, and the tables."""
    return (*map(pages, _organizations()), *map(table, KINDS))


def _organizations() -> list[OrganizationSource]:
    return [one.organization for one in registry.PROVIDERS if one.organization]


def pages(source: OrganizationSource) -> dg.AssetsDefinition:
    """Build the asset of a provider's lists."""
    key, provider = source.pages.key, source.pages.provider

    def read(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        archive: dg.ResourceParam[Archive],
        clock: dg.ResourceParam[Clock],
        reach: dg.ResourceParam[Reach],
    ) -> Iterator[Any]:
        """Read the lists of every connection that may be asked, and keep them."""
        compared, ours = skew_aware(clock), settings.asked_of(provider)
        if not ours:  # no verdict, as of the pages of days
            note = {"note": asks_none(provider)}
            yield dg.MaterializeResult(asset_key=key, metadata=note)
            yield from finished(key, [READ_COMPLETE])
            return
        reader = source.pages.reader(settings, archive, compared.ours, reach)
        names = [one.name for one in ours]
        allowed = [one for one in ours if not refusal(archive, settings, one)]
        done = _ingested(reader, archive, allowed, compared, context.log.info)
        report_skew(compared, context.log.info)
        done.failed |= _recheck(settings, archive, allowed, context.log.info)
        kept = [one for one in ours if done.kept.get(one.name)]
        reads = [
            read for one in kept for read in source.pages.newest(archive, one, done.kept[one.name])
        ]
        yield dg.MaterializeResult(
            metadata={
                CONNECTIONS: joined([one.name for one in kept]),
                "body_bytes": done.body_bytes,
            },
            check_results=[
                read_complete(
                    done.failed,
                    reads,
                    _unasked(settings, provider) & {*names},
                    names,
                    promise(READ_COMPLETE, settings, provider, names),
                )
            ],
        )

    asset: dg.AssetsDefinition = dg.asset(
        key=key,
        description=source.pages.description,
        backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
        group_name=source.pages.group,
        kinds={provider, "json"},
        owners=list(OWNERS),
        pool=f"{provider}_directory",
        check_specs=[READ_COMPLETE.spec(key, None)],
    )(read)
    return asset


def table(kind: Kind) -> dg.AssetsDefinition:
    """Build the asset of one table: folded from all kept reads, replaced as a whole."""
    contract = kind.table
    others = (*(one for one, _ in kind.ledger), *filter(None, [kind.known_from]))

    def known(
        context: dg.AssetExecutionContext,
        lake: dg.ResourceParam[Lake],
        kept_lists: dg.ResourceParam[KeptLists],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[dg.MaterializeResult[Any]]:
        with lake.alone(contract):
            made = _made(kind, lake, kept_lists, settings)
        rows = sum(one.frame.height for one in made.folded.values())
        yield dg.MaterializeResult(
            metadata={"dagster/row_count": rows}, check_results=list(results(made))
        )

    asset: dg.AssetsDefinition = dg.asset(
        **described(contract),
        deps=[*(one.pages.key for one in _organizations()), *map(asset_key, others)],
        backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
        group_name=GROUP,
        kinds=kinds(),
        check_specs=[rule.spec(asset_key(contract), None) for rule in rules(kind)],
    )(known)
    return asset


def _ingested(
    reader: DayReader,
    archive: Archive,
    connections: Sequence[Connection],
    clock: SkewAwareClock,
    tell: Tell,
) -> Ingested:
    """Read the connections that may be asked, and those again that may succeed later.

    So may a reading with the date of a wrong clock: the server's responses show which day it is.
    """
    of_now = clock.of_now()

    def read_lists(connection: Connection, its_tell: Tell) -> Iterable[DayRead]:
        return reader.read(connection, days, its_tell)

    left = [one for one in connections if one.access == "full"]
    done = Ingested()
    for _ in range(TRIES):
        today = of_now().date()
        days = DayRange(today, today)
        found = ingest(sources(read_lists, left, days), archive, tell, of_now, AFTER_KEPT)
        done.kept |= found.kept
        done.failed = {
            name: error for name, error in done.failed.items() if name not in found.kept
        } | found.failed
        left = [one for one in left if _may_succeed(found, one.name)]
    return done


def _recheck(
    settings: Settings, archive: Archive, connections: Sequence[Connection], tell: Tell
) -> dict[str, ReadFailed]:
    """Compare the lists of connections, where their costs do not say whose they are."""
    found: dict[str, ReadFailed] = {}
    for provider in registry.PROVIDERS:
        ours = [one for one in connections if one.provider == provider.name]
        accounts = Accounts(settings, archive, provider.costs, provider.organization)
        found |= accounts.recheck(ours, tell)
    return found


def _may_succeed(round_read: Ingested, name: str) -> bool:
    """Return whether another reading of a connection may bring what this one did not."""
    if (error := round_read.failed.get(name)) is not None:
        return bool(getattr(error, "is_retryable", False))
    return not round_read.kept[name]


def _made(kind: Kind, lake: Lake, kept_lists: KeptLists, settings: Settings) -> Made:
    """Fold a table and replace it; it stays as it was when its rows break the contract."""
    ids = ledger_ids(lake, kind)
    elsewhere = lake.read(kind.known_from) if kind.known_from else kind.table.no_rows()
    made = Made(kind)
    for source in _organizations():
        names = _names(source, kept_lists, settings)
        made.unasked |= _unasked(settings, source.pages.provider) | _former(settings, names)
        for name in names:
            made.folded[name] = folded(
                kind,
                (name, source.pages.provider),
                kept_lists.of(source, name)[kind.table],
                ids.filter(connection=name),
                elsewhere.filter(connection=name)["id"].to_list(),
            )
    try:
        frames = (one.frame for one in made.folded.values())
        lake.replace_whole(kind.table, pl.concat([kind.table.no_rows(), *frames]))
    except ContractBroken as broken:
        made.broken = str(broken)
    return made


def _names(source: OrganizationSource, kept_lists: KeptLists, settings: Settings) -> list[str]:
    """Return the connections of a provider.

    One that is no longer in the settings keeps its names: its dollars are still there.
    """
    provider = source.pages.provider
    ours = {one.name for one in settings.connections if one.provider == provider}
    return sorted(ours | set(kept_lists.connections(provider)))


def _former(settings: Settings, names: Iterable[str]) -> frozenset[str]:
    """Return those of some connections that settings no longer have."""
    return frozenset(names) - {one.name for one in settings.connections}


def _unasked(settings: Settings, provider: str) -> frozenset[str]:
    """Return the connections of a provider that give costs only."""
    ours = (one for one in settings.connections if one.provider == provider)
    return frozenset(one.name for one in ours if one.access == "costs_only")

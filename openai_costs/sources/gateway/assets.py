"""The gateway as assets: its registry and its meter as evidence, and the two tables made of them.

They explain the ledger and never stop it: what cannot be read turns a check red, and the run goes
on with what is there.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import dagster as dg

from openai_costs.kernel.days import Clock, DayRange
from openai_costs.orchestration.checks import (
    CONTRACT,
    Rule,
    Verdict,
    evaluations,
    finished,
    run_days,
)
from openai_costs.orchestration.table_assets import DAILY, OWNERS, asset_key, described, table_asset
from openai_costs.settings import Gateway
from openai_costs.settings.gateway import days_in_use
from openai_costs.settings.load import Settings
from openai_costs.sources.gateway.frames import PROVIDERS, newest, registries, spend_batches, tokens
from openai_costs.sources.gateway.litellm.endpoints import METER, REGISTRY
from openai_costs.sources.gateway.readers import (
    NOT_CONFIGURED,
    Readers,
    read_meter,
    read_registry,
)
from openai_costs.sources.ingest import Ingested
from openai_costs.storage.archive import Archive, DamagedRead, KeptRead
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batches
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens

GROUP = "sources/gateway"
REGISTRY_PAGES = dg.AssetKey(["raw", "gateway_registry"])
METER_PAGES = dg.AssetKey(["raw", "gateway_meter"])
TOKENS = asset_key(GatewayTokens)
READ_COMPLETE = Rule("read_complete", "The gateway was read to its end: all pages or none.")
LISTED = Rule("read_complete", "The registry was read to its end.", is_daily=False)
USABLE = Rule("usable", "Every kept registry can be used.", is_daily=False)


@dg.asset(
    key=REGISTRY_PAGES,
    description="The gateway's registry as it was sent. Kept for ever, never edited.",
    backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
    group_name=GROUP,
    kinds={"json"},
    owners=list(OWNERS),
    pool="gateway",
    check_specs=[LISTED.spec(REGISTRY_PAGES, None)],
)
def registry_pages(
    context: dg.AssetExecutionContext,
    gateway_readers: dg.ResourceParam[Readers],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Read the registry of the gateway and keep it."""
    done = read_registry(gateway_readers, archive, clock().date(), context.log.info)
    said = " ".join(map(str, done.failed.values())) or _promise(settings.gateway, LISTED)
    verdict = dg.AssetCheckResult(
        check_name=LISTED.name, asset_key=REGISTRY_PAGES, passed=not done.failed, description=said
    )
    yield dg.MaterializeResult(metadata={"body_bytes": done.body_bytes}, check_results=[verdict])


def meter_pages(days: DAILY) -> dg.AssetsDefinition:
    """Build the asset that reads the meter and keeps what it said."""

    @dg.asset(
        key=METER_PAGES,
        description="The gateway's meter as it was sent. Kept for ever, never edited.",
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=GROUP,
        kinds={"json"},
        owners=list(OWNERS),
        pool="gateway",
        check_specs=[READ_COMPLETE.spec(METER_PAGES, days)],
        io_manager_key="lake_io",
    )
    def gateway_meter(
        context: dg.AssetExecutionContext,
        gateway_readers: dg.ResourceParam[Readers],
        archive: dg.ResourceParam[Archive],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[Any]:
        asked = run_days(context)
        days = days_in_use(settings.gateway, asked)
        done = read_meter(gateway_readers, archive, days, context.log.info) if days else Ingested()
        yield dg.Output(None)
        yield from evaluations(METER_PAGES, _verdicts(done, asked, settings.gateway))
        yield from finished(METER_PAGES, [READ_COMPLETE])

    return gateway_meter


@table_asset(
    GatewaySpend,
    group=GROUP,
    kinds={"polars", "parquet"},
    deps=[METER_PAGES],
    rules=(CONTRACT,),
    is_explanation=True,
)
def gateway_spend(
    context: dg.AssetExecutionContext,
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Clean the newest complete meter of each of the run's days."""
    name, days = settings.gateway.name, run_days(context)
    kept = (archive.newest(provider, name, METER, days) for provider in PROVIDERS)
    return spend_batches(newest(chain.from_iterable(kept)))


def _gateway_tokens(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Fold all kept registries into the tokens there are and were."""
    gateway = settings.gateway
    with lake.alone(GatewayTokens):
        keys = lake.read(ApiKeys)
        kept, now = _registries(archive, gateway), registries(gateway)
        frame, said = tokens(gateway.name, kept, gateway.upstreams, keys, now)
        lake.replace_whole(GatewayTokens, frame)
    verdict = dg.AssetCheckResult(
        check_name=USABLE.name,
        asset_key=TOKENS,
        passed=not said,
        description=" ".join(said) or USABLE.promise,
    )
    yield dg.MaterializeResult(
        metadata={"dagster/row_count": frame.height}, check_results=[verdict]
    )


gateway_tokens: dg.AssetsDefinition = dg.asset(
    **described(GatewayTokens),
    deps=[REGISTRY_PAGES, asset_key(ApiKeys)],
    backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
    group_name=GROUP,
    kinds={"polars", "parquet"},
    check_specs=[USABLE.spec(TOKENS, None)],
)(_gateway_tokens)
DAILY_ASSETS = (meter_pages, gateway_spend)
WHOLE_ASSETS = (registry_pages, gateway_tokens)


def _registries(archive: Archive, gateway: Gateway) -> Iterator[KeptRead | DamagedRead]:
    for provider in PROVIDERS:
        yield from archive.every(provider, gateway.name, REGISTRY)


def _promise(gateway: Gateway, rule: Rule) -> str:
    return rule.promise if gateway.is_there else NOT_CONFIGURED


def _verdicts(done: Ingested, asked: DayRange, gateway: Gateway) -> Iterator[Verdict]:
    """Judge each day: one that was not kept is owed when its reader failed, or not there yet."""
    for day in asked:
        failures = done.failures_on(day)
        because = failures or _promise(gateway, READ_COMPLETE)
        yield Verdict(READ_COMPLETE, day, not failures, because)

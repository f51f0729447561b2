"""The gateway as assets: its registry and its meter as evidence, and the two tables made of them.

They explain the ledger and never stop it: what cannot be read turns a check red, and the run goes
on with what is there.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any

import dagster as dg
import polars as pl

from openai_costs.kernel.clock_skew import skew_aware
from openai_costs.kernel.days import Clock, DayRange
from openai_costs.orchestration.checks import (
    CONTRACT,
    WARN,
    Rule,
    Verdict,
    evaluations,
    finished,
    run_days,
)
from openai_costs.orchestration.table_assets import DAILY, OWNERS, asset_key, described, table_asset
from openai_costs.orchestration.verdict_scope import Scope
from openai_costs.settings import Gateway
from openai_costs.settings.gateway import days_in_use
from openai_costs.settings.load import Settings
from openai_costs.sources.gateway.files.odd_rows import summary
from openai_costs.sources.gateway.frames import PROVIDERS, newest, registries, spend_batches, tokens
from openai_costs.sources.gateway.litellm.endpoints import METER, REGISTRY
from openai_costs.sources.gateway.readers import (
    NOT_CONFIGURED,
    Readers,
    continue_former,
    read_meter,
    read_registry,
    set_aside,
    withdraw_unproven,
)
from openai_costs.sources.gateway.registry import strangers
from openai_costs.sources.gateway.unlisted_tokens import MeteredToken, with_unlisted
from openai_costs.sources.ingest import Ingested
from openai_costs.sources.raw_pages import report_skew
from openai_costs.storage.archive import Archive, DamagedRead, KeptRead
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batches
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens

AtListPrice = Callable[[pl.DataFrame], pl.DataFrame]
"""Gives rows of core.gateway_spend without dollars their value at list price."""

GROUP = "sources/gateway"
REGISTRY_PAGES = dg.AssetKey(["raw", "gateway_registry"])
METER_PAGES = dg.AssetKey(["raw", "gateway_meter"])
TOKENS = asset_key(GatewayTokens)
READ_COMPLETE = Rule("read_complete", "The gateway was read to its end: all pages or none.")
LISTED = Rule("read_complete", "The registry was read to its end.", is_daily=False)
_METERED_TOKENS = """
    SELECT connection, token_id, arg_max(token_name, day) FILTER (token_name IS NOT NULL),
           min(day), max(day)
    FROM stored WHERE token_id IS NOT NULL GROUP BY connection, token_id
"""
USABLE = Rule("usable", "Every kept registry can be used.", is_daily=False)


@dg.asset(
    key=REGISTRY_PAGES,
    description="The gateway's registry as it was sent. Kept and never edited.",
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
    compared = skew_aware(clock)
    if settings.gateway.is_there:
        continue_former(settings, archive, context.log.info)
    done = read_registry(gateway_readers, archive, compared, context.log.info)
    report_skew(compared, context.log.info)
    odd = [row for rows in set_aside(done).values() for row in rows.items()]
    because = " ".join([*map(str, done.failed.values()), *([summary(odd)] if odd else [])])
    name = settings.gateway.name
    verdict = dg.AssetCheckResult(
        check_name=LISTED.name,
        asset_key=REGISTRY_PAGES,
        passed=not because,
        severity=LISTED.severity if done.failed or not odd else WARN,
        description=because or _promise(settings.gateway, LISTED),
        metadata=Scope([name], {name: because} if because else {}).figures(),
    )
    yield dg.MaterializeResult(metadata={"body_bytes": done.body_bytes}, check_results=[verdict])


def meter_pages(days: DAILY) -> dg.AssetsDefinition:
    """Build the asset that reads the meter and keeps its answer."""

    @dg.asset(
        key=METER_PAGES,
        description="The gateway's meter as it was sent. Kept and never edited.",
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
        clock: dg.ResourceParam[Clock],
    ) -> Iterator[Any]:
        asked, compared, tell = run_days(context), skew_aware(clock), context.log.info
        days = days_in_use(settings.gateway, asked)
        done = Ingested()
        if days:
            continue_former(settings, archive, tell)
            done = read_meter(gateway_readers, archive, days, compared, tell)
            withdraw_unproven(done, archive, settings)
        report_skew(compared, tell)
        yield dg.Output(None)
        yield from evaluations(METER_PAGES, _verdicts(done, asked, settings.gateway))
        yield from finished(METER_PAGES, [READ_COMPLETE])

    return gateway_meter


@table_asset(
    GatewaySpend,
    group=GROUP,
    kinds={"polars", "deltalake"},
    deps=[METER_PAGES],
    rules=(CONTRACT,),
    is_explanation=True,
)
def gateway_spend(
    context: dg.AssetExecutionContext,
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
    at_list_price: dg.ResourceParam[AtListPrice],
) -> Batches:
    """Clean the newest complete meter of each of the run's days; value what has no dollars."""
    name, days = settings.gateway.name, run_days(context)
    kept = (archive.newest(provider, name, METER, days) for provider in PROVIDERS)
    for batch in spend_batches(newest(chain.from_iterable(kept))):
        yield replace(batch, frame=at_list_price(batch.frame))


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
        listed, refused = tokens(gateway.name, kept, gateway.upstreams, keys, now)
        metered = _metered_tokens(lake, gateway)
        frame = with_unlisted(listed, gateway.name, metered, gateway.upstreams)
        lake.replace_whole(GatewayTokens, frame)
    because = [*refused, *strangers(frame, keys)]
    verdict = dg.AssetCheckResult(
        check_name=USABLE.name,
        asset_key=TOKENS,
        passed=not because,
        severity=USABLE.severity if refused or not because else WARN,
        description=" ".join(because) or USABLE.promise,
    )
    yield dg.MaterializeResult(
        metadata={"dagster/row_count": frame.height}, check_results=[verdict]
    )


gateway_tokens: dg.AssetsDefinition = dg.asset(
    **described(GatewayTokens),
    deps=[REGISTRY_PAGES, asset_key(GatewaySpend), asset_key(ApiKeys)],
    backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
    group_name=GROUP,
    kinds={"polars", "deltalake"},
    check_specs=[USABLE.spec(TOKENS, None)],
)(_gateway_tokens)
DAILY_ASSETS = (meter_pages, gateway_spend)
WHOLE_ASSETS = (registry_pages, gateway_tokens)


def _registries(archive: Archive, gateway: Gateway) -> Iterator[KeptRead | DamagedRead]:
    for provider in PROVIDERS:
        yield from archive.every(provider, gateway.name, REGISTRY)


def _metered_tokens(lake: Lake, gateway: Gateway) -> list[MeteredToken]:
    """Return the tokens that the stored meter names."""
    types = {"connection": pl.String, "token_id": pl.String, "name": pl.String}
    schema = pl.Schema(types | {"first": pl.Date, "last": pl.Date})
    found = lake.ask(GatewaySpend, _METERED_TOKENS, schema).filter(connection=gateway.name)
    return [MeteredToken(*row) for row in found.drop("connection").iter_rows()]


def _promise(gateway: Gateway, rule: Rule) -> str:
    return rule.promise if gateway.is_there else NOT_CONFIGURED


def _verdicts(done: Ingested, asked: DayRange, gateway: Gateway) -> Iterator[Verdict]:
    """Judge each day: one that was not kept is owed when its reader failed, or not there yet."""
    odd = set_aside(done)
    for day in asked:
        if failures := " ".join(done.failures_on(day).values()):
            yield _verdict(gateway, day, failures)
        elif rows := odd.get(day):
            yield _verdict(gateway, day, summary(list(rows.items())), WARN)
        else:
            promise, scope = _promise(gateway, READ_COMPLETE), Scope([gateway.name])
            yield Verdict(READ_COMPLETE, day, passed=True, because=promise, scope=scope)


def _verdict(
    gateway: Gateway, day: date, because: str, severity: dg.AssetCheckSeverity | None = None
) -> Verdict:
    """Return the verdict on a day whose meter was not read, or not as a whole."""
    scope = Scope([gateway.name], {gateway.name: because})
    return Verdict(READ_COMPLETE, day, False, because, severity=severity, scope=scope)

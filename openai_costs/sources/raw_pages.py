"""Raw pages as daily assets: read from every connection of a provider, and kept forever.

A run in which no ledger could be read at all ends red; a provider that fails beside others turns
its check red, and the others' money goes on. So does every money where an explanation fails. Not
here: how reads are kept (ingest.py), how a provider is read (its own folder).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any

import dagster as dg

from openai_costs.kernel.clock_skew import SkewAwareClock, skew_aware
from openai_costs.kernel.days import Clock, DayRange
from openai_costs.orchestration.checks import Rule, evaluations, finished, run_days
from openai_costs.orchestration.day_figures import record_days
from openai_costs.orchestration.table_assets import DAILY, OWNERS, Builder
from openai_costs.orchestration.verdict_scope import CONNECTIONS, joined
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources import registry
from openai_costs.sources.account_notes import refusal
from openai_costs.sources.accounts import Accounts
from openai_costs.sources.ingest import Ingested, ingest, sources
from openai_costs.sources.page_checks import (
    CLOCK_AGREES,
    READ_COMPLETE,
    asks_none,
    clock_agrees,
    promise,
    read_complete,
)
from openai_costs.sources.provider import CostSource, RawPages, Reach, Tell
from openai_costs.sources.side_by_side import MOST_AHEAD
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.withdrawal import withdraw

UNCHANGED = "read_without_news"
"""The figure of a run's last day that names who was read, where all is as it was kept before."""

MORE_TRIES = 2
"""Of a step whose pages may come later."""


def raw_pages(pages: RawPages, costs: CostSource | None = None) -> Builder:
    """Return the builder of the daily asset that reads some pages.

    Args:
        pages: The pages.
        costs: The costs whose pages these are. Without, they explain the ledger and are not the
            ledger itself: connections that give costs only are not asked, and failures end no run.
    """

    def read(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        archive: dg.ResourceParam[Archive],
        clock: dg.ResourceParam[Clock],
        reach: dg.ResourceParam[Reach],
    ) -> Iterator[Any]:
        """Read the run's days of every connection and keep them."""
        days, ours = run_days(context), settings.asked_of(pages.provider)
        if not ours:  # no verdict: a run of other connections judges no day of these
            record_days(context, pages.key, {days.last: {"note": asks_none(pages.provider)}})
            yield from (dg.Output(None), *finished(pages.key, rules))
            return
        unasked = {} if costs is not None else dict(_unasked(archive, settings, ours))
        asked = [one for one in ours if one.name not in unasked]
        compared, tell = skew_aware(clock), context.log.info
        reader = pages.reader(settings, archive, compared.ours, reach)
        accounts = _accounts(settings, archive, costs) if costs is not None else None

        def read_days(connection: Connection, its_tell: Tell) -> Iterable[DayRead]:
            if days.last < connection.first_day:
                return ()
            its = DayRange(max(days.first, connection.first_day), days.last)
            return reader.read(connection, its, its_tell)

        def admit(connection: Connection, reads: Iterable[DayRead]) -> Iterable[DayRead]:
            return accounts.checked(connection, reads, tell) if accounts else reads

        found, ahead = (
            sources(read_days, asked, days, admit),
            MOST_AHEAD if pages.is_paced else None,
        )
        done = ingest(found, archive, tell, compared, ahead)
        for one in asked:
            its = done.withdrawn.get(one.name, ())
            reads = {day: pages.reads(archive, one, day) for day in its}
            withdraw(Lake(place(settings.home)), one.name, reads)
        report_skew(compared, tell)
        first = {one.name: pages.first_day(archive, one) for one in ours}
        green = promise(READ_COMPLETE, settings, pages.provider, [*first])
        there = [day for day in days if day <= compared().date()]
        yield from evaluations(pages.key, read_complete(done, there, first, unasked, green))
        if costs is not None:
            yield from evaluations(pages.key, [clock_agrees(compared, days.last, [*first])])
        if done.is_nothing and costs is not None and not _are_others_read(context, settings, pages):
            raise _failure(done)
        _record(context, pages, done, archive)
        yield dg.Output(None)
        yield from finished(pages.key, rules)

    rules = [READ_COMPLETE] if costs is None else [READ_COMPLETE, CLOCK_AGREES]
    return partial(_asset, pages, read, rules)


def report_skew(clock: SkewAwareClock, tell: Tell) -> None:
    """Write to the log, once in a run, that our clock and a server's differ."""
    if warning := clock.report():
        tell(warning)


def _asset(
    pages: RawPages,
    read: Callable[..., Iterator[Any]],
    rules: Sequence[Rule],
    days: DAILY,
) -> dg.AssetsDefinition:
    asset: dg.AssetsDefinition = dg.asset(
        key=pages.key,
        description=pages.description,
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=pages.group,
        kinds={pages.provider, "json"},
        owners=list(OWNERS),
        pool=f"{pages.provider}_api",
        check_specs=[rule.spec(pages.key, days) for rule in rules],
        io_manager_key="lake_io",
    )(read)
    return asset


def refuse_empty_run(context: dg.AssetExecutionContext, settings: Settings) -> None:
    """End a run that asked several providers for their bills and was given nothing by any.

    One that is alone in a run ends it by itself. Files that are as they were kept are not nothing.

    Raises:
        dg.Failure: With what each of them gave instead.
    """
    asked = (one for one in registry.PROVIDERS if settings.asked_of(one.name))
    keys = {one.costs.pages.key for one in asked}
    if len(keys) <= 1:
        return
    kept = dg.DagsterEventType.ASSET_MATERIALIZATION
    events = context.instance.all_logs(context.run.run_id, of_type=kept)
    made = [found for one in events if (found := one.asset_materialization) is not None]
    ours = [one for one in made if one.asset_key in keys]
    if any({CONNECTIONS, UNCHANGED} & one.metadata.keys() for one in ours):
        return
    judged = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    failures = [
        verdict.description
        for one in context.instance.all_logs(context.run.run_id, of_type=judged)
        if (verdict := one.get_dagster_event().asset_check_evaluation_data).asset_key in keys
        and (verdict.check_name, verdict.passed) == (READ_COMPLETE.name, False)
        and verdict.description
    ]
    if failures:
        raise dg.Failure(" ".join(dict.fromkeys(failures)), allow_retries=False)


def _are_others_read(
    context: dg.AssetExecutionContext, settings: Settings, pages: RawPages
) -> bool:
    """Return whether the run asks another provider for its bill too."""
    others = {one.costs.pages.key for one in registry.PROVIDERS if settings.asked_of(one.name)} - {
        pages.key
    }
    return not others.isdisjoint(context.job_def.asset_layer.executable_asset_keys)


def _accounts(settings: Settings, archive: Archive, costs: CostSource) -> Accounts:
    """Return the accounts of the provider whose costs these are."""
    found = (one.organization for one in registry.PROVIDERS if one.costs is costs)
    return Accounts(settings, archive, costs, next(found, None))


def _unasked(
    archive: Archive, settings: Settings, connections: Iterable[Connection]
) -> Iterator[tuple[str, str]]:
    """Yield the connections whose explanations are not asked for, and why."""
    for one in connections:
        if one.access != "full":
            yield one.name, "access is costs_only"
        elif refusal(archive, settings, one):
            yield one.name, "its key reads an account that is not its own"


def _record(
    context: dg.AssetExecutionContext, pages: RawPages, done: Ingested, archive: Archive
) -> None:
    """Record each day's bytes, and the folder with its evidence for each connection."""
    recorded = dict[date, dict[str, Any]]()
    for day in sorted({day for kept in done.kept.values() for day in kept}):
        sizes = {name: kept[day] for name, kept in done.kept.items() if day in kept}
        figures: dict[str, Any] = {CONNECTIONS: joined([*sizes]), "body_bytes": sum(sizes.values())}
        for name in sizes:
            folder = archive.folder_of(pages.provider, name, pages.dataset, day)
            about = "evidence" if len(sizes) == 1 else f"evidence of {name}"
            figures[about] = dg.MetadataValue.path(str(folder))
        recorded[day] = figures
    if done.ended and not recorded:
        recorded[run_days(context).last] = {UNCHANGED: joined(sorted(done.ended))}
    record_days(context, pages.key, recorded)


def _failure(done: Ingested) -> Exception:
    """Return what ends the step, or puts it up for another try.

    Not a retry policy of the asset: Dagster applies one to an interrupt too, and nothing stops.
    """
    failure = dg.Failure(" ".join(map(str, done.failed.values())), allow_retries=False)
    if not done.may_succeed_later:
        return failure
    again = dg.RetryRequested(max_retries=MORE_TRIES)  # at once: the client has waited for minutes
    again.__cause__ = failure
    return again

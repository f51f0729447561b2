"""The code location: settings in, Dagster definitions out. Loading it does no work.

Folders are groups. What a run needs is wired here and nowhere else.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import dagster as dg
import httpx

from openai_costs.archive import Archive
from openai_costs.contracts import LakeIOManager
from openai_costs.days import ONE_DAY, Clock, DayRange, utc_now
from openai_costs.lake import Lake
from openai_costs.prices import assets as prices
from openai_costs.prices.checks import price_checks
from openai_costs.publish import assets as publish
from openai_costs.report.assets import cost_explorer
from openai_costs.settings import Connection, Settings, load_settings
from openai_costs.sources.openai.directory.source import OpenAIDirectory
from openai_costs.sources.openai.source import OpenAICosts
from openai_costs.sources.openai.usage.source import OpenAIUsage
from openai_costs.sources.registry import PROVIDERS
from openai_costs.sources.source import Reach
from openai_costs.spend import assets as spend
from openai_costs.spend.checks import attribution_checks, ledger_checks
from openai_costs.storage import place
from openai_costs.usage.checks import usage_checks

REFRESH = "refresh"
REBUILD = "rebuild"
DIRECTORY = "directory"
DAY_CHECKS = (ledger_checks, attribution_checks, usage_checks, price_checks)
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def build_defs(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    reach: Reach | None = None,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
) -> dg.Definitions:
    """Return the definitions for some settings.

    Args:
        settings: What to read, and where to keep it.
        clock: Tells the time; tests and the demo bring their own.
        reach: How sources get out; by default the sample organisation is answered in process.
        loggers: Who is told of a run's events; by default Dagster's console.
    """
    days = dg.DailyPartitionsDefinition(settings.first_day.isoformat(), end_offset=1)
    daily = [build(days) for provider in PROVIDERS for build in provider.assets]
    daily += [build(days) for build in (*spend.DAILY_ASSETS, *prices.DAILY_ASSETS)]
    everything = [*daily, *spend.WHOLE_ASSETS, publish.published_database(), cost_explorer]
    whole = [asset for provider in PROVIDERS for asset in provider.whole_assets]
    refresh = dg.define_asset_job(
        REFRESH,
        selection=dg.AssetSelection.assets(*everything),
        description="Read some days from every connection, clean, derive and publish them.",
    )
    rebuild = dg.define_asset_job(
        REBUILD,
        selection=dg.AssetSelection.assets(*everything, *whole)
        - dg.AssetSelection.key_prefixes("raw"),
        description="Make the tables of some days again from the kept pages, with no request.",
    )
    directory = dg.define_asset_job(
        DIRECTORY,
        selection=dg.AssetSelection.assets(*whole),
        description="Read who and what there is from every connection, and fold it into tables.",
    )
    return dg.Definitions(
        assets=[*everything, *whole, *publish.views()],
        asset_checks=[*(build(days) for build in DAY_CHECKS), *publish.CHECKS],
        jobs=[refresh, rebuild, directory],
        schedules=[daily_refresh(settings, clock), daily_directory()],
        resources=wired(settings, clock, reach or reach_of(clock)),
        loggers=loggers,
        executor=dg.in_process_executor,
    )


def daily_assets(defs: dg.Definitions) -> set[dg.AssetKey]:
    """Return the assets that have a slice per day; the others look at all days at once."""
    graph = defs.resolve_asset_graph()
    return {key for key in graph.materializable_asset_keys if graph.get(key).is_partitioned}


def range_tags(days: DayRange) -> dict[str, str]:
    """Return the tags that make a run materialise a range of days in one go."""
    return {RANGE_START: str(days.first), RANGE_END: str(days.last)}


def daily_refresh(settings: Settings, clock: Clock) -> dg.ScheduleDefinition:
    """Return the schedule: every day, today so far and the trailing window that may be restated."""

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        today = (context.scheduled_execution_time if context else clock()).date()
        return dg.RunRequest(run_key=str(today), tags=range_tags(trailing(settings, today)))

    return dg.ScheduleDefinition(
        name="daily_refresh",
        job_name=REFRESH,
        cron_schedule="30 2 * * *",
        execution_timezone="UTC",
        execution_fn=request,
        description="Read yesterday, today so far, and the days before that may be restated.",
    )


def daily_directory() -> dg.ScheduleDefinition:
    """Return the schedule of the directory: once a day, after the money, which never waits for it.

    The pace that the provider allows makes it the better part of an hour for a hundred projects.
    """
    return dg.ScheduleDefinition(
        name="daily_directory",
        job_name=DIRECTORY,
        cron_schedule="15 4 * * *",
        execution_timezone="UTC",
        description="Read projects, API keys, people, service accounts and limits.",
    )


def trailing(settings: Settings, today: date) -> DayRange:
    """Return today and the trailing window before it, not before the first day there is."""
    first = today - ONE_DAY * settings.reading.trailing_days
    return DayRange(max(first, min(settings.first_day, today)), today)


def wired(settings: Settings, clock: Clock, reach: Reach) -> Mapping[str, Any]:
    """Return what runs need, by the names that assets ask for."""
    home = place(settings.home)
    lake, archive = Lake(home), Archive(home)
    return {
        "settings": settings,
        "clock": clock,
        "home": home,
        "lake": lake,
        "lake_io": LakeIOManager(lake),
        "archive": archive,
        "reader": OpenAICosts(settings, archive, clock, reach),
        "usage_reader": OpenAIUsage(settings, archive, clock, reach),
        "directory_reader": OpenAIDirectory(settings, archive, clock, reach),
    }


def reach_of(clock: Clock) -> Reach:
    """Return how connections get out: the sample organisation in process, others by network."""

    def inner(connection: Connection) -> httpx.BaseTransport | None:
        if not connection.is_sample:
            return None
        from openai_costs.sample.connect import sample_transport  # noqa: PLC0415 - only the demo

        return sample_transport(connection.base_url, clock)

    return Reach(inner)


defs = build_defs(load_settings())
"""What Dagster loads. Reads the environment and openai_costs.toml; both may be empty."""

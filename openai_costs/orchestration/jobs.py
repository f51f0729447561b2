"""What runs, and when: the jobs, their schedules, and the sensor that follows the directory.

Not here: the assets they are made of (definitions.py), headless runs (cli/backfill.py).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime

import dagster as dg

from openai_costs.kernel.days import ONE_DAY, Clock, DayRange, consecutive
from openai_costs.orchestration.verdict_scope import joined, names_in
from openai_costs.settings.load import Settings
from openai_costs.settings.read_again import Current
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake

EVERYTHING = "Everything"
"""The capital is on purpose. For a selection of assets, Dagster's UI launches the first job by name
that has all of them, and capitals come before `__ASSET_JOB`, Dagster's own: a job's days are one
run, while a backfill of that one is a run wherever daily assets and others alternate."""

REFRESH = "refresh"
REBUILD = "rebuild"
DIRECTORY = "directory"
DERIVE = "derive"
PUBLISH = "publish"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
CONNECTION = "openai_costs/connection"
"""The tag of a run that asks some connections only: their names."""

Assets = Sequence[dg.AssetsDefinition]
StaleDays = Callable[[Lake, Settings], Iterable[DayRange]]
"""Finds the days whose marts say something else than directory, gateway and settings say now."""

OverdueDays = Callable[[Settings, datetime], Iterable[date]]
"""Finds the days that were missed, or read before they had settled."""


def jobs_and_sensors(
    current: Current,
    money: Assets,
    directory: Assets,
    published: dg.AssetsDefinition,
    stale_days: StaleDays,
) -> dg.Definitions:
    """Return the jobs, and the sensor that starts one of them after another.

    Args:
        current: Returns the settings: where the lake is, and whatever makes days stale.
        money: What a refresh makes: pages of those who are connected, tables, marts, publication;
            also the gateway's tokens, because the meter that it reads names some that no list has.
        directory: The pages of the directory and the tables folded from them.
        published: The database that readers get.
        stale_days: Finds the days to derive again after a reading of the directory, or of days by
            settings that have changed.
    """
    all_of = dg.AssetSelection.assets
    all_assets = dg.AssetSelection.all()
    from_pages = all_assets - dg.AssetSelection.key_prefixes("raw")
    everything = dg.define_asset_job(
        EVERYTHING,
        selection=all_assets,
        description="Read some days and the organization of every connection, clean, derive and "
        "publish them: one run, also where the UI materializes some of the assets.",
    )
    refresh = dg.define_asset_job(
        REFRESH,
        selection=all_of(*money),
        description="Read some days from every connection, clean, derive and publish them.",
    )
    rebuild = dg.define_asset_job(
        REBUILD,
        selection=from_pages,
        description="Rebuild the tables of some days from the kept pages, without requests.",
    )
    read_directory = dg.define_asset_job(
        DIRECTORY,
        selection=all_of(*directory, published),
        description="Read the organization of every connection into tables.",
    )
    derive = dg.define_asset_job(
        DERIVE,
        selection=from_pages - dg.AssetSelection.key_prefixes("core"),
        description="Rebuild the marts of some days with current names and owners.",
    )
    publish = dg.define_asset_job(
        PUBLISH,
        selection=all_of(*(one for one in money if one.partitions_def is None))
        - dg.AssetSelection.key_prefixes("core"),
        description="Rebuild everything that covers all days, and publish it.",
    )

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[read_directory, refresh, everything],
        request_job=derive,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rebuild the days whose names, owners or teams changed in the directory or in "
        "the settings. On, because it sends no request to a provider.",
    )
    def names_follow_the_directory(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest]:
        for one in stale_requests(current(), context.dagster_run.run_id, stale_days):
            if not _is_requested(context.instance, one):
                yield one

    return dg.Definitions(
        jobs=[everything, refresh, rebuild, read_directory, derive, publish],
        sensors=[names_follow_the_directory],
    )


def stale_requests(
    settings: Settings, after: str, stale_days: StaleDays
) -> Iterator[dg.RunRequest]:
    """Yield a run of DERIVE per range of stale days, once after each run that may show them."""
    for days in stale_days(Lake(place(settings.home)), settings):
        yield dg.RunRequest(run_key=f"{after}:{days}", tags=range_tags(days))


def _is_requested(instance: dg.DagsterInstance, request: dg.RunRequest) -> bool:
    """Return whether a run of the same days has not begun yet: it will see what is known then."""
    waits = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED]
    found = dg.RunsFilter(job_name=DERIVE, statuses=waits, tags=dict(request.tags))
    return bool(instance.get_runs(found, limit=1))


def range_tags(days: DayRange) -> dict[str, str]:
    """Return the tags that make a run materialise a range of days in one go."""
    return {RANGE_START: str(days.first), RANGE_END: str(days.last)}


def asking(connections: Sequence[str]) -> dict[str, str]:
    """Return the tag of a run that asks some connections only; none of them named is all."""
    return {CONNECTION: joined(connections)} if connections else {}


def headless_tags(
    job_name: str, days: DayRange | None, connections: Sequence[str]
) -> dict[str, str]:
    """Return the tags of a run of a command: its days, and the connections that it asks only."""
    asks_all = job_name in {DERIVE, PUBLISH}  # which look at what is stored, of all connections
    return (range_tags(days) if days else {}) | asking(() if asks_all else connections)


def asked_by(run: dg.DagsterRun) -> Sequence[str]:
    """Return the connections that a run asks only; none of them named is all."""
    return names_in(run.tags.get(CONNECTION, ""))


def trailing(settings: Settings, today: date) -> DayRange:
    """Return today and the trailing window before it, not before the first day there is."""
    first = today - ONE_DAY * settings.reading.trailing_days
    return DayRange(max(first, min(settings.first_day, today)), today)


def daily_refresh(
    current: Current, clock: Clock, overdue: OverdueDays, since: date
) -> dg.ScheduleDefinition:
    """Return the schedule: every day, today so far, the trailing window, and what is overdue.

    Args:
        current: Returns the settings: the connections, and the trailing window.
        clock: Returns the current time.
        overdue: Finds older days that were missed, or read before they had settled.
        since: The first day that runs can be of, whatever the settings say now.
    """

    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        now = context.scheduled_execution_time if context else clock()
        today = now.date()
        for names, one in _of_runs(current()):
            owed = (day for day in overdue(one, now) if day >= since)
            for days in consecutive({*trailing(one, today), *owed}):
                tags = range_tags(days) | asking(names)
                yield dg.RunRequest(run_key=_run_key(days, today, names), tags=tags)

    return dg.ScheduleDefinition(
        name="daily_refresh",
        job_name=REFRESH,
        cron_schedule="30 2 * * *",
        execution_timezone="UTC",
        execution_fn=requests,
        description="Read yesterday, today so far, the days before that may be restated, and older "
        "days that were missed or had not settled when they were read. Off until you switch it on: "
        "it sends requests to providers, and another scheduler may do so already.",
    )


def _of_runs(settings: Settings) -> list[tuple[Sequence[str], Settings]]:
    """Return the connections and settings of each run of a refresh: of all, or of one each."""
    if not settings.reading.run_per_connection:
        return [((), settings)]
    return [([one.name], settings.only(one.name)) for one in settings.connections]


def _run_key(days: DayRange, today: date, connections: Sequence[str]) -> str:
    """Return the key of a scheduled run; the one that reads today has the day alone."""
    key = str(today) if days.last == today else f"{today}:{days}"
    return ":".join([key, *connections])


def settings_of_run(
    settings: Settings, kept: Callable[[Settings], Settings]
) -> dg.ResourceDefinition:
    """Return the settings as a resource: a run with the tag CONNECTION asks those only.

    Args:
        settings: Those of all connections.
        kept: Returns them without the days that are deleted.
    """

    def of_run(context: dg.InitResourceContext) -> Settings:
        names = asked_by(context.run) if context.run else ()
        return kept(settings.only(*names) if names else settings)

    return dg.ResourceDefinition(of_run)


def daily_directory() -> dg.ScheduleDefinition:
    """Return the schedule of the directory: once a day, after the money, which never waits for it.

    The pace that the provider allows makes it the better part of an hour for a hundred projects.
    """
    return dg.ScheduleDefinition(
        name="daily_directory",
        job_name=DIRECTORY,
        cron_schedule="15 4 * * *",
        execution_timezone="UTC",
        description="Read projects, API keys, people, service accounts and limits. Off until you "
        "switch it on, like daily_refresh: it sends requests to providers.",
    )

"""The code location: settings in, Dagster definitions out. Importing it does no work.

Folders are groups. What a run needs is wired here and nowhere else. Dagster takes `defs`, which
is built when it is asked for; commands build the graph of their home.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import dagster as dg
import httpx
from upath import UPath

from openai_costs.kernel.clock_skew import skew_aware
from openai_costs.kernel.days import Clock, utc_now
from openai_costs.orchestration.jobs import (
    daily_directory,
    daily_refresh,
    jobs_and_sensors,
    settings_of_run,
)
from openai_costs.orchestration.repairs import daily_repair
from openai_costs.orchestration.table_assets import LakeIOManager
from openai_costs.outputs.alerts import assets as alerts
from openai_costs.outputs.alerts.sensors import sensors
from openai_costs.outputs.digest.schedule import weekly_digest, weekly_schedule
from openai_costs.outputs.digest.sending import resend
from openai_costs.outputs.publish import assets as publish
from openai_costs.outputs.publish.following import publication_sensor
from openai_costs.outputs.report.assets import cost_explorer
from openai_costs.outputs.retention.assets import deleted_months
from openai_costs.questions.anomalies import assets as anomalies
from openai_costs.questions.budgets import assets as budgets
from openai_costs.questions.gateway_bypass import assets as gateway_bypass
from openai_costs.questions.optimization import assets as optimization
from openai_costs.questions.people import assets as people
from openai_costs.questions.prices import assets as prices
from openai_costs.questions.prices.assets import price_checks
from openai_costs.questions.prices.list_value import at_list_price
from openai_costs.questions.reconciliation import assets as reconciliation
from openai_costs.questions.seats import assets as seats
from openai_costs.questions.spend import assets as spend
from openai_costs.questions.spend.checks import (
    attribution_checks,
    ledger_checks,
    restatement_checks,
)
from openai_costs.questions.to_derive import days_to_derive
from openai_costs.questions.usage.checks import usage_checks
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings, load_settings
from openai_costs.settings.read_again import read_again
from openai_costs.sources import assets as ledger
from openai_costs.sources import registry
from openai_costs.sources.due_days import kept_days, overdue_days
from openai_costs.sources.gateway import assets as gateway
from openai_costs.sources.gateway.readers import readers_of
from openai_costs.sources.kept_days import with_kept_days
from openai_costs.sources.organization import assets as organization
from openai_costs.sources.organization.kept_lists import KeptLists
from openai_costs.sources.people import assets as engineers
from openai_costs.sources.provider import Provider, Reach
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs.storage.forget_key import look_beside
from openai_costs.storage.forgotten import pseudonyms_of
from openai_costs.storage.lake import Lake
from openai_costs.storage.permissions import write_for_owner_only
from openai_costs.storage.protection import ask_for_encryption, refuse_unencrypted
from openai_costs.storage.renamed import finish_renaming

DAILY = (gateway, spend, prices, gateway_bypass, reconciliation)
WHOLE = (spend, optimization, anomalies, budgets, gateway_bypass, seats, alerts)
OF_KEPT_DAYS = (people,)
"""What adds up all days there are: made when old months are deleted, of which it has no rows."""
DAY_CHECKS = (
    ledger_checks,
    attribution_checks,
    restatement_checks,
    usage_checks,
    price_checks,
)


class Made(NamedTuple):
    """What there is to make."""

    money: Sequence[dg.AssetsDefinition]
    directory: Sequence[dg.AssetsDefinition]
    published: dg.AssetsDefinition
    checks: Sequence[dg.AssetChecksDefinition]


@cache
def made_since(first_day: date, providers: tuple[Provider, ...]) -> Made:
    """Return the assets and checks of days from a first one on."""
    days = dg.DailyPartitionsDefinition(first_day.isoformat(), end_offset=1)
    daily = [build(days) for build in ledger.daily_assets()]
    daily += [build(days) for question in DAILY for build in question.DAILY_ASSETS]
    marts = [asset for question in WHOLE for asset in question.WHOLE_ASSETS]
    published = publish.published_database()
    old_months = deleted_months([key for one in (*daily, *marts) for key in one.keys])
    sums = [asset for question in OF_KEPT_DAYS for asset in question.WHOLE_ASSETS]
    checks = [
        *(build(days) for build in DAY_CHECKS),
        *(build(days) for provider in providers for build in provider.checks),
        *budgets.CHECKS,
        *gateway_bypass.CHECKS,
        *publish.CHECKS,
    ]
    money = [*daily, *marts, old_months, *sums, published, cost_explorer, gateway.gateway_tokens]
    directory = [*organization.whole_assets(), *gateway.WHOLE_ASSETS, *engineers.WHOLE_ASSETS]
    return Made(money, directory, published, checks)


def build_defs(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    reach: Reach | None = None,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
    is_shown: bool = True,
) -> dg.Definitions:
    """Return the definitions for some settings.

    Args:
        settings: What to read, and where to keep it.
        clock: Returns the time; tests and the demo pass their own.
        reach: How sources get out; by default the sample organization is answered in process.
        loggers: What receives a run's events; by default Dagster's console.
        is_shown: Whether a UI shows them: the views of the database then, which no run makes.
    """
    made, unset = made_since(settings.first_day, registry.PROVIDERS), pages_not_asked(settings)
    money, directory = (
        [one for one in some if one.keys.isdisjoint(unset)] for some in (made.money, made.directory)
    )

    def current() -> Settings:  # this process has those that it was started with
        return read_again(settings, registry.connection_kinds())

    since = settings.first_day
    triggered = jobs_and_sensors(current, money, directory, made.published, days_to_derive)
    publishing = publication_sensor(current, clock, triggered.jobs or (), since)
    return dg.Definitions(
        assets=[
            *dict.fromkeys((*made.money, *made.directory)),
            *alerts.external_tables(),
            *(publish.views() if is_shown else ()),
        ],
        asset_checks=made.checks,
        jobs=[*(triggered.jobs or ()), weekly_digest],
        sensors=[*(triggered.sensors or ()), publishing, *sensors(settings, current, resend)],
        schedules=[
            daily_refresh(current, clock, overdue_days, since),
            daily_directory(),
            daily_repair(current, clock, kept_days, since),
            weekly_schedule(settings),
        ],
        resources=wired(settings, clock, reach or reach_of(clock)),
        loggers=loggers,
        executor=dg.in_process_executor,
    )


def pages_not_asked(settings: Settings) -> set[dg.AssetKey]:
    """Return the raw pages of providers, and of a gateway, that settings do not have.

    No job reads them but the one of everything: a run that asks no connection records nothing.
    """
    others = (one for one in registry.PROVIDERS if not settings.asked_of(one.name))
    parts = [part for one in others for part in (one.costs, one.usage, one.organization)]
    of_gateway = () if settings.gateway.is_there else (gateway.REGISTRY_PAGES, gateway.METER_PAGES)
    return {part.pages.key for part in parts if part} | set(of_gateway)


def before_publication(defs: dg.Definitions, job: dg.JobDefinition) -> set[dg.AssetKey]:
    """Return the assets of a job without those that look at all days at once, and what leaves."""
    graph = defs.resolve_asset_graph()
    return {
        key
        for key in job.asset_layer.executable_asset_keys
        if graph.get(key).is_partitioned or key.path[0] in ("raw", "core")
    }


def wired(settings: Settings, clock: Clock, reach: Reach) -> Mapping[str, Any]:
    """Return what runs need, by the names that assets ask for."""
    write_for_owner_only()  # Dagster's own processes run no command of ours
    ask_for_encryption(settings.storage)
    home, compared = place(settings.home), skew_aware(clock)
    look_beside(settings.config_file, home)
    lake = Lake(home)
    stored = {"home": home, "lake": lake, "lake_io": LakeIOManager(lake), "archive": Archive(home)}
    return {
        **{name: _checked(settings, home, one) for name, one in stored.items()},
        "kept_lists": dg.ResourceDefinition(lambda _: KeptLists(Archive(home))),  # for each run
        "settings": settings_of_run(
            settings, lambda of_run: with_kept_days(of_run, lake, compared().date())
        ),
        "clock": compared,
        "reach": replace(reach, clock=compared),
        "gateway_readers": readers_of(settings, compared),
        "at_list_price": at_list_price,
    }


def _checked(settings: Settings, home: UPath, value: Any) -> Any:  # noqa: ANN401 - any resource
    """Return a resource of runs: its home rests as required, and names in it are those of now."""

    def of_run(_: dg.InitResourceContext) -> Any:  # noqa: ANN401
        refuse_unencrypted(home, settings.storage)
        finish_renaming(home)
        pseudonyms_of(home)
        return value

    is_io = isinstance(value, dg.IOManager)
    return dg.IOManagerDefinition(of_run) if is_io else dg.ResourceDefinition(of_run)


def reach_of(clock: Clock) -> Reach:
    """Return how connections get out: the sample organization in process, others by network."""

    def inner(connection: Connection) -> httpx.BaseTransport | None:
        if not connection.is_sample:
            return None
        from openai_costs.sample.api.serving import sample_transport  # noqa: PLC0415 - only the demo

        return sample_transport(connection.base_url, clock)

    return Reach(inner)


def __getattr__(name: str) -> dg.Definitions:
    """Return `defs`, of the environment and openai_costs.toml; both may be empty."""
    if name != "defs":
        raise AttributeError(name)
    defs = globals()[name] = build_defs(load_settings(registry.connection_kinds()))
    return defs


def __dir__() -> list[str]:
    """Return the names that Dagster looks through for definitions."""
    return [*globals(), "defs"]

"""The spend marts as assets: take, call, return."""

from functools import partial

import dagster as dg
import polars as pl

from openai_costs.kernel.days import Clock
from openai_costs.orchestration.checks import run_days
from openai_costs.orchestration.table_assets import (
    StoredBatches,
    asset_key,
    table_asset,
    whole_table_asset,
)
from openai_costs.questions.coverage import all_costs, as_before, as_missing
from openai_costs.questions.coverage import coverage as of_costs
from openai_costs.questions.coverage import usage_coverage as of_usage
from openai_costs.questions.lost_days import with_lost_days
from openai_costs.questions.spend.attribution import attribution
from openai_costs.questions.spend.breakdown import by_project_key_model, by_user
from openai_costs.questions.spend.control_totals import day_sums
from openai_costs.questions.spend.in_flight import slices_in_flight
from openai_costs.questions.spend.names import Directory
from openai_costs.questions.spend.restated_days import changes
from openai_costs.questions.spend.verification import differing_days, withheld
from openai_costs.settings.load import Settings
from openai_costs.sources.account_notes import is_counted_elsewhere
from openai_costs.sources.due_days import first_day, where_begun
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batches, Slice
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser

GROUP = "spend"
KINDS = {"polars", "deltalake"}
NAMES = [asset_key(one) for one in (ApiKeys, Users, ServiceAccounts, Projects)]
BILLED = (Ledger, UserView, Spend, SpendAttribution, SpendByUser)
"""The tables whose dollars add up to the control total of each day."""

TEAMS_AND_NAMES = [asset_key(one) for one in (SpendAttribution, ApiKeys, Projects)]
EXPLANATIONS = [asset_key(UserView), asset_key(Usage), *NAMES]


def listed(lake: Lake) -> Directory:
    """Return the directory as it stands; empty where it was never read."""
    return Directory(*(lake.read(one) for one in (ApiKeys, Users, ServiceAccounts, Projects)))


@table_asset(Spend, group=GROUP, kinds=KINDS, reads=(Ledger,), deps=TEAMS_AND_NAMES)
def spend(
    context: dg.AssetExecutionContext,
    ledger: StoredBatches,
    lake: dg.ResourceParam[Lake],
) -> Batches:
    """Cut the ledger by project, key, team, model and usage type."""
    cut = partial(by_project_key_model, directory=listed(lake))
    for batch in ledger:
        days = sorted({key.day for key in batch.read_at})
        yield batch.derive(partial(cut, attribution=lake.read(SpendAttribution, days)))


@table_asset(SpendAttribution, group=GROUP, kinds=KINDS, reads=(Ledger,), deps=EXPLANATIONS)
def spend_attribution(
    context: dg.AssetExecutionContext,
    ledger: StoredBatches,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Assign every dollar of the ledger to a user, with the method."""
    whose = partial(attribution, directory=listed(lake), teams=settings.teams)
    for batch in ledger:
        days = sorted({key.day for key in batch.read_at})
        known = {"view": lake.read(UserView, days), "usage": lake.read(Usage, days)}
        yield batch.derive(partial(whose, **known))


@table_asset(SpendByUser, group=GROUP, kinds=KINDS, reads=(SpendAttribution,))
def spend_by_user(context: dg.AssetExecutionContext, attributed: StoredBatches) -> Batches:
    """Add the attribution up by user, model and usage type."""
    return (batch.derive(by_user) for batch in attributed)


@table_asset(Restatements, group=GROUP, kinds=KINDS, deps=[asset_key(Ledger)])
def restatements(
    context: dg.AssetExecutionContext,
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Compare the kept reads of each day, one with the next."""
    return changes(archive, settings, run_days(context))


@whole_table_asset(Coverage, group=GROUP, kinds=KINDS, reads=(*BILLED, SpendControl, Usage))
def coverage(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> pl.DataFrame:
    """Lay the days that were read over the days there are.

    A day that does not tie out counts as one that was not read: publication keeps it from readers,
    so nothing may be judged by it. One in flight stays as it was, as readers have it. A second
    connection of an organization has no days of its own.
    """
    now, grace, ledger = clock(), settings.reading.grace, lake.slices(Ledger)
    stored = set(ledger["connection"])
    connections = [
        one
        for one in settings.connections
        if one.name in stored or not is_counted_elsewhere(archive, settings, one)
    ]
    first = {one.name: first_day(provider_of(one).costs.pages, archive, one) for one in connections}
    asked = {
        one.name: first_day(used.pages, archive, one)
        for one in connections
        if (used := provider_of(one).usage_of(one))
    }
    first, asked = (where_begun(days, connections, ledger) for days in (first, asked))
    costs = of_costs(lake.read(SpendControl), ledger, first, now)
    usage = of_usage(lake.slices(Usage), asked, grace, now)
    kept = {one.name: provider_of(one).kept_days for one in connections}
    untied, before = _untied(lake), all_costs(lake.read(Coverage))
    in_flight = untied.intersection(slices_in_flight(lake)) if untied else untied
    costs = as_before(as_missing(costs, untied - in_flight), before, in_flight)
    frame = pl.concat([costs, usage])
    return with_lost_days(frame, {name: days for name, days in kept.items() if days}, now.date())


def _untied(lake: Lake) -> set[Slice]:
    """Return the slices that do not tie out; rows are read only where a whole day differs."""
    control, stored = lake.read(SpendControl), [one for one in BILLED if lake.has(one)]
    days = differing_days(control, [lake.daily_usd(one) for one in stored])
    if not days:
        return set()
    sums = {one.full_name(): day_sums(lake.read(one, days)) for one in stored}
    return withheld(control.filter(pl.col("day").is_in(days)), sums)


DAILY_ASSETS = (spend, spend_attribution, spend_by_user, restatements)
WHOLE_ASSETS = (coverage,)

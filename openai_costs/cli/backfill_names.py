"""What follows the money in a backfill: names, the gateway's tokens, the company's people.

Not here: the days of the money (backfill_plan.py), doing it (backfill.py).
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import polars as pl
from dagster import AssetKey

from openai_costs.cli.backfill_plan import reaching_back
from openai_costs.kernel.clock_skew import day_of_lists
from openai_costs.kernel.days import Clock, DayRange, consecutive
from openai_costs.questions.to_derive import days_to_derive
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.gateway.frames import PROVIDERS as GATEWAYS
from openai_costs.sources.gateway.litellm.endpoints import REGISTRY
from openai_costs.sources.organization.frames import is_usable
from openai_costs.sources.provider import OrganizationSource
from openai_costs.sources.registry import PROVIDERS, provider_of
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.mart.findings import Findings


def days_to_follow(settings: Settings, today: date) -> tuple[Settings, list[DayRange]]:
    """Return the days to derive again, and the settings of such a run: from the first kept day."""
    its = reaching_back(settings)
    ranges = days_to_derive(Lake(place(its.home)), its)
    return its, consecutive({day for days in ranges for day in days if day <= today})


def directories_due(settings: Settings, today: date) -> list[str]:
    """Return the connections that have an organization and gave no usable names today."""
    archive = Archive(place(settings.home))
    return [
        connection.name
        for connection in settings.asked_connections
        if (source := provider_of(connection).organization_of(connection))
        and not _has_names(archive, connection, source, today)
    ]


class Judging(NamedTuple):
    """When a backfill judges: findings are of everything that it reads.

    Args:
        is_first: Whether none were judged before.
        has_names: Whether names are read after the days; where it is first, the gateway and people
            count as well.
    """

    is_first: bool
    has_names: bool

    def waits(self, *, is_last: bool) -> bool:
        """Return whether findings wait for more than what is published now, the last or not."""
        return self.has_names or not is_last


def judging(settings: Settings, clock: Clock, *, offline: bool) -> Judging:
    """Return when a backfill judges: names tell whose keys and seats are in use."""
    is_first = not Lake(place(settings.home)).has(Findings)
    if offline:
        return Judging(is_first, has_names=False)
    due = bool(directories_due(settings, day_of_lists(clock)))
    is_due = due or (is_first and is_governance_due(settings, clock, brought=False))
    return Judging(is_first, has_names=is_due)


def names_due(settings: Settings, clock: Clock, *, offline: bool) -> list[str]:
    """Return the connections whose names a backfill reads; none without requests."""
    return [] if offline else directories_due(settings, day_of_lists(clock))


def runs_of_names(settings: Settings, due: Sequence[str]) -> list[tuple[Sequence[str], Settings]]:
    """Return whose names each run reads: a provider's, or all where no connection has any yet."""
    have_names = [
        one.name for one in settings.asked_connections if provider_of(one).organization_of(one)
    ]
    if list(due) == have_names:
        return [(due, settings)] if due else []
    by_provider: dict[str, list[str]] = {}
    for name in due:
        by_provider.setdefault(settings.connection(name).provider, []).append(name)
    return [(names, settings.only(*names)) for names in by_provider.values()]


def is_governance_due(settings: Settings, clock: Clock, *, brought: bool) -> bool:
    """Return whether the gateway and the company's people are still to be read.

    The names of a connection bring them along, once a day. They are read again whenever no names
    are: whoever corrects an upstream, a token or a list of people must not wait until tomorrow for
    the finding to go away.

    Args:
        settings: What is configured.
        clock: Returns the time.
        brought: Whether names of a connection were just read.
    """
    gateway, archive = settings.gateway, Archive(place(settings.home))
    today = day_of_lists(clock)
    reads = (archive.reads(one, gateway.name, REGISTRY, today) for one in GATEWAYS)
    is_unread = gateway.has_registry and not any(reads)
    return is_unread or (not brought and bool(gateway.is_there or settings.directory.files))


class Governance(NamedTuple):
    """What is stored of the gateway's tokens and of the company's people.

    Args:
        tokens: core.gateway_tokens.
        people: core.engineers.
    """

    tokens: pl.DataFrame
    people: pl.DataFrame

    def equals(self, other: "Governance") -> bool:
        """Return whether both are the same, row by row."""
        return self.tokens.equals(other.tokens) and self.people.equals(other.people)


def governance(settings: Settings) -> Governance:
    """Return what is stored now."""
    lake = Lake(place(settings.home))
    return Governance(lake.read(GatewayTokens), lake.read(Engineers))


def asks_for_no_names(key: AssetKey) -> bool:
    """Return whether an asset is something else than the pages of an organization."""
    return all(one.organization is None or one.organization.pages.key != key for one in PROVIDERS)


def _has_names(
    archive: Archive, connection: Connection, source: OrganizationSource, today: date
) -> bool:
    """Return whether the newest read of an organization is of today and can be used."""
    newest = source.pages.newest(archive, connection, [today])
    return any(is_usable(source.listing, read) for read in newest)

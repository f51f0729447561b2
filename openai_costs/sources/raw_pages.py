"""Pages as assets: read from every connection, kept for ever, and handed on to be cleaned.

The evidence of the ledger stops a run that could read none of it. The evidence of what explains
the ledger never stops the money: its check turns red and says why, and the run goes on.
Not here: how a provider is read (its own folder), how connections are gone through (collect).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import MissingKey, OpenAICostsError, ReadFailed
from openai_costs.orchestration.checks import Rule, Verdict, evaluations, finished, run_days
from openai_costs.orchestration.table_assets import DAILY, OWNERS, Builder
from openai_costs.settings.load import Connection, Settings
from openai_costs.sources.provider import DayReader, Tell
from openai_costs.storage.archive import Archive, DamagedRead, KeptRead

# Reads every connection of a provider into the archive; one that fails never stops the others.
# Not here: how a provider is read (its own folder) or how Dagster is told (its assets).


@dataclass
class Collected:
    """What became of a reading.

    Args:
        kept: The days kept, by connection, with the bytes of their bodies.
        failed: Why a connection could not be read to its end.
        unread: The days a failed connection still owes.
    """

    kept: dict[str, dict[date, int]] = field(default_factory=dict)
    failed: dict[str, OpenAICostsError] = field(default_factory=dict)
    unread: dict[str, set[date]] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Whether no connection could be read at all."""
        return bool(self.failed) and not any(self.kept.values())

    @property
    def may_succeed_later(self) -> bool:
        """Whether one of the failures may pass without anybody acting."""
        return any(getattr(error, "is_retryable", False) for error in self.failed.values())


def collect(
    reader: DayReader,
    archive: Archive,
    connections: Iterable[Connection],
    days: DayRange,
    tell: Tell,
) -> Collected:
    """Read the days of every connection and keep each complete one at once."""
    done = Collected()
    for connection in connections:
        kept = done.kept.setdefault(connection.name, {})
        try:
            for read in reader.read(connection, days, tell):
                archive.keep(read)
                kept[read.day] = sum(map(len, read.bodies.values()))
        except (ReadFailed, MissingKey) as error:
            tell(str(error))
            done.failed[connection.name] = error
            owed = (day for day in days if day >= connection.first_day)
            done.unread[connection.name] = set(owed) - set(kept)
    return done


READ_COMPLETE = Rule("read_complete", "Every connection was read to its end: all pages or none.")

MORE_TRIES = 2
"""Of a step whose pages may come later."""


@dataclass(frozen=True)
class Evidence:
    """The pages of one dataset of a provider.

    Args:
        key: The asset.
        description: What it holds, for a person.
        group: The folder of its source.
        provider: Whose pages they are.
        dataset: The archive's name for them.
        first_day: The first day a connection has any.
        is_explanation: Whether they explain the ledger and are not the ledger itself. Connections
            that give costs only are not asked, and failures end no run.
    """

    key: dg.AssetKey
    description: str
    group: str
    provider: str
    dataset: str
    first_day: Callable[[Archive, Connection], date]
    is_explanation: bool = False

    def asset(self, compute: Callable[..., Iterator[Any]]) -> Builder:
        """Decorate the function that reads: it becomes the daily asset of the pages."""

        def build(days: DAILY) -> dg.AssetsDefinition:
            asset: dg.AssetsDefinition = dg.asset(
                key=self.key,
                description=self.description,
                partitions_def=days,
                backfill_policy=dg.BackfillPolicy.single_run(),
                group_name=self.group,
                kinds={self.provider, "json"},
                owners=list(OWNERS),
                pool=f"{self.provider}_api",
                check_specs=[READ_COMPLETE.spec(self.key, days)],
                io_manager_key="lake_io",
            )(compute)
            return asset

        return build

    def read(
        self,
        context: dg.AssetExecutionContext,
        reader: DayReader,
        archive: Archive,
        settings: Settings,
    ) -> Iterator[Any]:
        """Read the run's days of every connection and keep them; yield what Dagster is told."""
        days, ours = run_days(context), self.connections(settings)
        done = collect(reader, archive, filter(self._may_ask, ours), days, context.log.info)
        yield from evaluations(self.key, self._verdicts(done, days, ours, archive))
        if done.is_nothing and not self.is_explanation:
            raise _failure(done)
        self._record(context, done)
        yield dg.Output(None)
        yield from finished(self.key, [READ_COMPLETE])

    def kept(
        self, context: dg.AssetExecutionContext, archive: Archive, settings: Settings
    ) -> Iterator[tuple[Connection, Iterable[KeptRead | DamagedRead]]]:
        """Yield each connection with the newest complete read of each of the run's days."""
        for connection in self.connections(settings):
            days = run_days(context)
            yield connection, archive.newest(self.provider, connection.name, self.dataset, days)

    def connections(self, settings: Settings) -> list[Connection]:
        """Return the connections of the provider that this process reads."""
        return [one for one in settings.asked_connections if one.provider == self.provider]

    def _may_ask(self, connection: Connection) -> bool:
        return connection.access == "full" or not self.is_explanation

    def _verdicts(
        self, done: Collected, days: DayRange, ours: Iterable[Connection], archive: Archive
    ) -> Iterator[Verdict]:
        unasked = [
            f"{one.name}: not asked, access is costs_only."
            for one in ours
            if not self._may_ask(one)
        ]
        first = {one.name: self.first_day(archive, one) for one in ours}
        for day in days:
            owing = [
                name for name, unread in done.unread.items() if day in unread and day >= first[name]
            ]
            said = " ".join([*(str(done.failed[name]) for name in owing), *unasked])
            yield Verdict(READ_COMPLETE, day, not owing, said or READ_COMPLETE.promise)

    def _record(self, context: dg.AssetExecutionContext, done: Collected) -> None:
        """Record each day's bytes."""
        for day in sorted({day for kept in done.kept.values() for day in kept}):
            sizes = {name: kept[day] for name, kept in done.kept.items() if day in kept}
            figures = {"connections": ", ".join(sizes), "body_bytes": sum(sizes.values())}
            context.add_asset_metadata(figures, asset_key=self.key, partition_key=str(day))


def _failure(done: Collected) -> Exception:
    """Return what ends the step, or puts it up for another try.

    Not a retry policy of the asset: Dagster applies one to an interrupt too, and nothing stops.
    """
    failure = dg.Failure(" ".join(map(str, done.failed.values())), allow_retries=False)
    if not done.may_succeed_later:
        return failure
    again = dg.RetryRequested(max_retries=MORE_TRIES)  # at once: the client has waited for minutes
    again.__cause__ = failure
    return again

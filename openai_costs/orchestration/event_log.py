"""Keeps the events of runs that are not recorded in memory, and in no database.

Dagster's own event log in memory is SQLite, and writing to it took nearly half of a headless run.
A run reads little of it: its own events, and the newest materialization of what it builds on.
Dagster asks SQL whatever else there is to ask; here that is refused, and never answered wrongly.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn
from uuid import uuid4

import dagster as dg
from dagster._core.instance import InstanceType
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.event_log import InMemoryEventLogStorage
from dagster._core.storage.event_log.base import AssetEntry, AssetRecord, EventLogConnection
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import TemporaryLocalArtifactStorage
from dagster._core.storage.runs import InMemoryRunStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import create_in_memory_conn_string
from sqlalchemy.pool import NullPool

from openai_costs.orchestration.run_files import tables_of_runs

MATERIALIZED = dg.DagsterEventType.ASSET_MATERIALIZATION


@contextmanager
def unrecorded() -> Iterator[dg.DagsterInstance]:
    """Give an instance for runs of this process, whose events are gone at the end.

    It is `DagsterInstance.ephemeral()` with another event log.
    """
    with dg.DagsterInstance(
        instance_type=InstanceType.EPHEMERAL,
        local_artifact_storage=TemporaryLocalArtifactStorage(),  # type: ignore[no-untyped-call]
        run_storage=RunsInMemory(),
        event_storage=EventList(),
        compute_log_manager=NoOpComputeLogManager(),
        run_coordinator=DefaultRunCoordinator(),
        run_launcher=SyncInMemoryRunLauncher(),
    ) as instance:
        yield instance


class RunsInMemory(InMemoryRunStorage):
    """Dagster's storage of runs in memory, whose tables are copied and not made by migrations."""

    def __init__(self) -> None:  # the base class would load all migrations here, for each run
        self._engine = create_engine(
            create_in_memory_conn_string(f"runs-{uuid4()}"), poolclass=NullPool
        )
        self._held_conn = self._engine.connect()
        self._held_conn.connection.cursor().executescript(tables_of_runs())


class EventList(InMemoryEventLogStorage):
    """An event log that is a list, and answers only what a run of this process asks."""

    def __init__(self) -> None:  # the base class would make its database here
        self._inst_data = None
        self._kept: list[dg.EventLogRecord] = []
        self._newest: dict[dg.AssetKey, dg.EventLogRecord] = {}
        self._tags: dict[dg.AssetKey, dict[str, Mapping[str, str]]] = defaultdict(dict)

    @property
    def asset_records_have_last_observation(self) -> bool:
        """Say that nothing need be asked for beside the records; no asset here is observed."""
        return True

    @property
    def supports_partition_subset_in_asset_materialization_planned_events(self) -> bool:
        """Say that the days that a run plans can be one event for each asset, and not one a day."""
        return True

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Keep an event, and note the newest materialization of its asset."""
        record = dg.EventLogRecord(len(self._kept) + 1, event)
        self._kept.append(record)
        made = record.asset_materialization
        if made is None:
            return
        self._newest[made.asset_key] = record
        if made.partition is not None:
            self._tags[made.asset_key][made.partition] = made.tags or {}

    def get_records_for_run(
        self,
        run_id: str,
        cursor: str | None = None,
        of_type: dg.DagsterEventType | set[dg.DagsterEventType] | None = None,
        limit: int | None = None,
        ascending: bool = True,  # noqa: FBT001, FBT002 - Dagster's signature
    ) -> EventLogConnection:
        """Return all events of a run, of some types or of any."""
        if cursor is not None or limit is not None or not ascending:
            self._refuse()
        types = {of_type} if isinstance(of_type, dg.DagsterEventType) else of_type or ()
        names = {one.value for one in types}
        found = [
            record
            for record in self._kept
            if record.run_id == run_id and (not names or _type(record) in names)
        ]
        return EventLogConnection(found, cursor="", has_more=False)

    def get_asset_records(
        self, asset_keys: Sequence[dg.AssetKey] | None = None
    ) -> Sequence[AssetRecord]:
        """Return the newest materialization of each asset that has one."""
        asked = self._newest if asset_keys is None else asset_keys
        return [
            AssetRecord(
                storage_id=newest.storage_id,
                asset_entry=AssetEntry(
                    asset_key=key, last_materialization_record=newest, last_run_id=newest.run_id
                ),
            )
            for key in asked
            if (newest := self._newest.get(key))
        ]

    def get_latest_tags_by_partition(  # noqa: PLR0913, PLR0917 - Dagster's signature
        self,
        asset_key: dg.AssetKey,
        event_type: dg.DagsterEventType,
        tag_keys: Sequence[str],
        asset_partitions: Sequence[str] | None = None,
        before_cursor: int | None = None,
        after_cursor: int | None = None,
    ) -> Mapping[str, Mapping[str, str]]:
        """Return some tags of the newest materialization of each partition."""
        is_asked_so = (event_type, before_cursor, after_cursor) == (MATERIALIZED, None, None)
        if not is_asked_so or asset_partitions is None:
            self._refuse()
        tags = self._tags[asset_key]
        return {
            partition: {key: tags[partition][key] for key in tag_keys if key in tags[partition]}
            for partition in asset_partitions
            if partition in tags
        }

    def dispose(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def _connect(self) -> NoReturn:
        self._refuse()

    def has_table(self, table_name: str) -> NoReturn:
        """Refuse: there are no tables."""
        self._refuse(table_name)

    def _refuse(self, what: str = "this") -> NoReturn:
        raise NotImplementedError(f"The event log of an unrecorded run has no {what}.")


def _type(record: dg.EventLogRecord) -> str | None:
    event = record.event_log_entry.dagster_event
    return event.event_type_value if event else None

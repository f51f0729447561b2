"""The Dagster instance of a folder: Dagster's own, whose event log keeps its files open.

dagster.yaml names `HomeInstance`; without that line Dagster's own instance opens the same files.
Not here: the event log (event_files.py).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import dagster as dg
from dagster._core.instance import InstanceRef
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from openai_costs.orchestration.event_files import EventFiles

MOST_AT_ONCE = 500
"""Events that Dagster stores as one: those of an asset's days."""


class HomeStorage(DagsterSqliteStorage):
    """Dagster's storage in the SQLite files of a folder, with our event log."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = EventFiles(str(Path(base_dir, "history", "runs")))

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Open what the settings of the instance name."""
        return cls.from_local(config_value["base_dir"], inst_data)


class HomeInstance(dg.DagsterInstance):
    """Dagster's instance of a folder that may be moved; settings of its own may name a storage."""

    @staticmethod
    def config_schema() -> Mapping[str, Any]:
        """Return what it is asked beside Dagster's own settings: nothing."""
        return {}

    @staticmethod
    def config_defaults(base_dir: str) -> Mapping[str, ConfigurableClassData | None]:
        """Return what it is made of where the settings name nothing else."""
        storage = ConfigurableClassData(
            __name__, HomeStorage.__name__, json.dumps({"base_dir": base_dir})
        )
        return {**InstanceRef.config_defaults(base_dir), "storage": storage}

    def _get_event_batch_size(self) -> int:
        """Return it; Dagster would ask the environment of each process that has the instance."""
        return MOST_AT_ONCE

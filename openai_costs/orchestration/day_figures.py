"""Records figures of the days of a run on its asset, all at once.

`context.add_asset_metadata` takes one day at a time, and each time copies and checks what it has of
the days before: of a year of days that took longer than the rest of their events.
Not here: which figures there are (table_assets.py, sources/raw_pages.py).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.execution.context.metadata_logging import (
    AssetMetadataHandle,
    OutputMetadataAccumulator,
)


def record_days(
    context: dg.AssetExecutionContext, asset: dg.AssetKey, figures: Mapping[date, dict[str, Any]]
) -> None:
    """Add figures to the materializations of some days.

    Args:
        context: Of the run.
        asset: The asset, which the run makes.
        figures: By day of the run.
    """
    step = context.get_step_execution_context()
    known = step._metadata_accumulator  # noqa: SLF001 - test_day_figures.py compares the result
    recorded = dict(known.per_output_metadata)
    for day, its in figures.items():
        handle = AssetMetadataHandle(asset_key=asset, partition_key=str(day))
        recorded[handle] = {**recorded.get(handle, {}), **its}
    step._metadata_accumulator = OutputMetadataAccumulator(per_output_metadata=recorded)  # noqa: SLF001 - as above

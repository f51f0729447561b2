"""`mart/deleted_months` as an asset: after the tables that have rows of days, before what is left.

What adds up all days there are (mart.people), and what is published, is made when they are gone.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg
from upath import UPath

from openai_costs.kernel.days import Clock
from openai_costs.orchestration.table_assets import described
from openai_costs.outputs.retention.old_months import (
    delete_old_months,
    unconfirmed_text,
    undecided_text,
)
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deleted_months import DeletedMonths


def deleted_months(after: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """Build the asset.

    Args:
        after: The tables that are made before: what they hold of deleted months goes with them.
    """

    def months(
        context: dg.AssetExecutionContext,
        lake: dg.ResourceParam[Lake],
        home: dg.ResourceParam[UPath],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.MaterializeResult[Any]:
        """Delete what is older than the settings keep, and record it."""
        now = clock()
        texts = delete_old_months(home, lake, settings, now)
        waiting = unconfirmed_text(home, lake, settings, now)
        asked = undecided_text(home, lake, settings, now.date())
        for text in filter(None, (*texts, waiting, asked)):
            context.log.info(text)
        rows = lake.read(DeletedMonths).height
        return dg.MaterializeResult(
            metadata={"dagster/row_count": rows, "deleted": " ".join(texts)}
        )

    asset: dg.AssetsDefinition = dg.asset(
        **described(DeletedMonths),
        deps=list(after),
        backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
        group_name="retention",
        kinds={"polars", "deltalake"},
    )(months)
    return asset

"""Usage as assets: the pages of all usage endpoints as evidence, and core.usage made from them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from openai_costs.orchestration.checks import CONTRACT, KNOWN_FIELDS
from openai_costs.orchestration.table_assets import table_asset
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.connection import NAME
from openai_costs.sources.openai.usage.endpoints import DATASET
from openai_costs.sources.openai.usage.frames import usage_batches
from openai_costs.sources.openai.usage.source import first_usage_day
from openai_costs.sources.provider import DayReader
from openai_costs.sources.raw_pages import Evidence
from openai_costs.storage.archive import Archive
from openai_costs.storage.slices import Batches
from openai_costs.tables.core.usage import Usage

GROUP = "sources/openai/usage"
PAGES = Evidence(
    key=dg.AssetKey(["raw", "openai_usage"]),
    description="Usage pages as OpenAI sent them. Kept for ever, never edited.",
    group=GROUP,
    provider=NAME,
    dataset=DATASET,
    first_day=first_usage_day,
    is_explanation=True,
)


@PAGES.asset
def pages(
    context: dg.AssetExecutionContext,
    usage_reader: dg.ResourceParam[DayReader],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Iterator[Any]:
    """Read the usage of the run's days from every usage endpoint."""
    yield from PAGES.read(context, usage_reader, archive, settings)


@table_asset(
    Usage,
    group=GROUP,
    kinds={NAME, "polars", "parquet"},
    deps=[PAGES.key],
    rules=(CONTRACT, KNOWN_FIELDS),
    is_explanation=True,
)
def usage(
    context: dg.AssetExecutionContext,
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Clean the usage pages of the run's days."""
    for connection, reads in PAGES.kept(context, archive, settings):
        yield from usage_batches(reads, connection)

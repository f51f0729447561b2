"""core.usage from pages of usage: one row per grain, summed, unknown kept unknown.

The vendor's own words end here. Pure: kept reads in, Polars frames out.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import polars as pl

from openai_costs.settings.connection import Connection
from openai_costs.sources.anthropic.costs.frames import DEFAULT_WORKSPACE
from openai_costs.sources.anthropic.usage.pages import SCHEMA, missing, page
from openai_costs.sources.batching import Held, Understood, batches
from openai_costs.sources.provider import Reads
from openai_costs.sources.usage_rows import TYPES, summed
from openai_costs.storage.archive import KeptRead
from openai_costs.storage.slices import Batch
from openai_costs.tables.core.usage import Usage

MESSAGES: Final = "messages"
SEARCHES: Final = "web_search_calls"
"""What core.usage calls web searches, whoever ran them."""

BATCH: Final = "batch"
ROWS: Final = {"connection": pl.String(), "day": pl.Date(), **SCHEMA}
"""The columns of the rows of pages."""


def usage_batches(reads: Reads, connection: Connection) -> Iterator[Batch]:
    """Yield core.usage for kept reads."""
    return batches(reads, _understood, partial(_batch, connection))


def _understood(read: KeptRead) -> Understood[tuple[Any, ...]]:
    found, manifest = page(read), read.manifest
    rows = [(manifest.connection, manifest.day, *row) for row in found.rows]
    remarks = "; ".join([*found.remarks, *missing(read)])
    return Understood(rows, remarks, sum(map(len, read.bodies.values())))


def _batch(connection: Connection, held: Held[tuple[Any, ...]]) -> Batch:
    rows = pl.DataFrame(held.pages, ROWS, orient="row").with_columns(
        provider=pl.lit(connection.provider),
        project_id=pl.col("workspace_id").fill_null(DEFAULT_WORKSPACE),
        batch=pl.col("service_tier") == BATCH,
    )
    parts = [Usage.no_rows(), _messages(rows), _searches(rows)]
    whole = pl.concat(parts, how="diagonal").select(list(TYPES))
    return Batch(summed(whole), held.read_at, held.refused, held.remarks)


def _messages(rows: pl.DataFrame) -> pl.DataFrame:
    written = pl.col("written_5m") + pl.col("written_1h")
    return rows.with_columns(
        endpoint=pl.lit(MESSAGES),
        input_tokens=pl.col("uncached") + pl.col("cached") + written,
        input_uncached_tokens="uncached",
        input_cached_tokens="cached",
        input_cache_write_tokens=written,
        input_cache_write_5m_tokens="written_5m",
        input_cache_write_1h_tokens="written_1h",
        output_tokens="output",
        num_model_requests="requests",
    )


def _searches(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("searches") > 0).with_columns(
        endpoint=pl.lit(SEARCHES),
        quantity=pl.col("searches").cast(TYPES["quantity"]),
        quantity_unit=pl.lit("calls"),
    )

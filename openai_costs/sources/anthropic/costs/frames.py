"""The core tables from pages of costs: refined, named, summed exactly.

The vendor's own words end here. Pure: kept reads in, Polars frames out.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

import polars as pl

from openai_costs.kernel.days import is_settled, naive
from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.money import total
from openai_costs.settings.connection import Connection
from openai_costs.sources.anthropic.costs.endpoints import REFINEMENTS
from openai_costs.sources.anthropic.costs.identity import accounts
from openai_costs.sources.anthropic.costs.pages import (
    COST_TYPES,
    TEXTS,
    TOKEN_TYPES,
    is_older,
    page,
    summed,
)
from openai_costs.sources.anthropic.costs.protocol import ANALYTICS
from openai_costs.sources.anthropic.costs.refinement import refined
from openai_costs.sources.batching import Held, Understood, batches
from openai_costs.sources.ledger_rows import invoiced
from openai_costs.sources.provider import Reads
from openai_costs.storage.archive import KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl

DEFAULT_WORKSPACE: Final = "default"
"""What we call the workspace that has no id on the wire."""

LONG: Final = "200k-1M"
UNKNOWN_GEO: Final = "not_available"
ANYWHERE: Final = ("global", UNKNOWN_GEO)
GROUPING: Final = "project_id,user_id,api_key_id,line_item"
OLDER_GROUPING: Final = "project_id,line_item"
MEASURES: Final = {"billed_usd", "list_usd", "quantity"}
GRAIN: Final = [name for name in Spend.types() if name not in MEASURES]


def ledger_batches(reads: Reads, connection: Connection) -> Iterator[Batch]:
    """Yield core.spend for kept reads."""
    return batches(reads, partial(_ledger, connection), _ledger_batch)


def control_batches(reads: Reads, _connection: Connection, grace: timedelta) -> Iterator[Batch]:
    """Yield core.spend_control: one row per read, also for a day without spend."""
    return batches(reads, partial(_control, grace), partial(_batch, SpendControl.no_rows()))


def _ledger(connection: Connection, read: KeptRead) -> Understood[pl.DataFrame]:
    ledger = page(read, "ledger")
    rows = ledger.rows.group_by(TEXTS).agg(summed())
    remarks = [*ledger.remarks, *_missing(read)]
    for part, dimension in REFINEMENTS.items():
        if part in read.bodies:
            cut = page(read, part)
            rows = refined(rows, cut.rows, dimension)
            remarks += cut.remarks
    size = sum(map(len, read.bodies.values()))
    named = _named(rows, read, connection)
    return Understood([named], "; ".join(dict.fromkeys(remarks)), size)


def _missing(read: KeptRead) -> Iterator[str]:
    """Yield remarks about what the provider did not give."""
    for part, message in sorted(read.manifest.absent.items()):
        if part == ANALYTICS:
            yield (
                "read from the older cost report, without keys and users, because the analytics "
                f"API is refused; the provider's message: {message!r}"
            )
        else:
            yield f"{part} is missing; the provider's message: {message!r}"


def _named(rows: pl.DataFrame, read: KeptRead, connection: Connection) -> pl.DataFrame:
    """Return rows in the columns and the vocabulary of core.spend."""
    manifest = read.manifest
    organization = next(iter(accounts(read.bodies)), connection.organization_id)
    kinds = TOKEN_TYPES | COST_TYPES
    kind = pl.coalesce("token_type", "cost_type")
    named = rows.with_columns(
        line_item=_label(),
        connection=pl.lit(manifest.connection),
        organization_id=pl.lit(organization, pl.String),
        day=pl.lit(manifest.day),
        project_id=pl.col("workspace_id").fill_null(DEFAULT_WORKSPACE),
        surface=pl.when(pl.col("api_key_id").is_null() | pl.col("product").is_not_null())
        .then("product")
        .otherwise(pl.lit("api")),
        usage_type=kind.replace_strict(kinds, default=None, return_dtype=pl.String),
        is_long_context=pl.col("context_window") == LONG,
        region=pl.when(pl.col("inference_geo") != UNKNOWN_GEO).then("inference_geo"),
        grouping=pl.lit(OLDER_GROUPING if is_older(read) else GROUPING),
    )
    return invoiced(named, connection)


def _label() -> pl.Expr:
    """Return a label: the vendor has none that both reports share, so it is made of its words."""
    tier, geo = pl.col("service_tier"), pl.col("inference_geo")
    words = [
        pl.col("model"),
        pl.coalesce("token_type", "cost_type"),
        pl.when(tier != "standard").then(tier),
        pl.when(pl.col("context_window") == LONG).then(pl.lit("long context")),
        pl.when(~geo.is_in(ANYWHERE)).then(geo),
    ]
    label = pl.concat_str(words, separator=", ", ignore_nulls=True)
    of_product = pl.concat_str(["product", label], separator=" | ", ignore_nulls=True)
    return pl.when(of_product != "").then(of_product).otherwise("description")


def _ledger_batch(held: Held[pl.DataFrame]) -> Batch:
    rows = pl.concat([Spend.no_rows(), *held.pages])
    sums = rows.group_by("connection", "day").agg(pl.col("billed_usd").sum())
    page_usd = dict.fromkeys(held.read_at, Decimal(0))
    page_usd |= {Slice(*key): usd for *key, usd in sums.iter_rows()}
    dollars = rows.group_by(GRAIN).agg(summed())
    quantity = pl.lit(None, Spend.types()["quantity"])
    frame = (
        dollars.with_columns(quantity=quantity)
        .select(list(Spend.types()))
        .sort(Spend.Config.unique)
    )
    return Batch(frame, held.read_at, held.refused, held.remarks, page_usd)


def _control(grace: timedelta, read: KeptRead) -> Understood[pl.DataFrame]:
    """A day is settled once the data, and not only the read, is late enough."""
    manifest, pages = read.manifest, {part: page(read, part) for part in ("control", "ledger")}
    refreshed = [
        _instant(one.refreshed_at, read.page_of(part))
        for part, one in pages.items()
        if one.refreshed_at
    ]
    row = {
        "connection": manifest.connection,
        "day": manifest.day,
        "billed_usd": total(pages["control"].rows["billed_usd"]),
        "is_settled": is_settled(manifest.day, min([manifest.read_at, *refreshed]), grace),
        "read_at": naive(manifest.read_at),
    }
    frame = pl.DataFrame([row], schema=SpendControl.types())
    return Understood([frame], "", len(read.bodies["control"]))


def _batch(nothing: pl.DataFrame, held: Held[pl.DataFrame]) -> Batch:
    frame = pl.concat([nothing, *held.pages]).sort("connection", "day")
    return Batch(frame, held.read_at, held.refused, held.remarks)


def _instant(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PageRefused(where, "data_refreshed_at", "is not an instant") from None

"""The core tables from pages of costs: refined, named, summed exactly.

The vendor's own words end here. Pure: kept reads in, Polars frames out.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

import polars as pl

from openai_costs.kernel.days import is_over, is_settled, naive
from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.money import exact_sum
from openai_costs.settings.connection import Connection
from openai_costs.sources.anthropic.costs.endpoints import REFINEMENTS
from openai_costs.sources.anthropic.costs.identity import accounts
from openai_costs.sources.anthropic.costs.pages import (
    COST_TYPES,
    SCHEMA,
    TEXTS,
    TOKEN_TYPES,
    Page,
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
SLICE: Final = {"connection": pl.String(), "day": pl.Date()}
ROWS: Final = SLICE | SCHEMA
"""The columns of the rows of pages."""

MEASURES: Final = {"billed_usd", "list_usd", "quantity"}
GRAIN: Final = [name for name in Spend.types() if name not in MEASURES]


class _Day(NamedTuple):
    """What a kept read says.

    Args:
        key: The connection and day.
        organization_id: Who is billed.
        grouping: The dimensions that it was read by.
        pages: Its parts: the ledger, and the same dollars with another dimension.
    """

    key: Slice
    organization_id: str | None
    grouping: str
    pages: Mapping[str, Page]


def ledger_batches(reads: Reads, connection: Connection) -> Iterator[Batch]:
    """Yield core.spend for kept reads."""
    return batches(reads, partial(_day, connection), partial(_ledger_batch, connection))


def control_batches(reads: Reads, _connection: Connection, grace: timedelta) -> Iterator[Batch]:
    """Yield core.spend_control: one row per read, also for a day without spend."""
    return batches(reads, partial(_control, grace), _control_batch)


def _day(connection: Connection, read: KeptRead) -> Understood[_Day]:
    parts = [part for part in ("ledger", *REFINEMENTS) if part in read.bodies]
    pages = {part: page(read, part) for part in parts}
    ledger, *cuts = pages.values()
    remarks = [*ledger.remarks, *_missing(read), *(text for cut in cuts for text in cut.remarks)]
    day = _Day(
        Slice(read.manifest.connection, read.manifest.day),
        next(iter(accounts(read)), connection.organization_id),
        OLDER_GROUPING if is_older(read) else GROUPING,
        pages,
    )
    size = sum(map(len, read.bodies.values()))
    return Understood([day], "; ".join(dict.fromkeys(remarks)), size)


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


def _ledger_batch(connection: Connection, held: Held[_Day]) -> Batch:
    rows = _rows(held.pages, "ledger").group_by(*SLICE, *TEXTS).agg(summed())
    for part, dimension in REFINEMENTS.items():
        rows = refined(rows, _rows(held.pages, part), dimension)
    frame = _named(rows, held.pages, connection).group_by(GRAIN).agg(summed())
    quantity = pl.lit(None, Spend.types()["quantity"])
    return Batch(
        frame.with_columns(quantity=quantity).select(list(Spend.types())).sort(Spend.Config.unique),
        held.read_at,
        held.refused,
        held.remarks,
        {one.key: exact_sum(one.pages["ledger"].columns["billed_usd"]) for one in held.pages},
    )


def _rows(days: Sequence[_Day], part: str) -> pl.DataFrame:
    """Return a part of days, with the columns of `ROWS`."""
    pages = [(one.key, one.pages[part].columns) for one in days if part in one.pages]
    columns = {name: [it for _, its in pages for it in its[name]] for name in SCHEMA}
    keys = [key for key, its in pages for _ in its["billed_usd"]]
    columns |= {name: [getattr(key, name) for key in keys] for name in SLICE}
    return pl.DataFrame([pl.Series(name, columns[name], type_) for name, type_ in ROWS.items()])


def _named(rows: pl.DataFrame, days: Sequence[_Day], connection: Connection) -> pl.DataFrame:
    """Return rows in the columns and the vocabulary of core.spend."""
    kind = pl.coalesce("token_type", "cost_type")
    facts = pl.DataFrame(
        [(*one.key, one.organization_id, one.grouping) for one in days],
        {**SLICE, "organization_id": pl.String(), "grouping": pl.String()},
        orient="row",
    )
    named = rows.join(facts, on=list(SLICE)).with_columns(
        line_item=_label(),
        project_id=pl.col("workspace_id").fill_null(DEFAULT_WORKSPACE),
        surface=pl.when(pl.col("api_key_id").is_null() | pl.col("product").is_not_null())
        .then("product")
        .otherwise(pl.lit("api")),
        usage_type=kind.replace_strict(
            TOKEN_TYPES | COST_TYPES, default=None, return_dtype=pl.String
        ),
        is_long_context=pl.col("context_window") == LONG,
        region=pl.when(pl.col("inference_geo") != UNKNOWN_GEO).then("inference_geo"),
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


def _control(grace: timedelta, read: KeptRead) -> Understood[tuple[object, ...]]:
    """A day is settled once the data, and not only the read, is late enough."""
    manifest, pages = read.manifest, {part: page(read, part) for part in ("control", "ledger")}
    refreshed = [
        _instant(one.refreshed_at, read.page_of(part))
        for part, one in pages.items()
        if one.refreshed_at
    ]
    known_at = min([manifest.read_at, *refreshed])
    row = (
        manifest.connection,
        manifest.day,
        exact_sum(pages["control"].columns["billed_usd"]),
        is_settled(manifest.day, known_at, grace),
        is_over(manifest.day, known_at),
        naive(manifest.read_at),
    )
    return Understood([row], "", len(read.bodies["control"]))


def _control_batch(held: Held[tuple[object, ...]]) -> Batch:
    types = SpendControl.types()
    known = (*SLICE, "billed_usd", "is_settled", "is_over", "read_at")
    schema = {name: types[name] for name in known}
    rows = pl.DataFrame(held.pages, schema, orient="row")
    frame = pl.concat([SpendControl.no_rows(), rows], how="diagonal").sort(*SLICE)
    return Batch(frame, held.read_at, held.refused, held.remarks)


def _instant(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PageRefused(where, "data_refreshed_at", "is not an instant") from None

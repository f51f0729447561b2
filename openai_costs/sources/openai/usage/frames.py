"""core.usage from the results of usage pages: one row per grain, summed, unknown kept unknown.

The vendor's own words end here. Pure: kept reads in, Polars frames out.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Final

import polars as pl

from openai_costs.kernel.errors import PageRefused
from openai_costs.settings.connection import Connection
from openai_costs.sources.batching import Held, batches
from openai_costs.sources.openai.costs.rows import repeated
from openai_costs.sources.openai.usage.endpoints import UsageEndpoint
from openai_costs.sources.openai.usage.pages import UsagePage, understood
from openai_costs.storage.archive import DamagedRead, KeptRead
from openai_costs.storage.slices import Batch, Slice, slices_frame
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.token_counts import contradictions

TYPES: Final = Usage.types()
GRAIN: Final = [*Usage.Config.unique, "provider", "quantity_unit"]
MEASURES: Final = [name for name in TYPES if name not in GRAIN]
SLICE: Final = {"connection": pl.String, "day": pl.Date}
PAGE: Final = [*SLICE, "endpoint"]


def usage_batches(
    reads: Iterable[KeptRead | DamagedRead], connection: Connection
) -> Iterator[Batch]:
    """Yield core.usage for kept reads."""
    return batches(reads, understood, partial(_batch, connection))


def _batch(connection: Connection, held: Held[UsagePage]) -> Batch:
    frame = rows(held.pages)
    _refuse_contradictions(held, frame)
    if held.refused:
        frame = frame.join(slices_frame(held.read_at), on=list(SLICE), how="semi")
    named = frame.with_columns(provider=pl.lit(connection.provider))
    return Batch(summed(named), held.read_at, held.refused, held.remarks)


def rows(pages: Sequence[UsagePage]) -> pl.DataFrame:
    """Return results as they stand, in the columns of core.usage; "" is null.

    `row` is a result's place in its page. What an endpoint does not count is null.
    """
    found: dict[str, list[UsagePage]] = {}
    for page in pages:
        found.setdefault(page.endpoint.dataset, []).append(page)
    frames = [_rows_of(its[0].endpoint, its) for its in found.values()]
    return pl.concat([Usage.no_rows(), *frames], how="diagonal")


def summed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return core.usage from rows: added up by its grain; a sum of nothing known is unknown."""
    known = pl.col(MEASURES).is_not_null().any()
    sums = pl.when(known).then(pl.col(MEASURES).sum())
    return frame.group_by(GRAIN).agg(sums).select(list(TYPES)).sort(Usage.Config.unique)


def _rows_of(endpoint: UsageEndpoint, pages: Sequence[UsagePage]) -> pl.DataFrame:
    results = list(chain.from_iterable(page.results for page in pages))
    measures = endpoint.measures
    fields = dict(endpoint.dimensions) | {
        name: name for name in (*measures.required, *measures.optional)
    }
    unit = None
    if measures.quantity:
        field, unit = measures.quantity
        fields[field] = "quantity"
    columns = {ours: list(map(attrgetter(wire), results)) for wire, ours in fields.items()}
    texts = [name for name in columns if TYPES[name] == pl.String]
    frame = pl.DataFrame(columns, schema={name: TYPES[name] for name in columns})
    return frame.with_columns(
        pl.when(pl.col(texts) != "").then(pl.col(texts)),
        endpoint=pl.lit(endpoint.dataset),
        quantity_unit=pl.lit(unit, pl.String),
        row=pl.Series(_places(pages), dtype=pl.Int64),
    ).hstack(_days_repeated(pages))


def _places(pages: Sequence[UsagePage]) -> list[int]:
    return list(chain.from_iterable(range(len(page.results)) for page in pages))


def _days_repeated(pages: Sequence[UsagePage]) -> pl.DataFrame:
    facts = [(*page.slice, len(page.results)) for page in pages]
    return repeated(facts, SLICE)


def _refuse_contradictions(held: Held[UsagePage], frame: pl.DataFrame) -> None:
    """Refuse each day in which counts contradict each other, by its first such row."""
    for identity, contradicting in contradictions(frame):
        names = {(*page.slice, page.endpoint.dataset): page.name for page in held.pages}
        for row in contradicting.unique(PAGE, keep="first", maintain_order=True).iter_rows(
            named=True
        ):
            page = names[row["connection"], row["day"], row["endpoint"]]
            where = f"results[{row['row']}].{identity.whole}"
            error = PageRefused(page, where, identity.sentence(row))
            held.refuse(Slice(row["connection"], row["day"]), error)

"""core.spend from kept entries: cents become dollars here, once. Pure."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import polars as pl

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.money import NotAnAmount, dollars_from_cents
from openai_costs.settings.connection import Connection
from openai_costs.sources.batching import Held, Understood, batches
from openai_costs.sources.provider import Reads
from openai_costs.storage.archive import KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import BILLED, USAGE, Spend
from openai_costs_tests.sources.acme_ai.endpoints import COSTS, NAME

GRAIN = [name for name in Spend.types() if name not in {"billed_usd", "quantity"}]


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """One entry of the bill; `cents` is decimal text."""

    date: str
    project: str | None
    credential: str | None
    model: str
    meter: str
    units: int
    cents: str
    basis: str


def ledger(reads: Reads, connection: Connection) -> Iterator[Batch]:
    """Yield core.spend for kept reads."""
    return batches(reads, _understood, partial(_batch, connection))


def _understood(read: KeptRead) -> Understood[pl.DataFrame]:
    body = read.bodies[COSTS]
    where = f"{read.page}!{COSTS}.json"
    try:
        found = msgspec.json.decode(body, type=list[Entry])
        usd = dollars_from_cents([one.cents for one in found])
    except msgspec.DecodeError as gone:
        raise PageRefused(where, "entries", f"is not what it was: {gone}") from None
    except NotAnAmount as bad:
        raise PageRefused(where, f"entries[{bad.row}].cents", bad.why) from None
    key = Slice(read.manifest.connection, read.manifest.day)
    rows = pl.DataFrame([_row(one, key) for one in found], schema=Spend.types())
    return Understood([rows.with_columns(billed_usd=usd)], "", len(body))


def _row(one: Entry, key: Slice) -> dict[str, Any]:
    return {
        "connection": key.connection,
        "provider": NAME,
        "day": key.day,
        "project_id": one.project,
        "api_key_id": one.credential,
        "line_item": f"{one.model}, {one.meter}",
        "model": one.model,
        "usage_type": one.meter,
        "host": NAME,
        "cost_basis": one.basis,
        "charge_category": USAGE,
        "quantity": one.units,
        "quantity_unit": "tokens",
        "grouping": "project_id,api_key_id,line_item",
    }


def _batch(connection: Connection, held: Held[pl.DataFrame]) -> Batch:
    rows = pl.concat([Spend.no_rows(), *held.pages]).with_columns(
        organization_id=pl.lit(connection.organization_id, pl.String)
    )
    billed = rows.filter(cost_basis=BILLED)
    sums = billed.group_by("connection", "day").agg(pl.col("billed_usd").sum())
    summed = rows.group_by(GRAIN).agg(pl.col("billed_usd", "quantity").sum())
    return Batch(
        summed.select(list(Spend.types())).sort(Spend.Config.unique),
        held.read_at,
        held.refused,
        page_usd={Slice(*key): usd for *key, usd in sums.iter_rows()},
    )

"""core.spend and core.usage from kept events: credits, and dollars where a rate is known.

A credit is not a dollar. Without `usd_per_credit` a row has its credits and $0.00, and the day has
a remark that says how many credits have no dollars; with it, the dollars are estimated. Pure.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal, localcontext
from functools import partial
from typing import Any, Final

import msgspec
import polars as pl

from openai_costs.kernel.days import is_settled, naive
from openai_costs.kernel.errors import PageRefused
from openai_costs.settings.connection import Connection
from openai_costs.sources import from_ledger
from openai_costs.sources.chatgpt_workspace.endpoints import QUIET, complete_from
from openai_costs.sources.chatgpt_workspace.events import TOKENS, Charge, Payload, events, until
from openai_costs.sources.chatgpt_workspace.settings import credit_price
from openai_costs.sources.day_ledger import DayRows, ledger_of, usage_of
from openai_costs.sources.page_fields import dollars
from openai_costs.sources.provider import Reads
from openai_costs.storage.archive import KeptRead
from openai_costs.storage.slices import Batch, Slice, slices_frame
from openai_costs.tables.core.spend import ESTIMATED

GROUPING: Final = "user_id,line_item"
COST: Final = "events[{}].billing[].cost.value"
QUANTITY: Final = "events[{}].billing[].quantity.value"
DIGITS: Final = 80


def _rows(read: KeptRead, connection: Connection) -> DayRows:
    lines = [(one.payload, charge) for one in events(read) for charge in one.payload.billing]
    credits_used = [charge.cost.value for _, charge in lines]
    quantities = dollars(read, "logs", COST, credits_used)
    rate = credit_price(connection)
    usd = _estimated(read, credits_used, rate)
    place = {
        "quantity_unit": "credits",
        "cost_basis": ESTIMATED,
        "organization_id": connection.organization_id,
        "grouping": GROUPING,
        "tags": None if rate is None else _tags(rate),
    }
    rows = [
        {**_texts(payload, charge), **place, "billed_usd": billed, "quantity": quantity}
        for (payload, charge), billed, quantity in zip(lines, usd, quantities, strict=True)
    ]
    return DayRows(rows, tuple(_unpriced(credits_used, rate)))


def _texts(payload: Payload, charge: Charge) -> Mapping[str, str | None]:
    return {
        "user_id": payload.identity.user_id,
        "product": payload.product and payload.product.casefold(),
        "model": payload.model or None,
        "service_tier": payload.service_tier,
        "line_item": " | ".join(filter(None, (charge.sku, payload.model))),
        "usage_type": charge.usage_type,
    }


def _estimated(read: KeptRead, credits_used: list[Decimal], rate: Decimal | None) -> list[Decimal]:
    """Return credits as dollars at a rate, so that the sum is that of the credits at that rate."""
    if rate is None:
        return [Decimal(0)] * len(credits_used)
    with localcontext(prec=DIGITS):
        return dollars(read, "logs", COST, [one * rate for one in credits_used])


def _tags(rate: Decimal) -> str:
    return msgspec.json.encode({"usd_per_credit": f"{rate:f}"}).decode()


def _unpriced(credits_used: Iterable[Decimal], rate: Decimal | None) -> Iterator[str]:
    """Yield a remark about credits that no rate makes dollars of."""
    total = sum(credits_used, Decimal(0))
    if rate is None and total:
        yield f"{total:,f} credits have no dollars: set usd_per_credit of this connection"


COUNTS: Final = {
    "input": "input_uncached_tokens",
    "cached_input": "input_cached_tokens",
    "cache_write": "input_cache_write_tokens",
    "output": "output_tokens",
}
INPUTS: Final = tuple(COUNTS[one] for one in ("input", "cached_input", "cache_write"))
_PLACE: Final = ("endpoint", "user_id", "model", "service_tier")


def _used(read: KeptRead, _connection: Connection) -> DayRows:
    """Return the tokens by product, user, model and tier; other quantities are none."""
    counts: dict[tuple[str | None, ...], defaultdict[str, int]] = {}
    for event in events(read):
        place = event.payload
        key = (
            (place.product or "other").casefold(),
            place.identity.user_id,
            place.model,
            place.service_tier,
        )
        for charge in place.billing:
            if charge.usage_type and charge.quantity and charge.quantity.unit == TOKENS:
                dollars(read, "logs", QUANTITY, [charge.quantity.value])
                of_key = counts.setdefault(key, defaultdict(int))
                of_key[COUNTS[charge.usage_type]] += int(charge.quantity.value)
    return DayRows([_counted(*one) for one in counts.items()])


def _counted(key: tuple[str | None, ...], counts: Mapping[str, int]) -> dict[str, Any]:
    inputs = [counts[one] for one in INPUTS if one in counts]
    return {
        **dict(zip(_PLACE, key, strict=True)),
        **{name: counts.get(name) for name in COUNTS.values()},
        "input_tokens": sum(inputs) if inputs else None,
    }


ledger = ledger_of(_rows)
used = usage_of(_used)


def control(reads: Reads, connection: Connection, grace: timedelta) -> Iterator[Batch]:
    """Yield core.spend_control: a day is settled once files go far enough beyond its end, too.

    Where no file comes for long after it, no one used the workspace: it is settled then.
    """
    incomplete: set[Slice] = set()

    def looked_at() -> Iterator[Any]:
        for read in reads:
            if isinstance(read, KeptRead) and not _is_complete(read):
                incomplete.add(Slice(read.manifest.connection, read.manifest.day))
            yield read

    for batch in from_ledger.control(ledger(looked_at(), connection), grace):
        yield batch.derive(partial(_with_open_days, incomplete))


def _with_open_days(incomplete: Collection[Slice], totals: pl.DataFrame) -> pl.DataFrame:
    """Return totals in which no incomplete day is over, let alone settled."""
    is_open = slices_frame(incomplete).with_columns(is_open=True)
    beside = totals.join(is_open, on=["connection", "day"], how="left", maintain_order="left")
    complete = (pl.col(name) & pl.col("is_open").is_null() for name in ("is_settled", "is_over"))
    return beside.with_columns(complete).drop("is_open")


def _is_complete(read: KeptRead) -> bool:
    """Return whether all of a day was written: by a file that ends late enough, or for long none.

    Should events of it come later still, they are found in their files (late_events.py).
    """
    day, read_at = read.manifest.day, read.manifest.read_at
    try:
        newest = until(read)
    except PageRefused:
        return False  # the ledger says what is wrong with it
    proven = newest is not None and naive(newest) > naive(complete_from(day))
    return proven or is_settled(day, read_at, QUIET)

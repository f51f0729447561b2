"""core.spend and core.usage from the kept sums of a proxy: metered, whoever bills them. Pure.

The upstream invoices what the proxy counts. Where the upstream is a connection of its own, its bill
has the same dollars: such a row names that connection in its tags. No metered dollar is in a sum of
billed dollars.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.formatting import listed
from openai_costs.kernel.money import NotAnAmount, exact_amounts
from openai_costs.kernel.redaction import without_domains
from openai_costs.settings.connection import Connection
from openai_costs.sources.day_ledger import DayRows, ledger_of, usage_of
from openai_costs.sources.gateway.litellm.frames import meter_rows
from openai_costs.sources.gateway.metering import MeterRow
from openai_costs.sources.litellm.endpoints import NAME
from openai_costs.sources.litellm.settings import bills_of_upstreams
from openai_costs.storage.archive import KeptRead
from openai_costs.tables.core.spend import METERED
from openai_costs.tables.upstreams import bill_tags

GROUPING: Final = "project_id,user_id,api_key_id,line_item"
ENDPOINT: Final = "daily_activity"
MOST_NAMED: Final = 5


def _rows(read: KeptRead, connection: Connection) -> DayRows:
    metered = list(meter_rows(read))
    billed_by = bills_of_upstreams(connection)
    usd = _dollars(read, metered)
    rows = [
        _row(row, billed_by) | {"billed_usd": its} for row, its in zip(metered, usd, strict=True)
    ]
    return DayRows(rows, tuple(_unpriced(metered)))


def _row(row: MeterRow, billed_by: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    bills = billed_by.get(row.upstream_provider or "", ())
    return {
        "provider": row.upstream_provider or NAME,
        "project_id": row.team_id,
        "user_id": _user(row),
        "api_key_id": row.token_id,
        "line_item": "/".join(filter(None, (row.upstream_provider, row.model))) or None,
        "model": row.model,
        "quantity": row.requests,
        "quantity_unit": None if row.requests is None else "requests",
        "cost_basis": METERED,
        "grouping": GROUPING,
        "tags": bill_tags(bills),
    }


def _user(row: MeterRow) -> str | None:
    """Return whose token it is; of an address only what stands before the @."""
    return row.user_id and without_domains(row.user_id)


def _dollars(read: KeptRead, metered: list[MeterRow]) -> list[Decimal]:
    """Return the dollars of metered rows; daily sums always have some.

    Raises:
        PageRefused: One is not an amount.
    """
    try:
        return exact_amounts([row.usd or "0" for row in metered])
    except NotAnAmount as bad:
        where = f"{metered[bad.row].model}.metrics.spend"
        raise PageRefused(read.page_of("daily"), where, bad.why) from None


def _unpriced(metered: list[MeterRow]) -> Iterator[str]:
    """Yield a remark about models that the proxy counts at nothing although they used tokens."""
    free = {
        f"{row.upstream_provider}/{row.model}"
        for row in metered
        if Decimal(row.usd or 0) == 0 and (row.input_tokens or row.output_tokens)
    }
    if free:
        yield f"the proxy has no price for {listed(sorted(free), MOST_NAMED, 'model')}"


def _used(read: KeptRead, _connection: Connection) -> DayRows:
    """Return the tokens of each key and model; the rest that no key has has no tokens."""
    return DayRows([_counts(row) for row in meter_rows(read) if row.model is not None])


def _counts(row: MeterRow) -> Mapping[str, Any]:
    known = (row.input_tokens, row.cached_tokens, row.cache_write_tokens)
    whole, cached, written = known
    parts = (cached or 0) + (written or 0)
    # What is more than the whole is counted apart by some upstream: the rest is not known.
    has_all = None not in known and whole is not None and parts <= whole
    return {
        "endpoint": ENDPOINT,
        "project_id": row.team_id,
        "user_id": _user(row),
        "api_key_id": row.token_id,
        "model": row.model,
        "input_tokens": whole,
        "input_uncached_tokens": whole - parts if has_all and whole is not None else None,
        "input_cached_tokens": cached,
        "input_cache_write_tokens": written,
        "output_tokens": row.output_tokens,
        "num_model_requests": row.requests,
    }


ledger = ledger_of(_rows)
used = usage_of(_used)

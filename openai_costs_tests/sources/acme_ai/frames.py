"""core.spend from kept entries: cents become dollars here, once. Pure."""

from typing import Any

import msgspec

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.money import NotAnAmount, dollars_from_cents
from openai_costs.settings.connection import Connection
from openai_costs.sources.day_ledger import DayRows, ledger_of
from openai_costs.sources.page_fields import typed
from openai_costs.storage.archive import KeptRead
from openai_costs_tests.sources.acme_ai.endpoints import COSTS


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


def _rows(read: KeptRead, connection: Connection) -> DayRows:
    found = typed(read, COSTS, list[Entry])
    try:
        usd = dollars_from_cents([one.cents for one in found])
    except NotAnAmount as bad:
        where = read.page_of(COSTS)
        raise PageRefused(where, f"entries[{bad.row}].cents", bad.why) from None
    place = {"organization_id": connection.organization_id}
    return DayRows(
        [_row(one) | place | {"billed_usd": its} for one, its in zip(found, usd, strict=True)]
    )


def _row(one: Entry) -> dict[str, Any]:
    return {
        "project_id": one.project,
        "api_key_id": one.credential,
        "line_item": f"{one.model}, {one.meter}",
        "model": one.model,
        "usage_type": one.meter,
        "cost_basis": one.basis,
        "quantity": one.units,
        "quantity_unit": "tokens",
        "grouping": "project_id,api_key_id,line_item",
    }


ledger = ledger_of(_rows)

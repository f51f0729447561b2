"""What an event of a kept day says: who used what, and for how many credits. Pure."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from openai_costs.kernel.errors import CurrencyRefused, PageRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.chatgpt_workspace.protocol import LOGS, OF_FILE
from openai_costs.sources.page_fields import typed
from openai_costs.storage.archive import KeptRead

CREDITS: Final = "CREDITS"
TOKENS: Final = "TOKENS"

USAGE_TYPES: Final = {
    "input": "input",
    "cached input": "cached_input",
    "cache write": "cache_write",
    "output": "output",
}
"""The end of a SKU behind its last dash, in the vocabulary of all providers."""


class Amount(msgspec.Struct):
    """A number and its unit."""

    value: Decimal
    unit: str


class Charge(msgspec.Struct):
    """One line of an event's bill."""

    sku: str
    cost: Amount
    quantity: Amount | None = None
    estimated_cost_usd: Decimal | None = None

    @property
    def usage_type(self) -> str | None:
        """What was used, in the vocabulary of all providers; None where the SKU does not say."""
        return USAGE_TYPES.get(self.sku.rpartition(" - ")[2].strip().casefold())


class Identity(msgspec.Struct):
    """Who used it. Name and address are personal data: they go to core.users and nowhere else."""

    user_id: str | None = None
    email: str | None = None
    name: str | None = None


class Payload(msgspec.Struct):
    """What was used in an hour."""

    identity: Identity
    billing: list[Charge]
    hour: int | None = None
    product: str | None = None
    surface: str | None = None
    client: str | None = None
    model: str | None = None
    service_tier: str | None = None


class Event(msgspec.Struct):
    """An event; its id comes again where it is delivered again."""

    event_id: str
    payload: Payload


class _Logs(msgspec.Struct):
    until: datetime | None


def until(read: KeptRead) -> datetime | None:
    """Return when the newest file ended that was listed for a day; None where there was none.

    Raises:
        PageRefused: The kept list has an unexpected form.
    """
    return typed(read, LOGS, _Logs).until


def events(read: KeptRead) -> list[Event]:
    """Return the events of a kept day, each once, however often it was delivered.

    Raises:
        PageRefused: A field we rely on is gone or has another type.
        CurrencyRefused: A cost is not in credits.
    """
    found: dict[str, Event] = {}
    for part in read.bodies:
        if part.startswith(OF_FILE):
            for event in _decoded(read, part):
                found[event.event_id] = event
    return list(found.values())


def _decoded(read: KeptRead, part: str) -> Iterator[Event]:
    for number, line in enumerate(read.bodies[part].splitlines()):
        where = f"[{number}].payload"
        try:
            event = msgspec.json.decode(line, type=Event)
        except UNREADABLE as gone:
            why = f"has an unexpected form: {gone}"
            raise PageRefused(read.page_of(part), where, why) from None
        if strange := {one.cost.unit for one in event.payload.billing} - {CREDITS}:
            why = f"is {', '.join(sorted(strange))}; this ledger knows credits only"
            raise CurrencyRefused(read.page_of(part), f"{where}.billing[].cost.unit", why)
        yield event

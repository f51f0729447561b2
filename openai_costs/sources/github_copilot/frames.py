"""core.spend from kept bills: what each person used, and what no person explains. Pure.

The net amount is billed, the gross amount is the same at list price. What the bill as a whole has
above the bills of single persons stays, without a person.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from openai_costs.kernel.money import exact_sum
from openai_costs.settings.connection import Connection
from openai_costs.sources.day_ledger import DayRows, ledger_of
from openai_costs.sources.github_copilot.protocol import OF_PERSON, PEOPLE, WHOLE
from openai_costs.sources.page_fields import dollars, new_fields, plain, typed
from openai_costs.storage.archive import KeptRead
from openai_costs.tables.core.spend import BILLED

BY_PERSON: Final = "user_id,line_item"
AS_A_WHOLE: Final = "line_item"


class Line(NamedTuple):
    """What an amount of a bill is for."""

    user_id: str | None
    product: str
    line_item: str
    model: str | None
    quantity_unit: str | None


class Amounts(NamedTuple):
    """What a line of a bill amounts to."""

    billed_usd: Decimal
    list_usd: Decimal
    quantity: Decimal


Bill = dict[Line, Amounts]
"""Amounts added up by line."""


class Item(msgspec.Struct, rename="camel"):
    """A line of a bill."""

    product: str
    sku: str
    gross_quantity: Decimal
    gross_amount: Decimal
    net_amount: Decimal
    model: str | None = None
    unit_type: str | None = None
    price_per_unit: Decimal | None = None
    discount_quantity: Decimal | None = None
    discount_amount: Decimal | None = None
    net_quantity: Decimal | None = None

    @property
    def label(self) -> str:
        """A label made of GitHub's words."""
        return " | ".join(filter(None, (self.sku, self.model)))


class _Bill(msgspec.Struct):
    items: list[Item] = msgspec.field(name="usageItems")


def _rows(read: KeptRead, connection: Connection) -> DayRows:
    whole = _bill(read, WHOLE, None)
    people = [
        _bill(read, part, part.removeprefix(OF_PERSON))
        for part in read.bodies
        if part.startswith(OF_PERSON)
    ]
    grouping = BY_PERSON if people else AS_A_WHOLE
    place = {"organization_id": connection.organization_id, "grouping": grouping}
    rows = [
        {**line._asdict(), **amounts._asdict(), **place}
        for bill in (*people, _unexplained(whole, people))
        for line, amounts in bill.items()
    ]
    billed = exact_sum(amounts.billed_usd for amounts in whole.values())
    return DayRows(rows, tuple(_remarks(read)), {BILLED: billed})


def _bill(read: KeptRead, part: str, login: str | None) -> Bill:
    """Return a part of a read, added up by line."""
    items = typed(read, part, _Bill).items
    amounts = (
        dollars(read, part, "usageItems[{}].netAmount", [one.net_amount for one in items]),
        dollars(read, part, "usageItems[{}].grossAmount", [one.gross_amount for one in items]),
        dollars(read, part, "usageItems[{}].grossQuantity", [one.gross_quantity for one in items]),
    )
    lines = [
        Line(login, one.product.casefold(), one.label, one.model or None, one.unit_type)
        for one in items
    ]
    return _added_up(zip(lines, map(Amounts, *amounts), strict=True))


def _added_up(lines: Iterable[tuple[Line, Amounts]]) -> Bill:
    found: dict[Line, list[Amounts]] = {}
    for line, amounts in lines:
        found.setdefault(line, []).append(amounts)
    return {line: Amounts(*map(exact_sum, zip(*its, strict=True))) for line, its in found.items()}


def _unexplained(whole: Bill, people: Sequence[Bill]) -> Bill:
    """Return what a bill as a whole has and the bills of single persons together have not."""
    if not people:
        return whole
    explained = [
        (line._replace(user_id=None), Amounts(*(one.copy_negate() for one in amounts)))
        for bill in people
        for line, amounts in bill.items()
    ]
    left = _added_up([*whole.items(), *explained])
    return {line: amounts for line, amounts in left.items() if any(amounts)}


def _remarks(read: KeptRead) -> Iterator[str]:
    """Yield what is new in the bills, and what GitHub did not give."""
    for part in read.bodies:
        yield from new_fields(plain(read.bodies[part], "usageItems"), Item)
    others = "other people" if any(part.startswith(OF_PERSON) for part in read.bodies) else "people"
    for part, message in read.manifest.absent.items():
        whom = f"{others}, who are" if part == PEOPLE else f"{part.removeprefix(OF_PERSON)}, who is"
        yield f"read without {whom} refused; the provider's message: {message!r}"


ledger = ledger_of(_rows)

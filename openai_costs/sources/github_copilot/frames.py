"""core.spend from kept bills: what each person used, and what no person explains. Pure.

The net amount is billed, the gross amount is the same at list price. What the bill as a whole has
above the bills of single persons stays, without a person. The bill of a person who is refused stays
as it was kept, unless the whole has no room for it: a login that was renamed is in another's bill.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from openai_costs.kernel.money import FLOAT_NOISE, exact_sum
from openai_costs.settings.connection import Connection
from openai_costs.sources.day_ledger import DayRows, ledger_of
from openai_costs.sources.github_copilot.protocol import OF_PERSON, PEOPLE, WHOLE
from openai_costs.sources.github_copilot.seat_list import ALL_SEATS
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


NOTHING: Final = Amounts(Decimal(0), Decimal(0), Decimal(0))

_NOT_WHOLE: Final = (
    "the list of seats is not whole, and only its people and those of earlier reads are asked for"
)

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
    people, unexplained = _explained(read, whole)
    grouping = BY_PERSON if people else AS_A_WHOLE
    place = {"organization_id": connection.organization_id, "grouping": grouping}
    rows = [
        {**line._asdict(), **amounts._asdict(), **place}
        for bill in (*people.values(), unexplained)
        for line, amounts in bill.items()
    ]
    billed = exact_sum(amounts.billed_usd for amounts in whole.values())
    return DayRows(rows, tuple(_remarks(read, people)), {BILLED: billed})


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


def _explained(read: KeptRead, whole: Bill) -> tuple[dict[str, Bill], Bill]:
    """Return the bills of people by part, and what the bill as a whole has beyond them."""
    bills = {
        part: _bill(read, part, part.removeprefix(OF_PERSON))
        for part in read.bodies
        if part.startswith(OF_PERSON)
    }
    people = {part: bill for part, bill in bills.items() if part not in read.manifest.absent}
    left = _unexplained(whole, [*people.values()])
    for part, bill in bills.items():
        if part not in people and _has_room(left, bill):
            people[part], left = bill, _unexplained(left, [bill])
    return people, left


def _has_room(left: Bill, kept: Bill) -> bool:
    """Return whether a kept bill can be for what no one else used: GitHub adds up floats."""
    return all(
        used <= room + FLOAT_NOISE
        for line, amounts in kept.items()
        for used, room in zip(
            _used(amounts), _used(left.get(line._replace(user_id=None), NOTHING)), strict=True
        )
    )


def _used(amounts: Amounts) -> tuple[Decimal, Decimal]:
    """Return what is never below zero: what was taken off may be more than was used."""
    return amounts.list_usd, amounts.quantity


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


def _remarks(read: KeptRead, people: Collection[str]) -> Iterator[str]:
    """Yield what is new in the bills, and what GitHub did not give."""
    for part in read.bodies:
        yield from new_fields(plain(read.bodies[part], "usageItems"), Item)
    absent = read.manifest.absent
    for part, message in absent.items():
        if part == ALL_SEATS:
            yield f"{_NOT_WHOLE}: {message}"
        elif part == PEOPLE or part not in people or message != absent.get(PEOPLE):
            yield f"{_refused(part, people)}; the provider's message: {message!r}"


def _refused(part: str, people: Collection[str]) -> str:
    """Return what became of a part that is refused."""
    if part == PEOPLE:
        stays = "people are refused, and those of earlier reads stay"
        return stays if people else "read without people, who are refused"
    login = part.removeprefix(OF_PERSON)
    stays = f"{login} is refused, and their bill of an earlier read stays"
    return stays if part in people else f"read without {login}, who is refused"


ledger = ledger_of(_rows)

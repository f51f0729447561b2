"""core.spend from kept bills: what each person used, and what no person explains. Pure.

The net amount is billed, the gross amount is the same at list price. What the bill as a whole has
above the bills of single persons stays, without a person.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec
import polars as pl

from openai_costs.kernel.money import MONEY, total
from openai_costs.settings.connection import Connection
from openai_costs.sources.day_ledger import DayRows, ledger_of
from openai_costs.sources.github_copilot.protocol import OF_PERSON, PEOPLE, WHOLE
from openai_costs.sources.page_fields import dollars, new_fields, plain, typed
from openai_costs.storage.archive import KeptRead
from openai_costs.tables.core.spend import BILLED

BY_PERSON: Final = "user_id,line_item"
AS_A_WHOLE: Final = "line_item"
LINE: Final = ("product", "line_item", "model", "quantity_unit")
AMOUNTS: Final = ("billed_usd", "list_usd", "quantity")
SCHEMA: Final = dict.fromkeys(("user_id", *LINE), pl.String()) | dict.fromkeys(AMOUNTS, MONEY)


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
    whole = _lines(read, WHOLE, None)
    people = [
        _lines(read, part, part.removeprefix(OF_PERSON))
        for part in read.bodies
        if part.startswith(OF_PERSON)
    ]
    rows = pl.concat([*people, _unexplained(whole, people)])
    grouping = AS_A_WHOLE if PEOPLE in read.manifest.absent or not people else BY_PERSON
    named = rows.with_columns(
        organization_id=pl.lit(connection.organization_id, pl.String),
        grouping=pl.lit(grouping),
    )
    return DayRows(named, tuple(_remarks(read)), {BILLED: total(whole["billed_usd"])})


def _lines(read: KeptRead, part: str, login: str | None) -> pl.DataFrame:
    """Return the lines of a bill with the columns of `SCHEMA`, added up by line."""
    items = typed(read, part, _Bill).items
    texts = pl.DataFrame(
        {
            "user_id": [login] * len(items),
            "product": [one.product.casefold() for one in items],
            "line_item": [one.label for one in items],
            "model": [one.model or None for one in items],
            "quantity_unit": [one.unit_type for one in items],
        },
        schema=dict.fromkeys(("user_id", *LINE), pl.String()),
    )
    amounts = {
        "billed_usd": dollars(read, part, _at("netAmount"), [one.net_amount for one in items]),
        "list_usd": dollars(read, part, _at("grossAmount"), [one.gross_amount for one in items]),
        "quantity": dollars(
            read, part, _at("grossQuantity"), [one.gross_quantity for one in items]
        ),
    }
    return _added_up(texts.with_columns(**amounts).select(list(SCHEMA)))


def _at(field: str) -> str:
    return "usageItems[{}]." + field


def _added_up(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("user_id", *LINE, maintain_order=True).agg(pl.col(AMOUNTS).sum())


def _unexplained(whole: pl.DataFrame, people: list[pl.DataFrame]) -> pl.DataFrame:
    """Return what a bill as a whole has and the bills of single persons together have not."""
    if not people:
        return whole
    explained = pl.concat(people).with_columns(
        *(-pl.col(name) for name in AMOUNTS), user_id=pl.lit(None, pl.String)
    )
    left = _added_up(pl.concat([whole, explained]))
    return left.filter(pl.any_horizontal(pl.col(name) != 0 for name in AMOUNTS))


def _remarks(read: KeptRead) -> Iterator[str]:
    """Yield what is new in the bills, and what GitHub did not give."""
    for part in read.bodies:
        yield from new_fields(plain(read.bodies[part], "usageItems"), Item)
    if message := read.manifest.absent.get(PEOPLE):
        yield f"read without people, who are refused; the provider's message: {message!r}"


ledger = ledger_of(_rows)

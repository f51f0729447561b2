"""What a page of costs says, field by field.

Pure: bytes in, columns of Python's values out, with a row for each amount. Amounts are decimal text
in cents, and become dollars here, once: a float never exists.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.money import MONEY, NotAnAmount, dollars_from_cents
from openai_costs.sources.anthropic.costs.endpoints import COST_REPORT
from openai_costs.sources.anthropic.page_shape import (
    ACTORS,
    UNASKED,
    Group,
    decoded,
    new_fields,
    plain,
    refuse_other_currencies,
    refuse_renamed,
    remark_of,
    unknown_values,
)
from openai_costs.storage.archive import KeptRead

WHO: Final = ("workspace_id", "api_key_id", "user_id", "model")
WHAT: Final = ("cost_type", "token_type")
DETAILS: Final = ("service_tier", "product", "context_window", "inference_geo")
TEXTS: Final = (*WHO, *WHAT, *DETAILS, "description")
AMOUNTS: Final = ("billed_usd", "list_usd")
SCHEMA: Final = dict.fromkeys(TEXTS, pl.String()) | dict.fromkeys(AMOUNTS, MONEY)
"""The columns of a page."""


def summed() -> list[pl.Expr]:
    """Return the sums of rows; the sum of an amount that is not known everywhere is unknown."""
    return [pl.when(pl.col(one).is_not_null().all()).then(pl.col(one).sum()) for one in AMOUNTS]


class _Cost(msgspec.Struct):
    amount: str
    currency: str
    list_amount: str | None = None
    requests: int | None = None


class Row(msgspec.Struct):
    """A row of the analytics API."""

    starting_at: str
    ending_at: str
    group: Group
    cost: _Cost


class Result(msgspec.Struct):
    """A result of the older report; its descriptive fields are null in the ungrouped total."""

    amount: str
    currency: str
    cost_type: str | None = None
    description: str | None = None
    model: str | None = None
    service_tier: str | None = None
    token_type: str | None = None
    context_window: str | None = None
    inference_geo: str | None = None
    workspace_id: str | None = None


class _Bucket(msgspec.Struct):
    results: list[Result]
    starting_at: str | None = None
    ending_at: str | None = None


_ROW: Final = {
    "": Row.__struct_fields__,
    "group": (*Group.__struct_fields__, *UNASKED),
    "cost": _Cost.__struct_fields__,
}
_BUCKET: Final = {"": _Bucket.__struct_fields__}
_RESULT: Final = {"": Result.__struct_fields__}

TOKEN_TYPES: Final = {
    "uncached_input_tokens": "input",
    "cache_read_input_tokens": "cached_input",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
    "output_tokens": "output",
}
"""The vendor's kinds of tokens, in the vocabulary of all providers (tables/usage_types.py)."""

COST_TYPES: Final = {
    "web_search": "web_search",
    "code_execution": "code_execution",
    "session_usage": "session",
}
"""The vendor's kinds of cost besides tokens."""

TIERS: Final = frozenset(
    ("standard", "batch", "priority", "priority_on_demand", "flex", "flex_discount")
)


class Page(NamedTuple):
    """One part of a kept read.

    Args:
        columns: A row for each amount, with the columns of `SCHEMA`; "" is null.
        remarks: What is new to us in it.
        refreshed_at: Until when it was complete, as the vendor wrote it.
    """

    columns: Mapping[str, Sequence[Any]]
    remarks: Sequence[str]
    refreshed_at: str | None


def page(read: KeptRead, part: str) -> Page:
    """Return a part of a kept read.

    Raises:
        PageRefused: A field we rely on is gone or has another type, or is not an amount.
        CurrencyRefused: An amount is not in dollars.
    """
    name, body = read.page_of(part), read.bodies[part]
    if is_older(read, part):
        return _older(body, name)
    return _newer(body, name, read.manifest.parts[part].grouping)


def is_older(read: KeptRead, part: str = "ledger") -> bool:
    """Return whether a part was read from the older report."""
    return read.manifest.parts[part].path == COST_REPORT.path


def _newer(body: bytes, name: str, grouping: Sequence[str]) -> Page:
    kept = decoded(body, Row, name)
    loose = plain(body)
    new = new_fields(loose, _ROW)
    refuse_renamed([one["group"] for one in loose], grouping, new, name)
    refuse_other_currencies((one.cost.currency for one in kept.data), name)
    groups = [one.group for one in kept.data]
    texts: dict[str, list[str | None]] = {
        field: list(map(attrgetter(field), groups))
        for field in ("workspace_id", "model", *WHAT, *DETAILS)
    }
    actors = [one.actor for one in groups]
    texts["user_id"] = [one.id if one else None for one in actors]
    texts["api_key_id"] = [
        one.api_key_id or (one.actor.api_key_id if one.actor else None) for one in groups
    ]
    costs = [one.cost for one in kept.data]
    amounts = [one.amount for one in costs], [one.list_amount for one in costs]
    columns = _columns(texts, *amounts, name, "data[{}].cost")
    strange = unknown_values("actor.type", (one.type for one in actors if one), ACTORS)
    return Page(columns, [*remark_of(new), *strange, *_strange(columns)], kept.data_refreshed_at)


def _older(body: bytes, name: str) -> Page:
    kept = decoded(body, _Bucket, name)
    buckets = plain(body)
    loose = [result for one in buckets for result in one["results"]]
    new = new_fields(buckets, _BUCKET) | new_fields(loose, _RESULT)
    results = [result for one in kept.data for result in one.results]
    refuse_other_currencies((one.currency for one in results), name)
    texts: dict[str, list[str | None]] = {
        field: list(map(attrgetter(field), results))
        for field in TEXTS
        if field in Result.__struct_fields__
    }
    amounts = [one.amount for one in results]
    columns = _columns(texts, amounts, [None] * len(amounts), name, "data[].results[{}]")
    return Page(columns, [*remark_of(new), *_strange(columns)], kept.data_refreshed_at)


def _columns(
    texts: Mapping[str, Sequence[str | None]],
    amounts: Sequence[str],
    list_amounts: Sequence[str | None],
    name: str,
    where: str,
) -> Mapping[str, Sequence[Any]]:
    nothing = [None] * len(amounts)
    listed = [one for one in list_amounts if one is not None]
    known = iter(_dollars(listed, name, f"{where}.list_amount"))
    return {
        **{field: [one or None for one in texts.get(field, nothing)] for field in TEXTS},
        "billed_usd": _dollars(amounts, name, f"{where}.amount"),
        "list_usd": [None if one is None else next(known) for one in list_amounts],
    }


def _dollars(cents: Sequence[str], name: str, where: str) -> list[Decimal]:
    """Return amounts of cents as dollars.

    Raises:
        PageRefused: One is not an amount.
    """
    try:
        return dollars_from_cents(cents)
    except NotAnAmount as bad:
        raise PageRefused(name, where.format(bad.row), bad.why) from None


def _strange(columns: Mapping[str, Sequence[Any]]) -> Iterable[str]:
    yield from unknown_values("token_type", columns["token_type"], TOKEN_TYPES)
    yield from unknown_values("cost_type", columns["cost_type"], {"tokens", *COST_TYPES})
    yield from unknown_values("service_tier", columns["service_tier"], TIERS)

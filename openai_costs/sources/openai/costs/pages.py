"""What a cost page says, field by field.

Pure: bytes in, typed results out. Digits stay as they were written: a float never exists.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from openai_costs.kernel.errors import CurrencyRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.openai import page_shape
from openai_costs.sources.openai.costs.endpoints import COSTS
from openai_costs.sources.openai.page_shape import Shape
from openai_costs.storage.archive import DayRead, KeptRead


class _Amount(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    value: Any
    currency: str


class Result(page_shape.Result, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A cost result. Fields behind the blank line are on the wire and in no document."""

    amount: _Amount
    object: str = COSTS.result_object
    line_item: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    api_source: str | None = None
    quantity: Any = None
    quantity_unit: str | None = None

    organization_id: str | None = None
    organization_name: str | None = None
    project_name: str | None = None
    user_email: str | None = None


class _LooseAmount(_Amount, forbid_unknown_fields=False, gc=False):
    """An amount that may carry fields we do not know."""


class _LooseResult(Result, kw_only=True, forbid_unknown_fields=False, gc=False):
    """A result whose amount may carry fields we do not know."""

    amount: _LooseAmount


class _Owned(msgspec.Struct, gc=False):
    """What a result says of whose it is."""

    organization_id: str | None = None
    project_id: str | None = None
    api_key_id: str | None = None


class _Bucket(msgspec.Struct, gc=False):
    results: list[_Owned] = []


_SHAPE = Shape(Result, COSTS.result_object, nested=_LooseResult)


def results(read: KeptRead, part: str) -> tuple[Sequence[Result], str]:
    """Return a part's results, and a remark about anything new in them (empty: nothing new).

    Raises:
        PageRefused: A field we rely on is gone or has another type.
        CurrencyRefused: An amount is not in dollars.
    """
    page, grouping = read.page_of(part), read.manifest.parts[part].grouping
    found, remarks = _SHAPE.results(read.bodies[part], grouping, page)
    _refuse_other_currencies(found, page)
    return found, "; ".join(remarks)


def accounts(read: DayRead | KeptRead) -> set[str]:
    """Return the organizations that the parts of a read name; a page without results names none."""
    return {one.organization_id for one in _owned(read) if one.organization_id}


def owned_ids(read: DayRead | KeptRead) -> set[str]:
    """Return the ids in a read that one organization has and no other: projects and API keys.

    A user's id is none: one person may be in several organizations.
    """
    return {each for one in _owned(read) for each in (one.project_id, one.api_key_id) if each}


def _owned(read: DayRead | KeptRead) -> Iterator[_Owned]:
    for body in read.bodies.values():
        with suppress(*UNREADABLE):  # what is wrong with a page is said when it is cleaned
            yield from msgspec.json.decode(body, type=_Bucket).results


def _refuse_other_currencies(results: Sequence[Result], page: str) -> None:
    if strange := {result.amount.currency for result in results} - {"usd", "USD"}:
        why = f"is {', '.join(sorted(strange))}; this ledger adds dollars to dollars only"
        raise CurrencyRefused(page, "results[].amount.currency", why)

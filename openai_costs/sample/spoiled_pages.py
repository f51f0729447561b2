"""Faults that answer 200: a good page, spoiled in one exact way before it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from openai_costs.sample.costs_wire import cursor_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from openai_costs.sample.costs_query import CostsQuery
    from openai_costs.sample.costs_wire import Json
    from openai_costs.sample.faults import Fault


def _results(page: Json) -> Iterator[Json]:
    for bucket in page["data"]:
        yield from bucket["results"]


def _amounts(page: Json) -> Iterator[Json]:
    """The amounts still in place; an earlier fault may have renamed or emptied some."""
    return (result["amount"] for result in _results(page) if result.get("amount"))


def _first_amount(page: Json, value: object) -> None:
    for amount in _amounts(page):
        amount["value"] = value
        return


def _unknown_field(page: Json, _argument: str) -> None:
    for result in _results(page):
        result["carbon_grams"] = 1


def _unknown_object(page: Json, _argument: str) -> None:
    for result in _results(page):
        result["object"] = "organization.costs.adjustment"
        return


def _renamed_field(page: Json, _argument: str) -> None:
    for result in _results(page):
        result["cost"] = result.pop("amount", None)


def _null_amount(page: Json, _argument: str) -> None:
    for result in _results(page):
        result["amount"] = None
        return


def _missing_bucket(page: Json, _argument: str) -> None:
    if page["data"]:
        del page["data"][len(page["data"]) // 2]


def _duplicate_bucket(page: Json, _argument: str) -> None:
    if page["data"]:
        middle = len(page["data"]) // 2
        page["data"].insert(middle, page["data"][middle])


def _currency(page: Json, argument: str) -> None:
    for amount in _amounts(page):
        amount["currency"] = argument


_SPOILERS: Final[dict[str, Callable[[Json, str], None]]] = {
    "unknown-field": _unknown_field,
    "unknown-object": _unknown_object,
    "renamed-field": _renamed_field,
    "nan": lambda page, _: _first_amount(page, msgspec.Raw(b"NaN")),
    "nan-string": lambda page, _: _first_amount(page, "NaN"),
    "null-amount": _null_amount,
    "missing-bucket": _missing_bucket,
    "duplicate-bucket": _duplicate_bucket,
    "currency": _currency,
}


def _misled(page: Json, name: str, query: CostsQuery, after: date) -> Json:
    """The page with its cursor spoiled; `after` is the first day behind the window."""
    if name == "repeated-cursor":
        return page | {
            "has_more": True,
            "next_page": query.page or cursor_to(query, query.first_day),
        }
    if name == "missing-cursor":
        return page | {"has_more": True, "next_page": None}
    following = page["next_page"] or cursor_to(query, after)
    return page | {"data": [], "has_more": True, "next_page": following}


_MISLEADING: Final = frozenset({"repeated-cursor", "missing-cursor", "empty-page"})


def spoiled(page: Json, faults: tuple[Fault, ...], query: CostsQuery, after: date) -> Json:
    """The page after every striking fault that leaves the status at 200."""
    for fault in faults:
        if fault.name in _MISLEADING:
            page = _misled(page, fault.name, query, after)
        elif fault.name in _SPOILERS:
            _SPOILERS[fault.name](page, fault.argument)
    return page

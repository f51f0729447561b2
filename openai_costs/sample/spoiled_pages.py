"""Faults that answer 200: a good page, spoiled in one exact way before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai_costs.sample.buckets import Json
    from openai_costs.sample.faults import Fault


class Turns(NamedTuple):
    """Where a page's cursor can lead: the field it stands in, this page again, what follows."""

    field: str
    same: str | None
    following: str | None


@dataclass(frozen=True)
class Answer:
    """A good answer: its body, the rows in it, the field of a row that matters most, its turns.

    `turns` is None where there is nothing to turn: a single thing.
    """

    body: Json
    rows: list[Json]
    measure: str
    turns: Turns | None = None


def _amounts(answer: Answer) -> Iterator[Json]:
    """The amounts still in place; an earlier fault may have renamed or emptied some."""
    return (row["amount"] for row in answer.rows if row.get("amount"))


def _first_number(answer: Answer, value: object) -> None:
    for row in answer.rows:
        if row.get(answer.measure) is not None:
            row[answer.measure] = (
                row["amount"] | {"value": value} if answer.measure == "amount" else value
            )
            return


def _unknown_field(answer: Answer, _argument: str) -> None:
    for row in answer.rows:
        row["carbon_grams"] = 1


def _unknown_object(answer: Answer, _argument: str) -> None:
    for row in answer.rows:
        row["object"] = row["object"].rpartition(".")[0] + ".adjustment"
        return


def _renamed_field(answer: Answer, _argument: str) -> None:
    for row in answer.rows:
        row["cost"] = row.pop(answer.measure, None)


def _null_amount(answer: Answer, _argument: str) -> None:
    for row in answer.rows:
        row[answer.measure] = None
        return


def _data(answer: Answer) -> list[Any]:
    """The buckets or things of a page; nothing in a single thing."""
    data: list[Any] = answer.body["data"] if answer.turns else []
    return data


def _missing_bucket(answer: Answer, _argument: str) -> None:
    if data := _data(answer):
        del data[len(data) // 2]


def _duplicate_bucket(answer: Answer, _argument: str) -> None:
    if data := _data(answer):
        data.insert(len(data) // 2, data[len(data) // 2])


def _currency(answer: Answer, argument: str) -> None:
    for amount in _amounts(answer):
        amount["currency"] = argument


_SPOILERS: Final[dict[str, Callable[[Answer, str], None]]] = {
    "unknown-field": _unknown_field,
    "unknown-object": _unknown_object,
    "renamed-field": _renamed_field,
    "nan": lambda answer, _: _first_number(answer, msgspec.Raw(b"NaN")),
    "nan-string": lambda answer, _: _first_number(answer, "NaN"),
    "null-amount": _null_amount,
    "missing-bucket": _missing_bucket,
    "duplicate-bucket": _duplicate_bucket,
    "currency": _currency,
}


def _misled(page: Json, name: str, turns: Turns) -> Json:
    """The page with its cursor spoiled."""
    if name == "repeated-cursor":
        return page | {"has_more": True, turns.field: turns.same}
    if name == "missing-cursor":
        return page | {"has_more": True, turns.field: None}
    return page | {"data": [], "has_more": True, turns.field: turns.following}


_MISLEADING: Final = frozenset({"repeated-cursor", "missing-cursor", "empty-page"})


def spoiled(answer: Answer, faults: tuple[Fault, ...]) -> Json:
    """The body after every striking fault that leaves the status at 200."""
    body = answer.body
    for fault in faults:
        if fault.name in _MISLEADING and answer.turns:
            body = _misled(body, fault.name, answer.turns)
        elif fault.name in _SPOILERS:
            _SPOILERS[fault.name](answer, fault.argument)
    return body

"""Faults that answer 200: a good page, corrupted in one exact way before it is written."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from starlette.responses import Response

from openai_costs.sample.api.refusals import failed, invalid_page_token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.types import Receive, Scope, Send

    from openai_costs.sample.api.buckets import Json
    from openai_costs.sample.faults.faults import Fault


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


_CORRUPTIONS: Final[dict[str, Callable[[Answer, str], None]]] = {
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
    """The page with its cursor corrupted."""
    if name == "repeated-cursor":
        return page | {"has_more": True, turns.field: turns.same}
    if name == "missing-cursor":
        return page | {"has_more": True, turns.field: None}
    return page | {"data": [], "has_more": True, turns.field: turns.following}


_MISLEADING: Final = frozenset({"repeated-cursor", "missing-cursor", "empty-page"})


def corrupted(answer: Answer, faults: tuple[Fault, ...]) -> Json:
    """The body after every striking fault that leaves the status at 200."""
    body = answer.body
    for fault in faults:
        if fault.name in _MISLEADING and answer.turns:
            body = _misled(body, fault.name, answer.turns)
        elif fault.name in _CORRUPTIONS:
            _CORRUPTIONS[fault.name](answer, fault.argument)
    return body


# Faults below the page: refusals out of nowhere, slow answers, halved and broken bodies.

# A caller that runs the app without a socket puts its own `async sleep(seconds)` here, so that a
# timeout can be tested without waiting for it.
SLEEP_EXTENSION: Final = "openai_costs.sleep"


class ConnectionCutError(ConnectionError):
    """Raised in the middle of a body so that the server drops the connection."""


class CutResponse(Response):
    """Announces the whole body, sends half of it, and breaks off."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  (ASGI's signature)
        """Send the start and half the body, then raise `ConnectionCutError`."""
        # An encoding that is already set keeps a compressing middleware from buffering the body.
        headers = [*self.raw_headers, (b"content-encoding", b"identity")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        raise ConnectionCutError("the sample API was configured to cut this response short")


def refuse(faults: tuple[Fault, ...], *, has_cursor: bool) -> None:
    """Raise the first striking fault that is a refusal."""
    for fault in faults:
        if fault.name == "429-retry-after":
            raise failed(429, retry_after_seconds=int(fault.argument))
        if fault.name.isdigit():
            raise failed(int(fault.name))
        if fault.name == "page-token-400" and has_cursor:
            raise invalid_page_token()


async def delay(faults: tuple[Fault, ...], scope: Scope) -> None:
    """Wait as long as the striking timeouts say, by the caller's sleep if it brought one."""
    sleep: Callable[[float], Awaitable[None]] = scope.get(SLEEP_EXTENSION, asyncio.sleep)
    for fault in faults:
        if fault.name == "timeout":
            await sleep(float(fault.argument))


def answer(body: bytes, faults: tuple[Fault, ...]) -> Response:
    """The response, whole unless a fault cuts or truncates it."""
    names = {fault.name for fault in faults}
    if "truncated-json" in names:
        body = body[: len(body) // 2]
    response_type = CutResponse if "cut" in names else Response
    return response_type(body, media_type="application/json")

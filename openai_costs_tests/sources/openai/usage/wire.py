"""The wire of the usage endpoints in small: results as bytes, kept reads, an API of literals."""

import json
from collections.abc import Mapping, Sequence
from datetime import date

import httpx

from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS, UsageEndpoint
from openai_costs.sources.openai.usage.frames import usage_batches
from openai_costs.storage.archive import DayRead, KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs_tests.sources.openai.wire import (
    ACME,
    DAY,
    READ_AT,
    as_kept,
    asked_days,
    bucket,
    page,
    recorded_buckets,
)

ENDPOINTS = {endpoint.dataset: endpoint for endpoint in USAGE_ENDPOINTS}
HERE = Slice("acme", DAY)


def result(name: str = "completions", **fields: object) -> str:
    """A result of an endpoint as JSON text, with 1 for every required count not given."""
    measures = ENDPOINTS[name].measures
    counted = (*measures.required, *((measures.quantity[0],) if measures.quantity else ()))
    said = {"object": ENDPOINTS[name].result_object} | dict.fromkeys(counted, 1) | fields
    return json.dumps({field: count for field, count in said.items() if count != ...})


def day_read(
    parts: Mapping[str, str | bytes],
    *,
    day: date = DAY,
    absent: Mapping[str, str] | None = None,
) -> KeptRead:
    """A kept read of one day, without a disk: a bucket per endpoint, in its finest grouping."""
    bodies = {name: one.encode() if isinstance(one, str) else one for name, one in parts.items()}
    requests = {
        name: (ENDPOINTS[name].path, list[tuple[str, str]](), list(ENDPOINTS[name].dimensions))
        for name in bodies
    }
    return as_kept(DayRead("openai", "acme", "usage", day, READ_AT, requests, bodies, absent or {}))


def day_of(*results: str, name: str = "completions") -> KeptRead:
    return day_read({name: bucket(DAY, *results)})


def recorded_reads(case: str, name: str = "completions") -> list[KeptRead]:
    """A recorded page of one endpoint as the kept reads of its days."""
    buckets = recorded_buckets(case, ENDPOINTS[name], f"usage_{name}")
    return [day_read({name: bytes(found)}, day=day) for day, found in buckets.items()]


def one_batch(*reads: KeptRead) -> Batch:
    (batch,) = usage_batches(reads, ACME)
    return batch


class Wire(httpx.BaseTransport):
    """An API over literal results, which notes what it was asked.

    Args:
        results: The results of a day, by endpoint and day; none where there is no entry.
        refusals: What an endpoint answers instead, by its name: status, code and message.
        floors: The first day an endpoint answers for, by its name.
    """

    def __init__(
        self,
        results: Mapping[tuple[str, date], Sequence[str]] | None = None,
        *,
        refusals: Mapping[str, tuple[int, str, str]] | None = None,
        floors: Mapping[str, date] | None = None,
    ) -> None:
        self.results = results or {}
        self.refusals = refusals or {}
        self.floors = floors or {}
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        name = request.url.path.rsplit("/", 1)[-1]
        if name in self.refusals:
            return refused(*self.refusals[name])
        days = asked_days(request.url.params.multi_items())
        if days.first < self.floors.get(name, date.min):
            return refused(400, "reporting_lookback_exceeded", "too long ago")
        buckets = (bucket(day, *self.results.get((name, day), ())) for day in days)
        return httpx.Response(200, content=page(*buckets))

    def paths(self) -> list[str]:
        return [request.url.path.removeprefix("/v1") for request in self.asked]


def refused(status: int, code: str, message: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": message}})


def named(endpoint: UsageEndpoint) -> str:
    return endpoint.dataset

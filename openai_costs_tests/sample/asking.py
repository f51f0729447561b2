"""One way to ask the sample API, and to read money from raw bytes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx

from openai_costs.sample.api.app import COSTS_PATH, create_app
from openai_costs.sample.api.options import SAMPLE_ADMIN_KEY, USUAL, WireOptions
from openai_costs.sample.api.serving import InProcessTransport
from openai_costs.sample.company.organisation import sample_organisation
from openai_costs.sample.faults.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Params = dict[str, Any]
TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORGANISATION = sample_organisation(TODAY, days=120)


def unix(day: date) -> int:
    return int(datetime.combine(day, time.min, UTC).timestamp())


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def window(first_age: int, last_age: int = 0, **more: object) -> Params:
    """Parameters for the days from `first_age` days ago up to, without, `last_age` days ago."""
    return {"start_time": unix(ago(first_age)), "end_time": unix(ago(last_age)), **more}


def client(
    spec: str = "",
    *,
    options: WireOptions = USUAL,
    key: str = SAMPLE_ADMIN_KEY,
    now: datetime = NOW,
) -> httpx.Client:
    app = create_app(ORGANISATION, now=lambda: now, faults=Faults.parse(spec), options=options)
    return httpx.Client(
        transport=InProcessTransport(app),
        base_url="http://sample",
        headers={"Authorization": f"Bearer {key}"},
    )


def ask(
    params: Params | None = None,
    spec: str = "",
    *,
    options: WireOptions = USUAL,
    key: str = SAMPLE_ADMIN_KEY,
    now: datetime = NOW,
) -> httpx.Response:
    """One question, by default about the costs of the last complete day."""
    with client(spec, options=options, key=key, now=now) as asker:
        return asker.get(COSTS_PATH, params=window(1) if params is None else params)


def ask_usage(
    endpoint: str,
    params: Params | None = None,
    spec: str = "",
    *,
    options: WireOptions = USUAL,
    now: datetime = NOW,
) -> httpx.Response:
    """One question to a usage endpoint, by default about the last complete day."""
    path = f"/v1/organization/usage/{endpoint}"
    with client(spec, options=options, now=now) as asker:
        return asker.get(path, params=window(1) if params is None else params)


def ask_directory(
    path: str,
    params: Params | None = None,
    spec: str = "",
    *,
    key: str = SAMPLE_ADMIN_KEY,
    now: datetime = NOW,
) -> httpx.Response:
    """One question to the directory."""
    with client(spec, key=key, now=now) as asker:
        return asker.get(f"/v1/organization/{path}", params=params)


def listed(path: str, params: Params | None = None, *, now: datetime = NOW) -> list[dict[str, Any]]:
    """What a list of the directory holds, on its first and only page."""
    answer = ask_directory(path, {"limit": 100, **(params or {})}, now=now)
    page: dict[str, Any] = answer.json()
    assert answer.status_code == 200, page
    assert not page["has_more"]
    things: list[dict[str, Any]] = page["data"]
    return things


def exact(response: httpx.Response) -> dict[str, Any]:
    """The page with every number an exact Decimal, straight from the bytes."""
    page: dict[str, Any] = json.loads(response.content, parse_float=Decimal)
    return page


def results(response: httpx.Response) -> list[dict[str, Any]]:
    return [result for bucket in exact(response)["data"] for result in bucket["results"]]


def total(rows: Sequence[Mapping[str, Any]]) -> Decimal:
    return sum((Decimal(row["amount"]["value"]) for row in rows), Decimal(0))


def error(response: httpx.Response) -> dict[str, Any]:
    body = response.json()["error"]
    assert set(body) == {"message", "type", "param", "code"}
    return dict(body)

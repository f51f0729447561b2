"""Anthropic's wire in small: an organization of literal charges, added up by every report."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import httpx
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.sources.anthropic.costs.endpoints import (
    ANALYTICS_COST,
    COST_REPORT,
    LEDGER_GROUPING,
    Report,
)
from openai_costs.sources.anthropic.paging import Answer, Query, complete
from openai_costs.sources.anthropic.settings import AnthropicConnection
from openai_costs.storage.archive import DayRead, KeptRead
from openai_costs_tests.sources.openai.wire import converse, in_turn

KEY = "sk-ant-admin01-9fKq"
ORG = {"id": "5f0c2c3a-7d0e-4a51-9d52-0f7a6a2f1c11", "type": "organization", "name": "Kestrel"}
DAY = date(2026, 11, 14)
OTHER_DAY = date(2026, 11, 18)
READ_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLAUDE = AnthropicConnection(name="claude", requests_per_minute=100_000)
ROOT = "/v1"

ADA = {
    "type": "user_actor",
    "user_id": "user_ada",
    "name": "Ada",
    "email_address": "ada@kestrel.example",
    "deleted": False,
}
ROBOT = {"type": "service_account_actor", "service_account_id": "svac_ci"}
BY_KEY = {"type": "api_actor", "api_key_id": "apikey_web"}

GROUP = [
    "actor",
    "actor_type",
    "agent_id",
    "api_key_id",
    "claude_tag_category",
    "claude_tag_user_id",
    "context_window",
    "cost_type",
    "deployment_id",
    "environment_id",
    "inference_geo",
    "model",
    "organization_id",
    "product",
    "rbac_group_id",
    "service_tier",
    "session_id",
    "slack_channel_id",
    "speed",
    "token_type",
    "user_profile_id",
    "workspace_id",
]


class Charge(NamedTuple):
    """What one kind of token, search or container cost in one place on a day, in cents."""

    day: date
    cents: str
    token_type: str | None = "output_tokens"  # noqa: S105 - a kind of token of a model
    model: str | None = "claude-sonnet-5"
    workspace_id: str | None = "wrkspc_prod"
    api_key_id: str | None = "apikey_web"
    actor: Mapping[str, Any] | None = BY_KEY
    product: str | None = None
    service_tier: str | None = "standard"
    context_window: str | None = "0-200k"
    inference_geo: str | None = "global"
    cost_type: str = "tokens"
    tokens: int = 1000
    list_cents: str | None = None

    def value(self, dimension: str) -> Any:  # noqa: ANN401 - a text, an object or null
        return getattr(self, dimension, None)


BILL = (
    Charge(DAY, "270.00", "uncached_input_tokens", tokens=900_000, list_cents="300.00"),
    Charge(DAY, "675.00045", tokens=450_000, list_cents="750.0005"),
    Charge(DAY, "33.75", "cache_creation.ephemeral_5m_input_tokens", tokens=90_000),
    Charge(DAY, "61.5", actor=ADA, api_key_id=None, product="claude_code", workspace_id=None),
    Charge(DAY, "12", actor=ADA, api_key_id=None, product="chat", workspace_id=None, model="h-5"),
    Charge(DAY, "4", None, None, cost_type="web_search", tokens=4, service_tier=None),
    Charge(OTHER_DAY, "99.999999999999999", actor=ROBOT, api_key_id="apikey_ci"),
)
USD = {DAY: Decimal("10.5625045"), OTHER_DAY: Decimal("0.99999999999999999")}

LISTS: Mapping[str, list[dict[str, Any]]] = {
    "workspaces": [
        {
            "id": "wrkspc_prod",
            "type": "workspace",
            "name": "Production",
            "created_at": "2026-02-01T08:00:00Z",
            "archived_at": None,
            "display_color": "#6C5BB9",
            "tags": {},
        }
    ],
    "api_keys": [
        {
            "id": "apikey_web",
            "type": "api_key",
            "name": "web production",
            "status": "active",
            "created_at": "2026-02-02T08:00:00Z",
            "created_by": {"id": "user_ada", "type": "user"},
            "expires_at": None,
            "partial_key_hint": "sk-ant-api03-R2D...igAA",
            "principal": None,
            "scope": {"type": "workspace", "workspace_id": "wrkspc_prod"},
        },
        {
            "id": "apikey_ci",
            "type": "api_key",
            "name": "ci",
            "status": "active",
            "created_at": "2026-02-03T08:00:00Z",
            "created_by": {"id": "user_ada", "type": "user"},
            "expires_at": None,
            "partial_key_hint": None,
            "principal": {"type": "service_account_actor", "service_account_id": "svac_ci"},
            "scope": {"type": "workspace", "workspace_id": "wrkspc_prod"},
        },
    ],
    "users": [
        {
            "id": "user_ada",
            "type": "user",
            "email": "ada@kestrel.example",
            "name": "Ada",
            "role": "admin",
            "added_at": "2026-01-05T08:00:00Z",
        }
    ],
    "invites": [
        {
            "id": "invite_1",
            "type": "invite",
            "email": "new@kestrel.example",
            "role": "developer",
            "status": "pending",
            "invited_at": "2026-11-10T08:00:00Z",
            "expires_at": "2026-12-01T08:00:00Z",
            "accepted_at": None,
            "rbac_group_ids": [],
        }
    ],
}


def error(status: int, kind: str, message: str, **headers: str) -> httpx.Response:
    """An error as Anthropic sends it."""
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return httpx.Response(status, json=body, headers=headers)


@dataclass
class AnthropicWire(httpx.BaseTransport):
    """An organization of literal charges; remembers what it was asked.

    `refusals` answers a path with an error instead; `on_a_page` is how many entries a page holds.
    """

    bill: Iterable[Charge] = BILL
    refusals: dict[str, httpx.Response] = field(default_factory=dict)
    lists: Mapping[str, list[dict[str, Any]]] = field(default_factory=lambda: LISTS)
    organization: Mapping[str, str] = field(default_factory=lambda: ORG)
    refreshed_at: str = "2026-12-31T00:00:00Z"
    on_a_page: int = 3
    asked: list[httpx.Request] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [one.url.path.removeprefix(f"{ROOT}/organizations/") for one in self.asked]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path = self.paths[-1]
        if path in self.refusals:
            return self.refusals[path]
        if request.headers.get("x-api-key") != KEY:
            return error(401, "authentication_error", "invalid x-api-key")
        if path.startswith("analytics/") and "anthropic-beta" not in request.headers:
            return error(404, "not_found_error", "Not found")
        return httpx.Response(200, json=self._answer(path, request.url.params))

    def _answer(self, path: str, params: httpx.QueryParams) -> Mapping[str, Any]:
        if path == "me":
            return self.organization
        if path in self.lists:
            return self._list(self.lists[path], params)
        rows = list(self._entries(path, params))
        size = self.on_a_page if path.startswith("analytics/") else 31
        skip = int(params.get("page", "page_0").removeprefix("page_"))
        left = len(rows) > skip + size
        return {
            "data": rows[skip : skip + size],
            "has_more": left,
            "next_page": f"page_{skip + size}" if left else None,
            "data_refreshed_at": self.refreshed_at,
        }

    def _list(self, entries: list[dict[str, Any]], params: httpx.QueryParams) -> dict[str, Any]:
        ids = [one["id"] for one in entries]
        skip = ids.index(params["after_id"]) + 1 if "after_id" in params else 0
        shown = entries[skip : skip + 1]
        last = shown[-1]["id"] if shown else None
        return {
            "data": shown,
            "has_more": len(entries) > skip + 1,
            "first_id": last,
            "last_id": last,
        }

    def _entries(self, path: str, params: httpx.QueryParams) -> Iterator[dict[str, Any]]:
        first, end = (date.fromisoformat(params[one][:10]) for one in ("starting_at", "ending_at"))
        for day in DayRange(first, end - timedelta(days=1)):
            charges = [one for one in self.bill if one.day == day]
            yield from self._day(path, day, charges, params.get_list("group_by[]"))

    def _day(
        self, path: str, day: date, charges: list[Charge], grouping: list[str]
    ) -> Iterator[dict[str, Any]]:
        edges = {
            "starting_at": f"{day}T00:00:00Z",
            "ending_at": f"{day + timedelta(days=1)}T00:00:00Z",
        }
        if path == "analytics/cost":
            for group, its in grouped(charges, grouping):
                yield {**edges, "group": dict.fromkeys(GROUP) | group, "cost": costs(its)}
        elif path == "analytics/usage":
            for group, its in grouped(tokens(charges), grouping):
                yield {**edges, "group": dict.fromkeys(GROUP) | group, "usage": counts(its)}
        elif path == "cost_report":
            by = [*LEGACY, "workspace_id"] if grouping else []
            yield {**edges, "results": [legacy(group, its) for group, its in grouped(charges, by)]}
        else:
            by = [one for one in grouping if one not in {"account_id", "service_account_id"}]
            found = grouped(tokens(charges), by)
            yield {
                **edges,
                "results": [dict.fromkeys(WHO) | group | counts(its) for group, its in found],
            }


LEGACY = ("cost_type", "model", "service_tier", "token_type", "context_window", "inference_geo")
WHO = ("workspace_id", "api_key_id", "account_id", "service_account_id", "model", "service_tier")


def grouped(
    charges: Iterable[Charge], by: Iterable[str]
) -> Iterator[tuple[dict[str, Any], list[Charge]]]:
    found: dict[str, tuple[dict[str, Any], list[Charge]]] = {}
    for one in charges:
        group = {name: one.value(name) for name in by}
        found.setdefault(json.dumps(group), (group, []))[1].append(one)
    return iter(found.values())


def costs(charges: list[Charge]) -> dict[str, Any]:
    listed = sum(Decimal(one.list_cents or one.cents) for one in charges)
    amount = sum(Decimal(one.cents) for one in charges)
    return {"amount": str(amount), "list_amount": str(listed), "currency": "USD", "requests": None}


def legacy(group: dict[str, Any], charges: list[Charge]) -> dict[str, Any]:
    amount = str(sum(Decimal(one.cents) for one in charges))
    words = dict.fromkeys((*LEGACY, "workspace_id", "description"))
    said = f"{group['model'] or group['cost_type']} Usage" if group else None
    return words | group | {"amount": amount, "currency": "USD", "description": said}


def tokens(charges: Iterable[Charge]) -> list[Charge]:
    return [one for one in charges if one.cost_type in ("tokens", "web_search")]


def counts(charges: list[Charge]) -> dict[str, Any]:
    def count(name: str | None) -> int:
        return sum(one.tokens for one in charges if one.token_type == name)

    written = "cache_creation.ephemeral_{}_input_tokens"
    return {
        "uncached_input_tokens": count("uncached_input_tokens"),
        "cache_read_input_tokens": count("cache_read_input_tokens"),
        "cache_creation": {
            "ephemeral_5m_input_tokens": count(written.format("5m")),
            "ephemeral_1h_input_tokens": count(written.format("1h")),
        },
        "output_tokens": count("output_tokens"),
        "server_tool_use": {"web_search_requests": count(None)},
    }


def page(*entries: Mapping[str, Any], has_more: bool = False, cursor: str | None = None) -> bytes:
    """A page of a report as Anthropic sends it."""
    return json.dumps({"data": entries, "has_more": has_more, "next_page": cursor}).encode()


def row(amount: object = "150", day: date = DAY, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A row of the analytics report of costs; `more` are dimensions, or fields of its cost."""
    cost = {"amount": amount, "list_amount": more.pop("list_amount", amount), "currency": "USD"}
    cost["currency"] = more.pop("currency", "USD")
    words = {"model": "claude-sonnet-5", "cost_type": "tokens", "token_type": "output_tokens"}
    return {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{day + timedelta(days=1)}T00:00:00Z",
        "group": dict.fromkeys(GROUP) | words | more,
        "cost": cost | {"requests": None},
    }


def answer(
    *entries: Mapping[str, Any],
    report: Report = ANALYTICS_COST,
    grouping: tuple[str, ...] = LEDGER_GROUPING,
    refreshed_at: str | None = None,
) -> Answer:
    """The answer to a query of one day, from one page."""
    query = Query(report, DayRange(DAY, DAY), grouping)
    body = {"data": entries, "has_more": False, "data_refreshed_at": refreshed_at}
    read, _ = converse(complete(query), in_turn(json.dumps(body).encode()))
    return read


def kept(
    dataset: str = "costs", absent: Mapping[str, str] | None = None, **parts: Answer
) -> KeptRead:
    """A kept read of one day, without a disk."""
    bodies = {part: one.body(DAY) for part, one in parts.items()}
    requests = {
        part: (one.query.report.path, list(one.query.get().params), list(one.query.grouping))
        for part, one in parts.items()
    }
    read = DayRead("anthropic", "claude", dataset, DAY, READ_AT, requests, bodies, absent or {})
    return KeptRead(UPath("raw/claude"), read.manifest(), dict(read.bodies))


def older(*results: Mapping[str, Any], grouping: tuple[str, ...] = ("workspace_id",)) -> Answer:
    """The answer of the older cost report for one day."""
    edges = {"starting_at": f"{DAY}T00:00:00Z", "ending_at": f"{DAY + timedelta(days=1)}T00:00:00Z"}
    return answer({**edges, "results": results}, report=COST_REPORT, grouping=grouping)

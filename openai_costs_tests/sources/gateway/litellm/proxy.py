"""A LiteLLM proxy in small: its pages as it writes them, page by page, over an HTTP transport."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
from upath import UPath

from openai_costs.settings import Gateway
from openai_costs.sources.gateway.litellm.endpoints import WHOLE_VIEW
from openai_costs.storage.archive import DayRead, KeptRead

DAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)
URL = "https://gateway.example"


def key(token: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A virtual key as /key/list writes it, with some of the many fields we do not read."""
    blank = dict.fromkeys(("user_id", "team_id", "team_alias", "expires", "blocked", "last_active"))
    made = {"token": token, "key_name": "sk-...8Kfw", "key_alias": None, "metadata": {}}
    return made | blank | {"created_at": "2026-01-05T10:00:00.120000Z", "rotation_count": 0} | more


def metrics(spend: float, plain: int = 0, cached: int = 0, output: int = 0) -> dict[str, Any]:
    return {
        "spend": spend,
        "flat_cost": 0.0,
        "prompt_tokens": plain + cached,
        "completion_tokens": output,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "total_tokens": plain + cached + output,
        "api_requests": 1,
    }


def activity(
    models: dict[str, dict[str, dict[str, Any]]], spend: float | None = None
) -> dict[str, Any]:
    """One page's day of /user/daily/activity: metrics by model and key."""
    every = [one for of_model in models.values() for one in of_model.values()]
    total = sum(one["spend"] for one in every) if spend is None else spend
    return {
        "date": str(DAY),
        "metrics": metrics(total),
        "breakdown": {
            "models": {
                name: {
                    "metrics": metrics(sum(one["spend"] for one in of_model.values())),
                    "metadata": {},
                    "api_key_breakdown": {
                        token: {"metrics": one, "metadata": {"key_exists": True}}
                        for token, one in of_model.items()
                    },
                }
                for name, of_model in models.items()
            },
            "providers": {},
        },
    }


def log(
    token: str,
    spend: float,
    plain: int,
    cached: int,
    output: int,
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """One row of /spend/logs/v2."""
    usage = {"prompt_tokens": plain + cached, "prompt_tokens_details": {"cached_tokens": cached}}
    made = {
        "request_id": "chatcmpl-1",
        "api_key": token,
        "spend": spend,
        "prompt_tokens": plain + cached,
        "completion_tokens": output,
        "startTime": f"{DAY}T08:15:00.000+00:00",
        "model": "openai/gpt-5",
        "custom_llm_provider": "openai",
        "cache_hit": "None",
        "user": "",
        "team_id": "",
        "metadata": {"usage_object": usage},
    }
    return made | more


Rows = Callable[[str, dict[str, str]], list[Any]]


class Proxy(httpx.BaseTransport):
    """Answers as the proxy does, in pages no larger than it allows.

    Args:
        rows: Every row of a path, given the request's parameters.
        largest: The largest page, to make pages small.
        change: What to do to a page before it is sent.
    """

    def __init__(
        self,
        rows: Rows,
        largest: int = 1000,
        change: Callable[[int, dict[str, Any]], dict[str, Any]] = lambda _n, page: page,
    ) -> None:
        self.rows, self.largest, self.change = rows, largest, change
        self.asked: list[httpx.Request] = []
        self.probed: list[str] = []
        self.whole_view = httpx.Response(200, json={"spend": 0.5, "max_budget": 0.0})

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path in WHOLE_VIEW:
            self.probed.append(request.url.path)
            return self.whole_view
        self.asked.append(request)
        params = dict(request.url.params)
        rows = self.rows(request.url.path, params)
        size = min(int(params.get("size", params.get("page_size", "10"))), self.largest)
        number = int(params["page"])
        part, pages = rows[(number - 1) * size : number * size], -(-len(rows) // size)
        page = self.change(len(self.asked), _page(request.url.path, part, len(rows), number, pages))
        return httpx.Response(200, json=page)


def _page(path: str, part: list[Any], total: int, number: int, pages: int) -> dict[str, Any]:
    if path == "/key/list":
        return {"keys": part, "total_count": total, "current_page": number, "total_pages": pages}
    if path == "/user/daily/activity":
        return {
            "results": part,
            "metadata": {"page": number, "total_pages": pages, "has_more": number < pages},
        }
    return {
        "data": part,
        "total": total,
        "page": number,
        "total_pages": pages,
        "total_is_capped": False,
    }


class Refusing(httpx.BaseTransport):
    """A proxy that knows us and says no."""

    def __init__(self, status: int = 401) -> None:
        self.status = status

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        said = {"error": {"message": f"{request.url.path} is for admins", "code": "401"}}
        return httpx.Response(self.status, json=said)


def gateway(**more: Any) -> Gateway:  # noqa: ANN401
    return Gateway.model_validate({"litellm_url": URL, "key_env": "GATEWAY_KEY", **more})


def kept(read: DayRead) -> KeptRead:

    return KeptRead(UPath("read.tar.zst"), read.manifest(), read.bodies)


def a_read(part: str, page: dict[str, Any] | str, dataset: str = "meter") -> KeptRead:
    body = (page if isinstance(page, str) else json.dumps(page)).encode()
    return kept(
        DayRead("litellm", "gateway", dataset, DAY, NOW, {part: ("/x", [], [])}, {part: body})
    )

"""The sample organization's gateway on a LiteLLM proxy's wire: its virtual keys and daily sums.

What it metered is in sample/company/gateway.py. Not here: single requests (`/spend/logs/v2`).
"""

from __future__ import annotations

from datetime import UTC, date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from openai_costs.sample.company.gateway import metered, virtual_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from starlette.requests import Request

    from openai_costs.sample.api.buckets import Json
    from openai_costs.sample.company.organisation import Organisation

VIEWER_KEY: Final = "sk-gateway-sample"
USER_KEY: Final = "sk-gateway-user-sample"
"""A key with partial rights: it gets the rows of its own token, and HTTP 200 with them."""
OF_USER_KEY: Final = "gw_shared_chat"
_UNAUTHORISED, _UNPROCESSABLE = 401, 422
_JSON: Final = msgspec.json.Encoder(decimal_format="number")
_LARGEST: Final = {"size": 100, "page_size": 1000}
_TOKENS: Final = (
    ("prompt_tokens", "input_tokens"),
    ("completion_tokens", "output_tokens"),
    ("cache_read_input_tokens", "input_cached_tokens"),
    ("cache_creation_input_tokens", "input_cache_write_tokens"),
    ("api_requests", "num_model_requests"),
)


class _Part(NamedTuple):
    """A page of a list."""

    rows: Sequence[Any]
    number: int
    pages: int


class _Proxy:
    """Answers from an organization's books, at the moment of asking."""

    def __init__(self, organisation: Organisation, now: Callable[[], datetime]) -> None:
        self._organisation = organisation
        self._now = now

    async def keys(self, request: Request) -> Response:
        """A page of the virtual keys; none of them was ever deleted."""
        is_live = request.query_params.get("status") != "deleted"
        listed = virtual_keys(self._organisation) if is_live else ()
        every = [one for one in listed if _sees(request, one[0])]
        return _answer(request, "size", every, _key_page)

    async def spend(self, request: Request) -> Response:
        """The sum that only a key gets which sees the whole proxy; clients ask for the status."""
        if _key_of(request) != VIEWER_KEY:
            return _refusal(_UNAUTHORISED, "Authentication Error, Only proxy admin can be used.")
        return JSONResponse({"spend": 0.0, "max_budget": 0.0})

    async def activity(self, request: Request) -> Response:
        """A page of a day's sums: so many rows of them."""
        text = request.query_params.get("start_date", "")
        if text != request.query_params.get("end_date"):
            return _refusal(_UNPROCESSABLE, "the sample answers for one day at a time")
        now = self._now().astimezone(UTC)
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return _refusal(_UNPROCESSABLE, "start_date must be YYYY-MM-DD")
        every = metered(self._organisation, day, now)
        rows = [one for one in every if _sees(request, one["token_id"])]
        return _answer(request, "page_size", rows, _day_page)


def gateway_routes(organisation: Organisation, now: Callable[[], datetime]) -> list[Route]:
    """The proxy's three paths.

    Args:
        organisation: whose virtual keys and meter to serve.
        now: the current instant, aware; asked once per request.
    """
    proxy = _Proxy(organisation, now)
    return [
        Route("/key/list", proxy.keys),
        Route("/user/daily/activity", proxy.activity),
        Route("/global/spend", proxy.spend),
    ]


def _key_of(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _sees(request: Request, token: str) -> bool:
    return _key_of(request) == VIEWER_KEY or token == OF_USER_KEY


def _answer(
    request: Request, size_name: str, rows: Sequence[Any], page: Callable[[_Part, int], Json]
) -> Response:
    if _key_of(request) not in (VIEWER_KEY, USER_KEY):
        return _refusal(_UNAUTHORISED, "Authentication Error, Invalid proxy server token passed.")
    try:
        size = int(request.query_params.get(size_name, "10"))
        number = int(request.query_params.get("page", "1"))
    except ValueError:
        return _refusal(_UNPROCESSABLE, "page and its size must be whole numbers")
    if number < 1 or not 1 <= size <= _LARGEST[size_name]:
        return _refusal(_UNPROCESSABLE, f"{size_name} must be 1 to {_LARGEST[size_name]}")
    part = _Part(rows[(number - 1) * size : number * size], number, -(-len(rows) // size))
    return Response(_JSON.encode(page(part, len(rows))), media_type="application/json")


def _refusal(status: int, why: str) -> Response:
    return JSONResponse({"error": {"message": why, "code": str(status)}}, status)


def _key_page(part: _Part, total: int) -> Json:
    keys = [
        {
            "token": token,
            "key_name": f"sk-...{token[-4:]}",
            "key_alias": name,
            "user_id": "",
            "team_id": None,
            "team_alias": None,
            "metadata": {"openai_api_key_id": api_key_id} if api_key_id else {},
            "expires": None,
            "blocked": None,
            "created_at": None,
            "last_active": None,
        }
        for token, name, _status, api_key_id in part.rows
    ]
    counts = {"total_count": total, "current_page": part.number, "total_pages": part.pages}
    return {"keys": keys, **counts}


def _day_page(part: _Part, _total: int) -> Json:
    more = {"page": part.number, "total_pages": part.pages, "has_more": part.number < part.pages}
    return {"results": [_day(part.rows)] if part.rows else [], "metadata": more}


def _day(rows: Sequence[Mapping[str, Any]]) -> Json:
    models: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        name = f"{row['upstream_provider']}/{row['model']}"
        models.setdefault(name, {})[row["token_id"]] = row
    breakdown = {
        name: {
            "metrics": _metrics(of_model.values()),
            "metadata": {},
            "api_key_breakdown": {
                token: {"metrics": _metrics([one]), "metadata": {"key_alias": one["token_name"]}}
                for token, one in of_model.items()
            },
        }
        for name, of_model in models.items()
    }
    return {"date": rows[0]["day"], "metrics": _metrics(rows), "breakdown": {"models": breakdown}}


def _metrics(of: Iterable[Mapping[str, Any]]) -> Json:
    rows = list(of)
    counts = {theirs: sum(row[ours] for row in rows) for theirs, ours in _TOKENS}
    return {"spend": sum((Decimal(row["metered_usd"]) for row in rows), Decimal(0)), **counts}

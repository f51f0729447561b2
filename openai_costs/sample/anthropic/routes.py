"""Anthropic's wire over the sample company: reports and lists, its own errors and paging.

Below the same `/v1` as the other sample APIs; the paths differ, so one server has them all.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from openai_costs.kernel.days import DayRange
from openai_costs.sample.anthropic.charges import charges
from openai_costs.sample.anthropic.members import ORGANIZATION, lists
from openai_costs.sample.anthropic.reports import (
    DIMENSIONS,
    KINDS,
    cost_bucket,
    cost_rows,
    usage_bucket,
    usage_rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.requests import Request

    from openai_costs.sample.anthropic.charges import Charge
    from openai_costs.sample.anthropic.members import Json
    from openai_costs.sample.company.organisation import Organisation

ADMIN_KEY: Final = "sk-ant-admin01-sample"
BETA: Final = "analytics-usage-cost-2026-08-24"
ANALYTICS_BEGIN: Final = date(2026, 1, 1)
_ROOT: Final = "/v1/organizations"
_MOST_DAYS: Final = 31
_MOST_ROWS: Final = 1000
_MOST_DIMENSIONS: Final = 5
_REACH_DAYS: Final = 365
_LAG: Final = timedelta(hours=1)
"""How far Anthropic's data is behind."""
_OLDER_COST: Final = ("workspace_id", "description")


class _RefusedError(Exception):
    """An error in Anthropic's shape."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


def _bad(message: str) -> _RefusedError:
    return _RefusedError(400, "invalid_request_error", message)


class _Wire:
    """Answers from an organization's charges, at the moment of asking."""

    def __init__(self, organisation: Organisation, now: Callable[[], datetime]) -> None:
        self._organisation, self._clock = organisation, now

    def now(self) -> datetime:
        """The current instant."""
        return self._clock().astimezone(UTC)

    def analytics(self, request: Request) -> Json:
        """A page of an analytics report."""
        if BETA not in request.headers.get("anthropic-beta", ""):
            raise _RefusedError(404, "not_found_error", "Not found")
        by, days = request.query_params.getlist("group_by[]"), self._days(request)
        is_cost = request.url.path.endswith("/cost")
        _refuse_grouping(by, (*DIMENSIONS, *(KINDS if is_cost else ())))
        oldest = max(ANALYTICS_BEGIN, self.now().date() - timedelta(days=_REACH_DAYS))
        if days.first < oldest:
            raise _bad(f"starting_at: must not be before {oldest}")
        rows = cost_rows if is_cost else usage_rows
        entries = (
            row for day in days for row in rows(day, self._charges(day, is_cost=is_cost), by)
        )
        page = _page(request, entries, _number(request, "limit", 20, _MOST_ROWS))
        refreshed = (self.now() - _LAG).isoformat(timespec="seconds").replace("+00:00", "Z")
        return page | {"data_refreshed_at": refreshed}

    def older(self, request: Request) -> Json:
        """A page of one of the older reports: a day each."""
        by, days = request.query_params.getlist("group_by[]"), self._days(request)
        is_cost = request.url.path.endswith("/cost_report")
        known = _OLDER_COST if is_cost else (*DIMENSIONS, "account_id", "service_account_id")
        _refuse_grouping(by, known)
        bucket = cost_bucket if is_cost else usage_bucket
        entries = (bucket(day, self._charges(day, is_cost=is_cost), by) for day in days)
        return _page(request, entries, _number(request, "limit", 7, _MOST_DAYS))

    def listed(self, request: Request) -> Json:
        """A page of a list."""
        name = request.url.path.rpartition("/")[2]
        entries = lists(self._organisation.fixtures, self._organisation.today)[name]
        shown = [one for one in entries if _is_asked_for(one, request)]
        ids = [one["id"] for one in shown]
        after = request.query_params.get("after_id")
        if after is not None and after not in ids:
            raise _bad("after_id: no such object")
        skip = ids.index(after) + 1 if after else 0
        page = shown[skip : skip + _number(request, "limit", 20, _MOST_ROWS)]
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        return {"data": page, "has_more": skip + len(page) < len(shown), **ends}

    def organization(self, _request: Request) -> Json:
        """The organization of the key."""
        return ORGANIZATION

    def _charges(self, day: date, *, is_cost: bool) -> list[Charge]:
        found = charges(self._organisation, day, self.now())
        return [one for one in found if is_cost or one.cost_type in {"tokens", "web_search"}]

    def _days(self, request: Request) -> DayRange:
        try:
            first, end = (
                datetime.fromisoformat(request.query_params[name]).date()
                for name in ("starting_at", "ending_at")
            )
        except (KeyError, ValueError):
            raise _bad("starting_at, ending_at: Field required") from None
        if not 0 < (end - first).days <= _MOST_DAYS:
            raise _bad(f"ending_at: the range may span at most {_MOST_DAYS} days")
        return DayRange(first, min(end - timedelta(days=1), self.now().date()))


def anthropic_routes(organisation: Organisation, now: Callable[[], datetime]) -> Iterator[Route]:
    """The routes of Anthropic's Admin API."""
    wire = _Wire(organisation, now)
    for name in ("cost", "usage"):
        yield _route(f"analytics/{name}", wire.analytics)
    for name in ("cost_report", "usage_report/messages"):
        yield _route(name, wire.older)
    for name in ("workspaces", "api_keys", "users", "invites"):
        yield _route(name, wire.listed)
    yield _route("me", wire.organization)


def _route(name: str, answer: Callable[[Request], Json]) -> Route:
    async def get(request: Request) -> Response:
        try:
            _authorise(request)
            return JSONResponse(answer(request))
        except _RefusedError as refused:
            error = {"type": refused.kind, "message": refused.message}
            body = {"type": "error", "error": error, "request_id": "req_sample"}
            return JSONResponse(body, refused.status)

    return Route(f"{_ROOT}/{name}", get, methods=["GET"])


def _authorise(request: Request) -> None:
    if request.headers.get("x-api-key") != ADMIN_KEY:
        raise _RefusedError(401, "authentication_error", "invalid x-api-key")


def _refuse_grouping(by: Sequence[str], known: Sequence[str]) -> None:
    if unknown := [one for one in by if one not in known]:
        raise _bad(f"group_by: unknown value {unknown[0]}")
    if len(set(by) - KINDS) > _MOST_DIMENSIONS and "account_id" not in by:
        raise _bad(f"group_by: at most {_MOST_DIMENSIONS} dimensions")


def _is_asked_for(entry: Json, request: Request) -> bool:
    if entry["type"] != "workspace":
        return True
    wants = request.query_params
    is_archived = entry["archived_at"] is not None
    is_default = entry["name"] == "Default"
    return (not is_archived or wants.get("include_archived") == "true") and (
        not is_default or wants.get("include_default") == "true"
    )


def _number(request: Request, name: str, usual: int, most: int) -> int:
    text = request.query_params.get(name, str(usual))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise _bad(f"{name}: must be 1 to {most}")
    return int(text)


def _page(request: Request, entries: Iterator[Json], size: int) -> Json:
    """A page: kinds of cost and token do not count towards its size, and are never parted."""
    cursor = request.query_params.get("page", "page_0").removeprefix("page_")
    if not cursor.isdecimal():
        raise _bad("page: invalid cursor")
    skip = int(cursor)
    shown = list(islice(entries, skip, skip + size + 1))
    more = len(shown) > size
    following = f"page_{skip + size}" if more else None
    return {"data": shown[:size], "has_more": more, "next_page": following}

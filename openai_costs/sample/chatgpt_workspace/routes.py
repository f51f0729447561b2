"""The compliance logs platform over the sample company: a list of files, and each by a redirect.

A download is at another path and needs no key: one that comes with a key is refused, as a real
store would refuse it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from openai_costs.sample.chatgpt_workspace.events import LogFile, log_files
from openai_costs.sample.vendor_wire import Json, RefusedError, get_route, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    from openai_costs.sample.company.organisation import Organisation

ADMIN_KEY: Final = "sk-chatgpt-admin-sample"
ROOT: Final = "/chatgpt/v1"
ORGANIZATION_ID: Final = "org-tidewaterchat"
_KEPT: Final = timedelta(days=30)
_MOST: Final = 100
_ENDS: Final = ("after", "before")
_NO_KEY: Final = {"error": {"message": "Invalid API key.", "code": "invalid_api_key"}}


def chatgpt_routes(organisation: Organisation, now: Callable[[], datetime]) -> Iterator[Route]:
    """The routes of the compliance logs platform that are about costs."""
    wire = _Wire(organisation, now)
    logs = f"{ROOT}/compliance/organizations/{{organization}}/logs"
    yield get_route(logs, wire.listed, ADMIN_KEY, _NO_KEY)
    yield get_route(f"{logs}/{{log}}", wire.redirected, ADMIN_KEY, _NO_KEY)
    yield Route("/chatgpt/downloads/{log}", wire.download, methods=["GET"])


class _Wire:
    """Answers from the company's events, at the moment of asking."""

    def __init__(self, organisation: Organisation, now: Callable[[], datetime]) -> None:
        self._organisation, self._clock = organisation, now

    def listed(self, request: Request) -> Json:
        """A page of the list of files."""
        _refuse_other(request)
        wants = request.query_params
        now = self._clock()
        after, before = (_instant(wants[name]) if name in wants else now for name in _ENDS)
        size = min(int(wants.get("limit", "20")), _MOST)
        found = list(islice(self._files(after, before), size + 1))
        page = [one.entry() for one in found[:size]]
        last = page[-1]["end_time"] if page else None
        return {"data": page, "has_more": len(found) > size, "last_end_time": last}

    def redirected(self, request: Request) -> Response:
        """Where a file can be had for some minutes."""
        _refuse_other(request)
        log = request.path_params["log"]
        return RedirectResponse(f"/chatgpt/downloads/{log}?sig=sample-signature", 307)

    async def download(self, request: Request) -> Response:
        """A file."""
        if "authorization" in request.headers:
            return json_response({"error": {"message": "One way to sign in only."}}, 400)
        now = self._clock()
        for file in self._files(now - _KEPT, now):
            if file.id == request.path_params["log"]:
                return Response(file.body, media_type="application/jsonl")
        return json_response({"error": {"message": "Expired or unknown."}}, 404)

    def _files(self, after: datetime, before: datetime) -> Iterator[LogFile]:
        now = self._clock().astimezone(UTC)
        return log_files(self._organisation, max(after, now - _KEPT), min(before, now))


def _refuse_other(request: Request) -> None:
    if request.path_params["organization"] != ORGANIZATION_ID:
        raise RefusedError(404, {"error": {"message": "No such organization.", "code": None}})


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)

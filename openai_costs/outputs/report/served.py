"""The cost explorer over HTTP, for a bookmark: the page, and its tables as JSON and CSV.

Read-only, without a secret, and only under the names of this machine: a web page elsewhere that
points a name of its own at this address is refused. Not here: starting a server (cli/serve.py).
"""

from __future__ import annotations

import csv
import io
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from openai_costs.kernel.spreadsheets import cell_text
from openai_costs.outputs.report.breakdown import QueryError, breakdown, query_of
from openai_costs.outputs.report.cost_explorer import PAGE, read_page
from openai_costs.outputs.report.section import table_of
from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.files import content_of
from openai_costs.tables.mart.coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import polars as pl
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from upath import UPath

    from openai_costs.kernel.days import Clock
    from openai_costs.outputs.publish.publication import Publication
    from openai_costs.outputs.report.page_model import PageModel

LOOPBACK: Final = ("127.0.0.1", "localhost")
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'none'",
}
_DEFECT: Final = "This is a defect. The terminal of `openai-costs serve` shows where: report it."


def application(
    publication: Publication,
    clock: Clock,
    sentence_of: Callable[[Exception], str],
    hosts: Sequence[str] = LOOPBACK,
) -> ASGIApp:
    """Return the application that serves a home.

    Args:
        publication: The home's last publication; the page is there too.
        clock: The current instant.
        sentence_of: Returns what a fault of the machine, or of what is stored, is for a person;
            empty for a defect.
        hosts: The names under which it answers, as an address has them.
    """
    home, latest = publication.home, _Latest(publication, clock)

    def page(_: Request) -> Response:
        return HTMLResponse(content_of(home / PAGE))

    def index(_: Request) -> Response:
        return JSONResponse({"tables": _addresses(latest.page())})

    def explore(request: Request) -> Response:
        try:
            query = query_of(request.query_params.multi_items())
        except QueryError as wrong:
            raise HTTPException(400, str(wrong)) from None
        return _rows(_records(breakdown(latest.page().cube, query)), request)

    def section(request: Request) -> Response:
        name = request.path_params["name"]
        one = next((each for each in latest.page().sections if each.id == name), None)
        if one is None:
            raise HTTPException(404, f"There is no table {name}. /api lists the tables.")
        return _rows(table_of(one), request)

    def or_sentence(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        return _or_sentence(answer, home, sentence_of)

    served = Starlette(
        routes=[
            Route("/", or_sentence(page)),
            Route("/api", or_sentence(index)),
            Route("/api/breakdown.{format:str}", or_sentence(explore)),
            Route("/api/{name:str}.{format:str}", or_sentence(section)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
        exception_handlers={HTTPException: _sentence, Exception: _sentence},
    )
    return _with_headers(served)


def _with_headers(served: ASGIApp) -> ASGIApp:
    """Return an application whose every response has the headers, also of what it refuses."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await served(scope, receive, sent)

    return answered


class _Latest:
    """The page model of the newest page: rebuilt when the page has been written again."""

    def __init__(self, publication: Publication, clock: Clock) -> None:
        self._publication, self._clock = publication, clock
        self._made: tuple[object, PageModel] | None = None
        self._reading = Lock()

    def page(self) -> PageModel:
        """Return the page model of the last publication when the page was last written."""
        with self._reading:  # a lake is read by one thread at a time
            return self._page()

    def _page(self) -> PageModel:
        written: datetime | float = (self._publication.home / PAGE).stat().st_mtime
        if self._made is None or self._made[0] != written:
            lake = self._publication.lake
            if not lake.has(Coverage):
                raise StorageFailed(lake.root, "its tables are gone")
            self._made = (written, read_page(self._publication, self._clock()))
        return self._made[1]


def _or_sentence(
    answer: Callable[[Request], Response], home: UPath, sentence_of: Callable[[Exception], str]
) -> Callable[[Request], Response]:
    """Return an endpoint that says what to do where there is no page yet, or one is damaged."""

    def endpoint(request: Request) -> Response:
        try:
            return answer(request)
        except HTTPException:
            raise
        except FileNotFoundError:
            text = f"There is no page in {home} yet: run `openai-costs report`."
            raise HTTPException(404, text) from None
        except Exception as fault:
            if not (sentence := sentence_of(fault)):
                raise  # a defect of ours: its trace is what we need
            raise HTTPException(500, sentence) from None

    return endpoint


def _sentence(_: Request, wrong: Exception) -> Response:
    code = wrong.status_code if isinstance(wrong, HTTPException) else 500
    detail = wrong.detail if isinstance(wrong, HTTPException) else _DEFECT
    return PlainTextResponse(f"{detail}\n", code)


def _addresses(page: PageModel) -> list[str]:
    names = ("breakdown", *(one.id for one in page.sections))
    return [f"/api/{name}.{kind}" for name in names for kind in ("json", "csv")]


def _rows(rows: list[dict[str, Any]], request: Request) -> Response:
    kind = request.path_params["format"]
    if kind == "json":
        return JSONResponse(rows)
    if kind == "csv":
        return Response(_csv(rows), media_type="text/csv; charset=utf-8")
    raise HTTPException(404, f"{kind} is not a format. Formats: json, csv.")


def _records(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON has them: dollars and days as text, to the last digit."""
    return [
        {
            name: str(value) if name in {"billed_usd", "period"} else value
            for name, value in row.items()
        }
        for row in rows.iter_rows(named=True)
    ]


def _csv(rows: list[dict[str, Any]]) -> str:
    """Return CSV whose text no spreadsheet takes for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(rows[0] if rows else [])
    writer.writerows(
        [cell_text(one) if isinstance(one, str) else one for one in row.values()] for row in rows
    )
    return text.getvalue()

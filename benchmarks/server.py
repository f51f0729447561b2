"""Serves `GET /v1/organization/costs` for the benchmark, from bytes that were rendered before.

A process of its own, so that none of its CPU is counted as a client's; it only copies bytes into
sockets. Two more addresses are for the benchmark itself: `/total` (the exact dollars of a window)
and `/cpu` (the seconds this process has used).
"""

import argparse
import http.server
import json
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

from bodies import DIMENSIONS, PATTERNS, Organisation

A_DAY = 86_400
MOST_BUCKETS = 180
_NOT_TOGETHER = {
    "error": {
        "message": "user_id cannot be combined with project_id for this organization.",
        "type": "invalid_request_error",
        "code": "invalid_request_error",
    }
}


class Costs(http.server.BaseHTTPRequestHandler):
    """Answers one client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    organisation: Organisation
    has_user_view = False

    def do_GET(self) -> None:
        """Answer with a page of daily buckets, or one of the benchmark's own figures."""
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if url.path == "/cpu":
            self._send([str(time.process_time()).encode()])
        elif url.path == "/total":
            total = sum(map(self._total, _starts(query)), Decimal(0))
            self._send([str(total).encode()])
        elif self.has_user_view and {"user_id", "project_id"} <= set(query.get("group_by[]", ())):
            self._send([json.dumps(_NOT_TOGETHER).encode()], status=400)
        else:
            self._send(list(self._page(query)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: a line per request would be work."""

    def _total(self, start: int) -> Decimal:
        return self.organisation.total(_pattern(start))

    def _page(self, query: Mapping[str, list[str]]) -> Iterator[bytes]:
        """Yield the pieces of a page; the large ones are never copied here."""
        grouping = tuple(name for name in DIMENSIONS if name in query.get("group_by[]", ()))
        days = _starts(query)
        first = int(query["page"][0].removeprefix("page_")) if "page" in query else days[0]
        waiting = [start for start in days if start >= first]
        limit = min(int(query.get("limit", ["7"])[0]), MOST_BUCKETS)
        shown, later = waiting[:limit], waiting[limit:]
        yield b'{"object":"page","data":['
        for start in shown:
            yield (b"" if start == shown[0] else b",") + _edges(start)
            yield self.organisation.results(_pattern(start), grouping)
            yield b"]}"
        rest = {"has_more": bool(later), "next_page": f"page_{later[0]}" if later else None}
        yield b"]," + json.dumps(rest).encode()[1:]

    def _send(self, pieces: list[bytes], status: int = 200) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(sum(map(len, pieces))))
        self.end_headers()
        try:
            for piece in pieces:
                self.wfile.write(piece)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client found the body too large


def _starts(query: Mapping[str, list[str]]) -> list[int]:
    return list(range(int(query["start_time"][0]), int(query["end_time"][0]), A_DAY))


def _pattern(start: int) -> int:
    return start // A_DAY % PATTERNS


def _edges(start: int) -> bytes:
    begin, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (start, start + A_DAY))
    return (
        f'{{"object":"bucket","start_time":{start},"end_time":{start + A_DAY},'
        f'"start_time_iso":"{begin}","end_time_iso":"{end}","results":['
    ).encode()


def main() -> None:
    """Render every body, say which port is served, and serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--user-view", action="store_true")
    options = parser.parse_args()
    asked = groupings(has_user_view=options.user_view)
    Costs.organisation = Organisation(options.rows)
    Costs.has_user_view = options.user_view
    for pattern in range(PATTERNS):
        Costs.organisation.total(pattern)
        for grouping in asked:
            Costs.organisation.results(pattern, grouping)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Costs) as server:
        server.daemon_threads = True
        said = {
            "port": server.server_port,
            "bucket_bytes": len(Costs.organisation.results(0, asked[0])),
            "groupings": asked,
        }
        print(json.dumps(said), flush=True)
        server.serve_forever()


def groupings(*, has_user_view: bool) -> list[tuple[str, ...]]:
    """Return the groupings a complete read asks for, the ledger's first."""
    if not has_user_view:
        return [DIMENSIONS, ()]
    without_user = tuple(name for name in DIMENSIONS if name != "user_id")
    return [without_user, ("user_id", "line_item"), ()]


if __name__ == "__main__":
    sys.exit(main())

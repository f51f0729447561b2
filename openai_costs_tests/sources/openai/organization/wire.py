"""An organisation's lists in small: an API of literals, kept reads without a disk, pages."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
from upath import UPath

from openai_costs.kernel.money import MONEY
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.organization.listings import listing
from openai_costs.sources.openai.organization.source import OpenAIDirectory
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.organization.frames import Folded, folded, usable
from openai_costs.sources.organization.kinds import KINDS, Kind
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive, DayRead, KeptRead
from openai_costs.tables.entity import Known

DAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PAGES = Path(__file__).parents[3] / "pages"
LIMIT = 100

Entry = dict[str, Any]
Said = list[Entry] | Entry | tuple[int, str]
"""A list's entries, a single object, or a refusal: its status and its message."""


def seconds(day: date, hour: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp())


def instant(year: int, month: int, day: int, hour: int = 0) -> datetime:
    """An instant in UTC as the tables hold it: without a zone."""
    return datetime(year, month, day, hour, tzinfo=UTC).replace(tzinfo=None)


def recorded(name: str, case: str, status: int = 200) -> bytes:
    """The body of a recorded page."""
    return (PAGES / name / case / f"{status}.json").read_bytes()


def page(*entries: Entry, has_more: bool = False, last_id: str | None = None) -> bytes:
    """A page of a list."""
    last = last_id or (entries[-1].get("id") if entries else None)
    said = {"object": "list", "data": list(entries), "last_id": last, "has_more": has_more}
    return json.dumps(said).encode()


class Lists(httpx.BaseTransport):
    """An API of literal lists, a hundred entries a page; remembers the paths it was asked for."""

    def __init__(self, lists: Mapping[str, Said], *, breaks_after: int | None = None) -> None:
        self.lists = dict(lists)
        self.asked: list[str] = []
        self.params: list[dict[str, str]] = []
        self._breaks_after = breaks_after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1")
        self.asked.append(path)
        self.params.append(dict(request.url.params))
        if self._breaks_after is not None and len(self.asked) > self._breaks_after:
            self.break_down()
        said = self.lists.get(path, [])
        if isinstance(said, tuple):
            return refusal(*said)
        if isinstance(said, dict):
            return httpx.Response(200, json=said)
        if path.endswith("/spend_limit"):
            return refusal(404, "No spend limit is set.")
        return httpx.Response(200, content=_cut(said, request.url.params.get("after")))

    def break_down(self) -> None:
        """Be unreachable from now on."""
        raise httpx.ReadError("the network is gone")


def refusal(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": message, "code": None}})


def _cut(entries: list[Entry], after: str | None) -> bytes:
    ids = [entry.get("id") for entry in entries]
    start = ids.index(after) + 1 if after is not None else 0
    more = len(entries) > start + LIMIT
    return page(*entries[start : start + LIMIT], has_more=more)


def project(name: str, /, **more: Any) -> Entry:  # noqa: ANN401
    made = {"object": "organization.project", "id": f"proj_{name}", "name": name.title()}
    return made | {"status": "active", "created_at": seconds(date(2025, 6, 1))} | more


def key(name: str, /, **more: Any) -> Entry:  # noqa: ANN401
    made = {"object": "organization.project.api_key", "id": f"key_{name}", "name": name}
    return made | {"redacted_value": "sk-***x", "created_at": seconds(date(2025, 7, 1))} | more


def user(name: str, /, **more: Any) -> Entry:  # noqa: ANN401
    made = {"object": "organization.user", "id": f"user-{name}", "name": name.title()}
    return made | {"email": f"{name}@acme.example", "role": "reader"} | more


def organisation(*names: str) -> dict[str, Said]:
    """The lists of an organisation with some projects and a key in each."""
    lists: dict[str, Said] = {"/organization/projects": [project(name) for name in names]}
    for name in names:
        lists[f"/organization/projects/proj_{name}/api_keys"] = [key(name)]
    lists["/organization/users"] = [user("ada"), user("bo")]
    return lists


def read(
    lists: Mapping[str, list[Entry] | Entry | bytes],
    *,
    days: int = 0,
    hours: int = 0,
    absent: Iterable[str] = (),
) -> KeptRead:
    """A kept read without a disk: its lists by name, some days and hours after the first."""
    bodies = {
        f"{name}.0": said
        if isinstance(said, bytes)
        else page(*said)
        if isinstance(said, list)
        else json.dumps(said).encode()
        for name, said in {"projects": list[Entry](), **lists}.items()
    }
    at = NOON + timedelta(days=days, hours=hours)
    requests = {part: ("/somewhere", list[tuple[str, str]](), list[str]()) for part in bodies}
    refused = dict.fromkeys(absent, "HTTP 403: no")
    made = DayRead("openai", "acme", "directory", at.date(), at, requests, bodies, refused)
    return KeptRead(UPath(f"raw/{at:%Y%m%dT%H}.tar.zst"), made.manifest(), dict(bodies))


def kind_of(table: type[Known]) -> Kind:
    return next(kind for kind in KINDS if kind.table is table)


def ids(*named: tuple[str, date, date, str]) -> pl.DataFrame:
    """Ids that the ledger names: id, first_day, last_day, billed_usd."""
    schema = {"id": pl.String(), "first_day": pl.Date(), "last_day": pl.Date()}
    frame = pl.DataFrame([one[:3] for one in named], schema=schema, orient="row")
    amounts = pl.Series("billed_usd", [one[3] for one in named], pl.String()).cast(MONEY)
    return frame.with_columns(amounts)


def made(table: type[Known], *reads: KeptRead, ledger: pl.DataFrame | None = None) -> Folded:
    """What some reads make of a table."""
    named = ids() if ledger is None else ledger
    kind = kind_of(table)
    return folded(kind, ("acme", "openai"), usable([kind], listing, reads)[kind.table], named)


def rows(table: type[Known], columns: str, *reads: KeptRead) -> list[tuple[Any, ...]]:
    """Some columns of what some reads make of a table."""
    return made(table, *reads).frame.select(columns.split()).rows()


class Desk:
    """A reader of a literal organisation, with a home that outlives its tries."""

    def __init__(self, home: Path, **connection: Any) -> None:  # noqa: ANN401
        said = {"name": "acme", "base_url": "sample://literal"} | connection
        self.connection = OpenAIConnection.model_validate(said)
        self.settings = Settings(
            home=str(home), config_file=home / "none.toml", connections=(self.connection,)
        )
        self.archive = Archive(UPath(home))
        self.now = NOON
        self.told: list[str] = []

    def reader(self, wire: httpx.BaseTransport) -> OpenAIDirectory:
        reach = Reach(lambda _connection: wire)
        return OpenAIDirectory(self.settings, self.archive, lambda: self.now, reach)

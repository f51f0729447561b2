"""The vendor's wire in small: buckets and pages as bytes, recorded pages, an API of literals."""

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import httpx
import polars as pl
from upath import UPath

from openai_costs.kernel.days import DayRange, epoch
from openai_costs.sources.http.paging import Body, Get
from openai_costs.sources.openai.costs.endpoints import COSTS, LEDGER_GROUPINGS, Endpoint
from openai_costs.sources.openai.paging import Buckets, Query, complete
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.archive import DayRead, KeptRead
from openai_costs.storage.slices import Batch

T = TypeVar("T")

EXACT = Context(prec=30_000, Emin=MIN_EMIN, Emax=MAX_EMAX)

DAY = date(2026, 3, 10)
READ_AT = datetime(2026, 3, 20, 6, tzinfo=UTC)
ACME = OpenAIConnection(name="acme", organization_id="org-acme")
PAGES = Path(__file__).parents[2] / "pages"
WITH_USERS, WITHOUT_USERS, COARSEST = LEDGER_GROUPINGS


def after(days: int, day: date = DAY) -> date:
    return day + timedelta(days=days)


def span(days: int, first: date = DAY) -> DayRange:
    return DayRange(first, after(days - 1, first))


def result(value: str = "1.5", *, currency: str = "usd", **fields: Any) -> str:  # noqa: ANN401
    """A result as JSON text; `value` stands in it as it is written here."""
    said = "".join(f', "{name}": {json.dumps(field)}' for name, field in fields.items())
    return (
        f'{{"object": "organization.costs.result", '
        f'"amount": {{"value": {value}, "currency": "{currency}"}}{said}}}'
    )


def bucket(day: date = DAY, *results: str, starts: int = 0, seconds: int = 86_400) -> str:
    start = epoch(day) + starts
    return (
        f'{{"object": "bucket", "start_time": {start}, "end_time": {start + seconds}, '
        f'"results": [{", ".join(results)}]}}'
    )


def page(*buckets: str, has_more: bool = False, next_page: str | None = None) -> bytes:
    return (
        f'{{"object": "page", "data": [{", ".join(buckets)}], '
        f'"has_more": {json.dumps(has_more)}, "next_page": {json.dumps(next_page)}}}'
    ).encode()


def empty_days(days: Iterable[date], *, has_more: bool = False, cursor: str | None = None) -> bytes:
    return page(*map(bucket, days), has_more=has_more, next_page=cursor)


def converse(
    conversation: Generator[Get, Body, T], answer: Callable[[Get], Body | Exception]
) -> tuple[T, list[Get]]:
    """Hold a conversation by hand; return what it read and everything it asked."""
    asked: list[Get] = []
    try:
        asked.append(next(conversation))
        while True:
            said = answer(asked[-1])
            if isinstance(said, Exception):
                asked.append(conversation.throw(said))
            else:
                asked.append(conversation.send(said))
    except StopIteration as ended:
        return ended.value, asked


def in_turn(*answers: Body | Exception) -> Callable[[Get], Body | Exception]:
    """Answer with each of these once; after the last one, with the last one forever."""
    left = list(answers)
    return lambda _get: left.pop(0) if len(left) > 1 else left[0]


def asked_days(params: Iterable[tuple[str, str]]) -> DayRange:
    said = dict(params)
    first, end = (
        datetime.fromtimestamp(int(said[name]), UTC).date() for name in ("start_time", "end_time")
    )
    return DayRange(first, end - timedelta(days=1))


def grouping_of(params: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(value for name, value in params if name == "group_by[]")


def kept(
    body: str | bytes,
    *,
    day: date = DAY,
    grouping: Sequence[str] = WITHOUT_USERS,
    part: str = "ledger",
    **more: bytes,
) -> KeptRead:
    """A kept read of one day, without a disk: one part, and `more` parts in the same grouping."""
    bodies = {part: body.encode() if isinstance(body, str) else body, **more}
    requests = {name: (COSTS.path, list[tuple[str, str]](), list(grouping)) for name in bodies}
    read = DayRead("openai", "acme", "costs", day, READ_AT, requests, bodies)
    return as_kept(read)


def as_kept(read: DayRead) -> KeptRead:
    return KeptRead(UPath(f"raw/{read.day}.tar.zst"), read.manifest(), dict(read.bodies))


def recorded(case: str, folder: str = "costs") -> bytes:
    return (PAGES / folder / case / "200.json").read_bytes()


def recorded_buckets(case: str, endpoint: Endpoint = COSTS, folder: str = "costs") -> Buckets:
    """A recorded page as the buckets of its days, cut the way a run cuts it."""
    body = recorded(case, folder)
    days = [
        datetime.fromtimestamp(one["start_time"], UTC).date() for one in json.loads(body)["data"]
    ]
    answer, _ = converse(complete(Query(endpoint, DayRange(days[0], days[-1]))), in_turn(body))
    return answer.buckets


def recorded_days(
    case: str, *, grouping: Sequence[str] = WITHOUT_USERS, part: str = "ledger"
) -> list[KeptRead]:
    """A recorded page as the kept reads of its days."""
    return [
        kept(bytes(found), day=day, grouping=grouping, part=part)
        for day, found in recorded_buckets(case).items()
    ]


def table(batches: Iterable[Batch]) -> pl.DataFrame:
    return pl.concat([batch.frame for batch in batches])


def by_label(frame: pl.DataFrame, column: str = "billed_usd") -> dict[str, Any]:
    return dict(frame.select("line_item", column).iter_rows())


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum without any rounding, whatever the number of digits."""
    return reduce(EXACT.add, amounts, Decimal(0))


def rounded_once(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("1E-18"), ROUND_HALF_EVEN, EXACT)


def api_of(buckets: Mapping[date, str], *, most_on_a_page: int = 180) -> httpx.MockTransport:
    """An API over literal buckets that puts as many on a page as it likes, whatever the limit."""

    def answer(request: httpx.Request) -> httpx.Response:
        params = request.url.params.multi_items()
        days = list(asked_days(params))
        skip = int(dict(params).get("page", "0"))
        shown, left = days[skip : skip + most_on_a_page], days[skip + most_on_a_page :]
        cursor = str(skip + most_on_a_page) if left else None
        body = page(*(buckets[day] for day in shown), has_more=bool(left), next_page=cursor)
        return httpx.Response(200, content=body)

    return httpx.MockTransport(answer)

"""OpenRouter's wire over the sample company: the activity of a completed day, at its own address.

Two teams try models of several makers. Support brings its own OpenAI key: OpenRouter counts what
OpenAI bills for it, and takes a fee of a twentieth.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.sample.company.activity import (
    PERMILLE,
    Rhythm,
    growth_permille,
    wobble_permille,
)
from openai_costs.sample.vendor_wire import Json, RefusedError, get_route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request
    from starlette.routing import Route

    from openai_costs.sample.company.organisation import Organisation

MANAGEMENT_KEY: Final = "sk-or-v1-sample"
ROOT: Final = "/openrouter/api/v1"
_KEPT_DAYS: Final = 30
_SPREAD: Final = 200
_FEE: Final = Decimal("0.05")
_NO_KEY: Final = {"error": {"message": "User not found.", "code": 401}}


class _Workload(NamedTuple):
    workspace_id: str
    model: str
    permaslug: str
    provider_name: str
    rhythm: Rhythm
    requests: int
    thousands: tuple[int, int]
    dollars_per_million: tuple[str, str]
    brings_key: bool = False


_WORKLOADS: Final = (
    _Workload(
        "ws-search",
        "google/gemini-3-flash",
        "google/gemini-3-flash-20260801",
        "Google AI",
        Rhythm.PRODUCT,
        5200,
        (21_000, 2_600),
        ("0.5", "3"),
    ),
    _Workload(
        "ws-search",
        "deepseek/deepseek-v4",
        "deepseek/deepseek-v4-20260615",
        "DeepInfra",
        Rhythm.OFFICE,
        900,
        (7_400, 1_900),
        ("0.25", "1"),
    ),
    _Workload(
        "ws-labs",
        "anthropic/claude-sonnet-5",
        "anthropic/claude-sonnet-5-20260901",
        "Anthropic",
        Rhythm.OFFICE,
        240,
        (2_100, 400),
        ("2", "10"),
    ),
    _Workload(
        "ws-support",
        "openai/gpt-5.4-mini",
        "openai/gpt-5.4-mini-2026-03-05",
        "OpenAI",
        Rhythm.ALWAYS,
        700,
        (3_300, 610),
        ("0.25", "2"),
        brings_key=True,
    ),
)


def openrouter_routes(organisation: Organisation, now: Callable[[], datetime]) -> Iterator[Route]:
    """The routes of OpenRouter's API."""

    def activity(request: Request) -> Json:
        day = _day(request, now().astimezone(UTC).date())
        group_by = request.query_params.get("group_by")
        if group_by not in (None, "workspace"):
            raise _bad("Invalid group_by")
        rows = list(_activity(organisation, day))
        return {"data": rows if group_by else [_whole(one) for one in rows]}

    yield get_route(f"{ROOT}/activity", activity, MANAGEMENT_KEY, _NO_KEY)


def _activity(organisation: Organisation, day: date) -> Iterator[Json]:
    if day < organisation.first_day:
        return
    for number, one in enumerate(_WORKLOADS):
        size = one.rhythm.value[day.weekday()] * growth_permille((organisation.today - day).days)
        size *= wobble_permille(_SPREAD, organisation.seed, "openrouter", number, day)
        tokens = [thousands * 1000 * size // PERMILLE**3 for thousands in one.thousands]
        if not any(tokens):
            continue
        prices = map(Decimal, one.dollars_per_million)
        usd = sum((n * price for n, price in zip(tokens, prices, strict=True)), Decimal(0))
        usd = usd.scaleb(-6)
        yield {
            "date": str(day),
            "model": one.model,
            "model_permaslug": one.permaslug,
            "endpoint_id": f"550e8400-e29b-41d4-a716-44665544000{number}",
            "provider_name": one.provider_name,
            "usage": usd * _FEE if one.brings_key else usd,
            "byok_usage_inference": usd if one.brings_key else Decimal(0),
            "requests": max(1, one.requests * size // PERMILLE**3),
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "reasoning_tokens": tokens[1] // 4,
            "workspace_id": one.workspace_id,
        }


def _whole(row: Json) -> Json:
    return {name: value for name, value in row.items() if name != "workspace_id"}


def _day(request: Request, today: date) -> date:
    try:
        day = date.fromisoformat(request.query_params["date"])
    except (KeyError, ValueError):
        raise _bad("Date must be in YYYY-MM-DD format") from None
    if not today - timedelta(days=_KEPT_DAYS) <= day < today:
        raise _bad("Date must be within the last 30 (completed) UTC days")
    return day


def _bad(message: str) -> RefusedError:
    return RefusedError(400, {"error": {"message": message, "code": 400}})

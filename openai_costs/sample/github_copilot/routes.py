"""GitHub's wire over the sample company: the bill of a day, of everyone or one person, and seats.

Five people write code with Copilot, and one holds a seat and does not. A part of what each uses is
included in the seats; on Mondays more of one model is taken off than was used of it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from openai_costs.sample.company.activity import (
    PERMILLE,
    Rhythm,
    by_then,
    growth_permille,
    wobble_permille,
)
from openai_costs.sample.vendor_wire import Json, RefusedError, get_route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request
    from starlette.routing import Route

    from openai_costs.sample.company.organisation import Organisation

PERSONAL_TOKEN: Final = "github_pat_sample"  # noqa: S105 - of a company that does not exist
ROOT: Final = "/github"
ORGANIZATION: Final = "tidewater-maps"
CREDITS_BEGIN: Final = date(2026, 6, 1)
_NO_KEY: Final = {"message": "Bad credentials", "status": "401"}
_MONDAY: Final = 0
_SPREAD: Final = 300
_INCLUDED_PERMILLE: Final = 400
_MONDAYS_PERMILLE: Final = 1100

# login, credits of a full day by model
WRITERS: Final[dict[str, dict[str, int]]] = {
    "kaveh-n": {"Claude Sonnet 5": 900, "GPT-5.6": 250},
    "lucia-f": {"Claude Sonnet 5": 640},
    "ruben-k": {"GPT-5.6": 420},
    "signe-h": {"Claude Opus 5.5": 1100, "GPT-5.6": 90},
    "hyejin-p": {"Gemini 3 Flash": 160},
}
_IDLE: Final = "olu-a"
LOGINS: Final = (*WRITERS, _IDLE)
"""Each begins with the name that its person's ids begin with."""
_PRICE: Final = Decimal("0.01")


def copilot_routes(organisation: Organisation, now: Callable[[], datetime]) -> Iterator[Route]:
    """The routes of GitHub's API that are about Copilot."""
    wire = _Wire(organisation, now)
    billing = f"{ROOT}/organizations/{{org}}/settings/billing"
    for unit in ("ai_credit", "premium_request"):
        yield get_route(f"{billing}/{unit}/usage", wire.bill, PERSONAL_TOKEN, _NO_KEY)
    yield get_route(
        f"{ROOT}/orgs/{{org}}/copilot/billing/seats", wire.seats, PERSONAL_TOKEN, _NO_KEY
    )


class _Wire:
    """Answers from what the writers use, at the moment of asking."""

    def __init__(self, organisation: Organisation, now: Callable[[], datetime]) -> None:
        self._organisation, self._clock = organisation, now

    def bill(self, request: Request) -> Json:
        """The bill of a day; each endpoint knows its own era only."""
        _refuse_other(request)
        day, login = _day(request), request.query_params.get("user")
        is_credits = "/ai_credit/" in request.url.path
        items = list(self._items(day, login)) if is_credits == (day >= CREDITS_BEGIN) else []
        person = {"user": login} if login else {}
        period = {"year": day.year, "month": day.month, "day": day.day}
        return {"timePeriod": period, "organization": ORGANIZATION, **person, "usageItems": items}

    def seats(self, request: Request) -> Json:
        """A page of the seats."""
        _refuse_other(request)
        size = int(request.query_params.get("per_page", "50"))
        skip = (int(request.query_params.get("page", "1")) - 1) * size
        every = [*(self._seat(one, is_active=True) for one in WRITERS)]
        every += [self._seat(_IDLE, is_active=False)]
        return {"total_seats": len(every), "seats": every[skip : skip + size]}

    def _seat(self, login: str, *, is_active: bool) -> Json:
        created = datetime.combine(self._organisation.first_day, time(10), UTC)
        active = self._clock().astimezone(UTC) - timedelta(hours=2) if is_active else None
        return {
            "created_at": _instant(created - timedelta(days=90)),
            "updated_at": _instant(created),
            "pending_cancellation_date": None,
            "last_activity_at": active and _instant(active),
            "last_activity_editor": active and "vscode/1.111.0/copilot-chat/0.40",
            "plan_type": "business",
            "assignee": {"login": login, "id": 1000 + len(login), "type": "User"},
            "assigning_team": None,
        }

    def _items(self, day: date, login: str | None) -> Iterator[Json]:
        used: defaultdict[str, int] = defaultdict(int)
        included: defaultdict[str, int] = defaultdict(int)
        for writer in [login] if login else WRITERS:
            for model, full in WRITERS.get(writer, {}).items():
                credits_used = self._credits(day, writer, model, full)
                off = _MONDAYS_PERMILLE if day.weekday() == _MONDAY else _INCLUDED_PERMILLE
                share = off if model == "GPT-5.6" else _INCLUDED_PERMILLE
                used[model] += credits_used
                included[model] += credits_used * share // PERMILLE
        yield from (_item(day, model, n, included[model]) for model, n in used.items() if n)

    def _credits(self, day: date, writer: str, model: str, full: int) -> int:
        now = self._clock().astimezone(UTC)
        if not self._organisation.first_day <= day <= now.date():
            return 0
        size = Rhythm.OFFICE.value[day.weekday()]
        size *= growth_permille((self._organisation.today - day).days)
        size *= wobble_permille(_SPREAD, self._organisation.seed, "copilot", writer, model, day)
        credits_used = full * size // PERMILLE**3
        return by_then(credits_used, now.hour * 3600) if day == now.date() else credits_used


def _item(day: date, model: str, used: int, included: int) -> dict[str, Any]:
    is_credits = day >= CREDITS_BEGIN
    return {
        "product": "Copilot",
        "sku": "Copilot AI Credits" if is_credits else "Copilot Premium Request",
        "model": model,
        "unitType": "ai-credits" if is_credits else "requests",
        "pricePerUnit": _PRICE,
        "grossQuantity": used,
        "grossAmount": used * _PRICE,
        "discountQuantity": included,
        "discountAmount": included * _PRICE,
        "netQuantity": used - included,
        "netAmount": (used - included) * _PRICE,
    }


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _refuse_other(request: Request) -> None:
    if request.path_params["org"] != ORGANIZATION:
        raise RefusedError(404, {"message": "Not Found", "status": "404"})


def _day(request: Request) -> date:
    wanted = request.query_params
    try:
        return date(*(int(wanted[part]) for part in ("year", "month", "day")))
    except (KeyError, ValueError):
        raise RefusedError(400, {"message": "Invalid day", "status": "400"}) from None

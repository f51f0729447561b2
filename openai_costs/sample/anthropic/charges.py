"""What the sample company buys from Anthropic on a day: tokens, searches and what they cost.

Prices are the list prices of the package genai-prices; Sonnet is bought with a discount of a tenth.
Amounts are exact: whole units times a price. Not here: how the reports add them up (reports.py).
"""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from openai_costs.sample.anthropic.members import key_id, user_actor
from openai_costs.sample.company.activity import (
    PERMILLE,
    Rhythm,
    by_then,
    growth_permille,
    wobble_permille,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from openai_costs.sample.company.organisation import Organisation

_SPREAD: Final = 160
_WRITTEN: Final = "cache_creation.ephemeral_{}_input_tokens"

TOKEN_TYPES: Final = (
    "uncached_input_tokens",
    "cache_read_input_tokens",
    _WRITTEN.format("5m"),
    _WRITTEN.format("1h"),
    "output_tokens",
)

# model -> dollars per million tokens, in the order of TOKEN_TYPES
_PRICES: Final[dict[str, tuple[str, ...]]] = {
    "claude-sonnet-5": ("2", "0.2", "2.5", "4", "10"),
    "claude-opus-5-5": ("4", "0.2", "5", "8", "20"),
    "claude-haiku-4-5": ("1", "0.1", "1.25", "2", "5"),
}
_DISCOUNTED: Final = {"claude-sonnet-5": Decimal("0.9")}
_BATCH: Final = Decimal("0.5")
_CENTS_A_SEARCH: Final = Decimal(1)

_LOOP_TIMES: Final = (9, 12)


class Place(NamedTuple):
    """Where money lands: Anthropic's dimensions."""

    workspace_id: str
    api_key_id: str | None
    actor: dict[str, Any]
    product: str | None
    service_tier: str


class Charge(NamedTuple):
    """Units of one kind bought at one place on a day, with their amounts in cents."""

    place: Place
    model: str | None
    cost_type: str
    token_type: str | None
    units: int
    cents: Decimal
    list_cents: Decimal

    def value(self, dimension: str) -> Any:  # noqa: ANN401 - a text, an object or null
        """What a dimension of the reports is here; null where it does not apply."""
        own: dict[str, Any] = {
            "model": self.model,
            "cost_type": self.cost_type,
            "token_type": self.token_type,
            "context_window": "0-200k" if self.model else None,
            "inference_geo": "global" if self.model else None,
        }
        if dimension == "service_tier" and self.model is None:
            return None
        return own[dimension] if dimension in own else getattr(self.place, dimension, None)


class _Workload(NamedTuple):
    place: Place
    model: str
    rhythm: Rhythm
    thousands: tuple[int, ...]
    searches: int = 0
    times: Mapping[int, int] = MappingProxyType({})


def charges(organisation: Organisation, day: date, as_of: datetime) -> Iterator[Charge]:
    """What a UTC day costs, as known at `as_of`; of the running day, what was bought so far."""
    if not organisation.first_day <= day <= as_of.date():
        return
    age = (organisation.today - day).days
    so_far = as_of.hour * 3600 + as_of.minute * 60 + as_of.second
    for number, workload in enumerate(_workloads(organisation)):
        size = workload.rhythm.value[day.weekday()] * growth_permille(age)
        size *= wobble_permille(_SPREAD, organisation.seed, "anthropic", number, day)
        size *= workload.times.get(age, 1)
        for token_type, thousands in zip(TOKEN_TYPES, workload.thousands, strict=True):
            units = thousands * 1000 * size // PERMILLE**3
            units = by_then(units, so_far) if day == as_of.date() else units
            if units:
                yield _tokens(workload, token_type, units)
        searches = workload.searches * size // PERMILLE**3
        searches = by_then(searches, so_far) if day == as_of.date() else searches
        if searches:
            cents = searches * _CENTS_A_SEARCH
            yield Charge(workload.place, None, "web_search", None, searches, cents, cents)


def _tokens(workload: _Workload, token_type: str, units: int) -> Charge:
    price = _PRICES[workload.model][TOKEN_TYPES.index(token_type)]
    at_list = units * Decimal(price).scaleb(-4)  # dollars a million are cents a ten thousand
    if workload.place.service_tier == "batch":
        at_list *= _BATCH
    cents = at_list * _DISCOUNTED.get(workload.model, Decimal(1))
    return Charge(workload.place, workload.model, "tokens", token_type, units, cents, at_list)


def agent_loop(today: date) -> dict[int, int]:
    """The incident here: an agent of Ruben's ran on from a Wednesday into the next day.

    Returns days ago, and how many times the usual.
    """
    wednesday = (today.weekday() - 2) % 7 + 7
    return {wednesday - after: times for after, times in enumerate(_LOOP_TIMES)}


def _workloads(organisation: Organisation) -> Iterator[_Workload]:
    fixtures = organisation.fixtures
    robot = {"type": "service_account_actor", "service_account_id": "svac_search"}
    search = Place("wrkspc_search", key_id("search_prod"), robot, None, "standard")
    sonnet = "claude-sonnet-5"
    yield _Workload(search, sonnet, Rhythm.PRODUCT, (5_200, 9_400, 700, 120, 1_150), 320)
    by_key = {"type": "api_actor", "api_key_id": key_id("search_eval")}
    ratings = Place("wrkspc_search", key_id("search_eval"), by_key, None, "batch")
    yield _Workload(ratings, "claude-haiku-4-5", Rhythm.OFFICE, (6_500, 0, 0, 0, 900))
    by_key = {"type": "api_actor", "api_key_id": key_id("desk_bot")}
    desk = Place("wrkspc_support", key_id("desk_bot"), by_key, None, "standard")
    yield _Workload(desk, "claude-haiku-4-5", Rhythm.ALWAYS, (3_100, 5_600, 240, 0, 820))
    for suffix, size in (("signe", 3), ("ruben", 2), ("hyejin", 1)):
        actor = user_actor(fixtures, suffix)
        code = Place("wrkspc_default", None, actor, "claude_code", "standard")
        mix = (60 * size, 2_900 * size, 210 * size, 30 * size, 95 * size)
        times = agent_loop(organisation.today) if suffix == "ruben" else {}
        yield _Workload(code, "claude-opus-5-5", Rhythm.OFFICE, mix, times=times)

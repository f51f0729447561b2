"""Anthropic's reports over some charges: one row or result for each group, amounts in cents.

Entries only. Not here: pages, keys and refusals (routes.py).
"""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from openai_costs.sample.anthropic.charges import Charge
    from openai_costs.sample.anthropic.members import Json

KINDS: Final = frozenset({"cost_type", "token_type"})
"""Dimensions of costs that do not count towards the five that may be combined."""

DIMENSIONS: Final = (
    "actor",
    "actor_type",
    "agent_id",
    "api_key_id",
    "claude_tag_category",
    "claude_tag_user_id",
    "context_window",
    "deployment_id",
    "environment_id",
    "inference_geo",
    "model",
    "organization_id",
    "product",
    "rbac_group_id",
    "service_tier",
    "session_id",
    "slack_channel_id",
    "speed",
    "user_profile_id",
    "workspace_id",
)
_LINE: Final = (
    "cost_type",
    "model",
    "service_tier",
    "token_type",
    "context_window",
    "inference_geo",
)
_USED: Final = (
    "workspace_id",
    "api_key_id",
    "account_id",
    "service_account_id",
    "model",
    "service_tier",
    "context_window",
    "inference_geo",
)


def cost_rows(day: date, charges: Sequence[Charge], by: Sequence[str]) -> Iterator[Json]:
    """Rows of the analytics report of costs."""
    for group, its in _grouped(charges, by):
        whole = dict.fromkeys((*DIMENSIONS, *KINDS)) | group
        cost = {
            "amount": _text(one.cents for one in its),
            "list_amount": _text(one.list_cents for one in its),
            "currency": "USD",
            "requests": None if KINDS.intersection(by) else _requests(its),
        }
        yield {**_edges(day), "group": whole, "cost": cost}


def usage_rows(day: date, charges: Sequence[Charge], by: Sequence[str]) -> Iterator[Json]:
    """Rows of the analytics report of usage."""
    for group, its in _grouped(charges, by):
        counts = _counts(its)
        written = counts["cache_creation"]
        total = sum(count for count in counts.values() if isinstance(count, int))
        whole = {"total_tokens": total + sum(written.values()), "requests": _requests(its)}
        yield {**_edges(day), "group": dict.fromkeys(DIMENSIONS) | group, "usage": counts | whole}


def cost_bucket(day: date, charges: Sequence[Charge], by: Sequence[str]) -> Json:
    """A day of the older report of costs."""
    asked = [*(_LINE if "description" in by else ()), *(one for one in by if one != "description")]
    results = []
    for group, its in _grouped(charges, asked):
        label = (
            f"{group.get('model') or group['cost_type']} Usage" if "cost_type" in group else None
        )
        words = dict.fromkeys((*_LINE, "workspace_id")) | group | {"description": label}
        amount = {"amount": _text(one.cents for one in its), "currency": "USD"}
        results.append(words | amount)
    return {**_edges(day), "results": results}


def usage_bucket(day: date, charges: Sequence[Charge], by: Sequence[str]) -> Json:
    """A day of the older report of usage."""
    found = _grouped(charges, [one for one in by if not one.endswith("account_id")])
    results = [dict.fromkeys(_USED) | group | _counts(its) for group, its in found]
    return {**_edges(day), "results": results}


def _edges(day: date) -> Json:
    end = day + timedelta(days=1)
    return {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{end}T00:00:00Z"}


def _grouped(charges: Iterable[Charge], by: Iterable[str]) -> list[tuple[Json, list[Charge]]]:
    names = list(by)
    found: dict[str, tuple[Json, list[Charge]]] = {}
    for one in charges:
        group = {name: one.value(name) for name in names}
        found.setdefault(json.dumps(group), (group, []))[1].append(one)
    return list(found.values())


def _text(cents: Iterable[Decimal]) -> str:
    return f"{sum(cents, Decimal(0)):f}"


def _requests(charges: Iterable[Charge]) -> int:
    return sum(one.units // 4_000 + 1 for one in charges if one.token_type == "output_tokens")  # noqa: S105 - tokens of a model


def _counts(charges: Sequence[Charge]) -> Json:
    def count(token_type: str | None) -> int:
        return sum(one.units for one in charges if one.token_type == token_type)

    return {
        "uncached_input_tokens": count("uncached_input_tokens"),
        "cache_read_input_tokens": count("cache_read_input_tokens"),
        "cache_creation": {
            "ephemeral_5m_input_tokens": count("cache_creation.ephemeral_5m_input_tokens"),
            "ephemeral_1h_input_tokens": count("cache_creation.ephemeral_1h_input_tokens"),
        },
        "output_tokens": count("output_tokens"),
        "server_tool_use": {"web_search_requests": count(None)},
    }

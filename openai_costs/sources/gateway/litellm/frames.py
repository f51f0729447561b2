"""LiteLLM's answers as tokens and metered rows. The vendor's own words end here. Pure.

On the wire, user and team are "" or null, prompt_tokens include cached ones, no price is 0.0.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from openai_costs.kernel.days import naive
from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.money import FLOAT_NOISE
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.gateway.listing import Listing, TokenRow
from openai_costs.sources.gateway.metering import MeterRow
from openai_costs.sources.page_fields import Count
from openai_costs.storage.archive import KeptRead


class _Key(msgspec.Struct):
    token: str
    key_alias: str | None = None
    user_id: str | None = None
    team_id: str | None = None
    team_alias: str | None = None
    metadata: dict[str, Any] | None = None
    expires: dt.datetime | None = None
    blocked: bool | None = None
    created_at: dt.datetime | None = None
    last_active: dt.datetime | None = None


class _KeyPage(msgspec.Struct):
    keys: list[_Key]


class _Metrics(msgspec.Struct):
    spend: Decimal
    prompt_tokens: Count
    completion_tokens: Count
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    api_requests: Count | None = None

    def __post_init__(self) -> None:
        """Refuse dollars that cannot be added up; the parser says where they stand."""
        if not self.spend.is_finite():
            raise ValueError(f"spend is {self.spend}, which is not a finite number")


class _OfKey(msgspec.Struct):
    metrics: _Metrics
    metadata: dict[str, Any] | None = None


class _OfModel(msgspec.Struct):
    metrics: _Metrics
    api_key_breakdown: dict[str, _OfKey]


class _Breakdown(msgspec.Struct):
    models: dict[str, _OfModel]


class _Day(msgspec.Struct):
    date: dt.date
    metrics: _Metrics
    breakdown: _Breakdown


class _DailyPage(msgspec.Struct):
    results: list[_Day]


class _Log(msgspec.Struct):
    spend: Decimal
    prompt_tokens: Count
    completion_tokens: Count
    started_at: dt.datetime = msgspec.field(name="startTime")
    api_key: str | None = None
    model: str | None = None
    custom_llm_provider: str | None = None
    cache_hit: str | bool | None = None
    metadata: dict[str, Any] | None = None


class _LogPage(msgspec.Struct):
    data: list[_Log]


# A Decimal keeps every digit of a number on the wire.
_keys = msgspec.json.Decoder(_KeyPage)
_daily = msgspec.json.Decoder(_DailyPage)
_logs = msgspec.json.Decoder(_LogPage)


def listing(read: KeptRead) -> Listing:
    """Return the tokens of a kept registry.

    Raises:
        PageRefused: A field we rely on is gone or has another type.
    """
    at = read.manifest.read_at
    rows = [
        _token(key, at, is_deleted=part.startswith("deleted"))
        for part in read.bodies
        for key in _decoded(_keys, read, part).keys
    ]
    return Listing(read.manifest.day, "token_metadata", rows)


def meter_rows(read: KeptRead) -> Iterator[MeterRow]:
    """Yield what a kept meter says of its day, from daily sums or from requests.

    Raises:
        PageRefused: A field we rely on is gone or has another type.
    """
    for part in read.bodies:
        if part.startswith("daily"):
            yield from _summed(_decoded(_daily, read, part), read.manifest.day)
        else:
            yield from _requested(_decoded(_logs, read, part), read.manifest.day)


def _decoded(decoder: "msgspec.json.Decoder[Any]", read: KeptRead, part: str) -> Any:  # noqa: ANN401 - what the decoder makes
    try:
        return decoder.decode(read.bodies[part])
    except UNREADABLE as gone:
        raise PageRefused(read.page_of(part), part, f"has an unexpected form: {gone}") from None


def _token(key: _Key, read_at: dt.datetime, *, is_deleted: bool) -> TokenRow:
    named = {name: _text(value) for name, value in (key.metadata or {}).items()}
    is_over = key.expires is not None and naive(key.expires) < read_at.replace(tzinfo=None)
    states = (("deleted", is_deleted), ("blocked", key.blocked), ("expired", is_over))
    return TokenRow(
        token_id=key.token,
        name=_text(key.key_alias),
        status=next((state for state, is_so in states if is_so), "active"),
        team=_text(key.team_alias) or _text(key.team_id),
        owner_id=_text(key.user_id),
        openai_api_key_id=named.get("openai_api_key_id"),
        openai_project_id=named.get("openai_project_id"),
        openai_key_hint=named.get("openai_key_hint"),
        created_at=naive(key.created_at) if key.created_at else None,
        expires_at=naive(key.expires) if key.expires else None,
        last_used_at=naive(key.last_active) if key.last_active else None,
    )


def _summed(page: _DailyPage, day: dt.date) -> Iterator[MeterRow]:
    """Yield a page's sums by model and key, and what they leave of the page's own total."""
    for one in page.results:
        if one.date != day:
            continue
        left = one.metrics.spend
        for name, of_model in one.breakdown.models.items():
            provider, model = _split(name)
            for token, of_key in of_model.api_key_breakdown.items():
                left -= of_key.metrics.spend
                said = of_key.metadata or {}
                yield _row(_text(token), provider, model, of_key.metrics)._replace(
                    token_name=_text(said.get("key_alias")),
                    user_id=_text(said.get("user_id")),
                    team_id=_text(said.get("team_id")),
                )
        if abs(left) >= FLOAT_NOISE:  # LiteLLM adds in binary
            yield MeterRow(None, None, None, None, None, None, None, None, f"{left:f}")


def _row(token: str | None, provider: str | None, model: str, metrics: _Metrics) -> MeterRow:
    return MeterRow(
        token,
        provider,
        model,
        _known(metrics.api_requests),
        _known(metrics.prompt_tokens),
        _known(metrics.cache_read_input_tokens),
        _known(metrics.cache_creation_input_tokens),
        _known(metrics.completion_tokens),
        str(metrics.spend),
    )


def _requested(page: _LogPage, day: dt.date) -> Iterator[MeterRow]:
    """Yield a page's requests of the day, without those the gateway answered from its own cache."""
    for log in page.data:
        is_own_answer = str(log.cache_hit).casefold() == "true"
        if naive(log.started_at).date() == day and not is_own_answer:
            yield request_row(log)


def request_row(log: _Log) -> MeterRow:
    """Return one request as a metered row."""
    provider, model = _split(_text(log.model) or "")
    cached, written = cache_tokens((log.metadata or {}).get("usage_object"))
    return MeterRow(
        _text(log.api_key),
        _text(log.custom_llm_provider) or provider,
        model,
        1,
        _known(log.prompt_tokens),
        cached,
        written,
        _known(log.completion_tokens),
        str(log.spend),
        token_name=_text((log.metadata or {}).get("user_api_key_alias")),
    )


def cache_tokens(usage: object) -> tuple[int | None, int | None]:
    """Return the tokens read from and written to the cache; null where usage was not recorded.

    A usage object without details is that of a model without a cache.
    """
    if not isinstance(usage, Mapping):
        return None, None
    nested = usage.get("prompt_tokens_details")
    details = nested if isinstance(nested, Mapping) else {}
    written = _count(details.get("cache_write_tokens")) or _count(
        details.get("cache_creation_tokens")
    )
    own = _count(usage.get("cache_creation_input_tokens"))
    return _count(details.get("cached_tokens")), written or own


def _count(value: object) -> int:
    return max(value, 0) if isinstance(value, int) else 0


def _known(count: int | None) -> int | None:
    """Return a count; one below 0 stands for "not known"."""
    return None if count is None or count < 0 else count


def _text(value: object) -> str | None:
    """Return a text that says something: not blank, and not how Python writes None."""
    text = value.strip() if isinstance(value, str) else ""
    return None if text in ("", "None", "null") else text


def _split(name: str) -> tuple[str | None, str]:
    """Return provider and model of `openai/gpt-5`; a name without a slash names no provider."""
    provider, slash, model = name.partition("/")
    return (provider, model) if slash else (None, name)

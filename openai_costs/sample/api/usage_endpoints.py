"""The eleven usage endpoints as data: what each counts, what it groups by and what narrows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Every dimension any usage endpoint has, by its name on the wire.
DIMENSIONS: Final = (
    "project_id",
    "user_id",
    "api_key_id",
    "model",
    "batch",
    "service_tier",
    "api_source",
    "size",
    "source",
    "vector_store_id",
    "context_level",
)

# What each filter narrows.
_NARROWS: Final = {
    "project_id": "project_ids",
    "user_id": "user_ids",
    "api_key_id": "api_key_ids",
    "model": "models",
    "batch": "batch",
    "size": "sizes",
    "source": "sources",
    "vector_store_id": "vector_store_ids",
    "context_level": "context_levels",
}


@dataclass(frozen=True, slots=True)
class UsageEndpoint:
    """One usage endpoint.

    Attributes:
        name: the last part of its path.
        result: the middle of its results' object name, which is not always the path's.
        dimensions: what it can be grouped by.
        measures: the numbers of a result; the first one is never missing.
        has_token_kinds: whether tokens are split by cache and modality.
    """

    name: str
    result: str
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]
    has_token_kinds: bool = False

    @property
    def path(self) -> str:
        """Where it is asked."""
        return f"/v1/organization/usage/{self.name}"

    @property
    def result_object(self) -> str:
        """The object name of a result."""
        return f"organization.usage.{self.result}.result"

    @property
    def filters(self) -> dict[str, str]:
        """The dimension each filter narrows, by the filter's name."""
        return {_NARROWS[name]: name for name in self.dimensions if name in _NARROWS}


_WHO: Final = ("project_id", "user_id", "api_key_id")

_MODEL: Final = (*_WHO, "model")

_GENERATIONS: Final = (*_MODEL, "batch", "service_tier", "api_source")

_TOKENS: Final = ("input_tokens", "output_tokens", "num_model_requests")

_REQUESTS: Final = "num_model_requests"

_ENDPOINTS: Final = (
    UsageEndpoint("completions", "completions", _GENERATIONS, _TOKENS, has_token_kinds=True),
    UsageEndpoint("decisions", "decisions", _GENERATIONS, _TOKENS, has_token_kinds=True),
    UsageEndpoint("embeddings", "embeddings", _MODEL, ("input_tokens", _REQUESTS)),
    UsageEndpoint("moderations", "moderations", _MODEL, ("input_tokens", _REQUESTS)),
    UsageEndpoint("images", "images", (*_MODEL, "size", "source"), ("images", _REQUESTS)),
    UsageEndpoint("audio_speeches", "audio_speeches", _MODEL, ("characters", _REQUESTS)),
    UsageEndpoint("audio_transcriptions", "audio_transcriptions", _MODEL, ("seconds", _REQUESTS)),
    UsageEndpoint("vector_stores", "vector_stores", ("project_id",), ("usage_bytes",)),
    UsageEndpoint(
        "code_interpreter_sessions", "code_interpreter_sessions", ("project_id",), ("num_sessions",)
    ),
    UsageEndpoint(
        "file_search_calls", "file_searches", (*_WHO, "vector_store_id"), ("num_requests",)
    ),
    UsageEndpoint(
        "web_search_calls",
        "web_searches",
        (*_MODEL, "context_level", "api_source"),
        ("num_requests", _REQUESTS),
    ),
)

USAGE_ENDPOINTS: Final = {endpoint.name: endpoint for endpoint in _ENDPOINTS}

# The token fields of a result: kinds that were counted, and the totals they make. Input is what
# was read from the cache, written to it, and neither; each of these is text, audio and images. A
# reader that adds a part to its total counts it twice.

_MODALITIES: Final = ("text", "audio", "image")

_WRITES: Final = ("input_cache_write_30m_tokens", "input_cache_write_12h_tokens")

# What a result had before its tokens were split by kind.
_PLAIN: Final = (
    "input_tokens",
    "output_tokens",
    "input_cached_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "num_model_requests",
)


def with_totals(counts: dict[str, int], *, is_plain: bool) -> dict[str, int]:
    """Every token field of a result; the plain ones alone where it is an old one."""
    kinds = {
        f"{side}_{modality}_tokens": counts.get(f"{side}_{modality}_tokens", 0)
        for side in ("input", "input_cached", "output")
        for modality in _MODALITIES
    }
    writes = {write: counts.get(write, 0) for write in _WRITES}
    cached, uncached = _sum(kinds, "input_cached"), _sum(kinds, "input")
    written = sum(writes.values())
    whole = {
        "input_tokens": cached + written + uncached,
        "output_tokens": _sum(kinds, "output"),
        "num_model_requests": counts.get("num_model_requests", 0),
        "input_uncached_tokens": uncached,
        "input_cached_tokens": cached,
        "input_cache_write_tokens": written,
        **writes,
        **kinds,
    }
    return {name: whole[name] for name in _PLAIN} if is_plain else whole


def _sum(kinds: dict[str, int], side: str) -> int:
    return sum(kinds[f"{side}_{modality}_tokens"] for modality in _MODALITIES)

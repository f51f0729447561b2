"""The usage endpoints as data. A new one is one entry here and one recorded page in the tests.

https://platform.openai.com/docs/api-reference/usage
"""

from collections.abc import Mapping
from dataclasses import dataclass

from openai_costs.sources.openai.costs.endpoints import Endpoint

DATASET = "usage"
VENDOR_PAGE = "https://platform.openai.com/docs/api-reference/usage"


@dataclass(frozen=True)
class Measures:
    """What the results of an endpoint count.

    Args:
        required: Counts that every result has: one that is gone or null refuses the page.
        optional: Counts that older results lack: null there.
        quantity: The field of what is counted other than tokens, and its unit; every result has it.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    quantity: tuple[str, str] | None = None


@dataclass(frozen=True)
class UsageEndpoint(Endpoint):
    """One usage endpoint.

    Args:
        dimensions: The finest grouping, as our column by the wire's field.
        measures: What it counts.
    """

    dimensions: Mapping[str, str]
    measures: Measures

    @property
    def groupings(self) -> tuple[tuple[str, ...], ...]:
        """The groupings to ask for, finest first."""
        finest = tuple(self.dimensions)
        plainer = tuple(name for name in finest if name not in NEWEST)
        return (finest,) if plainer == finest else (finest, plainer)


NEWEST = frozenset({"api_source"})
"""Dimensions the vendor added last: left out where a grouping with them is refused."""


def _dimensions(*names: str, **renamed: str) -> dict[str, str]:
    return {name: name for name in names} | renamed


def _entry(
    name: str, dimensions: Mapping[str, str], measures: Measures, *, results: str | None = None
) -> UsageEndpoint:
    return UsageEndpoint(
        path=f"/organization/usage/{name}",
        dataset=name,
        result_object=f"organization.usage.{results or name}.result",
        most_buckets=31,
        vendor_page=f"{VENDOR_PAGE}/{name}",
        dimensions=dimensions,
        measures=measures,
    )


_WHO = ("project_id", "user_id", "api_key_id")
_BY_PROJECT = _dimensions("project_id")
_BY_MODEL = _dimensions(*_WHO, "model")
_BY_TIER = _dimensions(*_WHO, "model", "batch", "service_tier", "api_source")

_REQUESTS = ("num_model_requests",)
_INPUT = Measures(("input_tokens", *_REQUESTS))
_TOKENS = Measures(
    required=("input_tokens", "output_tokens", *_REQUESTS),
    optional=(
        "input_uncached_tokens",
        "input_cached_tokens",
        "input_cache_write_tokens",
        "input_cache_write_30m_tokens",
        "input_cache_write_12h_tokens",
        *(
            f"{side}_{modality}_tokens"
            for side in ("input", "input_cached", "output")
            for modality in ("text", "audio", "image")
        ),
    ),
)


def _counted(field: str, unit: str) -> Measures:
    return Measures(_REQUESTS, quantity=(field, unit))


USAGE_ENDPOINTS: tuple[UsageEndpoint, ...] = (
    _entry("completions", _BY_TIER, _TOKENS),
    _entry("decisions", _BY_TIER, _TOKENS),
    _entry("embeddings", _BY_MODEL, _INPUT),
    _entry("moderations", _BY_MODEL, _INPUT),
    _entry(
        "images",
        _dimensions(*_WHO, "model", size="image_size", source="image_source"),
        _counted("images", "images"),
    ),
    _entry("audio_speeches", _BY_MODEL, _counted("characters", "characters")),
    _entry("audio_transcriptions", _BY_MODEL, _counted("seconds", "seconds")),
    _entry("vector_stores", _BY_PROJECT, Measures(quantity=("usage_bytes", "bytes"))),
    _entry(
        "code_interpreter_sessions", _BY_PROJECT, Measures(quantity=("num_sessions", "sessions"))
    ),
    _entry(
        "file_search_calls",
        _dimensions(*_WHO, "vector_store_id"),
        Measures(quantity=("num_requests", "calls")),
        results="file_searches",
    ),
    _entry(
        "web_search_calls",
        _dimensions(*_WHO, "model", "context_level", "api_source"),
        Measures(optional=_REQUESTS, quantity=("num_requests", "calls")),
        results="web_searches",
    ),
)
"""The two search endpoints name their results otherwise than their paths."""

OLDEST = USAGE_ENDPOINTS[0]
"""Whose history is taken for the history of usage as a whole."""

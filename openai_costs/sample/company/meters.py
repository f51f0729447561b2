"""What the usage endpoints count of each thing on the bill.

Bill and usage are two views of the same units, so that a reader who compares them finds the
difference it makes itself, and none of ours. One line of the bill can move several meters: an
image is tokens among the completions and a picture among the images.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_GIBIBYTE: Final = 2**30
_HOURS: Final = 24


class Count(NamedTuple):
    """A number on the wire: `times` / `over` of the bill's units, rounded up."""

    measure: str
    times: int = 1
    over: int = 1

    def of(self, units: int) -> int:
        """The number for so many units of the bill."""
        return -(-units * self.times // self.over)


class Meter(NamedTuple):
    """Where a line of the bill is counted, under which dimensions, and as what.

    A level (bytes stored) is the same at any hour of the day; everything else adds up over it.
    """

    endpoint: str
    counts: tuple[Count, ...]
    model: str | None = None
    batch: bool | None = None
    service_tier: str | None = None
    size: str | None = None
    source: str | None = None
    vector_store_id: str | None = None
    context_level: str | None = None
    is_level: bool = False


_COMPLETIONS: Final = Meter("completions", (), batch=False, service_tier="default")
# What the vendor starts itself (evals) runs in no tier, and not as a batch either.
_EVALS: Final = Meter("completions", ())
_BATCHED: Final = Meter("completions", (), batch=True, service_tier="default")
_DECISIONS: Final = Meter("decisions", (), batch=False, service_tier="default")
_PRIORITY: Final = Meter("completions", (), batch=False, service_tier="priority")
# How many of the bill's units make one request; what is read from the cache makes none.
_INPUT_TOKENS: Final = 4_000
_OUTPUT_TOKENS: Final = 1_200
_SIDES: Final = {
    "input": ("input_text_tokens", _INPUT_TOKENS),
    "input_tokens": ("input_text_tokens", _INPUT_TOKENS),
    "cached input": ("input_cached_text_tokens", None),
    "cache writes": ("input_cache_write_30m_tokens", None),
    "output": ("output_text_tokens", _OUTPUT_TOKENS),
    "output_tokens": ("output_text_tokens", _OUTPUT_TOKENS),
}
Meters = dict[str, tuple[Meter, ...]]


def _requests(units: int) -> Count:
    return Count("num_model_requests", 1, units)


def _counting(like: Meter, model: str, measure: str, per_request: int | None) -> Meter:
    requests = (_requests(per_request),) if per_request else ()
    return like._replace(counts=(Count(measure), *requests), model=model)


def _text(model: str, like: Meter = _COMPLETIONS, label: str = "{model}, {side}") -> Meters:
    """The meters of a text model, by every spelling of its line items."""
    return {
        label.format(model=model, side=side): (_counting(like, model, measure, per_request),)
        for side, (measure, per_request) in _SIDES.items()
    }


def _one(endpoint: str, *counts: Count, model: str | None = None) -> tuple[Meter, ...]:
    return (Meter(endpoint, counts, model),)


_TEXT_MODELS: Final = (
    "gpt-5.4-2026-03-05",
    "gpt-5.6-sol",
    "gpt-5-mini-2025-08-07",
    "gpt-5-search-api-2025-10-14",
    "gpt-4.1-2025-04-14",
    "gpt-5.4-mini-2026-03-17",
    "gpt-6-astra",
    "gpt-6-tideline",
)
_AUDIO_MODEL: Final = "gpt-audio-mini-2025-12-15"
_FLARE: Final = "gpt-image-2.5-flare"
_FLARE_PICTURES: Final = Meter(
    "images",
    # What one picture of this model takes.
    (Count("images", 1, 6_240), _requests(6_240)),
    _FLARE,
    size="1024x1792",
    source="image.edit",
)
_SUNBURST: Final = Meter(
    "images",
    (Count("images"), _requests(1)),
    "gpt-image-2.5-sunburst",
    size="1024x1024",
    source="image.generation",
)
_SEARCHES: Final = Meter(
    "web_search_calls",
    # Three searches in two requests.
    (Count("num_requests"), Count("num_model_requests", 2, 3)),
    "gpt-5-search-api-2025-10-14",
    context_level="medium",
)

_OTHERS: Final[Meters] = {
    # Usage reports a tuned model under its full name, which the bill shortens.
    "ft-gpt-4o-2024-08-06, output": (
        _counting(
            _COMPLETIONS,
            "ft:gpt-4o-2024-08-06:tidewater-maps::b7qn2x",
            "output_text_tokens",
            _OUTPUT_TOKENS,
        ),
    ),
    **_text(
        "ft:gpt-4o-mini-2024-07-18:tidewater-maps:tickets:c41kq9x",
        label="ft-gpt-4o-mini-2024-07-18, {side}",
    ),
    f"{_AUDIO_MODEL} audio, input": (
        _counting(_COMPLETIONS, _AUDIO_MODEL, "input_audio_tokens", _INPUT_TOKENS),
    ),
    f"{_AUDIO_MODEL} audio, output": (
        _counting(_COMPLETIONS, _AUDIO_MODEL, "output_audio_tokens", _OUTPUT_TOKENS),
    ),
    f"{_FLARE} text, input": (_counting(_COMPLETIONS, _FLARE, "input_text_tokens", _INPUT_TOKENS),),
    f"{_FLARE} text, cached input": (
        _counting(_COMPLETIONS, _FLARE, "input_cached_text_tokens", None),
    ),
    f"{_FLARE} image, output": (
        _counting(_COMPLETIONS, _FLARE, "output_image_tokens", 6_240),
        _FLARE_PICTURES,
    ),
    "gpt-image-2.5-sunburst": (_SUNBURST,),
    "text-embedding-3-large, input": _one(
        "embeddings", Count("input_tokens", 1_000), _requests(8), model="text-embedding-3-large"
    ),
    "omni-moderation-latest, input": _one(
        "moderations", Count("input_tokens"), _requests(150), model="omni-moderation-latest"
    ),
    "code interpreter sessions": _one("code_interpreter_sessions", Count("num_sessions")),
    "whisper-1": _one("audio_transcriptions", Count("seconds"), _requests(90), model="whisper-1"),
    "tts-1-hd": _one("audio_speeches", Count("characters"), _requests(800), model="tts-1-hd"),
    # Gibibyte hours of a day are the bytes that lay there on average.
    "Vector storage": (
        Meter("vector_stores", (Count("usage_bytes", _GIBIBYTE, _HOURS),), is_level=True),
    ),
    "web search tool calls": (_SEARCHES,),
    "assistants api | file search": _one("file_search_calls", Count("num_requests")),
}

# No meter: the Scale tier bundle, a commitment, and a service credit are money without usage.
METERS: Final[Meters] = {
    **{label: meters for model in _TEXT_MODELS for label, meters in _text(model).items()},
    **_text("gpt-4o-mini-2024-07-18", _EVALS, "evals | {model}, {side}"),
    **_text("gpt-5.6-sol", _BATCHED, "batch | {model}, {side}"),
    # The one model here that is asked to decide, not to write.
    **_text("gpt-6-luna", _DECISIONS),
    **_text("gpt-5.6-sol", _PRIORITY, "priority | {model}, {side}, long context"),
    **_OTHERS,
}


def _by_endpoint() -> dict[str, dict[str, Meter]]:
    found: dict[str, dict[str, Meter]] = {}
    for label, meters in METERS.items():
        for meter in meters:
            found.setdefault(meter.endpoint, {})[label] = meter
    return found


# endpoint -> line item -> meter
METERS_OF: Final = _by_endpoint()

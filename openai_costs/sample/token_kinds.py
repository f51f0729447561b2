"""The token fields of a result: kinds that were counted, and the totals they make.

Input is what was read from the cache, written to it, and neither; each of these is text, audio
and images. A reader that adds a part to its total counts it twice.
"""

from __future__ import annotations

from typing import Final

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

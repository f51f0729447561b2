"""Which token counts of core.usage are parts of another, and rows that contradict that. Pure.

The reader holds every result on the wire to it, and a check holds what is stored to it.

https://platform.openai.com/docs/api-reference/usage/completions
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl


@dataclass(frozen=True)
class Identity:
    """A count that is the sum of its parts, where all of them are known.

    Args:
        whole: The count.
        parts: What it is made of.
        holds_in_part: Whether the parts that are known may never exceed it.
    """

    whole: str
    parts: tuple[str, ...]
    holds_in_part: bool = True

    def contradicted(self) -> pl.Expr:
        """Return whether a row's counts contradict each other; a missing one never does."""
        known, whole = pl.sum_horizontal(self.parts, ignore_nulls=True), pl.col(self.whole)
        are_all_known = pl.all_horizontal(pl.col(self.parts).is_not_null())
        exceeds = known > whole if self.holds_in_part else pl.lit(False)
        return pl.when(are_all_known).then(known != whole).otherwise(exceeds).fill_null(False)

    def sentence(self, row: Mapping[str, Any]) -> str:
        """Return what is wrong with a row, with both numbers."""
        known = {part: row[part] for part in self.parts if row[part] is not None}
        named = ", ".join(f"{part} {count}" for part, count in known.items())
        return f"is {row[self.whole]}, while its parts add up to {sum(known.values())} ({named})"


MODALITIES: Final = ("text", "audio", "image")
BY_MODALITY: Final = {
    whole: {modality: f"{start}_{modality}_tokens" for modality in MODALITIES}
    for whole, start in (
        ("input_uncached_tokens", "input"),
        ("input_cached_tokens", "input_cached"),
        ("output_tokens", "output"),
    )
}
"""The columns that count a whole's text, audio and images; cache writes are not distinguished."""


def _by_modality(whole: str, *, holds_in_part: bool = True) -> Identity:
    return Identity(whole, tuple(BY_MODALITY[whole].values()), holds_in_part)


IDENTITIES: Final = (
    Identity(
        "input_tokens", ("input_cached_tokens", "input_cache_write_tokens", "input_uncached_tokens")
    ),
    _by_modality("input_uncached_tokens"),
    _by_modality("input_cached_tokens"),
    _by_modality("output_tokens", holds_in_part=False),
)
"""Older rows count text only in `output_tokens`, with audio beside it, and cached tokens too in
`input_audio_tokens`: they have no `input_uncached_tokens`, and so nothing to contradict."""


def contradictions(frame: pl.DataFrame) -> Iterator[tuple[Identity, pl.DataFrame]]:
    """Yield the identities that rows contradict, each with those rows."""
    for identity in IDENTITIES:
        rows = frame.filter(identity.contradicted())
        if not rows.is_empty():
            yield identity, rows

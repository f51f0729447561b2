"""What a cost line's label says: the vendor's free text, parsed as far as it can be.

The label is undocumented and changes; it stays the key, whole. What is parsed here is best effort:
a label that is not understood gives nulls, its dollars are counted by the check `unparsed_dollars`.

Grammar met on live accounts: `[surface | ]model[ modality][, side][, long context]`, and labels of
tools and storage without a model (`web search tool calls`, `Vector storage`).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Final

import polars as pl

_SIDES: Final = {
    "input": "input",
    "input tokens": "input",
    "text input": "input",
    "cached input": "cached_input",
    "input cached tokens": "cached_input",
    "cached input tokens": "cached_input",
    "cache write": "cache_write",
    "cache writes": "cache_write",
    "input cache write tokens": "cache_write",
    "output": "output",
    "output tokens": "output",
    "training": "training",
    "training tokens": "training",
    "characters": "characters",
    "duration": "duration",
}
_LONG: Final = "long context"
_MODALITIES: Final = ("text", "audio", "image", "video")
_TIERS: Final = {"standard", "priority", "flex", "batch", "scale", "fast", "ultrafast"}
_TOOLS: Final = (
    ("web search", "web_search"),
    ("file search", "file_search"),
    ("code interpreter", "code_interpreter"),
    ("container", "container"),
    ("vector stor", "vector_storage"),
    ("file storage", "file_storage"),
    ("image generation", "image_generation"),
    ("scale tier", "scale_tier"),
    ("assistants api", "assistants"),
)
_KNOWN_FAMILY: Final = re.compile(
    r"(ft[:-])?(gpt-|chatgpt-|o\d|text-(embedding|moderation)|tts-|whisper-|dall-e|davinci|babbage|"
    r"omni-|codex-|computer-use|sora-)"
)
_MODEL_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._:/-]*")
# One model for all tuning jobs of a base, as most labels have it: questions/model_names.py.
_TUNED: Final = re.compile(r"^ft:([^:]+).*$")


@dataclass(frozen=True)
class LineItem:
    """A label's parts; None where it does not say.

    Args:
        surface: The product the label names before `|`, or `api`.
        model: The model, lower case; one that was fine-tuned is `ft-` and its base.
        usage_type: input, cached_input, cache_write, output, training, or a tool's name.
        service_tier: The tier the label names; `standard` for a model without one.
        modality: text, audio, image or video.
        is_long_context: Whether the label says long context.
    """

    surface: str | None = None
    model: str | None = None
    usage_type: str | None = None
    service_tier: str | None = None
    modality: str | None = None
    is_long_context: bool | None = None


_PARTS: Final = attrgetter(*LineItem.__dataclass_fields__)


@lru_cache(maxsize=10_000)  # each day has the labels of the day before
def parse(label: str | None) -> LineItem:
    """Return what a label says; nothing at all when it is not understood."""
    *before, rest = (part.strip() for part in (label or "").lower().split("|"))
    tier = next((part for part in before if part in _TIERS), None)
    surface = next((part for part in before if part not in _TIERS), "api")
    head, *marks = (" ".join(part.split()) for part in rest.split(","))
    if not _KNOWN_FAMILY.match(head) and (tool := _tool(rest) or _tool(surface)):
        return LineItem(surface, usage_type=tool, service_tier=tier)
    return _tokens(surface, tier, head, [mark.replace("_", " ") for mark in marks])


def parsed_columns(labels: pl.Series) -> pl.DataFrame:
    """Return one row per distinct label: line_item and the columns of `LineItem`."""
    distinct = labels.unique().sort()
    rows = [(label, *_PARTS(parse(label))) for label in distinct]
    return pl.DataFrame(
        rows,
        schema={
            "line_item": pl.String,
            "surface": pl.String,
            "model": pl.String,
            "usage_type": pl.String,
            "service_tier": pl.String,
            "modality": pl.String,
            "is_long_context": pl.Boolean,
        },
        orient="row",
    )


def _tool(words: str) -> str | None:
    return next((name for written, name in _TOOLS if written in words), None)


def _tokens(surface: str, tier: str | None, head: str, marks: list[str]) -> LineItem:
    """Parse a label of tokens: a model, or a bare side, and marks behind commas."""
    if not marks and (side := _SIDES.get(head.replace("_", " "))):
        return LineItem(surface, usage_type=side, service_tier=tier)
    model, modality = _model_and_modality(head)
    side = next((_SIDES[mark] for mark in marks if mark in _SIDES), None)
    tier = tier or next((mark for mark in marks if mark in _TIERS), None)
    is_understood = all(mark in _SIDES or mark in _TIERS or mark == _LONG for mark in marks)
    is_model = _MODEL_NAME.fullmatch(model) and (side or _KNOWN_FAMILY.match(model))
    if not (is_understood and is_model):
        return LineItem()
    named = _TUNED.sub(r"ft-\1", model)
    return LineItem(surface, named, side, tier or "standard", modality, _LONG in marks)


def _model_and_modality(head: str) -> tuple[str, str | None]:
    name, _, last = head.rpartition(" ")
    model, modality = (name, last) if name and last in _MODALITIES else (head, None)
    return model.replace(" ", "-"), modality

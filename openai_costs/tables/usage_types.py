"""What was used, in one vocabulary for all providers: the values of `usage_type`. Pure.

A provider's own word that has none of these meanings is null: its dollars and its label stay.
"""

from collections.abc import Mapping
from typing import Final

USAGE_TYPES: Final[Mapping[str, str]] = {
    "input": "input tokens that were neither read from nor written to a cache",
    "cached_input": "input tokens read from a cache",
    "cache_write": "input tokens written to a cache, for a time that the provider does not name",
    "cache_write_5m": "input tokens written to a cache for five minutes",
    "cache_write_1h": "input tokens written to a cache for an hour",
    "output": "output tokens",
    "training": "tokens of a training job",
    "characters": "characters of text that became speech",
    "duration": "seconds of speech that became text",
    "image_generation": "images",
    "web_search": "searches of the web",
    "file_search": "searches of files",
    "code_interpreter": "sessions of OpenAI's code interpreter",
    "code_execution": "time of a container in which Anthropic runs code",
    "container": "time of any other container",
    "session": "time of a session of an agent that the provider runs",
    "vector_storage": "storage of vectors",
    "file_storage": "storage of files",
    "scale_tier": "capacity bought in advance",
    "assistants": "other costs of the Assistants API",
}
"""Each usage type, and what it counts."""

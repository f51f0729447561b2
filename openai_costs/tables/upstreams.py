"""What gateways call a provider behind them, and who invoices there. Pure.

The values of `upstream_provider`: LiteLLM's words, which other gateways use as well.
https://docs.litellm.ai/docs/providers
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

UPSTREAMS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "openai": ("openai", "text-completion-openai"),
        "anthropic": ("anthropic",),
        "aws": ("bedrock", "bedrock_converse"),
        "azure": ("azure", "azure_ai"),
        "google": ("vertex_ai", "gemini"),
        "openrouter": ("openrouter",),
        "github_copilot": ("github_copilot",),
    }
)
"""A gateway's words, by `host` of core.spend."""

HOST_OF: Final[Mapping[str, str]] = MappingProxyType(
    {word: host for host, words in UPSTREAMS.items() for word in words}
)
"""Who invoices, by a gateway's word."""

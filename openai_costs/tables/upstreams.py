"""What gateways call a provider behind them, who invoices there, and which bill has it. Pure.

The values of `upstream_provider`: LiteLLM's words, which other gateways use as well.
https://docs.litellm.ai/docs/providers
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from openai_costs.kernel.unreadable import UNREADABLE

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

BILLED_BY = "billed_by"
"""The tag of a metered row with the connection that has its bill."""

EITHER = "|"
"""Between connections of which one has the bill: the gateway does not say which."""


def bill_tags(names: Iterable[str]) -> str | None:
    """Return the tags of a metered row, as JSON: the connections that may have its bill."""
    bills = EITHER.join(names)
    return msgspec.json.encode({BILLED_BY: bills}).decode() if bills else None


def without_bill_of(tags: str, name: str) -> str | None:
    """Return the tags of a row, of which none says any more that a connection has its bill."""
    try:
        known = msgspec.json.decode(tags, type=dict[str, str])
    except UNREADABLE:  # of a provider: no tag of a gateway
        return tags
    names = known.get(BILLED_BY, "").split(EITHER)
    return bill_tags(one for one in names if one != name) if name in names else tags

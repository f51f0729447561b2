"""AWS's usage types of Bedrock: region, model, kind of token and tier, by tables alone. Pure.

Three families, by AWS's documentation and price lists:
`USE1-Claude4.6Sonnet-input-tokens-flex`, `USE1-openai.gpt-oss-120b-mantle-input-tokens-standard`
and, for other makers' models through the marketplace,
`USE1-MP:USE1_InputTokenCount_Global-Units`.
https://docs.aws.amazon.com/bedrock/latest/userguide/cost-mgmt-understanding-cur-data.html
Models have names of their own on the bill. What is in no table is kept as it is written, never
matched by likeness; a usage type of no family keeps its dollars and its label.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from openai_costs.sources.exports.charges import Meaning

SERVICE: Final = re.compile(r"bedrock", re.IGNORECASE)
"""All services of Bedrock: `Amazon Bedrock`, `Claude Haiku 4.5 (Amazon Bedrock Edition)`, ..."""

_EDITION: Final = re.compile(r"(?P<model>.+?) \(Amazon Bedrock Edition\)", re.IGNORECASE)

REGIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "USE1": "us-east-1", "USE2": "us-east-2", "USW1": "us-west-1", "USW2": "us-west-2",
        "UGE1": "us-gov-east-1", "UGW1": "us-gov-west-1", "CAN1": "ca-central-1",
        "CAN2": "ca-west-1", "SAE1": "sa-east-1", "EU": "eu-west-1", "EUW1": "eu-west-1",
        "EUW2": "eu-west-2", "EUW3": "eu-west-3", "EUC1": "eu-central-1", "EUC2": "eu-central-2",
        "EUN1": "eu-north-1", "EUS1": "eu-south-1", "EUS2": "eu-south-2", "AFS1": "af-south-1",
        "MEC1": "me-central-1", "MES1": "me-south-1", "ILC1": "il-central-1",
        "APN1": "ap-northeast-1", "APN2": "ap-northeast-2", "APN3": "ap-northeast-3",
        "APS1": "ap-southeast-1", "APS2": "ap-southeast-2", "APS3": "ap-south-1",
        "APS4": "ap-southeast-3", "APS5": "ap-south-2", "APS6": "ap-southeast-4",
        "APE1": "ap-east-1",
    }
)  # fmt: skip
"""Regions by their codes on the bill."""

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "input-tokens": "input",
        "input-token-count": "input",
        "output-tokens": "output",
        "output-token-count": "output",
        "cache-read-input-token-count": "cached_input",
        "cache-read-input-tokens": "cached_input",
        "cache-write-input-token-count": "cache_write",
        "cache-write-input-tokens": "cache_write",
        "inputtokencount": "input",
        "outputtokencount": "output",
        "cachereadinputtokencount": "cached_input",
        "cachewriteinputtokencount": "cache_write",
        "input_tokens": "input",
        "output_tokens": "output",
        "cache_read_input_tokens": "cached_input",
        "cache_write_input_tokens": "cache_write",
    }
)
"""Kinds of tokens, in the vocabulary of all providers."""

TIERS: Final = ("standard", "flex", "priority", "batch", "reserved")

_MODELS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "Claude4.6Sonnet": ("anthropic", "claude-sonnet-4-6"),
        "Claude4.5Sonnet": ("anthropic", "claude-sonnet-4-5"),
        "Claude4.5Haiku": ("anthropic", "claude-haiku-4-5"),
        "Claude4.5Opus": ("anthropic", "claude-opus-4-5"),
        "Claude4.6Opus": ("anthropic", "claude-opus-4-6"),
        "Claude Haiku 4.5": ("anthropic", "claude-haiku-4-5"),
        "Claude Sonnet 4.5": ("anthropic", "claude-sonnet-4-5"),
        "Claude Sonnet 4.6": ("anthropic", "claude-sonnet-4-6"),
        "Claude Opus 4.5": ("anthropic", "claude-opus-4-5"),
        "Claude Opus 4.6": ("anthropic", "claude-opus-4-6"),
        "NovaMicro": ("amazon", "nova-micro"),
        "NovaLite": ("amazon", "nova-lite"),
        "NovaPro": ("amazon", "nova-pro"),
        "NovaPremier": ("amazon", "nova-premier"),
        "Nova2.0Lite": ("amazon", "nova-2-lite"),
        "Nova2.0Pro": ("amazon", "nova-2-pro"),
        "gpt-oss-120b": ("openai", "gpt-oss-120b"),
        "gpt-oss-20b": ("openai", "gpt-oss-20b"),
        "openai.gpt-oss-120b": ("openai", "gpt-oss-120b"),
        "openai.gpt-oss-20b": ("openai", "gpt-oss-20b"),
    }
)
"""Who made a model and what its maker calls it, by its name on the bill."""

_MAKERS: Final = ("anthropic", "openai", "amazon", "meta", "mistral", "cohere", "deepseek", "qwen")

_KIND: Final = "|".join(sorted(KINDS, key=len, reverse=True))
_TIER: Final = "|".join(TIERS)
_NATIVE: Final = re.compile(
    rf"(?P<region>[A-Z]{{2,3}}[A-Z]?\d?)-(?P<model>.+?)(?:-mantle)?-(?P<kind>{_KIND})"
    rf"(?:-(?P<tier>{_TIER}))?(?P<scope>-cross-region-(?:global|geo))?",
    re.IGNORECASE,
)
_MARKET: Final = re.compile(
    rf"(?P<region>[A-Z]{{2,3}}[A-Z]?\d?)-MP:(?P=region)_(?P<kind>{_KIND})"
    rf"(?P<scope>_global|_geo)?(?:_(?P<tier>{_TIER}))?-Units",
    re.IGNORECASE,
)


def bedrock_meaning(service: str, usage_type: str) -> Meaning:
    """Return what a service and a usage type say.

    Args:
        service: The service on the bill; that of a marketplace edition names the model.
        usage_type: Such as `USE1-Claude4.6Sonnet-input-tokens`.
    """
    edition = _EDITION.fullmatch(service)
    named = edition["model"] if edition else None
    if found := _MARKET.fullmatch(usage_type):
        return _meaning(found, named)
    if found := _NATIVE.fullmatch(usage_type):
        return _meaning(found, named or found["model"])
    maker, model = _made(named)
    return Meaning(maker, model)


def _meaning(words: re.Match[str], named: str | None) -> Meaning:
    maker, model = _made(named)
    tier = words["tier"].lower() if words["tier"] else "standard"
    region = "global" if (words["scope"] or "").lower().endswith("global") else None
    region = region or REGIONS.get(words["region"].upper())
    return Meaning(maker, model, KINDS[words["kind"].lower()], tier, region, "text")


def _made(named: str | None) -> tuple[str | None, str | None]:
    """Return who made a model and its name; one that is in no table keeps its name on the bill."""
    if named is None:
        return None, None
    if named in _MODELS:
        return _MODELS[named]
    maker = named.partition(".")[0].lower()
    return (maker if maker in _MAKERS else None), named

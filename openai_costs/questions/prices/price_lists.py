"""Whose price list a line of the bill is held against, and the name of its model there. Pure.

A list belongs to who invoices: the same model has another price at AWS than at its maker's.
Anthropic and OpenAI write the same names on the bill as in the list. AWS and Google have names of
their own on the bill, so that a table gives the list's; what is in no table must be the list's own
name, letter by letter, because the catalogue's search would take one model for another.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from genai_prices.data import providers
from genai_prices.types import ModelInfo, Provider

from openai_costs.questions.model_names import price_list_names

OPENAI: Final = "openai"
ANTHROPIC: Final = "anthropic"
AWS: Final = "aws"
GOOGLE: Final = "google"

LISTS: Final[Mapping[str, Provider]] = MappingProxyType(
    {one.id: one for one in providers if one.id in (OPENAI, ANTHROPIC, AWS, GOOGLE)}
)
"""The price lists, by `host`: who invoices."""

ANYWHERE: Final = "global"
_AS_LISTED: Final = ("us-east-1", "us-east-2", "us-west-2")
"""Where the list's price of a model holds that has only one: AWS's other regions have their own."""

_AWS_IDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "claude-haiku-4-5": "anthropic.claude-haiku-4-5-20251001-v1:0",
        "claude-sonnet-4-5": "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "claude-sonnet-4-6": "anthropic.claude-sonnet-4-6-v1:0",
        "claude-opus-4-5": "anthropic.claude-opus-4-5-v1:0",
        "claude-opus-4-6": "anthropic.claude-opus-4-6-v1:0",
        "claude-opus-4-7": "anthropic.claude-opus-4-7-v1:0",
        "claude-opus-4-8": "anthropic.claude-opus-4-8-v1:0",
        "claude-opus-5": "anthropic.claude-opus-5",
        "claude-opus-5-5": "anthropic.claude-opus-5-5",
        "claude-sonnet-5": "anthropic.claude-sonnet-5-v1:0",
        "claude-sonnet-5-5": "anthropic.claude-sonnet-5-5",
        "claude-haiku-5-5": "anthropic.claude-haiku-5-5",
        "nova-micro": "amazon.nova-micro-v1:0",
        "nova-lite": "amazon.nova-lite-v1:0",
        "nova-pro": "amazon.nova-pro-v1:0",
        "nova-premier": "amazon.nova-premier-v1:0",
        "nova-2-lite": "amazon.nova-2-lite-v1:0",
        "gpt-oss-120b": "openai.gpt-oss-120b-1:0",
        "gpt-oss-20b": "openai.gpt-oss-20b-1:0",
    }
)
"""Bedrock's ids of models, by their makers' names: those that our reader of its bills writes
(sources/bedrock), and what replaces them."""

_MAKERS_NAMES: Final = MappingProxyType({wire: name for name, wire in _AWS_IDS.items()})

_GOOGLE_IDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gemini-3-flash": "gemini-3-flash-preview",
        "gemini-3-pro": "gemini-3-pro-preview",
        "gemini-3.1-pro": "gemini-3.1-pro-preview",
        "claude-haiku-4.5": "claude-haiku-4-5",
        "claude-sonnet-4.5": "claude-sonnet-4-5",
        "claude-sonnet-4.6": "claude-sonnet-4-6",
        "claude-opus-4.5": "claude-opus-4-5",
        "claude-opus-4.6": "claude-opus-4-6",
    }
)
"""Google's ids of the models whose meters have another name."""


@cache
def find_model(name: str, host: str = OPENAI, region: str | None = None) -> ModelInfo | None:
    """Return the entry for a model in the list of who invoices; None if it has none.

    A dated name that the list knows may have a price of its own, so it is tried first.

    Args:
        name: The model as the bill or usage names it.
        host: Who invoices.
        region: Where it ran: AWS has a price for `global` and another for a region.
    """
    if host == AWS:
        return _by_id(AWS, _aws_ids(name, region))
    if host == GOOGLE:
        return _by_id(GOOGLE, (_GOOGLE_IDS.get(name, name),))
    if host not in LISTS:
        return None
    found = (LISTS[host].find_model(one) for one in price_list_names(name))
    return next((model for model in found if model is not None), None)


def makers_name(name: str, host: str) -> str | None:
    """Return what its maker calls a model that the list of who invoices has; None without one."""
    if host == AWS:
        return name if name in _AWS_IDS else _MAKERS_NAMES.get(name)
    found = find_model(name, host)
    return None if found is None else found.id


def is_listed(name: str, host: str) -> bool:
    """Return whether the list of who invoices has a model at all, in whichever region."""
    regions = (None, ANYWHERE, *_AS_LISTED) if host == AWS else (None,)
    return any(find_model(name, host, region) is not None for region in regions)


def _aws_ids(name: str, region: str | None) -> Iterator[str]:
    """Yield Bedrock's ids for a model in a region; none where the price there is not known."""
    model = _AWS_IDS.get(name, name)
    if region is not None:
        yield f"{ANYWHERE if region == ANYWHERE else 'regional'}.{model}"
    if region in _AS_LISTED:
        yield model


def _by_id(host: str, ids: Iterator[str] | tuple[str, ...]) -> ModelInfo | None:
    known = _ids(host)
    return next((known[one] for one in ids if one in known), None)


@cache
def _ids(host: str) -> Mapping[str, ModelInfo]:
    return MappingProxyType({model.id: model for model in LISTS[host].models})

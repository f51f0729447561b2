"""The words of clouds in FOCUS exports: who invoices, which model, what kind of token. Pure.

A label whose words are not known keeps its dollars and its text, without a model and a kind.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from openai_costs.settings.connection import Connection
from openai_costs.sources.bedrock.usage_types import SERVICE as BEDROCK
from openai_costs.sources.bedrock.usage_types import bedrock_meaning
from openai_costs.sources.exports import settings
from openai_costs.sources.exports.charges import Meaning, Vocabulary

HOSTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aws": "aws",
        "amazon web services": "aws",
        "amazon web services, inc.": "aws",
        "microsoft": "azure",
        "microsoft azure": "azure",
        "azure": "azure",
        "google": "google",
        "google cloud": "google",
        "google cloud platform": "google",
    }
)
"""Who invoices, by the name of a provider in FOCUS."""

_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "inp": "input",
        "input": "input",
        "outp": "output",
        "opt": "output",
        "out": "output",
        "output": "output",
        "cchd inp": "cached_input",
        "cached inp": "cached_input",
        "cached input": "cached_input",
    }
)
_AZURE: Final = re.compile(
    r"(?P<model>\S.*?)[ -](?P<kind>cchd inp|cached inp|cached input|inp|input|outp|opt|out|output)"
    r"(?: (?P<scope>glbl|regnl|dzone|data zone|global|regional))?(?: (?P<batch>batch))?"
    r"(?: tokens)?(?: -.*)?",
    re.IGNORECASE,
)
"""Azure's meters: `gpt 5.4 Inp glbl Tokens`."""

_GOOGLE: Final = re.compile(
    r"(?P<model>(?:gemini|gemma|claude|llama|mistral)\b.*?) "
    r"(?:(?P<modality>text|image|audio|video) )?"
    r"(?P<kind>cached input|input|output)\b(?: \(?(?P<long>long)\)?)?.*",
    re.IGNORECASE,
)
"""Google's meters: `Gemini 3.1 Pro Text Input - Predictions`."""

_MAKERS: Final[Mapping[str, str]] = MappingProxyType(
    {"gpt": "openai", "o": "openai", "gemini": "google", "gemma": "google", "claude": "anthropic"}
)


def host_of(connection: Connection, vendor: str | None, invoicer: str | None) -> str:
    """Return who invoices: what the settings say, else the vendor's name in a word."""
    if set_to := settings.host_of(connection):
        return set_to
    named = (vendor or invoicer or "").strip().lower()
    return HOSTS.get(named) or re.sub(r"[^a-z0-9]+", "_", named).strip("_") or "unknown"


def meaning(host: str, service: str, label: str) -> Meaning:
    """Return what a service and a label say."""
    if BEDROCK.search(service):
        return bedrock_meaning(service, label)
    if host == "azure" and (found := _AZURE.fullmatch(label)):
        tier = "batch" if found["batch"] else None
        model = found["model"].strip().lower().replace(" ", "-")
        kind = _KINDS[found["kind"].lower()]
        return Meaning(_maker(model), model, kind, tier, modality="text")
    if host == "google" and (found := _GOOGLE.fullmatch(label)):
        model = found["model"].strip().lower().replace(" ", "-")
        modality = found["modality"].lower() if found["modality"] else None
        kind = _KINDS[found["kind"].lower()]
        is_long = bool(found["long"]) or None
        return Meaning(_maker(model), model, kind, None, None, modality, is_long)
    return Meaning()


def _maker(model: str) -> str | None:
    return _MAKERS.get(re.split(r"[-\d.]", model, maxsplit=1)[0])


WORDS: Final = Vocabulary(host_of, meaning)

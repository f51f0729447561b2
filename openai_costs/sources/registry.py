"""The providers there are: a new one is its folder and its line here.

The only module of `sources` that questions, outputs and commands ask for a provider.
"""

from collections.abc import Mapping

from openai_costs.settings.connection import Connection
from openai_costs.sources.anthropic.assets import ANTHROPIC
from openai_costs.sources.bedrock.assets import BEDROCK
from openai_costs.sources.chatgpt_workspace.assets import CHATGPT_WORKSPACE
from openai_costs.sources.exports.settings import host_of
from openai_costs.sources.focus_file.assets import FOCUS_FILE
from openai_costs.sources.github_copilot.assets import GITHUB_COPILOT
from openai_costs.sources.invoicer import Invoicer
from openai_costs.sources.litellm.assets import LITELLM
from openai_costs.sources.openai.assets import OPENAI
from openai_costs.sources.openrouter.assets import OPENROUTER
from openai_costs.sources.provider import Provider

PROVIDERS: tuple[Provider, ...] = (
    OPENAI,
    ANTHROPIC,
    CHATGPT_WORKSPACE,
    OPENROUTER,
    GITHUB_COPILOT,
    FOCUS_FILE,
    BEDROCK,
    LITELLM,
)
"""The first is the one of a connection whose settings name none."""


def provider_of(connection: Connection) -> Provider:
    """Return the provider that a connection reads."""
    return next(provider for provider in PROVIDERS if provider.name == connection.provider)


def invoicers() -> Mapping[str, Invoicer]:
    """Return those who invoice that some provider names, by `host`."""
    return {one.host: one for provider in PROVIDERS for one in provider.invoicers}


def hosts_of(connection: Connection) -> list[str]:
    """Return who invoices what a connection reads, by `host`; none where its files alone say it."""
    named = host_of(connection)
    known = [one.host for one in provider_of(connection).invoicers]
    return [named] if named else known[:1] if len(known) == 1 else []


def connection_kinds() -> tuple[type[Connection], ...]:
    """Return the kinds of connections that settings may list."""
    return tuple(provider.connection for provider in PROVIDERS)

"""The sources there are. The only name of this folder that the rest of the project imports."""

from openai_costs.settings.load import Connection
from openai_costs.sources.openai.assets import OPENAI
from openai_costs.sources.provider import Provider

PROVIDERS: tuple[Provider, ...] = (OPENAI,)


def provider_of(connection: Connection) -> Provider:
    """Return the provider that a connection reads."""
    return next(provider for provider in PROVIDERS if provider.name == connection.provider)

"""What settings say of a connection to OpenRouter."""

from typing import ClassVar, Literal

from openai_costs.settings.connection import Connection
from openai_costs.settings.section import VariableName

DEFAULT_BASE_URL = "https://openrouter.ai/api/v1"


class OpenRouterConnection(Connection):
    """One OpenRouter account or organization, with the management key that reads it."""

    provider: Literal["openrouter"] = "openrouter"
    admin_key_env: VariableName = "OPENROUTER_MANAGEMENT_KEY"
    base_url: str = DEFAULT_BASE_URL

    key_remedy: ClassVar[str] = (
        "Create a management key (OpenRouter > Settings > Management keys) and export it"
    )
    sample_key: ClassVar[str] = "sk-or-v1-sample"

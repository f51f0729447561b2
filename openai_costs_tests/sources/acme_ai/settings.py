"""What settings say of a connection to Acme AI."""

from typing import ClassVar, Literal

from openai_costs.settings.connection import Connection
from openai_costs.settings.section import VariableName


class AcmeConnection(Connection):
    """One Acme AI account."""

    provider: Literal["acme_ai"] = "acme_ai"
    admin_key_env: VariableName = "ACME_AI_KEY"
    base_url: str = "https://billing.acme-ai.example/v2"

    key_remedy: ClassVar[str] = "Create a billing key in Acme AI's console and export it"

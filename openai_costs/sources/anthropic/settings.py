"""What settings say of a connection to Anthropic."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from openai_costs.settings.connection import Connection
from openai_costs.settings.section import VariableName

DEFAULT_BASE_URL = "https://api.anthropic.com/v1"

EARLIEST_START = date(2023, 1, 1)
"""Before it there was no such API."""


class AnthropicConnection(Connection):
    """One Anthropic organization, with the admin key that reads it."""

    provider: Literal["anthropic"] = "anthropic"
    admin_key_env: VariableName = "ANTHROPIC_ADMIN_KEY"
    start: date | None = Field(default=None, ge=EARLIEST_START)
    base_url: str = DEFAULT_BASE_URL

    key_remedy: ClassVar[str] = (
        "Create an admin key as an organization admin (Claude Console > Settings > Admin keys) and "
        "export it"
    )
    sample_key: ClassVar[str] = "sk-ant-admin01-sample"

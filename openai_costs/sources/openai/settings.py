"""What settings say of a connection to OpenAI."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from openai_costs.settings.connection import Connection
from openai_costs.settings.error_texts import SettingRefused
from openai_costs.settings.section import VariableName
from openai_costs.sources.openai.azure import WAY_IN, is_azure_address

DEFAULT_BASE_URL = "https://api.openai.com/v1"
BASE_URL_VARIABLE = "OPENAI_BASE_URL"


_KINDS = {
    "sk-proj-": "a project's key",
    "sk-svcacct-": "a service account's key",
    "sk-ant-": "an Anthropic key",
    "sk-or-": "an OpenRouter key",
}
FOREIGN = {
    begin: f"is {what} ({begin}...). OpenAI refuses it for costs: create an admin key."
    for begin, what in _KINDS.items()
}
"""What is wrong with keys of another kind, by their beginning."""


class OpenAIConnection(Connection):
    """One OpenAI organization, with the admin key that reads it."""

    provider: Literal["openai"] = "openai"
    admin_key_env: VariableName = "OPENAI_ADMIN_KEY"
    base_url: str = DEFAULT_BASE_URL

    key_remedy: ClassVar[str] = (
        "Create an admin key as an organization owner (Settings > Organization > Admin keys) and "
        "export it"
    )
    variables: ClassVar[Mapping[str, str]] = MappingProxyType({"base_url": BASE_URL_VARIABLE})
    foreign_keys: ClassVar[Mapping[str, str]] = MappingProxyType(FOREIGN)
    sample_key: ClassVar[str] = "sk-admin-sample"

    @field_validator("base_url")
    @classmethod
    def _is_not_azures(cls, value: str) -> str:
        if is_azure_address(value):
            raise SettingRefused(f"is an address of Azure. {WAY_IN}")
        return value

    @classmethod
    def unlisted(cls, variables: Mapping[str, str]) -> dict[str, Any]:
        """Return the connection there is where no settings file lists one."""
        address = variables.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL
        return {"name": "openai", "base_url": address}

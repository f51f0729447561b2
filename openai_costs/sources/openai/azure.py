"""Azure OpenAI is billed by Microsoft: what its addresses and keys look like, and the way in. Pure.

https://learn.microsoft.com/en-us/azure/cost-management-billing/dataset-schema/cost-usage-details-focus
"""

import re

from openai_costs.settings.addresses import host_of

_HOSTS = re.compile(r"(.*\.)?(azure\.com|azure-api\.net|azure\.us|azure\.cn|windows\.net)")
_KEY = re.compile(r"[0-9a-f]{32}|[0-9A-Za-z]{52,}AC[A-Z0-9][0-9A-Za-z]{2,}")
"""Keys of an Azure OpenAI resource: 32 hexadecimal digits, or 84 letters and digits with a mark."""

WAY_IN = (
    "Microsoft bills Azure OpenAI, and its dollars are in no API of OpenAI's. Export them in Cost "
    "Management as FOCUS to a storage account, and add a connection with provider = "
    '"focus_file" that reads these files (docs/providers/azure_openai.md)'
)


def is_azure_address(address: str) -> bool:
    """Return whether an address is one of Azure's."""
    return _HOSTS.fullmatch(host_of(address)) is not None


def is_azure_key(key: str) -> bool:
    """Return whether a key looks like that of an Azure OpenAI resource."""
    return _KEY.fullmatch(key.strip()) is not None

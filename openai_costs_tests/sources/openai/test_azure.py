"""Azure OpenAI is billed by Microsoft: a connection to OpenAI says so, with the way in."""

import pytest
from pydantic import ValidationError

from openai_costs.sources.openai.azure import is_azure_address, is_azure_key
from openai_costs.sources.openai.settings import OpenAIConnection

ADDRESSES = (
    "https://acme.openai.azure.com/openai/v1",
    "https://ACME.cognitiveservices.azure.com",
    "https://acme.services.ai.azure.com/api",
    "https://management.azure.com",
    "https://acme.azure-api.net/openai",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_azure_is_refused_with_the_way_in(address: str):
    with pytest.raises(ValidationError, match=r"Microsoft bills Azure OpenAI.*focus_file"):
        OpenAIConnection(name="acme", base_url=address)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.openai.com/v1",
        "https://eu.api.openai.com/v1",
        "https://azure.com.acme.example/v1",
        "https://acme.example/azure.com",
        "sample://acme",
        "not an address",
    ],
)
def test_other_addresses_are_not_azures(address: str):
    assert not is_azure_address(address)


def test_keys_of_azure_are_recognized_by_their_shape():
    assert is_azure_key("0123456789abcdef" * 2)
    assert is_azure_key("7" * 52 + "JQQJ99AKACYeBjFXJ3w3AAABACOGabcd")
    for other in ("sk-admin-abc", "sk-proj-" + "a" * 60, "0123456789abcdef", "z" * 32):
        assert not is_azure_key(other)

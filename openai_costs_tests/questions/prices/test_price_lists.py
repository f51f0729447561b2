import pytest

from openai_costs.questions.prices.price_lists import (
    _AWS_IDS,
    _GOOGLE_IDS,
    find_model,
    is_listed,
)
from openai_costs.questions.provider_scope import PRICES, WHY_NOT
from openai_costs.sources.bedrock.usage_types import _MODELS


def id_of(name: str, host: str, region: str | None = None) -> str | None:
    found = find_model(name, host, region)
    return None if found is None else found.id


@pytest.mark.parametrize("name", sorted({model for _, model in _MODELS.values()} - {"nova-2-pro"}))
def test_every_model_that_is_named_on_bedrocks_bills_is_in_its_list(name: str):
    assert name in _AWS_IDS
    assert is_listed(name, "aws")


@pytest.mark.parametrize("name", sorted(_GOOGLE_IDS))
def test_every_name_of_the_table_is_in_googles_list(name: str):
    assert is_listed(name, "google")


def test_a_region_and_the_whole_world_have_prices_of_their_own_at_aws():
    id_on_wire = "anthropic.claude-haiku-4-5-20251001-v1:0"
    assert id_of("claude-haiku-4-5", "aws", "global") == f"global.{id_on_wire}"
    assert id_of(id_on_wire, "aws", "eu-west-1") == f"regional.{id_on_wire}"
    assert id_of("claude-haiku-4-5", "aws") is None


def test_a_model_with_one_price_has_it_in_the_regions_that_the_list_is_about():
    assert id_of("nova-pro", "aws", "us-east-1") == "amazon.nova-pro-v1:0"
    assert id_of("nova-pro", "aws", "ap-south-1") is None
    assert is_listed("nova-pro", "aws")


@pytest.mark.parametrize("name", ["sonnet", "claude-sonnet-4", "Claude9Sonnet", "nova"])
def test_no_name_of_a_cloud_is_taken_for_one_that_is_like_it(name: str):
    assert not is_listed(name, "aws")
    assert not is_listed(name, "google")


def test_anthropic_writes_a_dated_name():
    assert id_of("claude-haiku-4-5-20251001", "anthropic") == "claude-haiku-4-5"


def test_who_has_no_list_says_why_and_who_has_one_does_not():
    assert not any(is_listed("gpt-4.1", host) for host in WHY_NOT[PRICES])
    assert not {"openai", "anthropic", "aws", "google"} & WHY_NOT[PRICES].keys()

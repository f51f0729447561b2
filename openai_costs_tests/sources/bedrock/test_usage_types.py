"""AWS's usage types and principals, by tables alone."""

from __future__ import annotations

import pytest

from openai_costs.sources.bedrock.principals import user_and_key
from openai_costs.sources.bedrock.usage_types import bedrock_meaning

BEDROCK = "Amazon Bedrock"
EDITION = "Claude Haiku 4.5 (Amazon Bedrock Edition)"


@pytest.mark.parametrize(
    ("service", "usage_type", "expected"),
    [
        (
            BEDROCK,
            "USE1-Claude4.6Sonnet-input-tokens",
            ("anthropic", "claude-sonnet-4-6", "input", "standard", "us-east-1"),
        ),
        (
            BEDROCK,
            "APS3-Claude4.6Sonnet-cache-read-input-token-count",
            ("anthropic", "claude-sonnet-4-6", "cached_input", "standard", "ap-south-1"),
        ),
        (
            BEDROCK,
            "USE1-Claude4.6Sonnet-output-tokens-cross-region-global",
            ("anthropic", "claude-sonnet-4-6", "output", "standard", "global"),
        ),
        (
            BEDROCK,
            "USE1-Nova2.0Lite-input-tokens-flex",
            ("amazon", "nova-2-lite", "input", "flex", "us-east-1"),
        ),
        (
            BEDROCK,
            "USE1-gpt-oss-120b-output-tokens-priority",
            ("openai", "gpt-oss-120b", "output", "priority", "us-east-1"),
        ),
        (
            BEDROCK,
            "USE1-openai.gpt-oss-120b-mantle-input-tokens-standard",
            ("openai", "gpt-oss-120b", "input", "standard", "us-east-1"),
        ),
        (
            EDITION,
            "USE1-MP:USE1_CacheReadInputTokenCount-Units",
            ("anthropic", "claude-haiku-4-5", "cached_input", "standard", "us-east-1"),
        ),
        (
            EDITION,
            "USW2-MP:USW2_input_tokens_global_standard-Units",
            ("anthropic", "claude-haiku-4-5", "input", "standard", "global"),
        ),
        (
            BEDROCK,
            "USE1-SomeNewModel-output-tokens",
            (None, "SomeNewModel", "output", "standard", "us-east-1"),
        ),
        (
            EDITION,
            "USE1-ProvisionedThroughput",
            ("anthropic", "claude-haiku-4-5", None, None, None),
        ),
        (BEDROCK, "USE1-Guardrail-ContentPolicyUnits", (None, None, None, None, None)),
    ],
)
def test_a_usage_type_names_maker_model_kind_tier_and_region_or_stays_unknown(
    service: str, usage_type: str, expected: tuple[str | None, ...]
):
    words = bedrock_meaning(service, usage_type)
    named = (words.provider, words.model, words.usage_type, words.service_tier, words.region)
    assert named == expected


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("arn:aws:iam::1234:user/alice", ("user/alice", None)),
        ("arn:aws:iam::1234:user/BedrockAPIKey-k7w2", (None, "user/BedrockAPIKey-k7w2")),
        ("arn:aws:sts::1234:assumed-role/Gateway/s-1", ("role/Gateway/s-1", "role/Gateway")),
        ("1234", ("1234", None)),
    ],
)
def test_a_role_and_a_key_of_bedrock_are_keys_and_a_session_is_a_user(
    principal: str, expected: tuple[str | None, str | None]
):
    assert user_and_key(principal) == expected

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from openai_costs.questions.prices.catalogue import Item, list_price
from openai_costs.questions.prices.list_value import at_list_price
from openai_costs.tables.core.gateway_spend import GatewaySpend

DAY = date(2026, 3, 10)
MODEL = "gpt-4o-mini"  # $0.15, $0.075 and $0.60 for a million tokens of input, cached and output


def valued(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A row of 3,000,000 tokens in, a million of them cached, and a million out."""
    row = dict.fromkeys(GatewaySpend.types()) | {
        "connection": "gateway",
        "day": DAY,
        "upstream_provider": "openai",
        "model": MODEL,
        "input_tokens": 3_000_000,
        "input_cached_tokens": 1_000_000,
        "output_tokens": 1_000_000,
        "cost_basis": "estimated",
        "is_unpriced": True,
        "unpriced_tokens": 4_000_000,
        "is_partial": False,
    }
    made = at_list_price(pl.DataFrame([row | more], schema=GatewaySpend.types()))
    assert GatewaySpend.broken_rules(made) == []
    return made.row(0, named=True)


def test_the_catalogue_still_has_the_prices_this_page_is_about():
    kinds = ("input", "cached_input", "output")
    found = [list_price(Item(MODEL, kind), DAY).usd for kind in kinds]
    assert found == [Decimal("1.5E-7"), Decimal("7.5E-8"), Decimal("6E-7")]


def test_tokens_without_dollars_are_worth_their_list_price_and_say_so():
    row = valued()
    assert row["metered_usd"] == Decimal("0.30") + Decimal("0.075") + Decimal("0.60")
    assert (row["cost_basis"], row["is_unpriced"], row["unpriced_tokens"]) == (
        "estimated",
        False,
        0,
    )


def test_input_whose_cached_part_is_not_known_counts_as_plain_input():
    assert valued(input_cached_tokens=None)["metered_usd"] == Decimal("1.05")


@pytest.mark.parametrize(
    "more",
    [
        {"model": "a-model-of-ours"},
        {"model": None},
        {"upstream_provider": "bedrock"},
        {"input_tokens": None},
        {"input_cached_tokens": 4_000_000},
    ],
)
def test_what_no_list_has_a_price_for_stays_without_one(more: dict[str, Any]):
    row = valued(**more)
    assert (row["metered_usd"], row["is_unpriced"], row["unpriced_tokens"]) == (
        None,
        True,
        4_000_000,
    )


def test_dollars_of_the_gateway_and_their_lack_are_left_alone():
    own = valued(cost_basis="metered", metered_usd=Decimal(2), is_unpriced=False, unpriced_tokens=0)
    assert own["metered_usd"] == Decimal(2)
    assert valued(cost_basis="metered")["metered_usd"] is None


def test_no_rows_are_no_rows():
    assert at_list_price(GatewaySpend.no_rows()).is_empty()


@pytest.mark.parametrize(
    ("upstream", "model", "usd"),
    [
        ("anthropic", "claude-haiku-4-5-20251001", "7.1"),
        ("bedrock", "global.anthropic.claude-haiku-4-5-20251001-v1:0", "7.1"),
        ("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "7.81"),
        ("bedrock_converse", "anthropic.claude-haiku-4-5-20251001-v1:0", "7.81"),
        ("vertex_ai", "claude-haiku-4-5@20251001", "7.1"),
        ("gemini", "gemini-2.5-flash-lite", "0.61"),
        ("azure", "gpt-4o-mini", None),
        ("mistral", "mistral-large-latest", None),
    ],
)
def test_tokens_are_worth_the_list_price_of_who_invoices_behind_the_gateway(
    upstream: str, model: str, usd: str | None
):
    found = valued(upstream_provider=upstream, model=model, day=date(2026, 11, 1))["metered_usd"]
    assert found == (None if usd is None else Decimal(usd))
